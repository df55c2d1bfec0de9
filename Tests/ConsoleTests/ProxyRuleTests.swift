import Bytes
import HTTP
import Testing

@testable import Console

/// What the proxies let through, by method and path.
@Suite struct ProxyRuleTests {
    @Test(arguments: [
        ("/api/v1/pods", true), ("/api/v1/namespaces", true), ("/api/v1/namespaces/x", true),
        ("/api/v1/namespaces/x/pods", true), ("/api/v1/namespaces/x/pods/p", true),
        ("/api/v1/namespaces/x/pods/p/log", true), ("/apis/argoproj.io/v1alpha1/workflows", true),
        ("/apis/argoproj.io/v1alpha1/namespaces/x/workflows/w", true), ("/api/v1/secrets", false),
        ("/api/v1/namespaces/x/secrets", false), ("/api/v1/namespaces/x/secrets/s", false),
        ("/api/v1/namespaces/x/pods/p/exec", false), ("/api/v1/namespaces/x/pods/p/log/more", false),
        ("/api/v1/namespaces/x/services/s/proxy", false), ("/apis/rbac.authorization.k8s.io/v1/roles", false),
        ("/api", false), ("/", false), ("/version", false), ("/apis/argoproj.io/v1alpha1", false),
    ])
    func ofTheClusterOnlyReadingOfAFewKinds(path: String, isOffered: Bool) throws {
        #expect(ClusterProxy.offers(try ProxyPath.decodeSegments(path)) == isOffered)
    }

    @Test(arguments: [
        (HTTPMethod.get, "/v2", true), (.get, "/v2/models/m", true), (.get, "/v2/models/m/versions/1/stats", true),
        (.get, "/v2/health/ready", true), (.post, "/v2/repository/index", true),
        (.post, "/v2/repository/models/m/load", true), (.post, "/v2/repository/models/m/unload", true),
        (.post, "/v2/models/m/infer", false), (.put, "/v2", false), (.get, "/v1/models", false),
        (.delete, "/v2/models/m", false), (.post, "/v2/repository/models/m/other", false), (.get, "/metrics", false),
    ])
    func ofInferenceNoInference(method: HTTPMethod, path: String, isOffered: Bool) throws {
        #expect(InferenceProxy.offers(method, try ProxyPath.decodeSegments(path)) == isOffered)
    }

    @Test(arguments: [
        "/api/v1/../secrets", "/api/%2e%2e/x", "/api/./x", "/api/a%5Cb", "/api/%00", "/api/%0a", "/api/%",
    ])
    func pathsThatClimbOrHideAreRefused(path: String) {
        #expect(throws: ConsoleError.self) { try ProxyPath.decodeSegments(path) }
    }

    @Test func aKubeconfigGivesItsCurrentContext() throws {
        let text = """
            apiVersion: v1
            current-context: second
            contexts:
            - name: first
              context: {cluster: a, user: a}
            - name: second
              context: {cluster: b, user: b}
            clusters:
            - name: a
              cluster: {server: "https://a"}
            - name: b
              cluster: {server: "https://b:6443/", certificate-authority-data: aGk=}
            users:
            - name: b
              user: {token: secret}
            """
        let access = try ClusterAccess(Array(text.utf8))
        #expect(access.server == "https://b:6443" && access.token == "secret" && access.authority == Array("hi".utf8))
    }

    @Test(arguments: ["", "[]", "a: b", "clusters: [{name: a, cluster: {server: 'file:///etc/passwd'}}]", "{"])
    func aKubeconfigWithoutAServerIsNamed(text: String) {
        #expect(throws: ConsoleError.self) { try ClusterAccess(Array(text.utf8)) }
    }

    @Test func theTrackingServersPathsAreOffered() {
        for path in ["/api/2.0/mlflow/runs/search", "/get-artifact", "/model-versions/get-artifact"] {
            #expect(TrackingProxy.offers(path[...]), "\(path)")
        }
        for path in ["/api/2.0/mlflow-artifacts/artifacts/x", "/metrics", "/graphql", "/version"] {
            #expect(!TrackingProxy.offers(path[...]), "\(path)")
        }
    }
}
