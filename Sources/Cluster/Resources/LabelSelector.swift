// Label selectors in their text form, `app=web,tier in (a, b),!legacy`, and in the object form that workloads carry.

import Bytes
package import Formats

/// A conjunction of requirements on labels. Empty selects everything.
package struct LabelSelector: Sendable, Equatable {
    package enum Requirement: Sendable, Equatable {
        case equals(String, String)
        case notEquals(String, String)
        case isIn(String, [String])
        case notIn(String, [String])
        case exists(String)
        case absent(String)
    }

    package var requirements: [Requirement] = []

    /// Bytes of a selector's text.
    package static let bytesMax = 16 * 1024
    /// Requirements of one selector.
    package static let requirementCountMax = 256

    package init(_ requirements: [Requirement] = []) { self.requirements = requirements }

    /// Selects objects that have all of `labels`.
    package init(labels: [String: String]) {
        requirements = labels.sorted { $0.key < $1.key }.map { .equals($0.key, $0.value) }
    }

    package func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { requirement in
            switch requirement {
            case .equals(let key, let value): labels[key] == value
            // An absent label is unequal, as in Kubernetes.
            case .notEquals(let key, let value): labels[key] != value
            case .isIn(let key, let values): labels[key].map { values.contains($0) } ?? false
            case .notIn(let key, let values): labels[key].map { !values.contains($0) } ?? true
            case .exists(let key): labels[key] != nil
            case .absent(let key): labels[key] == nil
            }
        }
    }
}

extension LabelSelector {
    /// Parses the text form. Throws `.badRequest` naming what could not be read.
    package init(parsing text: String) throws(ClusterError) {
        guard text.utf8.count <= Self.bytesMax else {
            throw ClusterError(
                .badRequest, "unable to parse the label selector: it is longer than \(Self.bytesMax) bytes")
        }
        var scanner = SelectorScanner(text)
        while let next = scanner.peek() {
            guard requirements.count < Self.requirementCountMax else {
                throw ClusterError(
                    .badRequest,
                    "unable to parse the label selector: more than \(Self.requirementCountMax) requirements")
            }
            requirements.append(try Self.requirement(startingWith: next, &scanner))
            guard let separator = scanner.next() else { break }
            guard separator == .comma else { throw scanner.failure("found '\(separator.text)', expected: ',' or end") }
            guard scanner.peek() != nil else { throw scanner.failure("found the end, expected: a label after ','") }
        }
    }

    private static func requirement(
        startingWith first: SelectorScanner.Token, _ scanner: inout SelectorScanner
    ) throws(ClusterError) -> Requirement {
        if first == .exclamation {
            _ = scanner.next()
            return .absent(try key(&scanner))
        }
        let key = try key(&scanner)
        switch scanner.peek() {
        case nil, .comma: return .exists(key)
        case .equals:
            _ = scanner.next()
            return .equals(key, try value(&scanner))
        case .notEquals:
            _ = scanner.next()
            return .notEquals(key, try value(&scanner))
        case .word("in"):
            _ = scanner.next()
            return .isIn(key, try values(&scanner))
        case .word("notin"):
            _ = scanner.next()
            return .notIn(key, try values(&scanner))
        case .some(let other):
            throw scanner.failure("found '\(other.text)', expected: in, notin, =, ==, != or ','")
        }
    }

    private static func key(_ scanner: inout SelectorScanner) throws(ClusterError) -> String {
        guard case .word(let key) = scanner.next() else { throw scanner.failure("expected a label name") }
        if let fault = ObjectNames.qualifiedNameFault(key) { throw scanner.failure("key \"\(key)\": \(fault)") }
        return key
    }

    private static func value(_ scanner: inout SelectorScanner) throws(ClusterError) -> String {
        switch scanner.peek() {
        case nil, .comma: return ""
        case .word(let value):
            _ = scanner.next()
            if let fault = ObjectNames.labelValueFault(value) { throw scanner.failure("value \"\(value)\": \(fault)") }
            return value
        case .some(let other): throw scanner.failure("found '\(other.text)', expected: a value")
        }
    }

    private static func values(_ scanner: inout SelectorScanner) throws(ClusterError) -> [String] {
        guard scanner.next() == .open else { throw scanner.failure("expected '(' after in or notin") }
        var values: [String] = []
        while true {
            if scanner.peek() == .comma || scanner.peek() == .close {
                values.append("")
            } else {
                values.append(try value(&scanner))
            }
            switch scanner.next() {
            case .comma: continue
            case .close: return values
            default: throw scanner.failure("expected ',' or ')' in a list of values")
            }
        }
    }

    /// Reads the object form, `{matchLabels: {}, matchExpressions: [{key, operator, values}]}`.
    package init(object: JSON) throws(ClusterError) {
        self.init(labels: object["matchLabels"]?.stringMap ?? [:])
        for expression in object["matchExpressions"]?.arrayValue ?? [] {
            let key = expression["key"]?.stringValue ?? ""
            let values = (expression["values"]?.arrayValue ?? []).compactMap(\.stringValue)
            switch expression["operator"]?.stringValue {
            case "In": requirements.append(.isIn(key, values))
            case "NotIn": requirements.append(.notIn(key, values))
            case "Exists": requirements.append(.exists(key))
            case "DoesNotExist": requirements.append(.absent(key))
            case let other:
                throw ClusterError(.badRequest, "\"\(other ?? "")\" is not a valid label selector operator")
            }
        }
    }
}

/// Splits a selector's text into words and signs.
struct SelectorScanner {
    enum Token: Equatable {
        case word(String), equals, notEquals, exclamation, comma, open, close

        var text: String {
            switch self {
            case .word(let word): word
            case .equals: "="
            case .notEquals: "!="
            case .exclamation: "!"
            case .comma: ","
            case .open: "("
            case .close: ")"
            }
        }
    }

    private let text: String
    private let bytes: [UInt8]
    private var index = 0
    private var ahead: Token?

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    func failure(_ reason: String) -> ClusterError {
        ClusterError(.badRequest, "unable to parse requirement: \(reason) in selector \"\(text.prefix(200))\"")
    }

    mutating func peek() -> Token? {
        if ahead == nil { ahead = scan() }
        return ahead
    }

    mutating func next() -> Token? {
        defer { ahead = nil }
        return ahead ?? scan()
    }

    private mutating func scan() -> Token? {
        while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
        guard index < bytes.count else { return nil }
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: ","): return .comma
        case UInt8(ascii: "("): return .open
        case UInt8(ascii: ")"): return .close
        case UInt8(ascii: "="):
            if index < bytes.count, bytes[index] == byte { index += 1 }
            return .equals
        case UInt8(ascii: "!"):
            guard index < bytes.count, bytes[index] == UInt8(ascii: "=") else { return .exclamation }
            index += 1
            return .notEquals
        default:
            let start = index - 1
            while index < bytes.count, !Self.endsWord(bytes[index]) { index += 1 }
            return .word(String(utf8: bytes[start..<index]))
        }
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "="), UInt8(ascii: "!"), 0x20, 0x09:
            true
        default: false
        }
    }
}
