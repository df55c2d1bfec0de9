import Bytes
import Formats
import HTTP

extension ConsoleService {
    /// Makes a link to one object, good for a chosen time: `{"bucket", "key", "expiresSeconds"}` to `{"url"}`.
    func share(_ request: Request) async throws -> Response {
        let session = try authorize(request)
        let body = try await json(of: request)
        guard let bucket = body["bucket"]?.stringValue, let key = body["key"]?.stringValue, !bucket.isEmpty,
            !key.isEmpty, !bucket.holds("/")
        else { throw ConsoleError(.invalid, "Name the bucket and the object to share.") }
        guard let expires = body["expiresSeconds"]?.intValue, (1...604_800).contains(expires) else {
            throw ConsoleError(.invalid, "A link is good for 1 second to 7 days (604800 seconds).")
        }
        let url = objects.presign(
            bucket: bucket, key: key, expiresSeconds: Int(expires), browserHost: request.fields["Host"],
            session.credential)
        let answer: JSON = ["url": .string(url), "expiresSeconds": .int(expires)]
        return Response(contentType: "application/json", answer.encoded)
    }
}
