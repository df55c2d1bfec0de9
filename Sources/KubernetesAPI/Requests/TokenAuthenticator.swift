import Bytes
import HTTP

/// Knows users by their bearer tokens.
struct TokenAuthenticator: Sendable {
    private let tokens: [(token: [UInt8], user: String)]

    init(_ tokens: [(token: String, user: String)]) {
        self.tokens = tokens.map { (Array($0.token.utf8), $0.user) }
    }

    /// The user whose token `request` carries; nil when it carries none or another.
    func user(of request: Request) -> String? {
        if tokens.isEmpty { return "system:anonymous" }
        let field = request.fields["Authorization"] ?? ""
        let scheme = field.prefix { $0 != " " }
        guard scheme.lowercased() == "bearer" else { return nil }
        let sent = Array(field.utf8.dropFirst(scheme.utf8.count).drop { $0 == UInt8(ascii: " ") })
        // Every token is compared, each in constant time, so the time tells nothing about which one was near.
        var found: String?
        for (token, user) in tokens where ConstantTime.equal(sent, token) { found = user }
        return found
    }
}
