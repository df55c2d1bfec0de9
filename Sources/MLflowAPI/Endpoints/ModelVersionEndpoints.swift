import Formats
import HTTP
import Tracking

extension MLflowService {
    func createModelVersion(_ message: RequestMessage) async throws -> Response {
        answer(
            try await store.createModelVersion(
                name: try message.required("name"), source: try message.required("source"),
                runID: try message.string("run_id"), runLink: try message.string("run_link"),
                description: try message.string("description"), modelID: try message.string("model_id"),
                tags: try message.tags("tags")))
    }

    func getModelVersion(_ message: RequestMessage) async throws -> Response {
        answer(try await store.modelVersion(name: try message.required("name"), version: try message.version()))
    }

    func updateModelVersion(_ message: RequestMessage) async throws -> Response {
        answer(
            try await store.updateModelVersion(
                name: try message.required("name"), version: try message.version(),
                description: try message.string("description")))
    }

    func transitionModelVersion(_ message: RequestMessage) async throws -> Response {
        answer(
            try await store.transitionModelVersion(
                name: try message.required("name"), version: try message.version(),
                stage: try message.required("stage"),
                archiveOthers: try message.bool("archive_existing_versions") ?? false))
    }

    func deleteModelVersion(_ message: RequestMessage) async throws -> Response {
        try await store.deleteModelVersion(name: try message.required("name"), version: try message.version())
        return .message()
    }

    func searchModelVersions(_ message: RequestMessage) async throws -> Response {
        let page = try await store.searchModelVersions(
            filter: try message.string("filter") ?? "", orderBy: try message.strings("order_by"),
            countMax: try message.countMax(default: 10_000, most: TrackingLimits.versionsPerPageMax),
            pageToken: try message.string("page_token"))
        return .page("model_versions", page) { $0.modelVersion($1) }
    }

    func downloadLocation(_ message: RequestMessage) async throws -> Response {
        let location = try await store.downloadLocation(
            name: try message.required("name"), version: try message.version())
        return .message { $0.member("artifact_uri", location) }
    }

    func setModelVersionTag(_ message: RequestMessage) async throws -> Response {
        try await store.setModelVersionTag(
            name: try message.required("name"), version: try message.version(), tag: try message.pair())
        return .message()
    }

    func deleteModelVersionTag(_ message: RequestMessage) async throws -> Response {
        try await store.deleteModelVersionTag(
            name: try message.required("name"), version: try message.version(), key: try message.required("key"))
        return .message()
    }

    func answer(_ version: ModelVersion) -> Response {
        .message {
            $0.key("model_version")
            $0.modelVersion(version)
        }
    }
}
