import Formats
import OCI
import Testing

struct ImageDocumentTests {
    private static let digest = "sha256:" + String(repeating: "0a", count: 32)

    private func bytes(_ json: JSON) -> [UInt8] { json.encoded }

    private func blob(_ type: String, size: JSON = 7) -> JSON {
        ["mediaType": .string(type), "digest": .string(Self.digest), "size": size]
    }

    private func manifest(layers: [JSON], config: JSON? = nil) -> JSON {
        ["schemaVersion": 2, "config": config ?? blob("x"), "layers": .array(layers)]
    }

    private func fault(_ json: JSON) -> String {
        do {
            _ = try ImageManifest(bytes(json), architecture: "amd64")
            return ""
        } catch {
            return error.description
        }
    }

    @Test(arguments: [
        "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ])
    func layersAreTarsOfThreeKinds(_ type: String) throws {
        let read = try ImageManifest(bytes(manifest(layers: [blob(type)])), architecture: "amd64")
        guard case .image(let configuration, let layers) = read else {
            Issue.record("no image")
            return
        }
        #expect(configuration.size == 7 && layers.map(\.mediaType) == [type])
    }

    @Test func whatIsNoImageSaysWhy() {
        #expect(fault(["schemaVersion": 1]).contains("schema version 2"))
        #expect(fault("text").contains("schema version 2"))
        #expect(fault(["schemaVersion": 2]).contains("names no configuration or no layers"))
        #expect(fault(manifest(layers: [["size": 1]])).contains("no sha256 digest"))
        #expect(fault(manifest(layers: [blob("x", size: -1)])).contains("no size"))
        #expect(fault(manifest(layers: [blob("application/vnd.in-toto+json")])).contains("not a tar"))
        #expect(fault(manifest(layers: [], config: ["digest": "md5:1"])).contains("its configuration has no sha256"))
    }

    @Test func anIndexGivesTheImageOfThisMachine() throws {
        func entry(_ architecture: String, _ digit: String) -> JSON {
            var json = blob("application/vnd.oci.image.manifest.v1+json")
            json["digest"] = .string("sha256:" + String(repeating: digit, count: 64))
            json["platform"] = ["os": "linux", "architecture": .string(architecture)]
            return json
        }
        let index: JSON = ["schemaVersion": 2, "manifests": [entry("arm64", "1"), entry("amd64", "2")]]
        guard case .index(let found) = try ImageManifest(bytes(index), architecture: "amd64") else {
            Issue.record("no index")
            return
        }
        #expect(found.digest.hexadecimal.hasPrefix("22"))
        let other: JSON = ["schemaVersion": 2, "manifests": [entry("arm64", "1")]]
        #expect(fault(other) == "it is for linux/arm64 and this machine is linux/amd64")
    }

    @Test func aConfigurationSurvivesBeingKept() throws {
        let config: JSON = [
            "Env": ["PATH=/bin", "EMPTY=", "TWO=a=b", "NONE"], "Entrypoint": ["a"], "Cmd": ["b", "c"],
            "WorkingDir": "/srv", "User": "app:app",
        ]
        let whole: JSON = ["os": "linux", "architecture": "amd64", "config": config]
        let read = try ImageConfiguration(bytes(whole), architecture: "amd64")
        #expect(read.environment.map(\.value) == ["/bin", "", "a=b", ""])
        #expect(read.entrypoint == ["a"] && read.command == ["b", "c"] && read.user == "app:app")
        #expect(ImageConfiguration(read.json) == read)
        let empty = try ImageConfiguration(bytes(["config": [:]]), architecture: "amd64")
        #expect(empty.workingDirectory == nil && empty == ImageConfiguration())
        #expect(throws: ImageDocumentError.self) {
            try ImageConfiguration(bytes(["architecture": "s390x"]), architecture: "amd64")
        }
    }
}
