// The condition of a step: `{{steps.flip.outputs.result}} == heads && {{inputs.parameters.n}} > 2`.
//
// Words without quotes are texts, as Argo has it. The values of `{{...}}` become part of a word or quoted text while the
// expression is split, so a value can never bring operators of its own.
//
//     or      = and ("||" and)*            compare = operand (("==" | "!=" | "<" | "<=" | ">" | ">=" | "=~" | "!~") operand
//     and     = not ("&&" not)*                              | "in" "(" operand ("," operand)* ")")?
//     not     = "!" not | compare          operand = word | 'text' | "text" | "(" or ")"

import Bytes

enum WhenExpression {
    enum Value: Equatable {
        case number(Double)
        case text(String)
        case bool(Bool)
    }

    /// Depth of parentheses and negations.
    static let depthMax = 64

    /// Evaluates `text`. Throws a fault that quotes the expression.
    static func evaluate(_ text: String, _ scope: WorkflowScope) throws(WorkflowFault) -> Bool {
        var source = text
        let parts = TemplateText.parts(text)
        // A condition that is one tag as a whole may name a complete condition.
        if parts.count == 1, case .tag(let tag) = parts[0] {
            source = try TemplateText.value(tag, scope)
            return try evaluate(tokens: WhenScanner.tokens([.literal(source)], scope), of: source)
        }
        return try evaluate(tokens: WhenScanner.tokens(parts, scope), of: source)
    }

    private static func evaluate(tokens: [WhenScanner.Token], of text: String) throws(WorkflowFault) -> Bool {
        var parser = WhenParser(tokens: tokens)
        do throws(WorkflowFault) {
            let value = try parser.or(depth: 0)
            guard parser.isAtEnd else { throw WorkflowFault("unexpected \(parser.next)") }
            switch value {
            case .bool(let flag): return flag
            case .text("true"): return true
            case .text("false"): return false
            default: throw WorkflowFault("it is not true or false")
            }
        } catch {
            throw WorkflowFault("invalid 'when' expression '\(text)': \(error.description)")
        }
    }
}

/// Splits a condition.
enum WhenScanner {
    enum Token: Equatable {
        case word(String)
        case quoted(String)
        case sign(String)
    }

    private static let signs = ["==", "!=", "<=", ">=", "=~", "!~", "&&", "||", "<", ">", "!", "(", ")", ","]

    static func tokens(_ parts: [TemplateText.Part], _ scope: WorkflowScope) throws(WorkflowFault) -> [Token] {
        var tokens: [Token] = []
        var word: String?
        var quote: UInt8?
        func finish(_ tokens: inout [Token], _ word: inout String?) {
            if let text = word { tokens.append(.word(text)) }
            word = nil
        }
        for part in parts {
            switch part {
            case .tag(let tag):
                word = (word ?? "") + (try TemplateText.value(tag, scope))
            case .literal(let literal):
                var bytes = Array(literal.utf8)[...]
                while let byte = bytes.first {
                    if let open = quote {
                        bytes = bytes.dropFirst()
                        if byte == open {
                            tokens.append(.quoted(word ?? ""))
                            word = nil
                            quote = nil
                        } else {
                            let run = [byte] + bytes.prefix { $0 != open && $0 & 0x80 != 0 }
                            bytes = bytes.dropFirst(run.count - 1)
                            word = (word ?? "") + String(utf8: run)
                        }
                    } else if byte == 0x20 || (9...13).contains(byte) {
                        finish(&tokens, &word)
                        bytes = bytes.dropFirst()
                    } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                        finish(&tokens, &word)
                        quote = byte
                        bytes = bytes.dropFirst()
                    } else if let sign = signs.first(where: { bytes.starts(with: $0.utf8) }) {
                        finish(&tokens, &word)
                        tokens.append(.sign(sign))
                        bytes = bytes.dropFirst(sign.utf8.count)
                    } else {
                        let run = [byte] + bytes.dropFirst().prefix { $0 & 0xc0 == 0x80 }
                        bytes = bytes.dropFirst(run.count)
                        word = (word ?? "") + String(utf8: run)
                    }
                }
            }
        }
        guard quote == nil else { throw WorkflowFault("a quoted text in the 'when' expression is not closed") }
        finish(&tokens, &word)
        return tokens
    }
}

/// Evaluates while reading; conditions have no effects, so both sides of `&&` and `||` may be computed.
struct WhenParser {
    private let tokens: [WhenScanner.Token]
    private var index = 0

