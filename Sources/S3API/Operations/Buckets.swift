import Formats
import HTTP
import Objects

// CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation, GetBucketVersioning.
extension S3Call {
    func createBucket() async throws -> Response {
        try refuseUnsupportedFields()
        let body = try await payload.collect(bytesMax: 64 * 1024)
        if !body.isEmpty {
            let root = try XMLBody(body, root: "CreateBucketConfiguration")
            if let location = root.text("LocationConstraint"), !location.isEmpty, location != region,
                region != "us-east-1"
            {
                throw S3Error(
                    .illegalLocationConstraint,
                    "The \(location) location constraint is not that of this server, which is \(region).")
            }
        }
        try await store.createBucket(bucket, owner: identity.ownerID)
        var response = Response()
        response.fields.append("Location", "/\(bucket)")
        return response
    }

    func headBucket() async throws -> Response {
        try await requireBucket()
        var response = Response()
        response.fields.append("x-amz-bucket-region", region)
        return response
    }

    func deleteBucket() async throws -> Response {
        try await requireBucket()
        try await store.deleteBucket(bucket)
        return Response(.noContent)
    }

    func getBucketLocation() async throws -> Response {
        try await requireBucket()
        var xml = S3XML(root: "LocationConstraint")
        // Amazon leaves the element empty for its first region.
        if region != "us-east-1" { xml.text(region) }
        return xml.response()
    }

    func getBucketVersioning() async throws -> Response {
        try await requireBucket()
        return S3XML(root: "VersioningConfiguration").response()
    }

    func absentConfiguration(_ configuration: Endpoint.AbsentConfiguration) async throws -> Response {
        try await requireBucket()
        switch configuration {
        case .error(let code): throw S3Error(code, details: [("BucketName", bucket)])
        case .document(let root): return S3XML(root: root).response()
        }
    }

    /// Throws `NoSuchBucket` or, for a bucket of somebody else, `AccessDenied`.
    @discardableResult
    func requireBucket(_ name: String? = nil) async throws -> Bucket {
        let found = try await store.bucket(name ?? bucket)
        guard found.owner == identity.ownerID else { throw S3Error(.accessDenied) }
        return found
    }
}
