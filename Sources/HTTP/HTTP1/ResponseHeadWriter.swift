import Bytes

/// How a response body is framed in HTTP/1.
package enum ResponseFraming: Sendable, Equatable {
    /// No body and no length: 1xx, 204, 304.
    case absent
    case length(Int)
    case chunked
    /// Ends when the connection does; HTTP/1.0 only.
    case untilClose
}

/// Writes HTTP/1.1 response heads.
package enum ResponseHeadWriter {
    /// The `Date` field and the end of a head: made once a second by the caller, since every answer ends in it.
    package static func trailing(date: String) -> [UInt8] { Array("Date: \(date)\r\n\r\n".utf8) }

    /// Appends the status line and fields. Framing and `Connection` are added here; a `Content-Length` or
    /// `Transfer-Encoding` in `fields` is left out, except a length on an answer to HEAD, which has `framing` absent.
    package static func append(
        _ response: Response, framing: ResponseFraming, closes: Bool, keepsAliveExplicitly: Bool, trailing: [UInt8],
        to out: inout [UInt8]
    ) {
        if response.status == .ok {
            out.append("HTTP/1.1 200 OK\r\n")
        } else {
            out.append("HTTP/1.1 ")
            out.append(decimal: response.status.code)
            out.append(UInt8(ascii: " "))
            out.append(response.status.reason)
            out.append("\r\n")
        }
        let fields = response.fields
        var hasServer = false
        for entry in fields.entries {
            let name = fields.storage[Int(entry.name.lowerBound)..<Int(entry.name.upperBound)]
            if isFraming(name), framing != .absent || name.count != 14 { continue }
            if name.count == 6, equals(name, "server") { hasServer = true }
            out.append(contentsOf: name)
            out.append(": ")
            out.append(contentsOf: fields.storage[Int(entry.value.lowerBound)..<Int(entry.value.upperBound)])
            out.append("\r\n")
        }
        switch framing {
        case .absent, .untilClose: break
        case .length(let length):
            out.append("Content-Length: ")
            out.append(decimal: length)
            out.append("\r\n")
        case .chunked: out.append("Transfer-Encoding: chunked\r\n")
        }
        if closes {
            out.append("Connection: close\r\n")
        } else if keepsAliveExplicitly {
            out.append("Connection: keep-alive\r\n")
        }
        if !hasServer { out.append("Server: Slipway\r\n") }
        out.append(contentsOf: trailing)
    }

    private static func isFraming(_ name: ArraySlice<UInt8>) -> Bool {
        name.count == 14 && equals(name, "content-length") || name.count == 17 && equals(name, "transfer-encoding")
    }

    private static func equals(_ bytes: ArraySlice<UInt8>, _ lowercase: StaticString) -> Bool {
        lowercase.withUTF8Buffer { zip(bytes, $0).allSatisfy { ASCII.lowercase($0) == $1 } }
    }
}
