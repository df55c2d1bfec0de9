// Pulling from a registry (OCI distribution specification 1.1): manifests and blobs, and the log-in that the registry asks
// for by `WWW-Authenticate`.

import Bytes
import Digests
import Formats
import HTTP
import HTTPClient
import OCI

/// Reads one image's documents and layers. Made for one pull.
actor RegistryClient {
    private let reference: ImageReference
    private let host: String
    private let base: String
    private let credential: RegistryCredential?
    private let client: HTTPClient
    private var authorization: String?

    private static let tokenBytesMax = 1 << 20

    /// `reference` has a host. Plain HTTP goes to this machine's own addresses and to `insecure` hosts only.
    init(_ reference: ImageReference, credentials: [RegistryCredential], insecure: Set<String>, client: HTTPClient) {
        self.reference = reference
        host = reference.host ?? ""
        let address = host == "docker.io" ? "registry-1.docker.io" : host
        let isPlain = Self.isLocal(address) || insecure.contains(host)
        base = "\(isPlain ? "http" : "https")://\(address)/v2"
        let host = host
        credential = credentials.first { $0.host == host }
        self.client = client
    }

    private static func isLocal(_ host: String) -> Bool {
        let name = host.hasPrefix("[") ? String(host.prefix { $0 != "]" }) + "]" : String(host.prefix { $0 != ":" })
        let isLoopback = name.hasPrefix("127.") && name.pieces(by: ".").allSatisfy { UInt8($0) != nil }
        return name == "localhost" || name == "[::1]" || isLoopback
    }

    /// A manifest by tag or digest with its own digest, which is checked. Throws `ImageError`.
    func manifest(_ name: String) async throws -> (bytes: [UInt8], digest: Digest) {
        let response = try await get("manifests/\(name)", accept: ImageManifest.accepted)
        guard response.status.code == 200 else { throw await refusal(response, of: name) }
        let bytes = try await collect(response, ImageManifest.bytesMax)
        let digest = Digest(bytes: SHA256.hash(bytes))
        if let wanted = Digest(name), wanted != digest { throw damaged("manifest", wanted) }
        return (bytes, digest)
    }

    /// A small blob, checked. Throws `ImageError`.
    func document(_ descriptor: ImageDescriptor) async throws -> [UInt8] {
        let response = try await get("blobs/\(descriptor.digest.text)", accept: "*/*")
        guard response.status.code == 200 else { throw await refusal(response, of: descriptor.digest.text) }
        let bytes = try await collect(response, ImageConfiguration.bytesMax)
        guard Digest(bytes: SHA256.hash(bytes)) == descriptor.digest else {
            throw damaged("configuration", descriptor.digest)
        }
        return bytes
    }

    /// Hands a layer's bytes to `take` piece by piece, and throws `ImageError` in the end when they were not the layer's.
    func layer(_ descriptor: ImageDescriptor, _ take: @Sendable ([UInt8]) async throws -> Void) async throws {
        let response = try await get("blobs/\(descriptor.digest.text)", accept: "*/*")
        guard response.status.code == 200 else { throw await refusal(response, of: descriptor.digest.text) }
        var hash = SHA256()
        var count: Int64 = 0
        while let piece = try await next(response) {
            count += Int64(piece.count)
            guard count <= descriptor.size else { throw damaged("layer", descriptor.digest) }
            hash.update(piece)
            try await take(piece)
        }
        guard Digest(bytes: hash.finalize()) == descriptor.digest else { throw damaged("layer", descriptor.digest) }
    }

    // MARK: Requests

    private func get(_ path: String, accept: String) async throws -> ClientResponse {
        let url = "\(base)/\(reference.repository.text)/\(path)"
        let response = try await send(url, accept)
        guard response.status.code == 401, let challenge = response.fields["WWW-Authenticate"] else { return response }
        // A token may expire while layers come; what was refused as it is, is not said twice.
        guard let answer = try await answer(to: challenge), answer != authorization else { return response }
        authorization = answer
        return try await send(url, accept)
    }

    private func send(_ url: String, _ accept: String) async throws -> ClientResponse {
        var request = ClientRequest(.get, url)
        request.fields.append("Accept", accept)
        if let authorization { request.fields.append("Authorization", authorization) }
        request.followsRedirects = true
        // Documents are small; a layer may take its time as long as bytes come.
        if accept == ImageManifest.accepted { request.timeoutMilliseconds = 30_000 }
        do {
            return try await client.execute(request)
        } catch let error as HTTPClientError {
            throw broken(error)
        }
    }

    /// The `Authorization` that `challenge` asks for; nil when there is none to give.
    private func answer(to challenge: String) async throws -> String? {
        let parsed = AuthenticationChallenge(challenge)
        switch parsed.scheme {
        case "basic": return credential.map { "Basic \($0.basic)" }
        case "bearer": return try await token(parsed.parameters).map { "Bearer \($0)" }
        default: return nil
        }
    }

    private func token(_ parameters: [String: String]) async throws -> String? {
        guard let realm = parameters["realm"], realm.hasPrefix("https://") || base.hasPrefix("http://") else {
            return nil
        }
        let scope = parameters["scope"] ?? "repository:\(reference.repository.text):pull"
        var url = realm + (realm.contains("?") ? "&" : "?") + "scope=" + PercentCoding.encode(scope)
        if let service = parameters["service"] { url += "&service=" + PercentCoding.encode(service) }
        var request = ClientRequest(.get, url, timeoutMilliseconds: 30_000)
        if let credential { request.fields.append("Authorization", "Basic \(credential.basic)") }
        do {
            let answer = try await client.collect(request, bytesMax: Self.tokenBytesMax)
            guard answer.status.code == 200, let json = try? JSON.parse(answer.body) else { return nil }
            return (json["token"] ?? json["access_token"])?.stringValue
        } catch let error as HTTPClientError {
            throw broken(error)
        }
    }

    private func collect(_ response: ClientResponse, _ bytesMax: Int) async throws -> [UInt8] {
        do {
            return try await response.collect(bytesMax: bytesMax)
        } catch let error as HTTPClientError {
            throw broken(error)
        } catch is BodyError {
            throw ImageError(
                .malformed, "image \"\(reference)\": registry \(host) sent a document of more than \(bytesMax) bytes")
        }
    }

    private func next(_ response: ClientResponse) async throws -> [UInt8]? {
        do {
            return try await response.body.next()
        } catch let error as HTTPClientError {
            throw broken(error)
        }
    }

    // MARK: Errors

    private func broken(_ error: HTTPClientError) -> ImageError {
        ImageError(
            .unreachable,
            "image \"\(reference)\": registry \(host) does not answer: \(error.message); check its address and that it runs"
        )
    }

    private func damaged(_ what: String, _ digest: Digest) -> ImageError {
        ImageError(
            .malformed, "image \"\(reference)\": what registry \(host) sent for the \(what) \(digest.text) is not that")
    }

    private func refusal(_ response: ClientResponse, of name: String) async -> ImageError {
        let body = (try? await response.collect(bytesMax: 64 * 1024)) ?? []
        let said = (try? JSON.parse(body))?["errors"]?[0]?["message"]?.stringValue.map { ": \($0.prefix(300))" } ?? ""
        switch response.status.code {
        case 404:
            return ImageError(
                .notFound,
                "image \"\(reference)\" not found: registry \(host) has no \(name) of "
                    + "\"\(reference.repository.text)\"; push it, or correct name and tag")
        case 401, 403:
            let way =
                credential == nil
                ? "name a Secret of type kubernetes.io/dockerconfigjson in imagePullSecrets"
                : "the user \"\(credential?.user ?? "")\" of imagePullSecrets may not read it"
            return ImageError(.unauthorized, "image \"\(reference)\": registry \(host) wants a log-in; \(way)")
        default:
            return ImageError(
                .unreachable,
                "image \"\(reference)\": registry \(host) answered with status \(response.status.code)\(said)")
        }
    }
}

