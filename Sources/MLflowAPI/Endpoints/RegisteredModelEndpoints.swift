import Formats
import HTTP
import Tracking

extension MLflowService {
    func createRegisteredModel(_ message: RequestMessage) async throws -> Response {
        answer(
            try await store.createRegisteredModel(
                name: try message.required("name"), description: try message.string("description"),
                tags: try message.tags("tags")))
    }

    func getRegisteredModel(_ message: RequestMessage) async throws -> Response {
        answer(try await store.registeredModel(name: try message.required("name")))
    }

    func renameRegisteredModel(_ message: RequestMessage) async throws -> Response {
        answer(
            try await store.renameRegisteredModel(
                name: try message.required("name"), to: try message.required("new_name")))
    }

    func updateRegisteredModel(_ message: RequestMessage) async throws -> Response {
        answer(
            try await store.updateRegisteredModel(
                name: try message.required("name"), description: try message.string("description")))
    }

    func deleteRegisteredModel(_ message: RequestMessage) async throws -> Response {
        try await store.deleteRegisteredModel(name: try message.required("name"))
        return .message()
    }

    func searchRegisteredModels(_ message: RequestMessage) async throws -> Response {
        let page = try await store.searchRegisteredModels(
            filter: try message.string("filter") ?? "", orderBy: try message.strings("order_by"),
            countMax: try message.countMax(default: 100, most: TrackingLimits.modelsPerPageMax),
            pageToken: try message.string("page_token"))
        return .page("registered_models", page) { $0.registeredModel($1) }
    }

    func latestVersions(_ message: RequestMessage) async throws -> Response {
        let versions = try await store.latestVersions(
            name: try message.required("name"), stages: try message.strings("stages"))
        return .message { $0.list("model_versions", versions) { $0.modelVersion($1) } }
    }

    func setRegisteredModelTag(_ message: RequestMessage) async throws -> Response {
        try await store.setRegisteredModelTag(name: try message.required("name"), tag: try message.pair())
        return .message()
    }

    func deleteRegisteredModelTag(_ message: RequestMessage) async throws -> Response {
        try await store.deleteRegisteredModelTag(name: try message.required("name"), key: try message.required("key"))
        return .message()
    }

    func setAlias(_ message: RequestMessage) async throws -> Response {
        try await store.setAlias(
            name: try message.required("name"), alias: try message.required("alias"), version: try message.version())
        return .message()
    }

    func deleteAlias(_ message: RequestMessage) async throws -> Response {
        try await store.deleteAlias(name: try message.required("name"), alias: try message.required("alias"))
        return .message()
    }

    func modelVersionByAlias(_ message: RequestMessage) async throws -> Response {
        answer(try await store.modelVersion(name: try message.required("name"), alias: try message.required("alias")))
    }

    private func answer(_ model: RegisteredModel) -> Response {
        .message {
            $0.key("registered_model")
            $0.registeredModel(model)
        }
    }
}

extension RequestMessage {
    /// The number in `version`, which clients send as a text or a number.
    func version() throws -> Int {
        if let text = try? string("version"), Int(text) == nil {
            throw text.isEmpty
                ? RequestMessage.absent("version")
                : MLflowError.invalid("Parameter 'version' must be an integer, got '\(text.prefix(100))'.")
        }
        guard let number = try int("version") else { throw RequestMessage.absent("version") }
        return number
    }
}
