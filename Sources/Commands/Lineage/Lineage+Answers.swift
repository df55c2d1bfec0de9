// The servers' answers become values. What is missing in an answer stays empty: nothing here fails.

import Clock
import Formats

extension ServedVersion {
    /// The ready versions in an answer to `POST /v2/repository/index`.
    static func ready(_ index: JSON, url: String) -> [ServedVersion] {
        (index.arrayValue ?? []).compactMap { line in
            guard line["state"]?.stringValue == "READY", let name = line["name"]?.stringValue,
                let version = line["version"]?.stringValue
            else { return nil }
            return ServedVersion(model: name, version: version, url: url)
        }
    }

    /// Why nothing of `model` is ready; nil when the index does not know it.
    static func reasonNotReady(_ index: JSON, model: String) -> String? {
        let lines = (index.arrayValue ?? []).filter { $0["name"]?.stringValue == model }
        guard let line = lines.first else { return nil }
        let state = line["state"]?.stringValue ?? "not loaded"
        guard let reason = line["reason"]?.stringValue, !reason.isEmpty else { return state }
        return "\(state): \(reason)"
    }
}

extension RegistryVersion {
    /// - Parameter aliases: of the registered model, by version; a search does not name them.
    init?(_ json: JSON, aliases: [String: [String]] = [:]) {
        guard let name = json["name"]?.stringValue,
            let version = json["version"]?.stringValue ?? json["version"]?.intValue.map({ "\($0)" })
        else { return nil }
        self.init(name: name, version: version)
        source = json["source"]?.stringValue ?? ""
        runID = json["run_id"]?.stringValue ?? ""
        created = json["creation_timestamp"]?.moment
        stage = json["current_stage"]?.stringValue ?? ""
        self.aliases = aliases[version] ?? (json["aliases"]?.arrayValue ?? []).compactMap(\.stringValue)
        tags = json["tags"]?.pairs ?? [:]
    }

    /// Names by version, from an answer to `registered-models/get`.
    static func aliases(_ model: JSON) -> [String: [String]] {
        var names: [String: [String]] = [:]
        for alias in model["aliases"]?.arrayValue ?? [] {
            guard let name = alias["alias"]?.stringValue, let version = alias["version"]?.stringValue else { continue }
            names[version, default: []].append(name)
        }
        return names
    }
}

extension TrackedRun {
    /// - Parameter json: the `run` of an answer to `runs/get`.
    init?(_ json: JSON) {
        let information = json["info"]
        guard let id = information?["run_id"]?.stringValue else { return nil }
        self.init(id: id)
        name = information?["run_name"]?.stringValue ?? ""
        status = information?["status"]?.stringValue ?? ""
        isDeleted = information?["lifecycle_stage"]?.stringValue == "deleted"
        experimentID = information?["experiment_id"]?.stringValue ?? ""
        started = information?["start_time"]?.moment
        finished = information?["end_time"]?.moment
        artifactLocation = information?["artifact_uri"]?.stringValue ?? ""
        let data = json["data"]
        tags = data?["tags"]?.pairs ?? [:]
        if name.isEmpty { name = tags["mlflow.runName"] ?? "" }
        parameters = (data?["params"]?.arrayValue ?? []).compactMap { entry in
            guard let key = entry["key"]?.stringValue else { return nil }
            return (key, entry["value"]?.stringValue ?? "")
        }
        metrics = (data?["metrics"]?.arrayValue ?? []).compactMap { entry in
            guard let key = entry["key"]?.stringValue, let value = entry["value"]?.doubleValue else { return nil }
            return (key, value)
        }
        dataSets = (json["inputs"]?["dataset_inputs"]?.arrayValue ?? []).prefix(20).compactMap { input in
            guard let name = input["dataset"]?["name"]?.stringValue else { return nil }
            let digest = input["dataset"]?["digest"]?.stringValue
            return digest.map { "\(name) (\($0))" } ?? name
        }
    }
}

extension WorkflowStep {
    /// The step in an answer to reading its workflow. Its phase stays empty when the workflow has no such step.
    init(origin: StepOrigin, workflow: JSON) {
        self.init(origin: origin)
        workflowPhase = workflow["status"]?["phase"]?.stringValue ?? ""
        let nodes = (workflow["status"]?["nodes"]?.objectValue ?? JSONObject()).map(\.value)
        guard let step = origin.step,
            // A step that was retried has a node of the same name with a pod below it.
            let node = nodes.first(where: { $0["displayName"]?.stringValue == step })
                ?? nodes.first(where: { $0["name"]?.stringValue == step })
        else { return }
        phase = node["phase"]?.stringValue ?? ""
        started = node["startedAt"]?.stringValue.flatMap { WallTime(iso8601: $0) }
        finished = node["finishedAt"]?.stringValue.flatMap { WallTime(iso8601: $0) }
    }

    /// Adds what the pod itself says.
    mutating func add(pod: JSON) {
        let containers = pod["spec"]?["containers"]?.arrayValue ?? []
        let main = containers.first { $0["name"]?.stringValue == "main" } ?? containers.first
        image = main?["image"]?.stringValue ?? ""
        if phase.isEmpty { phase = pod["status"]?["phase"]?.stringValue ?? "" }
        if started == nil {
            started = pod["status"]?["startTime"]?.stringValue.flatMap { WallTime(iso8601: $0) }
        }
    }
}

extension JSON {
    /// The members of MLflow's lists of `key` and `value`.
    fileprivate var pairs: [String: String] {
        var pairs: [String: String] = [:]
        for entry in arrayValue ?? [] {
            if let key = entry["key"]?.stringValue { pairs[key] = entry["value"]?.stringValue ?? "" }
        }
        return pairs
    }

    /// Milliseconds since 1970, as a number or as a text of one; none for 0.
    fileprivate var moment: WallTime? {
        guard let milliseconds = intValue ?? stringValue.flatMap({ Int64($0) }), milliseconds > 0 else { return nil }
        return WallTime(milliseconds: milliseconds)
    }
}
