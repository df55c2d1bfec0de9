import Bytes

/// The words and flags after an operation's name.
struct Options: Sendable {
    private(set) var words: [String] = []
    private(set) var flags: Set<String> = []
    private(set) var values: [String: String] = [:]

    /// - Parameters:
    ///   - switches: long names with their short spelling, or nil.
    ///   - valued: long names of flags that take a value.
    ///
    /// Throws for a flag that `operation` does not take.
    init(_ arguments: [String], of operation: String, switches: [String: String?] = [:], valued: Set<String> = [])
        throws
    {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument.count > 1 else {
                words.append(argument)
                continue
            }
            if argument == "--" {
                words += rest
                break
            }
            let parts = argument.pieces(by: "=", maxSplits: 1).map(String.init)
            let name = parts[0].drop { $0 == "-" }
            if let found = switches.first(where: { $0.key == name || $0.value == String(name) }) {
                flags.insert(found.key)
            } else if valued.contains(String(name)) {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw MCError(.usage, "`--\(name)` needs a value.")
                }
                values[String(name)] = value
            } else {
                throw MCError(
                    .usage, "`\(parts[0])` is not a flag of `mc \(operation)`. `mc \(operation) --help` shows them.")
            }
        }
    }

    func has(_ flag: String) -> Bool { flags.contains(flag) }

    /// The words, if there are as many as `range` says; else the usage as an error.
    func words(_ range: ClosedRange<Int>, usage: String) throws -> [String] {
        guard range.contains(words.count) else { throw MCError(.usage, "Usage: mc \(usage)") }
        return words
    }
}
