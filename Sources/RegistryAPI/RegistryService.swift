// The handler of the registry role: the OCI distribution specification 1.1, which docker, podman, skopeo and buildah speak.

import Bytes
package import HTTP
import Log
package import Metrics
import Objects

/// What a registry is served with.
package struct RegistryConfiguration: Sendable {
    /// The user and secret that every request must give by HTTP Basic; nil lets everybody in.
    package var credential: (user: String, secret: String)?

    package init() {}
}

/// Serves one registry.
package final class RegistryService: Sendable {
    let store: RegistryStore
    let uploads = BlobUploads()
    let gate = CollectionGate()
    let log = Logger(role: "registry")
    private let credential: [UInt8]?
    private let metrics: MetricsRegistry?

    package init(store: RegistryStore, configuration: RegistryConfiguration, metrics: MetricsRegistry? = nil) {
        self.store = store
        credential = configuration.credential.map { Array("\($0.user):\($0.secret)".utf8) }
        self.metrics = metrics
        metrics?.collected("slipway_registry_uploads", help: "Blob uploads under way.", type: "gauge") {
            [uploads] out in
            out.append("slipway_registry_uploads \(uploads.count)\n")
        }
    }

    /// To be given to a server.
    package var handler: Handler {
        { request in try await self.respond(to: request) }
    }

    private func respond(to request: Request) async throws -> Response {
        var response: Response
        do {
            response = try await answer(request)
        } catch let error as RegistryError {
            response = error.response
        } catch let error as ObjectError {
            if error.code == .internal || error.code == .corrupt {
                log.error("registry store", [("id", request.id), ("error", error.message)])
            }
            response = RegistryError(error).response
        }
        response.fields.append("Docker-Distribution-API-Version", "registry/2.0")
        return response
    }

    private func answer(_ request: Request) async throws -> Response {
        if request.path == "/health" { return Response(text: "OK\n") }
        try authenticate(request)
        if request.path == "/metrics", let metrics {
            return Response(contentType: "text/plain; version=0.0.4; charset=utf-8", metrics.render())
        }
        switch try RegistryEndpoint(path: request.path) {
        case .version: return Response(contentType: "application/json", Array("{}".utf8))
        case .catalog: return try await catalog(request)
        case .tags(let name): return try await tags(request, name)
        case .manifest(let name, let reference):
            switch request.method {
            case .get, .head: return try await getManifest(name, reference)
            case .put: return try await putManifest(request, name, reference)
            case .delete: return try await deleteManifest(name, reference)
            default: throw unsupported(request)
            }
        case .blob(let name, let digest):
            switch request.method {
            case .get, .head: return try await getBlob(request, name, digest)
            case .delete: return try await deleteBlob(name, digest)
            default: throw unsupported(request)
            }
        case .uploads(let name):
            guard request.method == .post else { throw unsupported(request) }
            return try await beginUpload(request, name)
        case .upload(let name, let id):
            switch request.method {
            case .get: return try uploadStatus(name, id)
            case .patch: return try await continueUpload(request, name, id)
            case .put: return try await finishUpload(request, name, id)
            case .delete: return try await cancelUpload(name, id)
            default: throw unsupported(request)
            }
        case .referrers(let name, let subject):
            guard request.method == .get else { throw unsupported(request) }
            return try await referrers(request, name, subject)
        }
    }

    private func unsupported(_ request: Request) -> RegistryError {
        RegistryError(.unsupported, "\(request.method.name) is not an operation of \(request.path.prefix(200))")
    }

    private func authenticate(_ request: Request) throws(RegistryError) {
        guard let credential else { return }
        guard let field = request.fields["Authorization"], field.lowercased().hasPrefix("basic "),
            let given = Base64.decode(field.dropFirst(6).utf8), ConstantTime.equal(given, credential)
        else {
            throw RegistryError(.unauthorized, "log in with the root user, as `docker login` does")
        }
        request.principal = String(utf8: given.prefix { $0 != UInt8(ascii: ":") })
    }

    /// `n` and `last` of a listing.
    func page(_ request: Request) throws(RegistryError) -> (countMax: Int, last: String) {
        let text = request.queryValue("n")
        guard let count = text.map({ Int($0) }) ?? 1000, count >= 0 else {
            throw RegistryError(.paginationInvalid, "n is a number of entries from 0 on")
        }
        return (min(count, 1000), request.queryValue("last") ?? "")
    }
}
