import Bytes
import Testing

@testable import Console

@Suite struct ConsoleFuzzTests {
    @Test func kubeconfigs() throws {
        let samples = [
            "clusters: [{name: a, cluster: {server: 'https://b', certificate-authority-data: aGk=}}]\nusers: []\n",
            #"{"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],"clusters":[]}"#,
        ]
        try Fuzzing.run("kubeconfig", samples: samples) { input, _ in
            guard let access = try? ClusterAccess(input) else { return }
            #expect(access.server.hasPrefix("http://") || access.server.hasPrefix("https://"))
        }
    }

    @Test func bucketMetrics() throws {
        let samples = [
            "minio_bucket_usage_object_total{bucket=\"a\"} 12\nminio_bucket_usage_total_bytes{bucket=\"a\"} 1e3"
        ]
        try Fuzzing.run("bucket metrics", samples: samples) { input, _ in
            for name in BucketUsage.parse(String(utf8: input)).keys { #expect(!name.contains("\"")) }
        }
    }

    /// A name that is taken from a Host field can stand in a URL as it is.
    @Test func hostNames() throws {
        let samples = ["localhost:9001", "[::1]:80", "a.b-c:1", "user@host/path"]
        try Fuzzing.run("host", samples: samples) { input, _ in
            guard let name = ObjectProxy.hostName(String(utf8: input)) else { return }
            #expect(!name.isEmpty && !name.contains { "/@?# \\\"<>".contains($0) })
        }
    }

    /// What is let through has no segment that climbs.
    @Test func proxyPaths() throws {
        try Fuzzing.run("proxy path", samples: ["/api/v1/pods", "/api/%2e%2e/x", "/a%2fb/..%2f"]) { input, _ in
            guard let segments = try? ProxyPath.decodeSegments(String(utf8: input)) else { return }
            #expect(
                !segments.contains("..") && !segments.contains(".")
                    && !segments.contains { $0.utf8.contains(UInt8(ascii: "\\")) })
        }
    }
}
