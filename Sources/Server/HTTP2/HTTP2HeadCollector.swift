import Bytes
import HTTP

/// Builds a request head from the fields nghttp2 decodes one by one, within limits.
struct HTTP2HeadCollector {
    private var storage: [UInt8] = []
    private var entries: [HTTPFields.Entry] = []
    private var method: HTTPMethod?
    private var path: String?
    private var authority: String?
    private var hasHost = false
    /// Sum of name and value lengths plus 32 each, as RFC 9113 section 6.5.2 counts a field section.
    private var sectionBytes = 0
    private(set) var isTooLarge = false

    mutating func append(
        _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, bytesMax: Int, countMax: Int
    ) {
        sectionBytes += name.count + value.count + 32
        guard sectionBytes <= bytesMax, entries.count < countMax, !isTooLarge else {
            isTooLarge = true
            return
        }
        guard name.first != UInt8(ascii: ":") else { return appendPseudo(name, value) }
        if name.count == 4, name.elementsEqual("host".utf8) { hasHost = true }
        append(name, value)
    }

    private mutating func append(_ name: some Collection<UInt8>, _ value: some Collection<UInt8>) {
        let start = Int32(storage.count)
        storage.append(contentsOf: name)
        let middle = Int32(storage.count)
        storage.append(contentsOf: value)
        entries.append(HTTPFields.Entry(name: start..<middle, value: middle..<Int32(storage.count)))
    }

    private mutating func appendPseudo(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        switch (name.count, name[1]) {
        case (7, UInt8(ascii: "m")): method = HTTPMethod(String(utf8: value))
        case (5, _):
            // As over HTTP/1: visible ASCII, and no fragment.
            if value.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }) { path = String(utf8: value) }
        case (10, _): authority = String(utf8: value)
        default: break
        }
    }

    /// The head, or nil when a pseudo-header is missing or bad. The authority becomes `host` unless one was sent.
    mutating func finish() -> RequestHead? {
        guard let method, let path else { return nil }
        if let authority, !hasHost { append("host".utf8, authority.utf8) }
        return RequestHead(
            method: method, target: path, version: .http2, fields: HTTPFields(storage: storage, entries: entries))
    }

    /// The fields of a trailer section.
    func trailerFields() -> HTTPFields { HTTPFields(storage: storage, entries: entries) }
}
