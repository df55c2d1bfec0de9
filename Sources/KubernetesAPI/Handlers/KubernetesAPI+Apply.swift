// Server-side apply: the client sends the fields it cares about; the server merges them, takes away what the same
// manager set before and leaves out now, and refuses to change what another manager applied unless forced.

import Clock
import Cluster
import Formats
import HTTP

extension KubernetesAPI {
    func apply(
        _ request: Request, _ configuration: JSON, _ duplicates: [String], _ key: ResourceKey, _ subresource: String,
        _ options: RequestOptions
    ) async throws -> Response {
        guard let manager = options.value("fieldManager"), !manager.isEmpty, manager.utf8.count <= 128 else {
            throw StatusError.badRequest(
                "fieldManager: Required value: is required for apply patch (at most 128 characters)")
        }
        let isForced = try options.flag("force")
        let isDryRun = try options.isDryRun()
        var sent = configuration
        guard sent.objectValue != nil else { throw StatusError.badRequest("an apply patch is an object") }
        guard sent[path: "metadata", "managedFields"]?.arrayValue ?? [] == [] else {
            throw StatusError.badRequest("metadata.managedFields must be nil")
        }
        sent[path: "metadata", "name"] = sent[path: "metadata", "name"] ?? .string(key.name)
        let decoded = try ObjectDecoder.check(
            sent, duplicates: duplicates, kind: key.kind, try options.fieldValidation())
        guard decoded.object[path: "metadata", "name"] == .string(key.name) else {
            throw StatusError.badRequest("metadata.name does not match the name on the URL (\(key.name))")
        }
        try Self.checkNamespace(decoded.object, key.kind.isNamespaced ? key.namespace : nil)
        let application = Application(object: decoded.object, kind: key.kind, manager: manager, isForced: isForced)

        for _ in 0..<8 {
            do {
                var response: Response
                if store.find(key) == nil, subresource.isEmpty {
                    var object = application.object
                    if key.kind.hasStatusSubresource { object["status"] = nil }
                    object[path: "metadata", "managedFields"] = .array([application.entry(application.owned)])
                    let created = try await store.create(key.kind, namespace: key.namespace, object, dryRun: isDryRun)
                    response = present(created, Presentation(request), options, status: .created)
                } else {
                    let stored = try await store.update(key, dryRun: isDryRun) { current in
                        let merged = try application.merged(into: current)
                        var combined = Self.combine(merged, with: current, subresource)
                        combined[path: "metadata", "managedFields"] = merged[path: "metadata", "managedFields"]
                        return combined
                    }
                    response = present(stored, Presentation(request), options)
                }
                response.warn(decoded.warnings)
                return response
            } catch let error as ClusterError where Self.isRace(error, key) {
                // Made or deleted between the look and the write: look again.
                continue
            }
        }
        throw ClusterError.conflict(key.kind, key.name, ClusterError.staleVersion)
    }

    private static func isRace(_ error: ClusterError, _ key: ResourceKey) -> Bool {
        error.details.name == key.name && error.details.kind == key.kind.plural
            && (error.code == .alreadyExists || error.code == .notFound)
    }
}

/// One manager's wish for one object.
private struct Application {
    let object: JSON
    let kind: ResourceKind
    let manager: String
    let isForced: Bool
    let owned: OwnedFields
    private var mergesLists: Bool { !kind.isCustom }

    init(object: JSON, kind: ResourceKind, manager: String, isForced: Bool) {
        self.object = object
        self.kind = kind
        self.manager = manager
        self.isForced = isForced
        owned = OwnedFields(of: object, as: kind.kind, mergesLists: !kind.isCustom)
    }

    func entry(_ fields: OwnedFields, previous: JSON? = nil) -> JSON {
        let fieldsV1 = fields.fieldsV1
        let isSame = previous?["fieldsV1"] == fieldsV1
        return [
            "manager": .string(manager), "operation": "Apply", "apiVersion": .string(kind.apiVersion),
            // An apply that changes nothing must leave the object as it is, time included.
            "time": isSame ? previous?["time"] ?? .null : .string(WallTime.now.iso8601()), "fieldsType": "FieldsV1",
            "fieldsV1": fieldsV1,
        ]
    }

    func merged(into current: Resource) throws -> JSON {
        let entries = current.metadata["managedFields"]?.arrayValue ?? []
        let previous = entries.first { $0["manager"]?.stringValue == manager }
        var others = entries.filter { $0["manager"]?.stringValue != manager }
        let sets = others.map { OwnedFields(fieldsV1: $0["fieldsV1"] ?? [:]) }
        try checkConflicts(others, sets, current)
        if isForced {
            for (index, set) in sets.enumerated() { others[index]["fieldsV1"] = set.subtracting(owned).fieldsV1 }
        }
        var live = current.json
        if let previous {
            live = OwnedFields(fieldsV1: previous["fieldsV1"] ?? [:]).removed(from: live, keeping: sets + [owned])
        }
        var merged: JSON
        do {
            merged =
                mergesLists
                ? try StrategicMergePatch().apply(object, to: live, message: kind.kind)
                : MergePatch.apply(object, to: live)
        } catch {
            throw StatusError.badRequest(error.message)
        }
        merged[path: "metadata", "managedFields"] = .array(others + [entry(owned, previous: previous)])
        return merged
    }

    private func checkConflicts(_ others: [JSON], _ sets: [OwnedFields], _ current: Resource) throws {
        guard !isForced else { return }
        var causes: [ClusterError.Cause] = []
        for (entry, set) in zip(others, sets) {
            let name = entry["manager"]?.stringValue ?? ""
            for path in owned.conflicts(with: set, applied: object, live: current.json) {
                causes.append(
                    ClusterError.Cause(
                        reason: "FieldManagerConflict", message: "conflict with \"\(name)\"", field: path))
            }
        }
        guard !causes.isEmpty else { return }
        var details = ClusterError.Details()
        details.causes = causes
        let list = causes.map { "\($0.message): \($0.field)" }.joined(separator: "; ")
        throw StatusError(
            .conflict, "Conflict", "Apply failed with \(causes.count) conflict\(causes.count == 1 ? "" : "s"): \(list)",
            details: details)
    }
}
