/// What a listing asks for. Keys are bytes, because a prefix need not be whole characters.
package struct ListingQuery: Sendable {
    package var prefix: [UInt8] = []
    /// Keys that share the text up to its first occurrence after the prefix are shown as one common prefix.
    package var delimiter: [UInt8] = []
    /// Only what comes after it is shown.
    package var after: [UInt8] = []
    /// 0-1000.
    package var countMax = ObjectLimits.listCountMax

    package init() {}
}

/// One page of a listing.
package struct Listing<Item: Sendable>: Sendable {
    package var items: [Item] = []
    package var commonPrefixes: [[UInt8]] = []
    /// Where the next page begins, to be given as `after`; nil when there is no more.
    package var next: [UInt8]?
}

/// The positions of a walk over keys with prefix and delimiter.
struct KeyWalk {
    let query: ListingQuery
    /// The walk goes on at keys that are not less than this.
    private(set) var from: [UInt8]
    /// True when `from` cannot be reached: there is no key after it.
    private(set) var isAtEnd = false

    init(_ query: ListingQuery) {
        self.query = query
        from = query.prefix
        if !query.after.isEmpty, !query.after.lexicographicallyPrecedes(query.prefix) {
            if let group = group(of: query.after), group == query.after {
                // The marker is a common prefix that was shown: skip everything under it.
                skip(group)
            } else {
                // The smallest key that is greater.
                from = query.after + [0]
            }
        }
    }

    /// The first byte string that is not under the prefix; nil when there is none.
    var end: [UInt8]? { Self.successor(query.prefix) }

    /// The common prefix that `key` belongs to; nil when it is to be shown itself.
    func group(of key: [UInt8]) -> [UInt8]? {
        guard !query.delimiter.isEmpty, key.starts(with: query.prefix) else { return nil }
        let delimiter = query.delimiter
        var index = query.prefix.count
        while index + delimiter.count <= key.count {
            if key[index..<index + delimiter.count].elementsEqual(delimiter) {
                return Array(key[..<(index + delimiter.count)])
            }
            index += 1
        }
        return nil
    }

    /// Goes on behind everything under `group`.
    mutating func skip(_ group: [UInt8]) {
        if let next = Self.successor(group) { from = next } else { isAtEnd = true }
    }

    /// Goes on behind `key`.
    mutating func pass(_ key: [UInt8]) { from = key + [0] }

    /// The smallest byte string greater than all that begin with `prefix`; nil when there is none.
    static func successor(_ prefix: [UInt8]) -> [UInt8]? {
        var bytes = prefix
        while let last = bytes.last {
            if last < .max {
                bytes[bytes.count - 1] = last + 1
                return bytes
            }
            bytes.removeLast()
        }
        return nil
    }
}
