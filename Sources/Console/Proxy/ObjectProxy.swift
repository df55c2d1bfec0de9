// The console's way to the object store. The browser asks `/s3/BUCKET?key=KEY` with a session; the call that goes out is
// a plain S3 call, signed with what the person logged in with. Only the operations that the pages need are let through,
// and bytes come back in a form that a browser keeps or shows as an image, and never runs. The key is a parameter because
// browsers resolve `..` in paths, and a key may hold it.

import Bytes
import Formats
import HTTP
import HTTPClient
import Signatures

struct ObjectProxy: Sendable {
    private let configuration: ConsoleConfiguration
    let upstream: Upstream

    init(configuration: ConsoleConfiguration) {
        self.configuration = configuration
        var client = HTTPClient.shared
        if let path = configuration.storeAuthorityPath {
            var settings = HTTPClient.Configuration()
            settings.authorityPath = path
            client = HTTPClient(configuration: settings)
        }
        upstream = Upstream(name: "the object store", command: "slipway store", client: client)
    }

    /// The scheme and authority that calls go to.
    private var base: String { configuration.storeURL }
    private var host: String { base.firstRange(of: "://").map { String(base[$0.upperBound...]) } ?? base }

    // MARK: Rules

    /// Query parameters that may be passed on.
    private static let parameters: Set<String> = [
        "list-type", "prefix", "delimiter", "continuation-token", "max-keys", "start-after", "encoding-type",
    ]

    /// Media types that a browser may show; everything else is bytes.
    private static let shownTypes: Set<String> = [
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "application/xml",
    ]

    /// Sends on one S3 call: list, create and delete a bucket; get, head, put and delete an object.
    ///
    /// - Parameter path: `/BUCKET`, percent-encoded.
    func forward(_ request: Request, path: Substring, _ credential: SigningCredential) async throws -> Response {
        let bucket = String(try ProxyPath.decode(path).dropFirst())
        guard !bucket.isEmpty, !bucket.holds("/") else { throw ConsoleError(.invalid, "Name a bucket.") }
        var query = request.queryItems
        let key = query.first { $0.name == "key" }?.value ?? ""
        let namesKey = query.contains { $0.name == "key" }
        query.removeAll { $0.name == "key" }
        guard namesKey == !key.isEmpty, key.isEmpty || query.isEmpty,
            query.allSatisfy({ Self.parameters.contains($0.name) })
        else { throw ConsoleError(.notOffered, "The console does not offer this operation.") }
        var outgoing = ClientRequest(request.method, "")
        switch (request.method, key.isEmpty) {
        case (.get, true), (.head, true), (.put, true), (.delete, true): break
        case (.get, false), (.head, false): copy(["Range", "If-None-Match"], of: request, to: &outgoing.fields)
        case (.delete, false): break
        case (.put, false): outgoing.body = try upload(request, &outgoing.fields)
        default: throw ConsoleError(.notOffered, "The console does not offer this operation.")
        }
        let place = key.isEmpty ? "/\(bucket)" : "/\(bucket)/\(key)"
        var response = try await send(&outgoing, path: place, query: query, credential)
        if !key.isEmpty { protect(&response, key: key) }
        return response
    }

    private func upload(_ request: Request, _ fields: inout HTTPFields) throws(ConsoleError) -> ClientRequestBody {
        guard let length = request.body.length else {
            throw ConsoleError(.lengthRequired, "An upload must say how long it is.")
        }
        let bytesMax = configuration.limits.uploadBytesMax
        guard length <= bytesMax else {
            throw ConsoleError(
                .tooLarge,
                "A file of more than \(bytesMax >> 30) GiB goes through `slipway mc cp`, which uploads in parts.")
        }
        copy(["Content-Type"], of: request, to: &fields)
        for (name, value) in request.fields.all where name.lowercased().hasPrefix("x-amz-meta-") {
            fields.append(name, value)
        }
        return .stream(request.body)
    }

    private func copy(_ names: [String], of request: Request, to fields: inout HTTPFields) {
        for name in names { if let value = request.fields[name] { fields.append(name, value) } }
    }

    /// Makes an answer harmless that holds what somebody stored: saved under its name, never run.
    private func protect(_ response: inout Response, key: String) {
        let type = response.fields["Content-Type"]?.pieces(by: ";").first.map { $0.lowercased() } ?? ""
        if !Self.shownTypes.contains(type) {
            // What the object says it is stays readable for the page.
            if !type.isEmpty, let stored = response.fields["Content-Type"] {
                response.fields["X-Object-Content-Type"] = stored
            }
            response.fields["Content-Type"] = "application/octet-stream"
        }
        response.fields["Content-Disposition"] = SecurityFields.attachment(key)
        response.fields["Content-Security-Policy"] = SecurityFields.contentPolicy
    }

