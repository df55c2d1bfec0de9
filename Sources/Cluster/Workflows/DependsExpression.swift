// When a DAG task may start: `depends: "(A.Succeeded || A.Skipped) && !B.Failed"`. A bare name stands for
// `(A.Succeeded || A.Skipped || A.Daemoned)`, and `dependencies: [A, B]` for `A && B`.

import Bytes

indirect enum DependsExpression: Equatable, Sendable {
    enum Condition: String, Sendable, CaseIterable {
        case succeeded = "Succeeded"
        case failed = "Failed"
        case errored = "Errored"
        case skipped = "Skipped"
        case omitted = "Omitted"
        case daemoned = "Daemoned"
        case anySucceeded = "AnySucceeded"
        case allFailed = "AllFailed"
    }

    case always
    case task(String, Condition)
    case not(DependsExpression)
    case and(DependsExpression, DependsExpression)
    case or(DependsExpression, DependsExpression)

    /// Bytes of an expression's text, and depth of its parentheses.
    static let bytesMax = 64 * 1024
    static let depthMax = 64

    /// All of `tasks`, as `dependencies` has it.
    init(all tasks: [String]) {
        self = tasks.reduce(.always) { result, task in
            result == .always ? Self.bare(task) : .and(result, Self.bare(task))
        }
    }

    private static func bare(_ task: String) -> DependsExpression {
        .or(.or(.task(task, .succeeded), .task(task, .skipped)), .task(task, .daemoned))
    }

    /// Parses `text`. Throws a fault that quotes it.
    init(parsing text: String) throws(WorkflowFault) {
        guard text.utf8.count <= Self.bytesMax else {
            throw WorkflowFault("a 'depends' expression is longer than \(Self.bytesMax) bytes")
        }
        var parser = Parser(text)
        do throws(WorkflowFault) {
            self = try parser.or(depth: 0)
            guard parser.isAtEnd else { throw WorkflowFault("unexpected text at position \(parser.index)") }
        } catch {
            throw WorkflowFault("invalid 'depends' expression \"\(text)\": \(error.description)")
        }
    }

    /// The tasks named, each once, in order.
    var tasks: [String] {
        var names: [String] = []
        func collect(_ expression: DependsExpression) {
            switch expression {
            case .always: break
            case .task(let name, _): if !names.contains(name) { names.append(name) }
            case .not(let inner): collect(inner)
            case .and(let left, let right), .or(let left, let right):
                collect(left)
                collect(right)
            }
        }
        collect(self)
        return names
    }

    func holds(_ test: (String, Condition) -> Bool) -> Bool {
        switch self {
        case .always: true
        case .task(let name, let condition): test(name, condition)
        case .not(let inner): !inner.holds(test)
        case .and(let left, let right): left.holds(test) && right.holds(test)
        case .or(let left, let right): left.holds(test) || right.holds(test)
        }
    }

    private struct Parser {
        let bytes: [UInt8]
        var index = 0

        init(_ text: String) { bytes = Array(text.utf8) }

        var isAtEnd: Bool {
            mutating get {
                skipBlanks()
                return index == bytes.count
            }
        }

        private mutating func skipBlanks() {
            while index < bytes.count, bytes[index] == 0x20 || (9...13).contains(bytes[index]) { index += 1 }
        }

        private mutating func take(_ sign: String) -> Bool {
            skipBlanks()
            guard bytes[index...].starts(with: sign.utf8) else { return false }
            index += sign.utf8.count
            return true
        }

        mutating func or(depth: Int) throws(WorkflowFault) -> DependsExpression {
            var value = try and(depth: depth)
            while take("||") { value = .or(value, try and(depth: depth)) }
            return value
        }

        private mutating func and(depth: Int) throws(WorkflowFault) -> DependsExpression {
            var value = try not(depth: depth)
            while take("&&") { value = .and(value, try not(depth: depth)) }
            return value
        }

        private mutating func not(depth: Int) throws(WorkflowFault) -> DependsExpression {
            guard depth < DependsExpression.depthMax else { throw WorkflowFault("it is nested too deeply") }
            if take("!") { return .not(try not(depth: depth + 1)) }
            if take("(") {
                let value = try or(depth: depth + 1)
                guard take(")") else { throw WorkflowFault("expected ) at position \(index)") }
                return value
            }
            let name = word()
            guard !name.isEmpty else { throw WorkflowFault("expected a task name at position \(index)") }
            guard take(".") else { return DependsExpression.bare(name) }
            let condition = word()
            guard let known = Condition(rawValue: condition) else {
                let names = Condition.allCases.map(\.rawValue).joined(separator: ", ")
                throw WorkflowFault("\"\(condition)\" is none of \(names)")
            }
            return .task(name, known)
        }

        private mutating func word() -> String {
            skipBlanks()
            let start = index
            while index < bytes.count {
                let byte = ASCII.lowercase(bytes[index])
                guard (97...122).contains(byte) || ASCII.isDigit(byte) || byte == 0x2d || byte == 0x5f else { break }
                index += 1
            }
            return String(utf8: bytes[start..<index])
        }
    }
}