/// A `WWW-Authenticate` field (RFC 9110 section 11.6.1) of one challenge: `Bearer realm="...",service="..."`.
struct AuthenticationChallenge: Sendable, Equatable {
    /// In lower case.
    let scheme: String
    private(set) var parameters: [String: String] = [:]

    init(_ text: String) {
        let (space, comma, quote) = (UInt8(ascii: " "), UInt8(ascii: ","), UInt8(ascii: "\""))
        var rest = Array(text.utf8)[...]
        let name = rest.prefix { $0 != space }
        scheme = String(utf8: name).lowercased()
        rest = rest[name.endIndex...]
        while true {
            rest = rest.drop { $0 == space || $0 == comma }
            guard let sign = rest.firstIndex(of: UInt8(ascii: "=")) else { return }
            let name = String(utf8: rest[..<sign]).lowercased()
            rest = rest[(sign + 1)...]
            var value: [UInt8] = []
            if rest.first == quote {
                rest = rest.dropFirst()
                while let byte = rest.popFirst(), byte != quote {
                    value.append(byte == UInt8(ascii: "\\") ? rest.popFirst() ?? byte : byte)
                }
            } else {
                value = Array(rest.prefix { $0 != comma && $0 != space })
                rest = rest.dropFirst(value.count)
            }
            parameters[name] = String(utf8: value)
        }
    }
}
