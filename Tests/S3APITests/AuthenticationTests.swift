import Clock
import HTTP
import ServerTesting
import Testing

@testable import S3API

@Suite struct AuthenticationTests {
    private typealias Options = S3Fixture.Options

    @Test func theRightKeyIsLetIn() async throws {
        let fixture = try await S3Fixture()
        #expect(try await fixture.send(.put, "/bucket").status == 200)
        #expect(try await fixture.send(.get, "/").text.contains("<Name>bucket</Name>"))
    }

    @Test func wrongCredentialsAreNamed() async throws {
        let fixture = try await S3Fixture { $0.region = "eu-west-9" }
        var table: [(String, Int, String, Options)] = []
        func add(_ name: String, _ status: Int, _ code: String, _ change: (inout Options) -> Void) {
            var options = Options()
            options.region = "eu-west-9"
            change(&options)
            table.append((name, status, code, options))
        }
        add("access key", 403, "InvalidAccessKeyId") { $0.accessKey = "nobody" }
        add("secret key", 403, "SignatureDoesNotMatch") { $0.secretKey = "wrong" }
        add("region", 400, "AuthorizationHeaderMalformed") { $0.region = "us-east-1" }
        add("old", 403, "RequestTimeTooSkewed") { $0.time = WallTime.now.advanced(seconds: -1000) }
        add("future", 403, "RequestTimeTooSkewed") { $0.time = WallTime.now.advanced(seconds: 1000) }
        add("unsigned field", 403, "AccessDenied") { $0.tamper = { $0.append("x-amz-acl", "private") } }
        add("altered field", 403, "SignatureDoesNotMatch") {
            $0.fields = ["x-amz-meta-a": "1"]
            $0.tamper = { $0["x-amz-meta-a"] = "2" }
        }
        add("no hash", 400, "InvalidRequest") { $0.tamper = { $0["x-amz-content-sha256"] = nil } }
        add("bad hash", 400, "InvalidArgument") { $0.payload = "nonsense" }
        add("malformed", 400, "AuthorizationHeaderMalformed") {
            $0.tamper = { $0["Authorization"] = "AWS4-HMAC-SHA256 x" }
        }
        add("other mechanism", 400, "InvalidRequest") { $0.tamper = { $0["Authorization"] = "Bearer x" } }
        add("anonymous", 403, "AccessDenied") { $0.tamper = { $0["Authorization"] = nil } }
        add("version 2, unknown", 403, "InvalidAccessKeyId") { $0.tamper = { $0["Authorization"] = "AWS nobody:x" } }
        add("version 2, wrong", 403, "AccessDenied") {
            $0.tamper = {
                $0["Authorization"] = "AWS testuser:x"
                $0["x-amz-date"] = nil
            }
        }
        for (name, status, code, options) in table {
            let response = try await fixture.send(.get, "/", [], options)
            #expect(
                response.status == status && response.errorCode == code, "\(name): \(response.status) \(response.text)")
            #expect(response.element("RequestId") != nil && response.element("Resource") == "/")
        }
    }

    /// A body that must not be read.
    private final class Untouchable: BodySource, @unchecked Sendable {
        private(set) var wasRead = false
        var trailers: HTTPFields { HTTPFields() }
        func next() async throws -> [UInt8]? {
            wasRead = true
            return nil
        }
    }

    @Test func badCredentialsAreRefusedBeforeTheBodyIsRead() async throws {
        let fixture = try await S3Fixture()
        let source = Untouchable()
        let head = RequestHead(
            method: .put, target: "/bucket/key",
            fields: [
                "Host": "h",
                "Authorization": "AWS4-HMAC-SHA256 Credential=nobody/20261121/us-east-1/s3/aws4_request, "
                    + "SignedHeaders=host, Signature=00", "x-amz-date": "20261121T000000Z", "Expect": "100-continue",
            ])
        let response = try await fixture.service.handler(
            Request(head: head, body: RequestBody(source: source, length: 1 << 40)))
        #expect(response.status.code == 403)
        #expect(!source.wasRead)
    }

    @Test func headErrorsHaveNoBody() async throws {
        let fixture = try await S3Fixture()
        let response = try await fixture.send(.head, "/absent-bucket")
        #expect(response.status == 404 && response.body.isEmpty)
    }

    @Test func managementIsNoBucket() async throws {
        let fixture = try await S3Fixture()
        for path in ["/minio/health/live", "/minio/health/ready", "/minio/health/cluster"] {
            #expect(try await fixture.execute(.get, path).status == 200)
        }
        #expect(try await fixture.execute(.get, "/minio/v2/metrics/cluster").status == 403)
        let open = try await S3Fixture { $0.metricsArePublic = true }
        #expect(try await open.execute(.get, "/minio/v2/metrics/cluster").text.contains("minio_cluster_bucket_total 0"))
        let metrics = try await fixture.execute(
            .get, "/minio/v2/metrics/bucket", ["Authorization": "Bearer testuser:testpassword"])
        #expect(metrics.status == 200)
    }
}
