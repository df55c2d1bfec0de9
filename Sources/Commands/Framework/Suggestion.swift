/// Finds what a person most likely meant.
package enum Suggestion {
    /// The candidate with the fewest edits to `word`, when those are at most a third of its length, rounded up.
    package static func nearest(to word: String, in candidates: some Collection<String>) -> String? {
        let limit = (word.count + 2) / 3
        return candidates.map { (candidate: $0, edits: distance(word, $0)) }
            .filter { $0.edits <= limit }
            .min { ($0.edits, $0.candidate) < ($1.edits, $1.candidate) }?.candidate
    }

    /// Insertions, deletions, substitutions and swaps of neighbours that turn `left` into `right`
    /// (optimal string alignment).
    package static func distance(_ left: String, _ right: String) -> Int {
        let a = Array(left), b = Array(right)
        var rows = [Array(0...b.count)]
        for i in 1..<(a.count + 1) {
            var row = [i]
            for j in 1..<(b.count + 1) {
                let substitution = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                var best = min(rows[i - 1][j] + 1, row[j - 1] + 1, substitution)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
