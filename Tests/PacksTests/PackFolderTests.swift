import ArchiveTesting
import Archives
import Foundation
import Testing

@testable import Packs

/// The local folder: what is found there, what is unpacked from it, and what is left behind.
struct PackFolderTests {
    private let root = FileManager.default.temporaryDirectory.appendingPathComponent("pack-\(UUID().uuidString)")
    private let layout = PackLayout(name: "test_model")

    private func folder() throws -> PackFolder { try PackFolder(root.path, layout: try #require(layout)) }

    private func write(_ path: String, _ bytes: [UInt8]) throws -> String {
        let file = root.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        return file.path
    }

    private func remove() { try? FileManager.default.removeItem(at: root) }

    @Test func whatServedLastIsTakenBeforeTheNewest() throws {
        defer { remove() }
        let folder = try folder()
        #expect(folder.sources() == nil && folder.model() == nil)
        _ = try write("test_model/model/20201104.zip", [1])
        _ = try write("test_model/model/20201107.zip", [1])
        #expect(folder.model()?.name == "20201107.zip")
        let old = try #require(PackDate("20201104"))
        try folder.publishModel(try write("beside", [2]), old)
        #expect(folder.model()?.name == "20201104.zip")
        try FileManager.default.removeItem(at: root.appendingPathComponent("test_model/model/20201104.zip"))
        #expect(folder.model()?.name == "20201107.zip", "what is gone cannot be loaded")
    }

    @Test func aFolderHasOneOwner() throws {
        defer { remove() }
        let first = try folder()
        #expect(throws: PackError.self) { try folder() }
        withExtendedLifetime(first) {}
    }

    @Test func leftoversOfADeadProcessAreCleared() throws {
        defer { remove() }
        _ = try write(".slipway/work-1/test_model/src/a.py", [1])
        _ = try write(".slipway/incoming-2", [1])
        _ = try folder()
        #expect(try FileManager.default.contentsOfDirectory(atPath: root.path + "/.slipway") == ["lock"])
    }

    @Test func aWorkspaceHoldsBothPartsAsTheDocumentLaysThemOut() throws {
        defer { remove() }
        let folder = try folder()
        let code = ZipWriter(["inner/k8s_api_model.py": "", "inner/data/words.txt": "", "__MACOSX/._a": ""])
        let sources = try write("s.zip", code.bytes)
        let model = try write("m.zip", ZipWriter(["checkpoint": "", "m-8.index": ""]).bytes)
        let path = try folder.workspace(
            sources: .zip(sources), model: .zip(model), type: .tensorflow, modelName: "20201104.zip",
            limits: ArchiveLimits())
        let found = try FileManager.default.subpathsOfDirectory(atPath: path + "/test_model").sorted()
        #expect(
            found == [
                "model", "model/checkpoint", "model/m-8.index", "src", "src/data", "src/data/words.txt",
                "src/k8s_api_model.py",
            ])
        try folder.check(sources: sources, type: .tensorflow, limits: ArchiveLimits())
    }

    @Test func whatCannotBeUnpackedLeavesNothing() throws {
        defer { remove() }
        let folder = try folder()
        let sources = try write("s.zip", ZipWriter(["k8s_api_model.py": ""]).bytes)
        let broken = try write("m.zip", ZipWriter(["../up": ""]).bytes)
        let error = PackError(
            .packInvalid, "20201104.zip cannot be used: entry \"../up\" would be written outside of its folder")
        #expect(throws: error) {
            _ = try folder.workspace(
                sources: .zip(sources), model: .zip(broken), type: .tensorflow, modelName: "20201104.zip",
                limits: ArchiveLimits())
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: root.path + "/.slipway") == ["lock"])
    }

    @Test func downloadsAreBoundedAndHashed() throws {
        defer { remove() }
        let folder = try folder()
        let file = try folder.incoming("20201104.zip", bytesMax: 3)
        try file.append(Array("abc".utf8))
        let done = try file.finish()
        #expect(done.bytes == 3 && done.sha256.hasPrefix("ba7816bf8f01cfea") && done.name == "20201104.zip")
        #expect(throws: PackError(.packInvalid, "20201104.zip is larger than 3 bytes")) {
            try file.append(Array("d".utf8))
        }
    }
}
