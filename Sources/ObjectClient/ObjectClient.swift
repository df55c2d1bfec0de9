// An S3 client for the local store or any other: path-style addresses, Signature Version 4 by header. Bodies stream
// both ways; their bytes are not signed (`UNSIGNED-PAYLOAD`), since hashing first would need them twice.

import Bytes
package import Clock
import Digests
import Formats
package import HTTP
package import HTTPClient
import Signatures

/// Metadata of an object.
package struct ObjectSummary: Sendable, Equatable {
    package let key: String
    package let size: Int64
    /// Without quotes.
    package let etag: String
    package let modified: WallTime?
}

/// One page of a listing.
package struct ObjectPage: Sendable {
    package var objects: [ObjectSummary] = []
    /// What stands before the delimiter of the keys that have it, each once.
    package var commonPrefixes: [String] = []
    /// Asks for the next page; nil on the last one.
    package var continuationToken: String?
}

/// Talks to one S3 endpoint.
package struct ObjectClient: Sendable {
    package let endpoint: ObjectEndpoint
    let client: HTTPClient

    package init(endpoint: ObjectEndpoint, client: HTTPClient = .shared) {
        self.endpoint = endpoint
        self.client = client
    }

    // MARK: Objects

    /// Opens an object for reading. Throws `ObjectClientError`.
    package func get(bucket: String, key: String, range: ClosedRange<Int64>? = nil) async throws -> ClientResponse {
        var fields = HTTPFields()
        if let range { fields.append("Range", "bytes=\(range.lowerBound)-\(range.upperBound)") }
        return try await execute(.get, bucket, key, fields: fields)
    }

    /// Reads a whole object of at most `bytesMax` bytes.
    package func read(bucket: String, key: String, bytesMax: Int) async throws -> [UInt8] {
        try await collect(try await get(bucket: bucket, key: key), bytesMax: bytesMax)
    }

    /// Reads an object piece by piece: the next piece is asked for when `body` has returned.
    package func read(bucket: String, key: String, _ body: ([UInt8]) async throws -> Void) async throws {
        let response = try await get(bucket: bucket, key: key)
        while let piece = try await next(of: response) { try await body(piece) }
    }

    /// The fields of an object, or nil when there is none.
    package func head(bucket: String, key: String) async throws -> HTTPFields? {
        do {
            return try await execute(.head, bucket, key).fields
        } catch let error as ObjectClientError where error.isNotFound {
            return nil
        }
    }

    /// Stores an object and returns its ETag.
    @discardableResult
    package func put(
        bucket: String, key: String, body: ClientRequestBody, length: Int? = nil, contentType: String? = nil,
        fields: HTTPFields = HTTPFields()
    ) async throws -> String {
        var fields = fields
        if let contentType { fields.append("Content-Type", contentType) }
        if let length, case .stream = body { fields.append("Content-Length", "\(length)") }
        let response = try await execute(.put, bucket, key, fields: fields, body: body)
        return Self.unquoted(response.fields["ETag"] ?? "")
    }

    /// Deletes an object; one that is not there counts as deleted.
    package func delete(bucket: String, key: String) async throws {
        _ = try await execute(.delete, bucket, key)
    }

    /// One page of the keys that start with `prefix`, at most 1000.
    package func list(
        bucket: String, prefix: String = "", delimiter: String? = nil, continuationToken: String? = nil
    ) async throws -> ObjectPage {
        var query = [("list-type", "2"), ("prefix", prefix)]
        if let delimiter { query.append(("delimiter", delimiter)) }
        if let continuationToken { query.append(("continuation-token", continuationToken)) }
        let response = try await execute(.get, bucket, "", query: query)
        guard let page = Self.page(try await collect(response, bytesMax: 16 << 20)) else {
            throw notAStore("answered a listing", status: 200)
        }
        return page
    }

    /// Every object whose key starts with `prefix`, at most `countMax`. Throws `TooManyObjects` over it and
    /// `MalformedAnswer` when the store's pages do not advance.
    package func listAll(bucket: String, prefix: String, countMax: Int) async throws -> [ObjectSummary] {
        var all: [ObjectSummary] = []
        var token: String?
        repeat {
            let page = try await list(bucket: bucket, prefix: prefix, continuationToken: token)
            all += page.objects
            guard all.count <= countMax else {
                throw ObjectClientError(
                    code: "TooManyObjects", message: "more than \(countMax) objects under \(bucket)/\(prefix)",
                    status: 0)
            }
            // A store that hands out the same token again would keep this loop going for ever.
            guard page.continuationToken != token || token == nil else {
                throw ObjectClientError(
                    code: ObjectClientError.malformedAnswer, message: "the store's listing does not advance",
                    status: 200)
            }
            token = page.continuationToken
        } while token != nil
        return all
    }

    // MARK: Requests

    func execute(
        _ method: HTTPMethod, _ bucket: String, _ key: String, query: [(String, String)] = [],
        fields: HTTPFields = HTTPFields(), body: ClientRequestBody = .empty
    ) async throws -> ClientResponse {
        let path = key.isEmpty ? "/\(bucket)" : "/\(bucket)/\(key)"
        var url = endpoint.url + PercentCoding.encode(path, keepingSlash: true)
        if !query.isEmpty {
            url +=
                "?" + query.map { "\(PercentCoding.encode($0.0))=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
        }
        let signed = sign(method, path: path, query: query, fields: fields)
        let response: ClientResponse
        do {
            response = try await client.execute(ClientRequest(method, url, fields: signed, body: body))
        } catch let error as HTTPClientError {
            throw ObjectClientError(
                code: "Unreachable", message: "The object store at \(endpoint.url) did not answer: \(error.message)",
                status: 0)
        }
        guard response.status.code < 300 else { throw await failure(response, resource: path) }
        return response
    }

    private func sign(
        _ method: HTTPMethod, path: String, query: [(String, String)], fields: HTTPFields
    ) -> HTTPFields {
        guard let credential = endpoint.credential else { return fields }
        return RequestSigner(credential: credential, region: endpoint.region).sign(
            method, host: endpoint.host, path: path, query: query.map { (name: $0.0, value: $0.1) }, fields: fields)
    }

    // MARK: Answers

    /// The whole body of an answer.
    func collect(_ response: ClientResponse, bytesMax: Int) async throws -> [UInt8] {
        do { return try await response.collect(bytesMax: bytesMax) } catch let error as HTTPClientError {
            throw cutShort(error)
        }
    }

    private func next(of response: ClientResponse) async throws -> [UInt8]? {
        do { return try await response.body.next() } catch let error as HTTPClientError { throw cutShort(error) }
    }

    private func cutShort(_ error: HTTPClientError) -> ObjectClientError {
        ObjectClientError(
            code: "Unreachable",
            message: "The object store at \(endpoint.url) hung up within its answer: \(error.message)", status: 0)
    }

    /// The answer of an operation that may report its failure under status 200: the element called `name`, or what the
    /// store says.
    func result(_ response: ClientResponse, _ name: String, bytesMax: Int = 64 * 1024) async throws -> XMLElement {
        let bytes = try await collect(response, bytesMax: bytesMax)
        let root = try? XMLElement.parse(bytes)
        if let root, root.name == name { return root }
        guard let root, root.name == "Error" else {
            throw notAStore("answered without a \(name)", status: response.status.code)
        }
        throw ObjectClientError(
            code: root.child("Code")?.text ?? "InternalError", message: root.child("Message")?.text ?? "",
            status: response.status.code)
    }

    private func failure(_ response: ClientResponse, resource: String) async -> ObjectClientError {
        let status = response.status.code
        let body = (try? await response.collect(bytesMax: 64 * 1024)) ?? []
        if let root = try? XMLElement.parse(body), let code = root.child("Code")?.text {
            return ObjectClientError(code: code, message: root.child("Message")?.text ?? "", status: status)
        }
        // An answer to HEAD has no body; MinIO and this store say in fields what it would have said.
        if let code = response.fields["x-minio-error-code"] {
            let reason = (response.fields["x-minio-error-desc"] ?? "").drop { $0 == "\"" }
            return ObjectClientError(
                code: code, message: String(reason.hasSuffix("\"") ? reason.dropLast() : reason), status: status)
        }
        // Without a body an answer says nothing about who gave it.
        guard body.isEmpty else { return notAStore("answered \(status) for \(resource)", status: status) }
        return ObjectClientError(
            code: status == 404 ? "NotFound" : "Status\(status)",
            message: "the store answered \(status) \(response.status.reason) for \(resource) without saying why",
            status: status)
    }

    /// The error for an answer that no object store gives: most often the address is that of another server.
    func notAStore(_ what: String, status: Int) -> ObjectClientError {
        ObjectClientError(
            code: ObjectClientError.malformedAnswer,
            message:
                "the server at \(endpoint.url) \(what), and not as an object store does: is it the S3 API's address?",
            status: status)
    }

    private static func page(_ bytes: [UInt8]) -> ObjectPage? {
        guard let root = try? XMLElement.parse(bytes), root.name == "ListBucketResult" else { return nil }
        var page = ObjectPage()
        for child in root.children {
            switch child.name {
            case "Contents":
                guard let key = child.child("Key")?.text, let size = child.child("Size").flatMap({ Int64($0.text) })
                else {
                    continue
                }
                page.objects.append(
                    ObjectSummary(
                        key: key, size: size, etag: unquoted(child.child("ETag")?.text ?? ""),
                        modified: child.child("LastModified").flatMap { WallTime(iso8601: $0.text) }))
            case "CommonPrefixes": if let prefix = child.child("Prefix")?.text { page.commonPrefixes.append(prefix) }
            case "NextContinuationToken" where !child.text.isEmpty: page.continuationToken = child.text
            default: break
            }
        }
        return page
    }

    static func unquoted(_ etag: String) -> String {
        etag.count >= 2 && etag.hasPrefix("\"") && etag.hasSuffix("\"") ? String(etag.dropFirst().dropLast()) : etag
    }
}
