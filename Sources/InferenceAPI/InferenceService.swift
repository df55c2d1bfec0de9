// The V2 inference protocol over HTTP with the extensions of Triton that are served here, and KServe's V1 predict. Routes
// stand in one place; each handler reads its request, asks the domain, and writes JSON.

import Bytes
import Formats
package import HTTP
package import Inference
import Metrics
import Runtimes
import Server

/// Serves one repository.
package final class InferenceService: Sendable {
    let repository: ModelRepository
    let configuration: InferenceConfiguration

    package init(repository: ModelRepository, configuration: InferenceConfiguration) {
        self.repository = repository
        self.configuration = configuration
        if let metrics = configuration.metrics { InferenceMetrics.register(repository, on: metrics) }
    }

    /// Names of the extensions that are served, for the server's metadata.
    static let extensions = [
        "classification", "model_repository", "model_repository(unload_dependents)", "schedule_policy",
        "model_configuration", "binary_tensor_data", "parameters", "statistics",
    ]

    /// The handler of the HTTP port.
    package var handler: Handler {
        var router = Router()
        router.use(CrossOriginGuard.middleware { ErrorBody.response(.forbidden, $0) })
        router.notFound = { request in
            ErrorBody.response(.notFound, "nothing is served at \(request.path.prefix(200)); V2 is at /v2, V1 at /v1")
        }
        router.methodNotAllowed = { _, allowed in
            let names = allowed.map(\.name).sorted().joined(separator: ", ")
            var response = ErrorBody.response(.methodNotAllowed, "the method is not allowed here; allowed: \(names)")
            response.fields.append("Allow", names)
            return response
        }
        addServerRoutes(&router)
        addModelRoutes(&router)
        addRepositoryRoutes(&router)
        addUnsupportedRoutes(&router)
        addV1Routes(&router)
        let routes = router
        return { request in
            do {
                return try await routes.respond(to: request)
            } catch let error as InferenceError {
                return error.response
            }
        }
    }

    private func addServerRoutes(_ router: inout Router) {
        for path in ["/v2", "/v2/"] { router.get(path) { _ in self.json { self.writeMetadata(&$0) } } }
        router.get("/v2/health/live") { _ in Response(.ok) }
        router.get("/v2/health/ready") { _ in
            self.repository.isReady
                ? Response(.ok)
                : ErrorBody.response(.badRequest, "the server is not ready: see POST /v2/repository/index")
        }
        router.get("/v2/models/stats") { _ in self.json { StatisticsWriter.write(self.repository.loaded, &$0) } }
        if let metrics = configuration.metrics {
            router.get("/metrics") { _ in
                Response(contentType: "text/plain; version=0.0.4; charset=utf-8", metrics.render())
            }
        }
    }

    private func addModelRoutes(_ router: inout Router) {
        for base in ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"] {
            router.get(base) { request in
                let model = try self.model(request)
                let versions = try self.repository.versions(model.configuration.name).map(\.number)
                return self.json { ModelWriter.metadata(model, versions: versions, &$0) }
            }
            router.get("\(base)/ready") { request in
                do throws(InferenceError) {
                    _ = try self.model(request)
                    return Response(.ok)
                } catch {
                    // As Triton answers: a model that is not ready is no missing page.
                    return ErrorBody.response(.badRequest, error.message)
                }
            }
            router.get("\(base)/config") { request in
                let model = try self.model(request)
                return self.json { ModelWriter.configuration(model.configuration, &$0) }
            }
            router.get("\(base)/stats") { request in
                let models =
                    request.parameters.count > 1
                    ? [try self.model(request)] : try self.repository.versions(request.parameter("model"))
                return self.json { StatisticsWriter.write(models, &$0) }
            }
            router.post("\(base)/infer") { try await self.infer($0) }
        }
    }

    // MARK: Infer

    private func infer(_ request: Request) async throws -> Response {
        let model = try model(request)
        let read = try InferHTTPRequest(try await body(request), headerLength: try headerLength(request))
        let answer = try await model.infer(read.request)
        var (fields, body) = try InferHTTPResponse.make(answer, to: read, from: model)
        // Only a client that names a coding and nothing else wants one: browsers and curl accept all of them.
        if let accepted = request.fields["Accept-Encoding"], let wrapper = Self.wrapper(accepted) {
            body = Gzip.compress(body, wrapper: wrapper)
            fields.append("Content-Encoding", accepted)
        }
        return Response(.ok, fields: fields, body: .bytes(body))
    }

    private func headerLength(_ request: Request) throws(InferenceError) -> Int? {
        guard let text = request.fields["Inference-Header-Content-Length"] else { return nil }
        guard let length = ASCII.decimal(text.utf8) else {
            throw InferenceError(.invalid, "Inference-Header-Content-Length is not a number of bytes")
        }
        return length
    }

    /// The request's body, its coding undone; both forms are bounded.
    func body(_ request: Request) async throws -> [UInt8] {
        let bytes = try await request.body.collect(bytesMax: configuration.bodyBytesMax)
        guard let coding = request.fields["Content-Encoding"], coding != "identity" else { return bytes }
        guard let wrapper = Self.wrapper(coding) else {
            throw InferenceError(.unsupported, "Content-Encoding \"\(coding)\" is not supported; use gzip or deflate")
        }
        do throws(GzipError) {
            return try Gzip.decompress(bytes, bytesMax: configuration.bodyBytesMax, wrapper: wrapper)
        } catch {
            switch error {
            case .malformed: throw InferenceError(.invalid, "the body is not well-formed \(coding)")
            case .tooLarge(let bytesMax): throw BodyError.tooLarge(bytesMax: bytesMax)
            }
        }
    }

    private static func wrapper(_ coding: String) -> Gzip.Wrapper? {
        switch coding {
        case "gzip": .gzip
        case "deflate": .zlib
        default: nil
        }
    }

    // MARK: Helpers

    /// The model that the route names.
    func model(_ request: Request) throws(InferenceError) -> ModelVersion {
        let name = request.parameter("model")
        guard request.parameters.count > 1 else { return try repository.model(name) }
        return try repository.model(name, version: try Self.version(request.parameter("version")))
    }

    /// Reads a version; empty asks for the highest.
    static func version(_ text: String) throws(InferenceError) -> Int? {
        if text.isEmpty { return nil }
        guard let version = ModelName.version(text) else {
            throw InferenceError(.invalid, "a model version is a number over 0, not \"\(text.prefix(40))\"")
        }
        return version
    }

    func json(_ write: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter(reserving: 1024)
        write(&writer)
        return Response(contentType: "application/json", writer.bytes)
    }

    private func writeMetadata(_ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("name")
        writer.string(configuration.serverName)
        writer.key("version")
        writer.string(configuration.serverVersion)
        writer.key("extensions")
        writer.beginArray()
        for name in Self.extensions { writer.string(name) }
        writer.endArray()
        writer.endObject()
    }
}
