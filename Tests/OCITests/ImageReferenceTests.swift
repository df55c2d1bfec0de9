import OCI
import Testing

struct ImageReferenceTests {
    private static let digest = "sha256:" + String(repeating: "0a", count: 32)

    @Test(
        arguments: [
            ("train", nil, "train", "latest"), ("team/train:v1", nil, "team/train", "v1"),
            ("localhost/train", "localhost", "train", "latest"),
            ("localhost:5000/tr-ex-job:v1.0", "localhost:5000", "tr-ex-job", "v1.0"),
            ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000", "a/b/c", "latest"), ("[::1]:5000/a:b", "[::1]:5000", "a", "b"),
            ("docker.io/busybox", "docker.io", "library/busybox", "latest"),
            ("docker.io/argoproj/argosay:v2", "docker.io", "argoproj/argosay", "v2"),
            ("gcr.io/a.b/c_d", "gcr.io", "a.b/c_d", "latest"), ("a/b:c", nil, "a/b", "c"),
        ] as [(String, String?, String, String)])
    func namesAreTakenApart(_ text: String, _ host: String?, _ repository: String, _ tag: String) throws {
        let reference = try #require(ImageReference(text))
        #expect(reference.host == host && reference.repository.text == repository && reference.tag == tag)
        #expect(reference.digest == nil && reference.manifest == tag)
    }

    @Test func aDigestComesBeforeATag() throws {
        let reference = try #require(ImageReference("localhost:5000/a:v1@\(Self.digest)"))
        #expect(reference.tag == "v1" && reference.manifest == Self.digest)
        #expect(reference.description == "localhost:5000/a:v1@\(Self.digest)")
        let bare = try #require(ImageReference("a@\(Self.digest)"))
        #expect(bare.tag == nil && bare.at("x:1").description == "x:1/a@\(Self.digest)")
    }

    @Test(arguments: [
        "", "A", "a:", ":v1", "a b", "a@sha256:12", "localhost:5000/", "localhost:5000/A", "a/../b", "host.io/..",
        "http://localhost:5000/a", "a:v1:v2", "ho st.io/a", "host.io/a:-x", String(repeating: "a", count: 600),
    ])
    func othersAreNoNames(_ text: String) { #expect(ImageReference(text) == nil) }
}
