import Bytes
import Formats
package import HTTP
package import HTTPClient

/// A part of a multipart upload that the store has.
package struct UploadedPart: Sendable {
    package let number: Int
    package let etag: String

    package init(number: Int, etag: String) {
        self.number = number
        self.etag = etag
    }
}

extension ObjectClient {
    /// Begins a multipart upload and returns its id. `fields` are those of the object to be.
    package func beginUpload(bucket: String, key: String, fields: HTTPFields) async throws -> String {
        let response = try await execute(.post, bucket, key, query: [("uploads", "")], fields: fields)
        let root = try await result(response, "InitiateMultipartUploadResult")
        guard let id = root.child("UploadId")?.text, !id.isEmpty else {
            throw ObjectClientError(
                code: ObjectClientError.malformedAnswer, message: "the store names no upload id", status: 200)
        }
        return id
    }

    /// Uploads part `number` (1 to 10,000; 5 MiB at least, but for the last).
    package func uploadPart(
        bucket: String, key: String, upload: String, number: Int, body: ClientRequestBody
    ) async throws -> UploadedPart {
        let response = try await execute(
            .put, bucket, key, query: [("partNumber", "\(number)"), ("uploadId", upload)], body: body)
        return UploadedPart(number: number, etag: Self.unquoted(response.fields["ETag"] ?? ""))
    }

    /// Makes the object of its parts. Throws what the store says, also when it says so under status 200.
    package func completeUpload(bucket: String, key: String, upload: String, parts: [UploadedPart]) async throws {
        var writer = XMLWriter()
        writer.begin("CompleteMultipartUpload")
        for part in parts.sorted(by: { $0.number < $1.number }) {
            writer.begin("Part")
            writer.leaf("PartNumber", "\(part.number)")
            writer.leaf("ETag", "\"\(part.etag)\"")
            writer.end()
        }
        writer.end()
        let response = try await execute(
            .post, bucket, key, query: [("uploadId", upload)], body: .bytes(writer.bytes))
        _ = try await result(response, "CompleteMultipartUploadResult")
    }

    /// Gives an upload up; its parts go.
    package func abortUpload(bucket: String, key: String, upload: String) async throws {
        _ = try await execute(.delete, bucket, key, query: [("uploadId", upload)])
    }

    /// Copies an object within the store, metadata included. At most 5 GiB.
    package func copy(fromBucket: String, fromKey: String, toBucket: String, toKey: String) async throws {
        var fields = HTTPFields()
        fields.append("x-amz-copy-source", PercentCoding.encode("/\(fromBucket)/\(fromKey)", keepingSlash: true))
        let response = try await execute(.put, toBucket, toKey, fields: fields)
        _ = try await result(response, "CopyObjectResult")
    }
}
