/// Which registry version a served version is, and which pairs are worth showing.
struct LineagePairing {
    struct Pair: Sendable, Equatable {
        var served: ServedVersion?
        var version: RegistryVersion?
        var link: String?
    }

    static let shownCountMax = 10

    /// Every served version of `model` or of its registry versions, and every registry version that nothing serves.
    /// A tag goes before a number that happens to be equal.
    static func pairs(model: String, served: [ServedVersion], versions: [RegistryVersion]) -> [Pair] {
        var pairs: [Pair] = []
        var paired: Set<Int> = []
        for one in served {
            let tagged = versions.indices.first { versions[$0].servedName == one.name }
            guard one.model == model || tagged != nil else { continue }
            let index =
                tagged
                ?? versions.indices.first { index in
                    versions[index].name == one.model && versions[index].version == one.version
                        && versions[index].servedName == nil
                }
            if let index { paired.insert(index) }
            let link = tagged != nil ? "the tag \(LineageTags.served)" : "the same name and number"
            pairs.append(
                Pair(served: one, version: index.map { versions[$0] }, link: index == nil ? nil : link))
        }
        for index in versions.indices where !paired.contains(index) { pairs.append(Pair(version: versions[index])) }
        return pairs
    }

    /// The pairs to show, at most `shownCountMax`: those of the version asked for; else what is served; else the versions
    /// with an alias; else the newest.
    static func shown(_ pairs: [Pair], asked: String?) -> [Pair] {
        if let asked {
            return Array(pairs.filter { ($0.version?.version ?? $0.served?.version) == asked }.prefix(shownCountMax))
        }
        let served = pairs.filter { $0.served != nil }
        if !served.isEmpty { return Array(served.prefix(shownCountMax)) }
        let named = pairs.filter { $0.version?.aliases.isEmpty == false }
        if !named.isEmpty { return Array(named.prefix(shownCountMax)) }
        let newest = pairs.max { (Int($0.version?.version ?? "") ?? 0) < (Int($1.version?.version ?? "") ?? 0) }
        return newest.map { [$0] } ?? []
    }
}
