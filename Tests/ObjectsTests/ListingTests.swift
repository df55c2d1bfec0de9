import Bytes
import Testing

@testable import Objects

/// What a listing must be, computed from all keys the slow way.
private func expected(_ keys: [[UInt8]], _ query: ListingQuery) -> (items: [[UInt8]], prefixes: [[UInt8]]) {
    let walk = KeyWalk(query)
    var items: [[UInt8]] = []
    var prefixes: [[UInt8]] = []
    for key in keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) where key.starts(with: query.prefix) {
        if let group = walk.group(of: key) {
            if prefixes.last != group, query.after.lexicographicallyPrecedes(group) || !query.after.starts(with: group)
            {
                guard query.after.lexicographicallyPrecedes(key) else { continue }
                prefixes.append(group)
            }
        } else if query.after.lexicographicallyPrecedes(key) {
            items.append(key)
        }
    }
    return (items, prefixes)
}

@Suite struct ListingTests {
    @Test func pagesTogetherAreTheWholeWhateverTheirSize() async throws {
        let fixture = try await StoreFixture()
        var generator = SystemRandomNumberGenerator()
        let alphabet = ["a", "b", "/", "-", "\u{e9}"]
        var keys: Set<String> = []
        while keys.count < 150 {
            let length = Int.random(in: 1...6, using: &generator)
            keys.insert(
                (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }.joined())
        }
        for key in keys { try await fixture.put(key, []) }
        let all = keys.map { Array($0.utf8) }
        for prefix in ["", "a", "/", "b/", "\u{e9}", "zz"] {
            for delimiter in ["", "/", "-", "a/"] {
                for countMax in [1, 2, 7, 1000] {
                    var query = ListingQuery()
                    query.prefix = Array(prefix.utf8)
                    query.delimiter = Array(delimiter.utf8)
                    query.countMax = countMax
                    let want = expected(all, query)
                    var items: [[UInt8]] = []
                    var prefixes: [[UInt8]] = []
                    while true {
                        let page = try await fixture.store.listObjects(bucket: "bucket", query)
                        #expect(page.items.count + page.commonPrefixes.count <= countMax)
                        items += page.items.map(\.key.bytes)
                        prefixes += page.commonPrefixes
                        guard let next = page.next else { break }
                        query.after = next
                    }
                    #expect(items == want.items, "prefix \(prefix) delimiter \(delimiter) by \(countMax)")
                    #expect(prefixes == want.prefixes, "prefix \(prefix) delimiter \(delimiter) by \(countMax)")
                }
            }
        }
    }

    @Test func nothingIsAskedForAndNothingCame() async throws {
        let fixture = try await StoreFixture()
        try await fixture.put("a", [])
        var query = ListingQuery()
        query.countMax = 0
        let page = try await fixture.store.listObjects(bucket: "bucket", query)
        #expect(page.items.isEmpty && page.next == nil)
    }

    @Test func successorsOfPrefixes() {
        #expect(KeyWalk.successor([1, 2]) == [1, 3])
        #expect(KeyWalk.successor([1, 255, 255]) == [2])
        #expect(KeyWalk.successor([255]) == nil)
        #expect(KeyWalk.successor([]) == nil)
    }
}
