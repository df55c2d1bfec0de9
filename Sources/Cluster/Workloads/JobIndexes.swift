import Bytes

/// A set of completion indexes, written as Kubernetes does: `0-2,5`.
struct JobIndexes: Equatable {
    private var indexes: Set<Int> = []
    /// More than a Job may have.
    private static let indexMax = 1_000_000

    /// Reads what `text` wrote; parts that are no indexes are left out.
    init(_ text: String) {
        for part in text.pieces(by: ",") {
            let ends = part.pieces(by: "-", maxSplits: 1).compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first >= 0, first <= last, last <= Self.indexMax else {
                continue
            }
            indexes.formUnion(first...last)
        }
    }

    var count: Int { indexes.count }

    func contains(_ index: Int) -> Bool { indexes.contains(index) }

    mutating func insert(_ index: Int) { indexes.insert(index) }

    var text: String {
        var ranges: [(first: Int, last: Int)] = []
        for index in indexes.sorted() {
            if let range = ranges.last, range.last == index - 1 {
                ranges[ranges.count - 1].last = index
            } else {
                ranges.append((index, index))
            }
        }
        return ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ",")
    }
}
