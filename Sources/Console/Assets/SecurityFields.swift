// What a browser is told about the console's pages and about bytes that are not ours.

import Bytes
import HTTP

enum SecurityFields {
    /// Scripts, styles and calls only from our own origin, nothing inline, no frames in either direction.
    static let pagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

    /// For stored bytes: whatever they are, they do nothing when a browser opens them.
    static let contentPolicy = "sandbox; default-src 'none'"

    /// Adds what belongs on every answer; a policy that is there already stays.
    static func append(to response: inout Response) {
        if !response.fields.contains("Content-Security-Policy") {
            response.fields.append("Content-Security-Policy", pagePolicy)
        }
        response.fields["X-Content-Type-Options"] = "nosniff"
        response.fields["X-Frame-Options"] = "DENY"
        response.fields["Referrer-Policy"] = "no-referrer"
        response.fields["Cross-Origin-Opener-Policy"] = "same-origin"
        response.fields["Cross-Origin-Resource-Policy"] = "same-origin"
        if !response.fields.contains("Cache-Control") { response.fields.append("Cache-Control", "no-store") }
    }

    /// `attachment` with the name after the last slash, in RFC 5987's form where it is not plain ASCII.
    static func attachment(_ path: String) -> String {
        let name = String(path.pieces(by: "/").last ?? "download")
        let isPlain = name.utf8.allSatisfy {
            $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        return isPlain
            ? "attachment; filename=\"\(name)\"" : "attachment; filename*=UTF-8''\(PercentCoding.encode(name))"
    }
}
