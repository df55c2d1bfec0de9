/// One SQL value: what is bound to a placeholder.
///
/// The five cases exist in every SQL database; booleans are `.int(0)` or `.int(1)`, moments are integers whose unit the
/// column's name says.
package enum DatabaseValue: Sendable, Hashable {
    case null
    case int(Int)
    /// NaN cannot be stored: it reads back as NULL. Keep it in a column of its own.
    case double(Double)
    case text(String)
    case blob([UInt8])

    /// `.text`, or `.null` for nil.
    package static func optional(_ text: String?) -> DatabaseValue { text.map(DatabaseValue.text) ?? .null }
    /// `.int`, or `.null` for nil.
    package static func optional(_ number: Int?) -> DatabaseValue { number.map(DatabaseValue.int) ?? .null }
    /// `.double`, or `.null` for nil.
    package static func optional(_ number: Double?) -> DatabaseValue { number.map(DatabaseValue.double) ?? .null }
    /// `.blob`, or `.null` for nil.
    package static func optional(_ bytes: [UInt8]?) -> DatabaseValue { bytes.map(DatabaseValue.blob) ?? .null }
    /// `.int(1)` or `.int(0)`.
    package static func bool(_ value: Bool) -> DatabaseValue { .int(value ? 1 : 0) }
}

extension DatabaseValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral {
    package init(integerLiteral value: Int) { self = .int(value) }
    package init(stringLiteral value: String) { self = .text(value) }
    package init(nilLiteral: ()) { self = .null }
}
