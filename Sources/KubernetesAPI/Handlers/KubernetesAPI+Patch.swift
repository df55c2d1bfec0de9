import Cluster
import Formats
import HTTP

/// The patch types, by media type.
enum PatchType: String {
    case json = "application/json-patch+json"
    case merge = "application/merge-patch+json"
    case strategic = "application/strategic-merge-patch+json"
    case apply = "application/apply-patch+yaml"

    static func named(_ mediaType: String, for kind: ResourceKind) throws(StatusError) -> PatchType {
        guard let type = PatchType(rawValue: mediaType) else {
            throw .unsupportedMediaType(
                mediaType, [Self.json, .merge, .strategic, .apply].map(\.rawValue))
        }
        // Custom resources have no merge keys; kubectl knows this answer and falls back to a merge patch.
        if type == .strategic, kind.isCustom {
            throw .unsupportedMediaType(mediaType, [Self.json, .merge, .apply].map(\.rawValue))
        }
        return type
    }
}

extension KubernetesAPI {
    func patch(
        _ request: Request, _ key: ResourceKey, _ subresource: String, _ options: RequestOptions
    ) async throws -> Response {
        let type = try PatchType.named(ObjectDecoder.mediaType(request), for: key.kind)
        let isDryRun = try options.isDryRun()
        let validation = try options.fieldValidation()
        let body = try await ObjectDecoder.body(of: request)
        let (patch, duplicates) = type == .apply ? try ObjectDecoder.jsonOrYAML(body) : try ObjectDecoder.json(body)
        if type == .apply {
            return try await apply(request, patch, duplicates, key, subresource, options)
        }
        var warnings: [String] = []
        let stored = try await store.update(key, dryRun: isDryRun) { current in
            let patched = try Self.patched(current, patch, type)
            let decoded = try ObjectDecoder.check(patched, duplicates: duplicates, kind: key.kind, validation)
            try Self.checkIdentity(decoded.object, key)
            warnings = decoded.warnings
            return Self.combine(decoded.object, with: current, subresource)
        }
        var response = present(stored, Presentation(request), options)
        response.warn(warnings)
        return response
    }

    private static func patched(_ current: Resource, _ patch: JSON, _ type: PatchType) throws -> JSON {
        do {
            switch type {
            case .json: return try JSONPatch.apply(patch, to: current.json)
            case .merge:
                guard patch.objectValue != nil else { throw PatchError(.malformed, "a merge patch is an object") }
                return MergePatch.apply(patch, to: current.json)
            case .strategic, .apply:
                return try StrategicMergePatch().apply(patch, to: current.json, message: current.kind.kind)
            }
        } catch let error as PatchError {
            switch error.code {
            case .malformed: throw StatusError.badRequest(error.message)
            case .notApplicable:
                throw StatusError(
                    .unprocessableContent, "Invalid",
                    "the server rejected our request due to an error in our request: \(error.message)")
            }
        }
    }

    private static func checkIdentity(_ object: JSON, _ key: ResourceKey) throws(StatusError) {
        let name = object[path: "metadata", "name"]?.stringValue ?? ""
        guard name == key.name else {
            throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(key.name))")
        }
        try checkNamespace(object, key.kind.isNamespaced ? key.namespace : nil)
    }
}
