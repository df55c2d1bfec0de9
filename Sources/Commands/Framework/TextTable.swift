/// Rows under headings, in columns that line up.
package struct TextTable: Sendable {
    private let headings: [String]
    private var rows: [[String]] = []

    package init(_ headings: [String]) { self.headings = headings }

    /// Adds a row; cells that are missing are empty.
    package mutating func add(_ cells: String...) { rows.append(cells) }

    /// The lines, headings first, two spaces between columns and none at an end.
    package var lines: [String] {
        let all = (headings.allSatisfy(\.isEmpty) ? [] : [headings]) + rows
        let widths = headings.indices.map { column in
            all.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        return all.map { cells in
            var line = ""
            for (column, width) in widths.enumerated() where cells.indices.contains(column) {
                let cell = cells[column]
                line += cell
                if column < cells.count - 1 { line += String(repeating: " ", count: width - cell.count + 2) }
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    package var text: String { lines.joined(separator: "\n") }
}
