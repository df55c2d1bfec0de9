// Request bodies to objects: JSON, YAML or Protobuf in, an object of the expected kind out, with unknown and duplicate
// fields refused, warned about or dropped as the client asked.

import Bytes
import Cluster
import Formats
import HTTP

/// An object that a client sent.
struct DecodedObject {
    var object: JSON
    /// For `Warning` fields.
    var warnings: [String] = []
}

/// Reads request bodies.
struct ObjectDecoder {
    /// Bytes of one body, as in Kubernetes.
    static let bodyBytesMax = 3 * 1024 * 1024
    private static let depthMax = 128
    static let mediaTypes = ["application/json", "application/yaml", ProtobufDecoder.mediaType]

    /// The whole body. Throws `BodyError.tooLarge` past `bodyBytesMax`, after reading and dropping up to four times as
    /// much: most clients look for an answer only once they have sent everything.
    static func body(of request: Request) async throws -> [UInt8] {
        var body: [UInt8] = []
        var count = 0
        while count <= 4 * bodyBytesMax, let chunk = try await request.body.next() {
            count += chunk.count
            if count <= bodyBytesMax { body.append(contentsOf: chunk) } else { body = [] }
        }
        guard count <= bodyBytesMax else { throw BodyError.tooLarge(bytesMax: bodyBytesMax) }
        return body
    }

    /// The media type of `request`, without parameters, in lower case; JSON when it names none.
    static func mediaType(_ request: Request) -> String {
        let field = request.fields["Content-Type"] ?? ""
        let type = field.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        return type.isEmpty ? "application/json" : type
    }

    /// The object in `body`, not yet checked against any kind.
    static func decode(_ body: [UInt8], mediaType: String) throws(StatusError) -> (object: JSON, duplicates: [String]) {
        switch mediaType {
        case "application/json", "text/json", "*/*": return try json(body)
        case "application/yaml", "text/yaml", "application/x-yaml": return (try yaml(body), [])
        case ProtobufDecoder.mediaType: return (try protobuf(body), [])
        default: throw .unsupportedMediaType(mediaType, mediaTypes)
        }
    }

    static func json(_ body: [UInt8]) throws(StatusError) -> (object: JSON, duplicates: [String]) {
        do {
            let document = try JSONDocument(body, depthMax: depthMax)
            return (document.root.tree, document.root.duplicateMembers())
        } catch {
            throw .badRequest("couldn't get the object from the body: \(error.message)")
        }
    }

    static func yaml(_ body: [UInt8]) throws(StatusError) -> JSON {
        do {
            let documents = try YAML.parse(body)
            guard documents.count == 1 else { throw StatusError.badRequest("the body must hold one YAML document") }
            return documents[0]
        } catch let error as YAMLError {
            throw .badRequest("couldn't get the object from the body: \(error.message)")
        } catch {
            throw .badRequest("the body must hold one YAML document")
        }
    }

    /// An apply configuration: YAML by its media type, JSON from most clients.
    static func jsonOrYAML(_ body: [UInt8]) throws(StatusError) -> (object: JSON, duplicates: [String]) {
        let first = body.first { $0 > 0x20 }
        return first == UInt8(ascii: "{") ? try json(body) : (try yaml(body), [])
    }

    private static func protobuf(_ body: [UInt8]) throws(StatusError) -> JSON {
        do {
            return try ProtobufDecoder().decode(body)
        } catch {
            switch error {
            case .notAnEnvelope: throw .badRequest("the body does not start with the Kubernetes Protobuf prefix")
            case .malformed(let reason): throw .badRequest("the Protobuf body is malformed: \(reason)")
            case .unsupported(let what):
                throw StatusError(
                    .unsupportedMediaType, "UnsupportedMediaType",
                    "Protobuf is not decoded for \(what): send application/json")
            }
        }
    }

    /// Checks that `object` is of `kind` and holds only fields of it.
    static func check(
        _ object: JSON, duplicates: [String], kind: ResourceKind, _ validation: FieldValidation
    ) throws(StatusError) -> DecodedObject {
        guard object.objectValue != nil else {
            throw .badRequest("couldn't get the object from the body: it is not an object")
        }
        // Typed clients leave out what the path says already; custom resources have to name it.
        let isBuiltIn = !kind.isCustom
        let name = object["kind"]?.stringValue ?? (isBuiltIn ? kind.kind : "")
        let apiVersion = object["apiVersion"]?.stringValue ?? (isBuiltIn ? kind.apiVersion : "")
        guard !name.isEmpty else { throw .badRequest("Object 'Kind' is missing in the body") }
        guard !apiVersion.isEmpty else { throw .badRequest("Object 'apiVersion' is missing in the body") }
        guard apiVersion == kind.apiVersion, name == kind.kind else {
            throw .badRequest(
                "the API version in the data (\(apiVersion.prefix(100)), Kind=\(name.prefix(100))) does not match "
                    + "the expected API version (\(kind.apiVersion), Kind=\(kind.kind))")
        }
        var validator = FieldValidator()
        let pruned = validator.prune(object, as: kind.kind)
        let subject = "\(kind.kind) in version \"\(kind.version)\" cannot be handled as a \(kind.kind)"
        if let mismatch = validator.mismatch { throw .badRequest("\(subject): \(mismatch)") }
        let faults =
            duplicates.prefix(50).map { "duplicate field \"\($0)\"" }
            + validator.unknown.map { "unknown field \"\($0)\"" }
        guard !faults.isEmpty else { return DecodedObject(object: pruned) }
        switch validation {
        case .strict: throw .badRequest("\(subject): strict decoding error: \(faults.joined(separator: ", "))")
        case .warn: return DecodedObject(object: pruned, warnings: faults)
        case .ignore: return DecodedObject(object: pruned)
        }
    }
}

extension Response {
    /// Adds a `Warning` field for each text (RFC 7234 section 5.5, as Kubernetes uses it).
    mutating func warn(_ texts: [String]) {
        for text in texts.prefix(20) {
            var quoted: [UInt8] = []
            for byte in text.utf8.prefix(500) {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { quoted.append(UInt8(ascii: "\\")) }
                quoted.append((0x20..<0x7f).contains(byte) ? byte : UInt8(ascii: "?"))
            }
            fields.append("Warning", "299 - \"\(String(utf8: quoted))\"")
        }
    }
}
