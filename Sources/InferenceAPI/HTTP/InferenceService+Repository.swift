import Formats
import HTTP
import Inference
import Server

extension InferenceService {
    /// V2's model repository extension.
    func addRepositoryRoutes(_ router: inout Router) {
        for base in ["/v2/repository", "/v2/repositories/{repository}"] {
            router.post("\(base)/index") { request in
                let body = try await self.parameters(request)
                let lines = try await self.repository.index(onlyReady: body["ready"]?.boolValue ?? false)
                return self.json { Self.write(lines, &$0) }
            }
            router.post("\(base)/models/{model}/load") { request in
                let parameters = try await self.parameters(request)["parameters"]
                try await self.repository.load(
                    request.parameter("model"), configurationJSON: try Self.configuration(parameters))
                return Response(.ok)
            }
            router.post("\(base)/models/{model}/unload") { request in
                _ = try await self.parameters(request)
                try await self.repository.unload(request.parameter("model"))
                return Response(.ok)
            }
        }
    }

    /// Extensions that clients probe: their status is empty, unregistering does nothing, all else names what is missing.
    func addUnsupportedRoutes(_ router: inout Router) {
        for kind in ["systemsharedmemory", "cudasharedmemory"] {
            for base in ["/v2/\(kind)", "/v2/\(kind)/region/{region}"] {
                router.get("\(base)/status") { _ in Response(contentType: "application/json", Array("[]".utf8)) }
                router.post("\(base)/unregister") { _ in Response(.ok) }
            }
            router.post("/v2/\(kind)/region/{region}/register") { _ in
                throw InferenceError(.unsupported, "\(kind) is not supported; send tensors in the request")
            }
        }
        for path in ["/v2/trace/setting", "/v2/models/{model}/trace/setting", "/v2/logging"] {
            let feature = path.hasSuffix("logging") ? "the logging extension" : "the trace extension"
            router.get(path) { _ in throw InferenceError(.unsupported, "\(feature) is not supported") }
            router.post(path) { _ in throw InferenceError(.unsupported, "\(feature) is not supported") }
        }
        for base in ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"] {
            for name in ["generate", "generate_stream"] {
                router.post("\(base)/\(name)") { _ in
                    throw InferenceError(.unsupported, "the generate extension is not supported")
                }
            }
        }
    }

    /// The body as an object; none at all is an empty one.
    private func parameters(_ request: Request) async throws -> JSON {
        let bytes = try await body(request)
        if bytes.isEmpty { return .object(JSONObject()) }
        let tree: JSON
        do throws(JSONError) {
            tree = try JSON.parse(bytes)
        } catch {
            throw InferenceError(.invalid, "the request is not readable: \(error.message)")
        }
        guard tree.objectValue != nil else { throw InferenceError(.invalid, "the request must be a JSON object") }
        return tree
    }

    /// The `config` of a load request. Throws `unsupported` for `file:` overrides.
    static func configuration(_ parameters: JSON?) throws(InferenceError) -> [UInt8]? {
        guard let parameters = parameters?.objectValue else { return nil }
        if let file = parameters.keys.first(where: { $0.hasPrefix("file:") }) {
            throw InferenceError(
                .unsupported,
                "failed to load, parameter '\(file.prefix(80))' is not supported: put the file into the repository")
        }
        switch parameters["config"] {
        case nil, .null: return nil
        case .string(let text): return Array(text.utf8)
        case .some(let value): return value.encoded
        }
    }

    private static func write(_ lines: [ModelIndexEntry], _ writer: inout JSONWriter) {
        writer.beginArray()
        for line in lines {
            writer.beginObject()
            writer.key("name")
            writer.string(line.name)
            if let version = line.version {
                writer.key("version")
                writer.string("\(version)")
            }
            if let state = line.state {
                writer.key("state")
                writer.string(state.rawValue)
            }
            if !line.reason.isEmpty {
                writer.key("reason")
                writer.string(line.reason)
            }
            writer.endObject()
        }
        writer.endArray()
    }
}
