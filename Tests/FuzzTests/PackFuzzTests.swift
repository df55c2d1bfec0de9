import ArchiveTesting
import Archives
import Foundation
import HTTPClient
import PackAPI
import Packs
import Testing

@Suite struct PackFuzzTests {
    /// Whatever a zip holds, nothing is written outside of its folder, and a failure leaves no folder.
    @Test func zip() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-zip-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        let samples = [
            ZipWriter(["k8s_api_model.py": "class k8s_api_model: pass", "data/words.txt": "a,b"]).bytes,
            ZipWriter(["../../evil": "x", "a/../b": "y"]).bytes, ZipWriter(["checkpoint": ""]).bytes,
        ]
        var limits = ArchiveLimits()
        limits.bytesMax = 1 << 20
        limits.entryCountMax = 50
        let file = root.appendingPathComponent("a.zip")
        try Fuzzing.run("zip", bytes: samples) { input, _ in
            try Data(input).write(to: file)
            let target = root.appendingPathComponent("out").path
            if (try? ZipArchive.extract(file.path, to: target, limits: limits)) != nil {
                try FileManager.default.removeItem(atPath: target)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: root.path) == ["a.zip"])
        }
    }

    @Test func entryName() throws {
        try Fuzzing.run("zip-name", samples: ["a/b/c.py", "../x", "/x", "C:/x", "./a//b/"]) { input, _ in
            guard let name = try? EntryName(input) else { return }
            #expect(!name.components.contains("..") && !name.components.contains(""))
            #expect(!name.components.contains { $0.utf8.contains(UInt8(ascii: "/")) })
        }
    }

    @Test func dates() throws {
        try Fuzzing.run("pack-date", samples: ["20201104", "20241399", "20000229"]) { input, _ in
            let text = String(decoding: input, as: UTF8.self)
            if let date = PackDate(text) { #expect(date.text == text) }
        }
    }

    @Test func requestBody() throws {
        try Fuzzing.run("pack-body", samples: [#"{"test": [[1.5, 2]]}"#, #"{"test": {"a": "\u00e9"}, "b": null}"#]) {
            input, _ in
            guard (try? PackService.check(input)) != nil else { return }
            // What is let through is what the worker's own parser takes.
            let value = try JSONSerialization.jsonObject(with: Data(input)) as? [String: Any]
            #expect(value?["test"] != nil)
        }
    }

    @Test func sftpLocation() throws {
        let samples = ["sftp://me@nas:2222/packs/a%20b", "sftp://[::1]:22/~/packs", "sftp://a:b@c/d", "sftp://nas"]
        try Fuzzing.run("sftp-location", samples: samples) { input, _ in
            guard let location = SFTPLocation(String(decoding: input, as: UTF8.self)) else { return }
            #expect((1...65535).contains(location.port) && !location.host.isEmpty && !location.path.utf8.contains(0))
            #expect(location.user?.contains(":") != true || location.user?.isEmpty == false)
        }
    }
}