    init(tokens: [WhenScanner.Token]) { self.tokens = tokens }

    var isAtEnd: Bool { index == tokens.count }

    var next: String {
        guard index < tokens.count else { return "end" }
        switch tokens[index] {
        case .word(let text), .quoted(let text), .sign(let text): return "\"\(text)\""
        }
    }

    private mutating func take(_ sign: String) -> Bool {
        guard index < tokens.count, tokens[index] == .sign(sign) else { return false }
        index += 1
        return true
    }

    mutating func or(depth: Int) throws(WorkflowFault) -> WhenExpression.Value {
        var value = try and(depth: depth)
        while take("||") {
            let right = try and(depth: depth)
            let (a, b) = (try flag(value), try flag(right))
            value = .bool(a || b)
        }
        return value
    }

    private mutating func and(depth: Int) throws(WorkflowFault) -> WhenExpression.Value {
        var value = try not(depth: depth)
        while take("&&") {
            let right = try not(depth: depth)
            let (a, b) = (try flag(value), try flag(right))
            value = .bool(a && b)
        }
        return value
    }

    private mutating func not(depth: Int) throws(WorkflowFault) -> WhenExpression.Value {
        guard depth < WhenExpression.depthMax else { throw WorkflowFault("it is nested too deeply") }
        if take("!") { return .bool(!(try flag(try not(depth: depth + 1)))) }
        return try compare(depth: depth)
    }

    private func flag(_ value: WhenExpression.Value) throws(WorkflowFault) -> Bool {
        switch value {
        case .bool(let flag): return flag
        case .text("true"): return true
        case .text("false"): return false
        case .text(let text): throw WorkflowFault("\"\(text)\" is not true or false")
        case .number(let number): throw WorkflowFault("\(number) is not true or false")
        }
    }

    private mutating func compare(depth: Int) throws(WorkflowFault) -> WhenExpression.Value {
        let left = try operand(depth: depth)
        for sign in ["==", "!=", "<=", ">=", "=~", "!~", "<", ">"] where take(sign) {
            return .bool(try Self.compare(left, sign, try operand(depth: depth)))
        }
        if index < tokens.count, tokens[index] == .word("in") {
            index += 1
            guard take("(") else { throw WorkflowFault("expected ( after in, found \(next)") }
            var isMember = false
            repeat { if try operand(depth: depth) == left { isMember = true } } while take(",")
            guard take(")") else { throw WorkflowFault("expected ) after the list, found \(next)") }
            return .bool(isMember)
        }
        return left
    }

    private static func compare(
        _ left: WhenExpression.Value, _ sign: String, _ right: WhenExpression.Value
    ) throws(WorkflowFault) -> Bool {
        switch sign {
        case "==": return left == right
        case "!=": return left != right
        case "=~", "!~":
            guard let matches = RegularExpression.find(text(right), in: text(left)) else {
                throw WorkflowFault("\"\(text(right))\" is not a regular expression")
            }
            return matches == (sign == "=~")
        default: break
        }
        let isLess: Bool
        let isEqual: Bool
        if case .number(let a) = left, case .number(let b) = right {
            (isLess, isEqual) = (a < b, a == b)
        } else {
            (isLess, isEqual) = (text(left) < text(right), text(left) == text(right))
        }
        switch sign {
        case "<": return isLess
        case "<=": return isLess || isEqual
        case ">": return !isLess && !isEqual
        default: return !isLess
        }
    }

    private static func text(_ value: WhenExpression.Value) -> String {
        switch value {
        case .text(let text): text
        case .number(let number):
            number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : String(number)
        case .bool(let flag): flag ? "true" : "false"
        }
    }

    private mutating func operand(depth: Int) throws(WorkflowFault) -> WhenExpression.Value {
        if take("(") {
            guard depth < WhenExpression.depthMax else { throw WorkflowFault("it is nested too deeply") }
            let value = try or(depth: depth + 1)
            guard take(")") else { throw WorkflowFault("expected ), found \(next)") }
            return value
        }
        guard index < tokens.count else { throw WorkflowFault("it ends too early") }
        defer { index += 1 }
        switch tokens[index] {
        case .quoted(let text): return .text(text)
        case .word("true"): return .bool(true)
        case .word("false"): return .bool(false)
        case .word(let text):
            if let number = Double(text), number.isFinite, !text.contains(where: \.isLetter) { return .number(number) }
            return .text(text)
        case .sign(let sign): throw WorkflowFault("unexpected \"\(sign)\"")
        }
    }
}
