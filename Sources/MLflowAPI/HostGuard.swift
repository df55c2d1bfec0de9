// Keeps web pages of other sites away from a server on the user's machine: DNS rebinding (a foreign name in Host that
// resolves to this machine) and cross-site writes (a foreign Origin). CVE-2025-14279 is the reference server's history.

import Bytes
import HTTP
import Server

package struct HostGuard: Sendable {
    /// Patterns of host names with or without a port; `*` stands for any run of characters.
    private let allowedHosts: [String]

    /// `allowedHosts` come on top of localhost and addresses of private networks, which are always taken.
    package init(allowedHosts: [String]) { self.allowedHosts = allowedHosts.map { $0.lowercased() } }

    /// The refusal of a request, or nil.
    func refusal(of request: Request) -> MLflowError? {
        if request.path == "/health" || request.path == "/version" { return nil }
        if let host = request.fields["Host"], !isAllowed(host) {
            return .forbidden(
                "Invalid Host header - possible DNS rebinding attack detected. Start the server with --allowed-hosts to take this name."
            )
        }
        guard CrossOriginGuard(.hosts(isAllowed)).refusedOrigin(of: request) != nil else { return nil }
        return .forbidden(
            "Cross-origin request blocked: start the server with --allowed-hosts to take requests from this site.")
    }

    private func isAllowed(_ authority: String) -> Bool {
        let authority = authority.lowercased()
        let name = Self.hostName(authority)
        if Self.isLocal(name) { return true }
        return allowedHosts.contains { Self.matches(authority, pattern: $0) || Self.matches(name, pattern: $0) }
    }

    /// The authority without its port, and an IPv6 address without its brackets.
    private static func hostName(_ authority: String) -> String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        return String(authority.prefix { $0 != ":" })
    }

    /// localhost, the unspecified address, loopback and private networks (RFC 1918, RFC 4193).
    private static func isLocal(_ name: String) -> Bool {
        if ["localhost", "::1", "0.0.0.0", "::"].contains(name) || name.hasPrefix("fd") && name.contains(":") {
            return true
        }
        let parts = name.pieces(by: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4, let a = parts[0], let b = parts[1], parts[2] != nil, parts[3] != nil else {
            return false
        }
        return a == 127 || a == 10 || (a == 192 && b == 168) || (a == 172 && (16...31).contains(b))
    }

    private static func matches(_ text: String, pattern: String) -> Bool {
        let pieces = pattern.pieces(by: "*", omittingEmptySubsequences: false)
        guard pieces.count > 1, let first = pieces.first, let last = pieces.last else { return text == pattern }
        guard text.hasPrefix(first), text.hasSuffix(last), text.utf8.count >= first.utf8.count + last.utf8.count else {
            return false
        }
        var rest = text.dropFirst(first.count).dropLast(last.count)
        for piece in pieces.dropFirst().dropLast() {
            guard let range = rest.firstRange(of: piece) else { return false }
            rest = rest[range.upperBound...]
        }
        return true
    }
}
