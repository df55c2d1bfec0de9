import Bytes
import Clock
import Formats
import HTTP

/// An S3 answer being written: elements without attributes, text escaped.
struct S3XML {
    private static let namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

    private var writer = XMLWriter()

    /// Without a root yet: for errors, which have no namespace.
    init() {}

    /// With the root element of an answer.
    init(root: String) {
        writer.begin(root, attributes: [("xmlns", Self.namespace)])
    }

    mutating func begin(_ name: String, attributes: [(name: String, value: String)] = []) {
        writer.begin(name, attributes: attributes)
    }
    mutating func text(_ text: String) { writer.text(text) }
    mutating func end() { writer.end() }
    mutating func leaf(_ name: String, _ text: String) { writer.leaf(name, text) }
    mutating func leaf(_ name: String, _ number: some BinaryInteger) { writer.leaf(name, "\(number)") }
    mutating func leaf(_ name: String, _ value: Bool) { writer.leaf(name, value ? "true" : "false") }
    mutating func leaf(_ name: String, _ moment: WallTime) { writer.leaf(name, moment.iso8601(fractionDigits: 3)) }
    mutating func leafIfPresent(_ name: String, _ text: String?) { if let text { leaf(name, text) } }

    /// The document; call it when every element but the root is ended.
    var bytes: [UInt8] { writer.bytes }

    /// The answer `200 OK` with this document, whose root is ended here.
    func response(_ status: HTTPStatus = .ok) -> Response {
        var copy = self
        copy.end()
        return Response(status, contentType: "application/xml", copy.bytes)
    }
}
