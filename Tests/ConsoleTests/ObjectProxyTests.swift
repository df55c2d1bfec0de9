import HTTP
import ServerTesting
import Testing

@testable import Console

@Suite struct ObjectProxyTests {
    @Test(arguments: TestMode.allCases)
    func aCallIsSignedWithTheSessionsCredential(mode: TestMode) async throws {
        try await withConsole(mode) { console in
            var fields = try await console.logIn()
            fields["Content-Type"] = "image/png"
            fields["x-amz-meta-note"] = "hello"
            fields["X-Forwarded-For"] = "1.2.3.4"
            let put = try await console.client.execute(
                .put, "/s3/data?key=a%2F..%2Fb%20%2B%20%F0%9F%90%99.png", fields: fields, body: Array("bytes".utf8))
            #expect(put.status == 200)
            let seen = console.store.seen
            #expect(seen.target == "/data/a/../b%20%2B%20%F0%9F%90%99.png" && seen.body == Array("bytes".utf8))
            #expect(seen.fields["Authorization"]?.contains("x-amz-meta-note") == true)
            #expect(seen.fields["Content-Type"] == "image/png" && seen.fields["x-amz-meta-note"] == "hello")
            for name in ["Cookie", "X-CSRF-Token", "X-Forwarded-For"] { #expect(seen.fields[name] == nil, "\(name)") }
        }
    }

    @Test func storedPagesAreDownloadsThatRunNothing() async throws {
        try await withConsole { console in
            let fields = try await console.logIn()
            let page = try await console.client.execute(.get, "/s3/data?key=page.html", fields: fields, body: [])
            #expect(page.status == 200 && page.text == "<script>alert(1)</script>")
            #expect(page.fields["Content-Type"] == "application/octet-stream")
            #expect(page.fields["X-Object-Content-Type"] == "text/html")
            #expect(page.fields["Content-Disposition"] == "attachment; filename=\"page.html\"")
            #expect(page.fields["Content-Security-Policy"] == "sandbox; default-src 'none'")
            #expect(page.fields["x-amz-meta-owner"] == "me" && page.fields["Set-Cookie"] == nil)
        }
    }

    @Test func theStoresOwnErrorsPassThrough() async throws {
        try await withConsole { console in
            let fields = try await console.logIn()
            let answer = try await console.client.execute(.delete, "/s3/data", fields: fields, body: [])
            #expect(answer.status == 409 && answer.text.contains("BucketNotEmpty"))
        }
    }

    @Test(arguments: [
        (HTTPMethod.post, "/s3/data?key=a"), (.put, "/s3/data?key=a&tagging="), (.get, "/s3/data?policy"),
        (.get, "/s3/data?acl"), (.delete, "/s3/data?lifecycle"), (.get, "/s3/data?key="), (.post, "/s3/data?delete"),
        (.get, "/s3/data?key=a&response-content-type=text/html"), (.get, "/s3/"), (.get, "/s3/data/key"),
        (.get, "/s3/data%2Fother"), (.get, "/s3/%zz"),
    ])
    func callsThatThePagesDoNotNeedAreRefused(method: HTTPMethod, target: String) async throws {
        try await withConsole { console in
            let fields = try await console.logIn()
            let answer = try await console.client.execute(method, target, fields: fields, body: [])
            #expect([400, 403].contains(answer.status), "\(answer.status)")
            #expect(console.store.seen.target == "/", "only the log-in reached the store")
        }
    }

    @Test func anUploadIsBounded() async throws {
        var limits = ConsoleLimits()
        limits.uploadBytesMax = 4
        try await withConsole(limits: limits) { console in
            let fields = try await console.logIn()
            let answer = try await console.client.execute(
                .put, "/s3/data?key=a", fields: fields, body: Array("12345".utf8))
            #expect(answer.status == 413 && console.store.seen.target == "/")
        }
    }

    @Test func bucketsComeWithTheirCounts() async throws {
        try await withConsole { console in
            let fields = try await console.logIn()
            let answer = try await console.client.execute(.get, "/console/buckets", fields: fields, body: [])
            #expect(
                answer.text
                    == #"{"buckets":[{"name":"data","created":"2026-01-01T00:00:00Z","objects":3,"bytes":0}]}"#)
        }
    }

    @Test func aSharedLinkIsGoodForTheChosenTime() async throws {
        try await withConsole { console in
            var fields = try await console.logIn()
            fields["Host"] = "console.example:9001"
            func share(_ body: String) async throws -> TestResponse {
                try await console.client.execute(.post, "/console/share", fields: fields, body: Array(body.utf8))
            }
            let made = try await share(#"{"bucket":"data","key":"a b","expiresSeconds":3600}"#)
            #expect(made.status == 200 && made.text.contains("http://console.example:"))
            #expect(made.text.contains("/data/a%20b?X-Amz-Algorithm=AWS4-HMAC-SHA256"))
            #expect(made.text.contains("X-Amz-Expires=3600") && made.text.contains("X-Amz-Signature="))
            #expect(!made.text.contains("root-secret"))
            for expires in ["0", "604801", "-1", "\"1\""] {
                let refused = try await share(#"{"bucket":"data","key":"a","expiresSeconds":\#(expires)}"#)
                #expect(refused.status == 400, "\(expires)")
            }
        }
    }

    @Test(arguments: [
        ("localhost:9001", "localhost"), ("[::1]:9001", "[::1]"), ("[::1]", "[::1]"), ("a.example", "a.example"),
        ("evil/path", nil), ("user@host", nil), ("", nil), ("a b", nil),
    ])
    func hostNames(authority: String, name: String?) {
        #expect(ObjectProxy.hostName(authority) == name)
    }

    @Test func metricsOfOtherFamiliesArePassedOver() {
        let usage = BucketUsage.parse(
            """
            # HELP minio_bucket_usage_object_total x
            minio_bucket_usage_object_total{bucket="a",server="x"} 12
            minio_bucket_usage_total_bytes{bucket="a"} 1e3
            minio_bucket_usage_total_bytes{bucket="b"} NaN
            other{bucket="a"} 5
            minio_bucket_usage_object_total{} 1
            }{
            """)
        #expect(usage.count == 1 && usage["a"]?.objects == 12 && usage["a"]?.bytes == 1000)
    }
}
