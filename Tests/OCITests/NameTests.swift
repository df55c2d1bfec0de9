import OCI
import Testing

struct NameTests {
    @Test(arguments: ["a", "tr-ex-job", "team/app", "a.b", "a_b", "a__b", "a---b", "0/1/2"])
    func takesNames(_ text: String) { #expect(RepositoryName(text)?.text == text) }

    @Test(arguments: ["", "A", "a/", "/a", "a//b", "-a", "a-", "a..b", "a___b", "a._b", "a:b", "a b", "ä", "../a"])
    func refusesOthers(_ text: String) { #expect(RepositoryName(text) == nil) }

    @Test func referencesAreTagsOrDigests() {
        let digest = "sha256:" + String(repeating: "0a", count: 32)
        #expect(Reference("v1.0") == .tag("v1.0") && Reference("_x") == .tag("_x"))
        #expect(Reference(digest) == Digest(digest).map { .digest($0) })
        for text in ["", ".a", "-a", "a/b", "a:b", "sha256:0A", String(repeating: "a", count: 129)] {
            #expect(Reference(text) == nil, "\(text)")
        }
    }
}
