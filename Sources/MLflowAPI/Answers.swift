// Domain values as MLflow's messages. Fields and their order are those of service.proto and model_registry.proto;
// whole numbers are JSON numbers, as MLflow's own server writes them, and empty lists are left out.

import Formats
import HTTP
import Tracking

extension JSONWriter {
    mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    mutating func member(_ name: String, _ value: Int) {
        key(name)
        int(value)
    }

    mutating func member(_ name: String, _ value: Bool) {
        key(name)
        bool(value)
    }

    mutating func optional(_ name: String, _ value: String?) {
        if let value { member(name, value) }
    }

    mutating func optional(_ name: String, _ value: Int?) {
        if let value { member(name, value) }
    }

    mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
        key(name)
        object(body)
    }

    mutating func object(_ body: (inout JSONWriter) -> Void) {
        beginObject()
        body(&self)
        endObject()
    }

    /// A repeated field; left out when it is empty.
    mutating func list<Element>(_ name: String, _ elements: [Element], _ body: (inout JSONWriter, Element) -> Void) {
        guard !elements.isEmpty else { return }
        key(name)
        beginArray()
        for element in elements { body(&self, element) }
        endArray()
    }

    mutating func pairs(_ name: String, _ pairs: [KeyText]) {
        list(name, pairs) { writer, pair in
            writer.object {
                $0.member("key", pair.key)
                $0.member("value", pair.value)
            }
        }
    }

    mutating func experiment(_ value: Experiment) {
        object {
            $0.member("experiment_id", "\(value.id)")
            $0.member("name", value.name)
            $0.member("artifact_location", value.artifactLocation)
            $0.member("lifecycle_stage", value.lifecycleStage.rawValue)
            $0.member("last_update_time", value.lastUpdateMilliseconds)
            $0.member("creation_time", value.creationMilliseconds)
            $0.pairs("tags", value.tags)
        }
    }

    mutating func runInformation(_ value: RunInformation) {
        object {
            $0.member("run_uuid", value.id)
            $0.member("experiment_id", "\(value.experimentID)")
            $0.member("run_name", value.name)
            $0.member("user_id", value.user)
            $0.member("status", value.status.rawValue)
            $0.member("start_time", value.startMilliseconds)
            $0.optional("end_time", value.endMilliseconds)
            $0.member("artifact_uri", value.artifactLocation)
            $0.member("lifecycle_stage", value.lifecycleStage.rawValue)
            $0.member("run_id", value.id)
        }
    }

    mutating func run(_ value: Run) {
        object {
            $0.key("info")
            $0.runInformation(value.information)
            $0.object("data") {
                $0.list("metrics", value.metrics) { $0.metric($1) }
                $0.pairs("params", value.parameters)
                $0.pairs("tags", value.tags)
            }
            $0.object("inputs") {
                $0.list("dataset_inputs", value.datasets) { $0.datasetInput($1) }
                $0.list("model_inputs", value.modelInputs) { writer, id in writer.object { $0.member("model_id", id) } }
            }
            $0.object("outputs") {
                $0.list("model_outputs", value.modelOutputs) { writer, output in
                    writer.object {
                        $0.member("model_id", output.modelID)
                        $0.member("step", output.step)
                    }
                }
            }
        }
    }

    mutating func metric(_ value: MetricPoint) {
        beginObject()
        member("key", value.key)
        key("value")
        double(value.value)
        member("timestamp", value.timestampMilliseconds)
        member("step", value.step)
        optional("dataset_name", value.datasetName)
        optional("dataset_digest", value.datasetDigest)
        optional("model_id", value.modelID)
        optional("run_id", value.runID)
        endObject()
    }

    mutating func datasetInput(_ value: DatasetInput) {
        object {
            $0.pairs("tags", value.tags)
            $0.object("dataset") {
                $0.member("name", value.name)
                $0.member("digest", value.digest)
                $0.member("source_type", value.sourceType)
                $0.member("source", value.source)
                $0.optional("schema", value.schema)
                $0.optional("profile", value.profile)
            }
        }
    }

    mutating func loggedModel(_ value: LoggedModel) {
        object {
            $0.object("info") {
                $0.member("model_id", value.id)
                $0.member("experiment_id", "\(value.experimentID)")
                $0.member("name", value.name)
                $0.member("creation_timestamp_ms", value.creationMilliseconds)
                $0.member("last_updated_timestamp_ms", value.lastUpdateMilliseconds)
                $0.member("artifact_uri", value.artifactLocation)
                $0.member(
                    "status",
                    value.status == .unspecified
                        ? "LOGGED_MODEL_STATUS_UNSPECIFIED" : "LOGGED_MODEL_\(value.status.name)")
                $0.optional("model_type", value.type)
                $0.optional("source_run_id", value.sourceRunID)
                $0.optional("status_message", value.statusMessage)
                $0.pairs("tags", value.tags)
            }
            $0.object("data") {
                $0.pairs("params", value.parameters)
                $0.list("metrics", value.metrics) { $0.metric($1) }
            }
        }
    }

    mutating func registeredModel(_ value: RegisteredModel) {
        object {
            $0.member("name", value.name)
            $0.member("creation_timestamp", value.creationMilliseconds)
            $0.member("last_updated_timestamp", value.lastUpdateMilliseconds)
            $0.optional("description", value.description)
            $0.list("latest_versions", value.latestVersions) { $0.modelVersion($1) }
            $0.pairs("tags", value.tags)
            $0.list("aliases", value.aliases) { writer, alias in
                writer.object {
                    $0.member("alias", alias.alias)
                    $0.member("version", "\(alias.version)")
                }
            }
        }
    }

    mutating func modelVersion(_ value: ModelVersion) {
        object {
            $0.member("name", value.name)
            $0.member("version", "\(value.version)")
            $0.member("creation_timestamp", value.creationMilliseconds)
            $0.member("last_updated_timestamp", value.lastUpdateMilliseconds)
            $0.optional("user_id", value.user)
            $0.member("current_stage", value.stage.rawValue)
            $0.member("description", value.description ?? "")
            $0.member("source", value.source)
            $0.member("run_id", value.runID ?? "")
            $0.member("status", "READY")
            $0.optional("status_message", nil as String?)
            $0.pairs("tags", value.tags)
            $0.member("run_link", value.runLink ?? "")
            $0.list("aliases", value.aliases) { $0.string($1) }
            $0.optional("model_id", value.modelID)
        }
    }
}

extension Response {
    /// A message, written by `body`; the empty one without.
    static func message(_ body: (inout JSONWriter) -> Void = { _ in }) -> Response {
        var writer = JSONWriter(reserving: 1024)
        writer.object(body)
        return Response(contentType: "application/json", writer.bytes)
    }

    /// A page of a search: the list called `name` and where the next page begins.
    static func page<Element>(
        _ name: String, _ page: Page<Element>, _ body: (inout JSONWriter, Element) -> Void
    ) -> Response {
        message {
            $0.list(name, page.elements, body)
            $0.optional("next_page_token", page.nextPageToken)
        }
    }
}
