import Cluster
import Formats
import HTTP

extension KubernetesAPI {
    func create(
        _ request: Request, _ path: ResourcePath, _ kind: ResourceKind, _ options: RequestOptions
    ) async throws -> Response {
        guard !kind.isNamespaced || path.namespace != nil else { throw StatusError.methodNotAllowed(.post) }
        let isDryRun = try options.isDryRun()
        let decoded = try await object(from: request, kind, options)
        try Self.checkNamespace(decoded.object, path.namespace)
        var object = decoded.object
        guard object[path: "metadata", "resourceVersion"]?.stringValue ?? "" == "" else {
            throw StatusError.badRequest("resourceVersion should not be set on objects to be created")
        }
        object[path: "metadata", "managedFields"] = nil
        // A status that has its own subresource is not for its author to set.
        if kind.hasStatusSubresource { object["status"] = nil }
        let created = try await store.create(kind, namespace: path.namespace ?? "", object, dryRun: isDryRun)
        var response = present(created, Presentation(request), options, status: .created)
        response.warn(decoded.warnings)
        return response
    }

    func replace(
        _ request: Request, _ key: ResourceKey, _ subresource: String, _ options: RequestOptions
    ) async throws -> Response {
        let isDryRun = try options.isDryRun()
        let decoded = try await object(from: request, key.kind, options)
        let object = decoded.object
        try Self.checkNamespace(object, key.kind.isNamespaced ? key.namespace : nil)
        let name = object[path: "metadata", "name"]?.stringValue ?? ""
        guard name == key.name else {
            throw StatusError.badRequest(
                "the name of the object (\(name)) does not match the name on the URL (\(key.name))")
        }
        let stored = try await store.update(key, dryRun: isDryRun) { current in
            Self.combine(object, with: current, subresource)
        }
        var response = present(stored, Presentation(request), options)
        response.warn(decoded.warnings)
        return response
    }

    func delete(_ request: Request, _ key: ResourceKey, _ options: RequestOptions) async throws -> Response {
        let resource = try await store.delete(key, try await deletionOptions(request, options))
        // A dry run shows what would have been the answer.
        if Self.kindsShownWhenDeleted.contains(key.kind) || (resource.isTerminating && store.find(key) != nil) {
            return present(resource, .objects, options)
        }
        return Response(contentType: "application/json", Self.deleted(resource).encoded)
    }

    /// Typed clients expect these back; of the others they expect a `Status`.
    private static let kindsShownWhenDeleted: Set<ResourceKind> = [
        .pod, .service, .serviceAccount, .persistentVolumeClaim,
    ]

    func deleteCollection(
        _ request: Request, _ path: ResourcePath, _ kind: ResourceKind, _ options: RequestOptions
    ) async throws -> Response {
        guard !kind.isNamespaced || path.namespace != nil else { throw StatusError.methodNotAllowed(.delete) }
        let deletion = try await deletionOptions(request, options)
        let list = store.list(
            kind, namespace: path.namespace, labels: try options.labelSelector(),
            fields: try options.fieldSelector(for: kind))
        for resource in list.items {
            do {
                try await store.delete(resource.key, deletion)
            } catch let error as ClusterError where error.code == .notFound {
                continue
            }
        }
        let status: JSON = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
            "details": ["group": .string(kind.group), "kind": .string(kind.plural)], "code": 200,
        ]
        return Response(contentType: "application/json", status.encoded)
    }

    private static func deleted(_ resource: Resource) -> JSON {
        var details: JSON = [
            "name": .string(resource.name), "kind": .string(resource.kind.plural), "uid": .string(resource.uid),
        ]
        if !resource.kind.group.isEmpty { details["group"] = .string(resource.kind.group) }
        return ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details]
    }

    /// Reads `DeleteOptions` from the body, and what the query may say instead.
    private func deletionOptions(_ request: Request, _ query: RequestOptions) async throws -> DeletionOptions {
        let body = try await ObjectDecoder.body(of: request)
        var sent: JSON = [:]
        if !body.isEmpty {
            sent = try ObjectDecoder.decode(body, mediaType: ObjectDecoder.mediaType(request)).object
            guard sent.objectValue != nil else { throw StatusError.badRequest("DeleteOptions must be an object") }
        }
        var options = DeletionOptions()
        let dryRuns = (sent["dryRun"]?.arrayValue ?? []).compactMap(\.stringValue)
        options.dryRun = try query.isDryRun() || dryRuns.contains("All")
        if let policy = sent["propagationPolicy"]?.stringValue ?? query.value("propagationPolicy") {
            guard let propagation = DeletionPropagation(rawValue: policy) else {
                throw StatusError.badRequest(
                    "propagationPolicy: Unsupported value: \"\(policy.prefix(50))\": supported values: \"Background\", "
                        + "\"Foreground\", \"Orphan\"")
            }
            options.propagation = propagation
        } else if sent["orphanDependents"]?.boolValue == true {
            options.propagation = .orphan
        }
        let grace =
            try sent["gracePeriodSeconds"]?.intValue.map { Int(clamping: $0) } ?? query.integer("gracePeriodSeconds")
        if let grace {
            guard grace >= 0 else { throw StatusError.badRequest("gracePeriodSeconds must not be negative") }
            options.gracePeriodSeconds = min(grace, 86_400)
        }
        options.uid = sent[path: "preconditions", "uid"]?.stringValue
        if let version = sent[path: "preconditions", "resourceVersion"]?.stringValue {
            options.version = UInt64(version) ?? 0
        }
        return options
    }

    /// What a write of `object` through `subresource` makes of `current`.
    static func combine(_ object: JSON, with current: Resource, _ subresource: String) -> JSON {
        var object = object
        object[path: "metadata", "managedFields"] = current.metadata["managedFields"]
        switch subresource {
        case "status":
            var combined = current.json
            combined["status"] = object["status"]
            combined[path: "metadata", "resourceVersion"] = object[path: "metadata", "resourceVersion"]
            return combined
        case "finalize":
            var combined = current.json
            combined[path: "spec", "finalizers"] = object[path: "spec", "finalizers"]
            return combined
        default:
            if current.kind.hasStatusSubresource { object["status"] = current.json["status"] }
            if current.kind == .namespace { object["spec"] = current.json["spec"] }
            return object
        }
    }

    private func object(from request: Request, _ kind: ResourceKind, _ options: RequestOptions) async throws
        -> DecodedObject
    {
        let validation = try options.fieldValidation()
        let body = try await ObjectDecoder.body(of: request)
        let (object, duplicates) = try ObjectDecoder.decode(body, mediaType: ObjectDecoder.mediaType(request))
        return try ObjectDecoder.check(object, duplicates: duplicates, kind: kind, validation)
    }

    static func checkNamespace(_ object: JSON, _ namespace: String?) throws(StatusError) {
        let sent = object[path: "metadata", "namespace"]?.stringValue ?? ""
        guard !sent.isEmpty, let namespace, sent != namespace else { return }
        throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
    }
}
