import ArchiveTesting
import Archives
import Foundation
import Testing

@testable import Images
@testable import OCI

@Suite struct ImageFuzzTests {
    @Test func references() throws {
        let samples = [
            "localhost:5000/tr-ex-job:v1.0", "docker.io/library/python:3.12",
            "a@sha256:" + String(repeating: "0", count: 64),
            "[::1]:5000/a/b:c",
        ]
        try Fuzzing.run("image-reference", samples: samples) { input, _ in
            guard let reference = ImageReference(String(decoding: input, as: UTF8.self)) else { return }
            // What is shown is what is meant.
            #expect(ImageReference(reference.description) == reference)
            #expect(!reference.repository.text.contains(".."))
        }
    }

    @Test func documents() throws {
        let digest = "sha256:" + String(repeating: "0", count: 64)
        let samples = [
            #"{"schemaVersion":2,"config":{"digest":"\#(digest)","size":2},"layers":[]}"#,
            #"{"schemaVersion":2,"manifests":[{"digest":"\#(digest)","size":2,"platform":{"os":"linux"}}]}"#,
            #"{"os":"linux","config":{"Env":["A=b"],"Cmd":["true"],"User":"app"}}"#,
        ]
        try Fuzzing.run("image-document", samples: samples) { input, _ in
            _ = try? ImageManifest(input, architecture: "amd64")
            guard let configuration = try? ImageConfiguration(input, architecture: "amd64") else { return }
            #expect(ImageConfiguration(configuration.json) == configuration)
        }
    }

    @Test func challengesAndUsers() throws {
        let samples = [
            #"Bearer realm="https://a/b",service="c",scope="d""#, "Basic realm=x", "app:x:1000:1000::/home:/bin/sh",
        ]
        try Fuzzing.run("image-challenge", samples: samples) { input, _ in
            let text = String(decoding: input, as: UTF8.self)
            let challenge = AuthenticationChallenge(text)
            #expect(!challenge.scheme.utf8.contains(UInt8(ascii: " ")))
            _ = ImageUser("app:app", in: ImageUser.Database(users: text, groups: text))
        }
    }

    /// Whatever a layer holds, nothing is written outside of its folder, and a failure leaves no folder.
    @Test(.enabled(if: getuid() == 0, "needs root"))
    func layer() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-layer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        let samples: [TarWriter] = [
            TarWriter([.folder("etc/"), .file("etc/passwd", "root"), .symlink("a", to: "/etc"), .file("a/b", "x")]),
            TarWriter([.file("a/.wh.b", ""), .file("a/.wh..wh..opq", ""), .hardlink("c", to: "a/b"), .device("dev/x")]),
            TarWriter([.symlink("up", to: "../.."), .file("up/evil", "x"), .file("../evil", "y"), .file("/abs", "z")]),
        ]
        var limits = LayerArchive.limits
        limits.bytesMax = 1 << 20
        limits.entryCountMax = 50
        let file = root.appendingPathComponent("a.tar")
        try Fuzzing.run("image-layer", bytes: samples.map(\.bytes)) { input, _ in
            try Data(input).write(to: file)
            let target = root.appendingPathComponent("out").path
            if (try? LayerArchive.extract(file.path, to: target, limits: limits)) != nil {
                try FileManager.default.removeItem(atPath: target)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: root.path) == ["a.tar"])
        }
    }
}
