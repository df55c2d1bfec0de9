import HTTP
import OCI
import Testing

@testable import RegistryAPI

@Suite struct RegistryFuzzTests {
    @Test func paths() throws {
        let samples = [
            "/v2/", "/v2/_catalog", "/v2/team/app/tags/list", "/v2/a/manifests/v1", "/v2/a/blobs/uploads/1",
            "/v2/a/blobs/sha256:" + String(repeating: "0", count: 64), "/v2/a%2Fb/manifests/latest",
        ]
        try Fuzzing.run("registry-path", samples: samples) { input, _ in
            guard let endpoint = try? RegistryEndpoint(path: String(decoding: input, as: UTF8.self)[...]) else {
                return
            }
            // Whatever is taken for a name can be part of a key: it holds no colon, and no step upwards.
            switch endpoint {
            case .tags(let name), .manifest(let name, _), .blob(let name, _), .uploads(let name), .upload(let name, _),
                .referrers(let name, _):
                #expect(!name.text.contains(":") && !name.text.contains(".."))
            case .version, .catalog: break
            }
        }
    }

    @Test func manifests() throws {
        let digest = "sha256:" + String(repeating: "0", count: 64)
        let samples = [
            #"{"schemaVersion":2,"config":{"digest":"\#(digest)"},"layers":[{"digest":"\#(digest)"}]}"#,
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
            #"{"schemaVersion":2,"subject":{"digest":"\#(digest)"},"artifactType":"a/b","annotations":{}}"#,
        ]
        try Fuzzing.run("registry-manifest", samples: samples) { input, _ in
            _ = try? ManifestDocument(input, contentType: "application/vnd.oci.image.manifest.v1+json")
        }
    }
}
