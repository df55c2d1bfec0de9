import Bytes
package import Clock

/// The protocol a request came by.
package enum HTTPVersion: Sendable, Equatable {
    case http10, http11, http2
}

/// A parsed request head: what a client asks for, before its body.
package struct RequestHead: Sendable {
    package var method: HTTPMethod
    /// The request target as sent: origin form (`/path?query`) or `*`.
    package var target: String
    package var version: HTTPVersion
    package var fields: HTTPFields

    package init(method: HTTPMethod, target: String, version: HTTPVersion = .http11, fields: HTTPFields = HTTPFields())
    {
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
    }
}

/// One request as a handler sees it. Confined to the task that handles it.
///
/// `@unchecked Sendable`: created by the connection and handed to exactly one handler task, on one event loop.
package final class Request: @unchecked Sendable {
    package let head: RequestHead
    package let body: RequestBody
    /// The peer's address, `127.0.0.1:52144`; empty for in-process tests.
    package let peer: String
    package let isTLS: Bool
    /// The number behind `id`, unique in the process for all practical purposes.
    package var number: UInt64 = 0
    /// Values of the matched route's `{name}` segments, percent-decoded.
    package var parameters: [(name: Substring, value: String)] = []
    /// Who the request acts for, set by the authentication step; nil is anonymous.
    package var principal: String?
    /// When the handler's task is to be cancelled, checked four times a second on HTTP/2; nil is never.
    package var deadline: MonotonicTime?
    /// True for a body that may stay silent for long, such as a gRPC stream: no body timeout applies.
    package var mayIdle = false

    package init(head: RequestHead, body: RequestBody = .empty, peer: String = "", isTLS: Bool = false) {
        self.head = head
        self.body = body
        self.peer = peer
        self.isTLS = isTLS
    }

    /// Names this request in logs and error answers: 16 upper-case hexadecimal digits. Built when asked for, since most
    /// requests never need it.
    package var id: String {
        String(unsafeUninitializedCapacity: 16) { out in
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: number >> UInt64(60 - index * 4)) & 15
                out[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
            }
            return 16
        }
    }

    package var method: HTTPMethod { head.method }
    package var fields: HTTPFields { head.fields }

    /// The target up to `?`, still percent-encoded.
    package var path: Substring { head.target.prefix { $0 != "?" } }

    /// The target after `?`, still percent-encoded; empty when there is none.
    package var query: Substring {
        guard let mark = head.target.firstIndex(of: "?") else { return "" }
        return head.target[head.target.index(after: mark)...]
    }

    /// The decoded query, in order. A pair whose escapes are broken is left out; a name without `=` has an empty value.
    package var queryItems: [(name: String, value: String)] {
        query.pieces(by: "&").compactMap { pair in
            let parts = pair.pieces(by: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentCoding.decode(parts[0], plusIsSpace: true),
                let value = PercentCoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { return nil }
            return (name, value)
        }
    }

    /// The first query value of `name`, decoded; nil when it is absent.
    package func queryValue(_ name: String) -> String? {
        guard !query.isEmpty else { return nil }
        return queryItems.first { $0.name == name }?.value
    }

    /// The value of the route's `{name}`. Traps when the route has none: that is a mistake in the route table.
    package func parameter(_ name: String) -> String {
        guard let value = parameters.first(where: { $0.name == name })?.value else {
            preconditionFailure("route has no parameter \(name)")
        }
        return value
    }
}
