// Artifacts over HTTP: the proxy that `mlflow-artifacts:` clients use, and the older calls that go by run.

import Bytes
import Formats
import HTTP
import Tracking

extension MLflowService {
    // MARK: By run, version or model

    func listArtifacts(_ message: RequestMessage) async throws -> Response {
        let run = try await store.runInformation(id: try message.runID())
        return try await list(run.artifactLocation, try message.string("path"))
    }

    func getArtifact(_ request: Request) async throws -> Response {
        guard let id = request.queryValue("run_uuid") ?? request.queryValue("run_id"), !id.isEmpty else {
            throw RequestMessage.absent("run_id")
        }
        let run = try await store.runInformation(id: id)
        return try await file(run.artifactLocation, try Self.pathParameter(request), request)
    }

    func getModelVersionArtifact(_ request: Request) async throws -> Response {
        guard let name = request.queryValue("name"), !name.isEmpty else { throw RequestMessage.absent("name") }
        guard let version = request.queryValue("version").flatMap({ Int($0) }) else {
            throw RequestMessage.absent("version")
        }
        let path = try Self.pathParameter(request)
        return try await file(try await store.downloadLocation(name: name, version: version), path, request)
    }

    func uploadArtifact(_ request: Request) async throws -> Response {
        guard let id = request.queryValue("run_uuid") ?? request.queryValue("run_id"), !id.isEmpty else {
            throw MLflowError.invalid("Request must specify run_uuid.")
        }
        guard let name = request.queryValue("path"), !name.isEmpty else {
            throw MLflowError.invalid("Request must specify path.")
        }
        guard request.body.length != 0 else { throw MLflowError.invalid("Request must specify data.") }
        let run = try await store.runInformation(id: id)
        let (store, path) = try artifacts.resolve(run.artifactLocation, name)
        try await store.write(path, request.body)
        return .message()
    }

    /// The entries of a folder below `location`, as a run's artifact list shows them.
    func list(_ location: String, _ path: String?) async throws -> Response {
        let relative = try ArtifactLocation.relativePath(path ?? "")
        let (store, place) = try artifacts.resolve(location, relative)
        let entries = try await store.list(place)
        return .message {
            $0.member("root_uri", location)
            $0.list("files", entries) { $0.file(ArtifactResolver.join(relative, $1.name), $1) }
        }
    }

    /// The bytes of a file below `location`.
    func file(_ location: String, _ path: String, _ request: Request) async throws -> Response {
        let (store, place) = try artifacts.resolve(location, path)
        return try await Self.download(store, place)
    }

    private static func pathParameter(_ request: Request) throws -> String {
        guard let path = request.queryValue("path"), !path.isEmpty else { throw RequestMessage.absent("path") }
        return path
    }

    // MARK: The proxy

    func listProxied(_ request: Request) async throws -> Response {
        let path = try ArtifactLocation.relativePath(request.queryValue("path") ?? "")
        let entries = try await artifacts.proxied.list(path)
        return .message { $0.list("files", entries) { $0.file($1.name, $1) } }
    }

    func getProxied(_ request: Request) async throws -> Response {
        try await Self.download(artifacts.proxied, try Self.proxiedPath(request))
    }

    func putProxied(_ request: Request) async throws -> Response {
        try await artifacts.proxied.write(try Self.proxiedPath(request), request.body)
        return .message()
    }

    func deleteProxied(_ request: Request) async throws -> Response {
        try await artifacts.proxied.delete(try Self.proxiedPath(request))
        return .message()
    }

    private static func proxiedPath(_ request: Request) throws -> String {
        let path = try ArtifactLocation.relativePath(request.parameter("path"))
        guard !path.isEmpty else { throw MLflowError.invalid("Invalid path: '': name an artifact.") }
        return path
    }

    /// A file as a download: never shown in place, so that an HTML artifact cannot act as this site.
    private static func download(_ store: any ArtifactStore, _ path: String) async throws -> Response {
        guard !path.isEmpty else { throw MLflowError.invalid("Invalid path: '': name an artifact.") }
        let (_, body) = try await store.read(path)
        var fields = HTTPFields()
        fields.append("Content-Type", MediaType.of(path))
        fields.append("Content-Disposition", disposition(path))
        fields.append("X-Content-Type-Options", "nosniff")
        fields.append("Content-Security-Policy", "sandbox; default-src 'none'")
        return Response(fields: fields, body: body)
    }

    /// `attachment` with the file's name, in RFC 5987's form where it is not plain ASCII.
    private static func disposition(_ path: String) -> String {
        let name = String(path.pieces(by: "/").last ?? "download")
        let isPlain = name.utf8.allSatisfy {
            $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        return isPlain
            ? "attachment; filename=\"\(name)\"" : "attachment; filename*=UTF-8''\(PercentCoding.encode(name))"
    }
}

extension JSONWriter {
    fileprivate mutating func file(_ path: String, _ entry: ArtifactEntry) {
        object {
            $0.member("path", path)
            $0.member("is_dir", entry.isFolder)
            if let size = entry.size { $0.member("file_size", Int(size)) }
        }
    }
}
