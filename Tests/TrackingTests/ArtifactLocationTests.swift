import Testing

@testable import Tracking

struct ArtifactLocationTests {
    @Test(arguments: [
        ("", ""), ("a", "a"), ("a/b.txt", "a/b.txt"), ("a//b/", "a/b"), ("a b/ü", "a b/ü"), ("100%", "100%"),
        ("..x/y..", "..x/y.."),
        ("model:1", "model:1"),
    ])
    func pathsThatStayInside(path: String, expected: String) throws {
        #expect(try ArtifactLocation.relativePath(path) == expected)
    }

    @Test(arguments: [
        "..", "../a", "../\u{301}a", "/\u{301}a", "%2e%2e/\u{200d}a", "a#\u{301}", "a/..", "a/../b", "/a", "//a",
        "a/./b", ".", "a\\..\\b", "\\a", "%2e%2e/a", "%252e%252e%252fa",
        "%2fa", "a%00b",
        "a#b", "a%23b", "file:///etc", "C:/x", "a\nb", "%25252525252525252525252e", "..;/a", "a/%2e%2e%5cb",
    ])
    func pathsThatClimbAreRefused(path: String) {
        #expect(throws: TrackingError.self) { try ArtifactLocation.relativePath(path) }
    }

    @Test(arguments: [
        "s3://bucket/a", "mlflow-artifacts:/1", "file:///tmp/x", "/tmp/x", "gs://b/a..b", "http://h/x?versionId=1",
        "models:/m-1",
        "dbfs:/x", "prompt-template", "mlflow-artifacts://h:9/models/..../",
    ])
    func locationsThatAreFine(location: String) throws {
        try ArtifactLocation.check(location, "source")
    }

    @Test(arguments: [
        "s3://b/../x", "s3://b/../\u{301}x", "file:///a/../b", "mlflow-artifacts:/../../etc", "s3://b/%2e%2e/x",
        "s3://b/%252e%252e/x",
        "http://h/a#/../b",
        "http://h/?q=/../etc", "s3://b/\u{0}", "http://h/a?x=/y",
    ])
    func locationsThatClimbAreRefused(location: String) {
        #expect(throws: TrackingError.self) { try ArtifactLocation.check(location, "source") }
    }
}
