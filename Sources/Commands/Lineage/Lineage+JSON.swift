import Clock
import Formats

extension Lineage {
    /// What `--json` prints. A part that is missing has a `reason` in the place of its members.
    var json: JSON {
        [
            "model": .string(model), "version_count": JSON(versionCount),
            "versions": .array(chains.map(\.json)),
        ]
    }
}

extension LineageChain {
    var json: JSON {
        var json: JSON = [
            "served": served.json {
                ["model": .string($0.model), "version": .string($0.version), "url": .string($0.url)]
            },
            "link": link.map { .string($0) } ?? .null,
            "registry_version": version.json(\.json),
        ]
        json["registered_by"] = maker.map { $0.json(\.json) } ?? .null
        json["run"] = run.map { $0.json(\.json) } ?? .null
        json["step"] = step.map { $0.json(\.json) } ?? .null
        json["objects"] = .array(objects.map(\.json))
        return json
    }
}

extension Part {
    /// The value's members and the state; `reason` where there is no value.
    fileprivate func json(_ members: (Value) -> JSON) -> JSON {
        var json: JSON
        switch self {
        case .found(let value):
            json = members(value)
            json["state"] = "found"
        case .absent(let reason): json = ["state": "absent", "reason": .string(reason)]
        case .unknown(let reason): json = ["state": "unknown", "reason": .string(reason)]
        }
        return json
    }
}

extension RegistryVersion {
    fileprivate var json: JSON {
        [
            "name": .string(name), "version": .string(version), "source": .string(source), "run_id": .string(runID),
            "created": created.json, "aliases": .array(aliases.map { .string($0) }), "stage": .string(stage),
            "tags": tags.json,
        ]
    }
}

extension TrackedRun {
    fileprivate var json: JSON {
        var parameters: JSON = [:]
        for (key, value) in self.parameters { parameters[key] = .string(value) }
        var metrics: JSON = [:]
        for (key, value) in self.metrics { metrics[key] = .double(value) }
        return [
            "run_id": .string(id), "name": .string(name), "status": .string(status), "deleted": .bool(isDeleted),
            "experiment_id": .string(experimentID), "experiment": .string(experiment), "started": started.json,
            "finished": finished.json, "artifact_uri": .string(artifactLocation), "parameters": parameters,
            "metrics": metrics, "data_sets": .array(dataSets.map { .string($0) }), "tags": tags.json,
        ]
    }
}

extension WorkflowStep {
    fileprivate var json: JSON {
        func text(_ value: String?) -> JSON { value.flatMap { $0.isEmpty ? nil : .string($0) } ?? .null }
        return [
            "workflow": text(origin.workflow), "step": text(origin.step), "pod": text(origin.pod),
            "phase": text(phase), "workflow_phase": text(workflowPhase), "started": started.json,
            "finished": finished.json, "image": text(image),
        ]
    }
}

extension ObjectGroup {
    fileprivate var json: JSON {
        var json = listing.json { listing in
            [
                "count": JSON(listing.count), "bytes": .int(listing.bytes), "complete": .bool(listing.isComplete),
                "first": .array(listing.kept.map(\.json)),
            ]
        }
        json["of"] = .string(role.rawValue)
        json["location"] = .string(location)
        return json
    }
}

extension ObjectListing.Entry {
    fileprivate var json: JSON {
        ["key": .string(key), "bytes": .int(bytes), "etag": etag.map { .string($0) } ?? .null]
    }
}

extension WallTime? {
    fileprivate var json: JSON { map { .string($0.iso8601()) } ?? .null }
}

extension [String: String] {
    fileprivate var json: JSON {
        var json: JSON = [:]
        for key in keys.sorted() { json[key] = .string(self[key] ?? "") }
        return json
    }
}
