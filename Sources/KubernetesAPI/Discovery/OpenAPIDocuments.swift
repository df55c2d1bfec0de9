// OpenAPI. Version 2 is empty, which every kubectl takes as "nothing to check against". Version 3 says of each kind
// that its PATCH takes `fieldValidation`, after which kubectl leaves checking to the server, and describes the fields
// for `kubectl explain`.

import Bytes
import Cluster
import Digests
import Formats
import HTTP

/// Answers /openapi/v2, /openapi/v3 and the documents of its index.
struct OpenAPIDocuments: Sendable {
    /// By the path after /openapi/v3/, such as `apis/argoproj.io/v1alpha1`.
    private let documents: [String: [UInt8]]
    private let index: [UInt8]

    init(kinds: [ResourceKind]) {
        var documents: [String: [UInt8]] = [:]
        for kind in kinds {
            let path = Self.path(kind)
            if documents[path] == nil {
                documents[path] = Self.document(kinds.filter { Self.path($0) == path }).encoded
            }
        }
        self.documents = documents
        var paths = JSONObject()
        for (path, document) in documents.sorted(by: { $0.key < $1.key }) {
            let hash = Hex.encode(SHA256.hash(document)).prefix(32).uppercased()
            paths[path] = ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(hash)")]
        }
        index = JSON.object(JSONObject()).with("paths", .object(paths)).encoded
    }

    func response(_ segments: [String]) throws(StatusError) -> Response {
        guard segments.count >= 2 else { throw .noSuchPath }
        if segments[1] == "v2", segments.count == 2 {
            return Response(contentType: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", [])
        }
        guard segments[1] == "v3" else { throw .noSuchPath }
        if segments.count == 2 { return Response(contentType: "application/json", index) }
        guard let document = documents[segments[2...].joined(separator: "/")] else { throw .noSuchPath }
        return Response(contentType: "application/json", document)
    }

    private static func path(_ kind: ResourceKind) -> String {
        kind.group.isEmpty ? "api/\(kind.version)" : "apis/\(kind.group)/\(kind.version)"
    }

    private static func document(_ kinds: [ResourceKind]) -> JSON {
        var paths = JSONObject()
        var schemas = JSONObject()
        for kind in kinds {
            let collection = "/\(path(kind))\(kind.isNamespaced ? "/namespaces/{namespace}" : "")/\(kind.plural)"
            let identity: JSON = [
                "group": .string(kind.group), "version": .string(kind.version), "kind": .string(kind.kind),
            ]
            let operation: JSON = [
                "x-kubernetes-group-version-kind": identity,
                "parameters": [["name": "fieldValidation", "in": "query", "schema": ["type": "string"]]],
                "responses": ["200": ["description": "OK"]],
            ]
            paths["\(collection)/{name}"] = ["patch": operation]
            describe(kind.kind, in: &schemas, identity: identity)
        }
        return [
            "openapi": "3.0.0", "info": ["title": "Slipway", "version": .string(KubernetesAPI.kubernetesVersion)],
            "paths": .object(paths), "components": ["schemas": .object(schemas)],
        ]
    }

    /// Adds the message called `name` and those it needs.
    private static func describe(_ name: String, in schemas: inout JSONObject, identity: JSON? = nil) {
        guard schemas[name] == nil else { return }
        var object: JSON = ["type": "object"]
        if let identity {
            object["x-kubernetes-group-version-kind"] = [identity]
            object["description"] = .string("\(name) as served here.")
        }
        // Entered first: messages may contain themselves.
        schemas[name] = object
        var properties = JSONObject()
        if identity != nil {
            properties["apiVersion"] = ["type": "string"]
            properties["kind"] = ["type": "string"]
        }
        for (field, value) in Schema.shared[name].byName.sorted(by: { $0.key < $1.key }) {
            properties[field] = type(value.type, &schemas)
        }
        object["properties"] = .object(properties)
        schemas[name] = object
    }

    private static func type(_ type: SchemaType, _ schemas: inout JSONObject) -> JSON {
        switch type {
        case .string: return ["type": "string"]
        case .bytes: return ["type": "string", "format": "byte"]
        case .time, .microtime: return ["type": "string", "format": "date-time"]
        case .int: return ["type": "integer", "format": "int64"]
        case .double: return ["type": "number", "format": "double"]
        case .bool: return ["type": "boolean"]
        case .quantity: return ["type": "string"]
        case .intOrString: return ["type": "string", "format": "int-or-string"]
        case .scalar, .any: return ["x-kubernetes-preserve-unknown-fields": true]
        case .list(let element): return ["type": "array", "items": Self.type(element, &schemas)]
        case .map(let element): return ["type": "object", "additionalProperties": Self.type(element, &schemas)]
        case .message(let name):
            describe(name, in: &schemas)
            return ["$ref": .string("#/components/schemas/\(name)")]
        }
    }
}

extension JSON {
    fileprivate func with(_ key: String, _ value: JSON) -> JSON {
        var copy = self
        copy[key] = value
        return copy
    }
}
