// The filter and ordering language of the search calls:
//
//     filter     = clause *( "AND" clause )
//     clause     = identifier comparison value
//     identifier = [ entity "." ] key            key: plain, or between backticks or double quotes
//     comparison = "=" "!=" "<" "<=" ">" ">=" LIKE ILIKE IN "NOT IN" "IS NULL" "IS NOT NULL"
//     value      = number / 'text' / "text" / "(" 'text' *( "," 'text' ) ")"
//     order      = identifier [ ASC / DESC ]
//
// Words compare without case; a doubled quote inside a text stands for one. There is no nesting, so parsing is one
// pass and its depth is constant.

import Bytes

struct FilterParser {
    private let bytes: [UInt8]
    private var index = 0
    private let source: String

    /// The clauses of `filter`; none for an empty one. Throws `.invalidParameterValue` naming what was expected.
    static func clauses(_ filter: String) throws(TrackingError) -> [SearchClause] {
        guard filter.utf8.count <= TrackingLimits.filterBytesMax else {
            throw .invalid("The filter is longer than \(TrackingLimits.filterBytesMax) bytes: shorten it.")
        }
        var parser = FilterParser(filter)
        return try parser.filter()
    }

    /// The term of one `order_by` entry.
    static func order(_ text: String) throws(TrackingError) -> SearchOrder {
        guard text.utf8.count <= 2048 else { throw .invalid("An order_by clause is longer than 2048 bytes.") }
        var parser = FilterParser(text)
        return try parser.order()
    }

    private init(_ text: String) {
        bytes = Array(text.utf8)
        source = text
    }

    private mutating func filter() throws(TrackingError) -> [SearchClause] {
        var out: [SearchClause] = []
        skipSpaces()
        if atEnd { return out }
        while true {
            guard out.count < TrackingLimits.filterClausesMax else {
                throw .invalid("The filter has more than \(TrackingLimits.filterClausesMax) clauses.")
            }
            out.append(try clause())
            skipSpaces()
            if atEnd { return out }
            guard takeWord("AND") else {
                throw fault("expected AND or the end; only AND joins clauses")
            }
        }
    }

    private mutating func order() throws(TrackingError) -> SearchOrder {
        skipSpaces()
        let (entity, key) = try identifier()
        skipSpaces()
        var isAscending = true
        if takeWord("DESC") { isAscending = false } else { _ = takeWord("ASC") }
        skipSpaces()
        guard atEnd else {
            throw .invalid("Invalid order_by clause '\(NameRules.abbreviated(source))'. Could not be parsed.")
        }
        return SearchOrder(entity: entity, key: key, isAscending: isAscending)
    }

    private mutating func clause() throws(TrackingError) -> SearchClause {
        skipSpaces()
        let (entity, key) = try identifier()
        skipSpaces()
        let comparison = try comparison()
        skipSpaces()
        let value: SearchValue
        switch comparison {
        case .isNull, .isNotNull: value = .none
        case .isIn, .isNotIn: value = .list(try list())
        default: value = try scalar()
        }
        return SearchClause(entity: entity, key: key, comparison: comparison, value: value)
    }

    private mutating func identifier() throws(TrackingError) -> (SearchEntity, String) {
        if let quoted = try quotedKey() { return (.attribute, quoted) }
        let start = index
        while let byte = peek, Self.isIdentifier(byte) { index += 1 }
        let word = String(utf8: bytes[start..<index])
        guard !word.isEmpty else { throw fault("expected an identifier such as metrics.loss") }
        guard let dot = word.firstIndex(of: ".") else { return (.attribute, word) }
        let prefix = String(word[..<dot])
        guard let entity = SearchEntity(name: prefix) else {
            throw .invalid(
                "Invalid entity type '\(NameRules.abbreviated(prefix))'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"
            )
        }
        let rest = String(word[word.index(after: dot)...])
        if rest.isEmpty, let quoted = try quotedKey() { return (entity, quoted) }
        guard !rest.isEmpty else { throw fault("expected a key after '\(prefix).'") }
        return (entity, rest)
    }

