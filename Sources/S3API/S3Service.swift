// The handler of the store role. A request is taken apart, authenticated on its head, matched to one operation, and
// whatever goes wrong on the way becomes one error form.

import Bytes
import Clock
package import HTTP
import Log
package import Metrics
package import Objects
import Signatures

/// Serves S3 and the management paths of one object store.
package final class S3Service: Sendable {
    private let store: ObjectStore
    private let configuration: S3Configuration
    private let authentication: Authentication
    private let metrics: S3Metrics
    private let management: Management
    private let log = Logger(role: "store")

    package init(store: ObjectStore, configuration: S3Configuration, metrics registry: MetricsRegistry) {
        self.store = store
        self.configuration = configuration
        authentication = Authentication(credentials: configuration.credentials, requiredRegion: configuration.region)
        metrics = S3Metrics(registry)
        management = Management(store: store, configuration: configuration, registry: registry)
    }

    /// To be given to a server.
    package var handler: Handler {
        { request in try await self.respond(to: request) }
    }

    private func respond(to request: Request) async throws -> Response {
        if let response = try await management.respond(to: request) { return response }
        var endpoint: Endpoint?
        var response: Response
        do {
            let address = try S3Address(
                path: request.path, host: request.fields["Host"], domains: configuration.domains)
            let query = try S3Query(request.query)
            response = try await serve(request, address, query, &endpoint)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            response = failure(error, request)
        }
        response.fields.append("x-amz-request-id", request.id)
        metrics.count(endpoint, status: response.status)
        return response
    }

    private func serve(
        _ request: Request, _ address: S3Address, _ query: S3Query, _ endpoint: inout Endpoint?
    ) async throws -> Response {
        let path = PercentCoding.decode(request.path) ?? "/"
        let authenticated = try authentication.authenticate(request, path: path, address: address, query: query)
        request.principal = authenticated.identity.accessKey
        if !address.bucket.isEmpty { try Self.checkShape(bucket: address.bucket) }
        let operation = try Endpoint(method: request.method, address: address, query: query, fields: request.fields)
        endpoint = operation
        let call = S3Call(
            request: request, address: address, query: query, identity: authenticated.identity,
            payload: try Self.payload(of: request, authenticated.payload, operation), store: store,
            region: configuration.region ?? "us-east-1")
        return try await call.perform(operation)
    }

    /// A name that no bucket can have is refused as such, also by operations on buckets that exist.
    private static func checkShape(bucket: String) throws(S3Error) {
        do { try Bucket.validate(name: bucket) } catch { throw S3Error(error) }
    }

    private static func payload(
        of request: Request, _ kind: PayloadKind, _ operation: Endpoint
    ) throws(S3Error) -> S3Payload {
        let fields = request.fields
        var length = request.body.length
        var sha256: String?
        var decoder: ChunkedPayloadDecoder?
        var hasTrailer = false
        switch kind {
        case .signed(let hash): sha256 = hash
        case .unsigned: break
        case .chunked(let signatures, let trailer):
            hasTrailer = trailer
            decoder = ChunkedPayloadDecoder(signatures: signatures, hasTrailer: trailer)
            guard let decoded = fields["x-amz-decoded-content-length"].flatMap({ ASCII.decimal($0.utf8) }) else {
                throw S3Error(.missingContentLength, "You must provide the x-amz-decoded-content-length HTTP header.")
            }
            length = decoded
        }
        var promise = try PayloadPromise(fields: fields, length: length, sha256: sha256, hasTrailer: hasTrailer)
        // Completing an upload speaks of the object's checksum, not of the XML's.
        if operation == .completeMultipartUpload { promise.checksum = nil }
        return S3Payload(body: request.body, promise: promise, decoder: decoder)
    }

    /// The answer to whatever an operation threw. What is no fault of the client goes to the log with the request's id.
    private func failure(_ error: any Error, _ request: Request) -> Response {
        let wire: S3Error
        switch error {
        case let error as S3Error: wire = error
        case let error as BodyError: wire = S3Error(error)
        default:
            let failure = ObjectError(wrapping: error)
            if [.internal, .corrupt, .full].contains(failure.code) {
                log.error(
                    "request failed",
                    [
                        ("id", request.id), ("method", request.method.name), ("path", String(request.path)),
                        ("error", failure.message),
                    ])
            }
            wire = S3Error(failure)
        }
        return wire.response(resource: String(request.path), requestID: request.id, isHead: request.method == .head)
    }
}

extension S3Call {
    /// Runs one operation.
    func perform(_ operation: Endpoint) async throws -> Response {
        switch operation {
        case .listBuckets: try await listBuckets()
        case .createBucket: try await createBucket()
        case .headBucket: try await headBucket()
        case .deleteBucket: try await deleteBucket()
        case .getBucketLocation: try await getBucketLocation()
        case .getBucketVersioning: try await getBucketVersioning()
        case .listObjects: try await listObjects()
        case .listObjectsV2: try await listObjectsV2()
        case .listObjectVersions: try await listObjectVersions()
        case .listMultipartUploads: try await listMultipartUploads()
        case .deleteObjects: try await deleteObjects()
        case .putObject: try await putObject()
        case .copyObject: try await copyObject()
        case .getObject: try await getObject()
        case .headObject: try await headObject()
        case .deleteObject: try await deleteObject()
        case .getObjectAttributes: try await getObjectAttributes()
        case .getObjectTagging: try await getObjectTagging()
        case .putObjectTagging: try await putObjectTagging()
        case .deleteObjectTagging: try await deleteObjectTagging()
        case .createMultipartUpload: try await createMultipartUpload()
        case .uploadPart: try await uploadPart()
        case .uploadPartCopy: try await uploadPartCopy()
        case .completeMultipartUpload: try await completeMultipartUpload()
        case .abortMultipartUpload: try await abortMultipartUpload()
        case .listParts: try await listParts()
        case .getACL: try await getACL()
        case .putACL: try await putACL()
        case .absentConfiguration(let configuration): try await absentConfiguration(configuration)
        }
    }
}
