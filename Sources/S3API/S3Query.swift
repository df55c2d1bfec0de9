import Bytes

/// The decoded query of a request, in order.
struct S3Query: Sendable {
    let pairs: [(name: String, value: String)]

    /// Throws `InvalidURI` for a broken escape or bytes that are not UTF-8, instead of leaving a parameter out.
    init(_ query: Substring) throws(S3Error) {
        var pairs: [(name: String, value: String)] = []
        for pair in query.pieces(by: "&") {
            let parts = pair.pieces(by: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentCoding.decode(parts[0], plusIsSpace: true),
                let value = PercentCoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { throw S3Error(.invalidURI, "A query parameter is not percent-encoded UTF-8.") }
            pairs.append((name, value))
        }
        self.pairs = pairs
    }

    func value(_ name: String) -> String? { pairs.first { $0.name == name }?.value }
    func has(_ name: String) -> Bool { pairs.contains { $0.name == name } }

    /// A number of at most `maximum`; `fallback` when it is absent or empty. Throws `InvalidArgument` for
    /// anything else.
    func number(_ name: String, default fallback: Int, maximum: Int = Int(Int32.max)) throws(S3Error) -> Int {
        guard let text = value(name), !text.isEmpty else { return fallback }
        guard let number = ASCII.decimal(text.utf8), number <= Int(Int32.max) else {
            throw S3Error(
                .invalidArgument, "Argument \(name) must be an integer between 0 and 2147483647.",
                details: [("ArgumentName", name), ("ArgumentValue", text)])
        }
        return min(number, maximum)
    }
}