    /// A key between backticks or double quotes; nil when there is none here.
    private mutating func quotedKey() throws(TrackingError) -> String? {
        guard let quote = peek, quote == UInt8(ascii: "`") || quote == UInt8(ascii: "\"") else { return nil }
        return try quoted(quote)
    }

    private mutating func quoted(_ quote: UInt8) throws(TrackingError) -> String {
        index += 1
        var out: [UInt8] = []
        while let byte = peek {
            index += 1
            if byte == quote {
                guard peek == quote else { return String(utf8: out) }
                index += 1
            }
            out.append(byte)
        }
        throw fault("a quote is not closed")
    }

    private mutating func comparison() throws(TrackingError) -> SearchOperator {
        for candidate in [SearchOperator.notEqual, .lessOrEqual, .greaterOrEqual, .equal, .less, .greater] {
            let text = candidate.rawValue.utf8
            guard bytes[index...].starts(with: text) else { continue }
            index += text.count
            if let next = peek, "=<>!".utf8.contains(next) { throw fault("unknown comparison") }
            return candidate
        }
        if takeWord("LIKE") { return .like }
        if takeWord("ILIKE") { return .caselessLike }
        if takeWord("IN") { return .isIn }
        if takeWord("NOT") {
            skipSpaces()
            if takeWord("IN") { return .isNotIn }
            throw fault("expected IN after NOT")
        }
        if takeWord("IS") {
            skipSpaces()
            let isNegated = takeWord("NOT")
            skipSpaces()
            if takeWord("NULL") { return isNegated ? .isNotNull : .isNull }
            throw fault("expected NULL after IS")
        }
        throw fault("expected a comparison: = != < <= > >= LIKE ILIKE IN, NOT IN, IS NULL, IS NOT NULL")
    }

    private mutating func scalar() throws(TrackingError) -> SearchValue {
        guard let first = peek else { throw fault("expected a value") }
        if first == UInt8(ascii: "'") || first == UInt8(ascii: "\"") { return .text(try quoted(first)) }
        let start = index
        while let byte = peek, Self.isIdentifier(byte) || byte == UInt8(ascii: "+") { index += 1 }
        let word = String(utf8: bytes[start..<index])
        if let number = Int(word) { return .integer(number) }
        let isNumeric = word.utf8.contains(where: ASCII.isDigit) && !word.utf8.contains { "xXpPnN".utf8.contains($0) }
        if isNumeric, let number = Double(word), number.isFinite { return .decimal(number) }
        throw fault(
            "expected a number or a quoted text, found '\(NameRules.abbreviated(word))'; "
                + "parameter value is either not quoted or has unidentified quote types")
    }

    private mutating func list() throws(TrackingError) -> [String] {
        guard take(UInt8(ascii: "(")) else { throw fault("expected a list such as ('a', 'b')") }
        var out: [String] = []
        while true {
            skipSpaces()
            guard let quote = peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
                throw fault(
                    "while parsing a list in the query, expected a non-empty list of quoted string values")
            }
            out.append(try quoted(quote))
            skipSpaces()
            if take(UInt8(ascii: ")")) { return out }
            guard take(UInt8(ascii: ",")), out.count < 1000 else {
                throw fault("while parsing a list in the query, expected ',' or ')' and at most 1000 values")
            }
        }
    }

    private var atEnd: Bool { index == bytes.count }
    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpaces() {
        while let byte = peek, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        index += 1
        return true
    }

    /// Takes `word`, upper case, when it stands here as a whole word in any case.
    private mutating func takeWord(_ word: String) -> Bool {
        let count = word.utf8.count
        guard index + count <= bytes.count,
            zip(bytes[index...], word.utf8).allSatisfy({ ASCII.lowercase($0) == ASCII.lowercase($1) })
        else { return false }
        if index + count < bytes.count, Self.isIdentifier(bytes[index + count]) { return false }
        index += count
        return true
    }

    private static func isIdentifier(_ byte: UInt8) -> Bool {
        ASCII.isAlphanumeric(byte) || byte >= 0x80 || "_.-/:".utf8.contains(byte)
    }

    private func fault(_ expectation: String) -> TrackingError {
        .invalid(
            "Invalid clause(s) in filter string '\(NameRules.abbreviated(source))' at byte \(index): \(expectation).")
    }
}