    private func send(
        _ outgoing: inout ClientRequest, path: String, query: [(name: String, value: String)],
        _ credential: SigningCredential
    ) async throws -> Response {
        outgoing.url = base + PercentCoding.encode(path, keepingSlash: true)
        if !query.isEmpty {
            outgoing.url +=
                "?"
                + query.map { "\(PercentCoding.encode($0.name))=\(PercentCoding.encode($0.value))" }
                .joined(separator: "&")
        }
        outgoing.fields = RequestSigner(credential: credential, region: configuration.region).sign(
            outgoing.method, host: host, path: path, query: query, fields: outgoing.fields)
        return try await upstream.forward(outgoing)
    }

    // MARK: Calls of the console's own

    /// True when the store takes `credential`. Throws `unreachable` when it cannot be asked.
    func accepts(_ credential: SigningCredential) async throws -> Bool {
        let (status, _) = try await listBuckets(credential)
        switch status.code {
        case 200: return true
        case 400, 401, 403: return false
        default:
            throw ConsoleError(.unreachable, "The object store answered \(status.code); its log says why.")
        }
    }

    /// The buckets as JSON: name, moment of creation, and, where the store's metrics tell, objects and bytes.
    func buckets(_ credential: SigningCredential) async throws -> Response {
        let (status, body) = try await listBuckets(credential)
        guard status == .ok, let root = try? XMLElement.parse(body) else {
            return Response(status, contentType: "application/xml", body)
        }
        let usage = await usage(credential)
        let list = (root.child("Buckets")?.children ?? []).map { bucket -> JSON in
            let name = bucket.child("Name")?.text ?? ""
            var entry: JSON = ["name": .string(name), "created": .string(bucket.child("CreationDate")?.text ?? "")]
            if let (objects, bytes) = usage[name] {
                entry["objects"] = .int(objects)
                entry["bytes"] = .int(bytes)
            }
            return entry
        }
        let answer: JSON = ["buckets": .array(list)]
        return Response(contentType: "application/json", answer.encoded)
    }

    private func listBuckets(_ credential: SigningCredential) async throws -> (HTTPStatus, [UInt8]) {
        let fields = RequestSigner(credential: credential, region: configuration.region).sign(
            .get, host: host, path: "/", query: [], fields: HTTPFields())
        let answer = try await upstream.execute(
            ClientRequest(.get, base + "/", fields: fields, timeoutMilliseconds: 10_000))
        return (answer.status, try await answer.collect(bytesMax: 16 << 20))
    }

    /// Objects and bytes of each bucket, from the store's metrics; empty for a user who may not read them, or a store that
    /// has none.
    private func usage(_ credential: SigningCredential) async -> [String: (objects: Int64, bytes: Int64)] {
        var fields = HTTPFields()
        let pair = Array("\(credential.accessKey):\(credential.secretKey)".utf8)
        fields.append("Authorization", "Basic \(Base64.encode(pair))")
        let request = ClientRequest(
            .get, base + "/minio/v2/metrics/bucket", fields: fields, timeoutMilliseconds: 2000)
        guard let answer = try? await upstream.execute(request), answer.status == .ok,
            let text = try? await answer.collect(bytesMax: 16 << 20)
        else { return [:] }
        return BucketUsage.parse(String(utf8: text))
    }

    // MARK: Links

    /// A URL of the store that anybody may open for `expiresSeconds`.
    ///
    /// - Parameter browserHost: the name by which the browser reached the console.
    func presign(
        bucket: String, key: String, expiresSeconds: Int, browserHost: String?, _ credential: SigningCredential
    ) -> String {
        RequestSigner(credential: credential, region: configuration.region).presign(
            .get, base: publicBase(browserHost), path: "/\(bucket)/\(key)", expiresSeconds: expiresSeconds)
    }

    /// The store as the person at the browser reaches it.
    func publicBase(_ browserHost: String?) -> String {
        let given = configuration.publicStoreURL ?? self.base
        let base = given.hasSuffix("/") ? String(given.dropLast()) : given
        guard let browserHost, let name = Self.hostName(browserHost), let scheme = base.firstRange(of: "://") else {
            return base
        }
        let own = base[scheme.upperBound...]
        guard ["127.0.0.1", "localhost", "[::1]"].contains(where: { own == $0 || own.hasPrefix("\($0):") }) else {
            return base
        }
        let port = own.hasSuffix("]") ? nil : own.lastIndex(of: ":").map { own[$0...] }
        return base[..<scheme.upperBound] + name + (port ?? "")
    }

    /// The name in a Host field, without its port; nil when it is no plain name or address.
    static func hostName(_ authority: String) -> String? {
        var name = authority[...]
        if let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") { name = name[..<colon] }
        let isPlain = name.utf8.allSatisfy {
            $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a || ASCII.isDigit($0) || [0x2e, 0x2d, 0x3a, 0x5b, 0x5d].contains($0)
        }
        return name.isEmpty || !isPlain ? nil : String(name)
    }
}
