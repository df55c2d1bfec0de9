import Formats

/// An element of a request's XML body. What is wrong with it is `MalformedXML`.
struct XMLBody {
    private let element: XMLElement

    private init(_ element: XMLElement) { self.element = element }

    /// Reads a body whose root must be `root`, in whatever namespace.
    init(_ bytes: [UInt8], root: String) throws(S3Error) {
        do { element = try XMLElement.parse(bytes) } catch {
            throw S3Error(.malformedXML)
        }
        guard element.name == root else { throw S3Error(.malformedXML) }
    }

    /// The text of the first child called `name`; nil when there is none.
    func text(_ name: String) -> String? { element.child(name)?.text }
    func child(_ name: String) -> XMLBody? { element.child(name).map { XMLBody($0) } }
    func children(_ name: String) -> [XMLBody] { element.children.filter { $0.name == name }.map { XMLBody($0) } }
}
