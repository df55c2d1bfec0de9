import ArchiveTesting
import Archives
import Foundation
import Testing

struct ZipArchiveTests {
    /// Unpacks `bytes` in a folder of its own and hands that over, or the error.
    private func unpacked(
        _ bytes: [UInt8], limits: ArchiveLimits = ArchiveLimits(),
        _ check: (Result<ArchiveSummary, ArchiveError>, URL) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("zip-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("a.zip")
        try Data(bytes).write(to: file)
        let target = folder.appendingPathComponent("out")
        let result: Result<ArchiveSummary, ArchiveError>
        do throws(ArchiveError) {
            result = .success(try ZipArchive.extract(file.path, to: target.path, limits: limits))
        } catch {
            result = .failure(error)
            #expect(!FileManager.default.fileExists(atPath: target.path), "what failed leaves nothing behind")
        }
        try check(result, target)
    }

    private func refusal(_ bytes: [UInt8], limits: ArchiveLimits = ArchiveLimits()) throws -> ArchiveError {
        var error: ArchiveError?
        try unpacked(bytes, limits: limits) { result, _ in if case .failure(let found) = result { error = found } }
        return try #require(error)
    }

    @Test func filesAndFoldersComeOutAsTheyWentIn() throws {
        var zip = ZipWriter(["k8s_api_model.py": "class k8s_api_model: pass\n", "data/단어.txt": "하나", "a/b/c": ""])
        var empty = ZipWriter.Entry("empty/", "")
        empty.mode = 0o040755
        zip.entries.append(empty)
        try unpacked(zip.bytes) { result, folder in
            let summary = try result.get()
            #expect(summary.fileCount == 3 && summary.bytes == 32)
            #expect(try String(contentsOf: folder.appendingPathComponent("data/단어.txt"), encoding: .utf8) == "하나")
            #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent("empty").path))
            #expect(try String(contentsOf: folder.appendingPathComponent("a/b/c"), encoding: .utf8) == "")
        }
    }

    @Test(arguments: [
        ("../evil.py", "outside of its folder"), ("a/../../evil", "outside of its folder"),
        ("/etc/passwd", "absolute name"), ("../\u{301}evil.py", "outside of its folder"),
        ("/\u{301}etc", "absolute name"),
        ("C:/x", "drive"), ("a\u{1}b", "control"),
    ])
    func aNameThatLeavesTheFolderIsRefused(_ name: String, _ text: String) throws {
        let error = try refusal(ZipWriter([ZipWriter.Entry(name, "x")]).bytes)
        #expect(error.code == .unsafe)
        #expect(error.message.contains(text), "\(error.message)")
    }

    @Test func aLinkIsRefused() throws {
        var link = ZipWriter.Entry("link", "/etc")
        link.mode = 0o120777
        let error = try refusal(ZipWriter([link, ZipWriter.Entry("link/passwd", "x")]).bytes)
        #expect(error.code == .unsafe && error.message.hasPrefix("entry \"link\" is a symbolic link"))
    }

    @Test func aBombStopsAtTheLimit() throws {
        var limits = ArchiveLimits()
        limits.bytesMax = 1000
        let large = ZipWriter.Entry("large", bytes: [UInt8](repeating: 7, count: 1001))
        #expect(try refusal(ZipWriter([large]).bytes, limits: limits).code == .tooLarge)
        limits = ArchiveLimits()
        limits.entryCountMax = 3
        let many = (0..<4).map { ZipWriter.Entry("f\($0)", "") }
        #expect(try refusal(ZipWriter(many).bytes, limits: limits).message == "it has more than 3 entries")
        let deep = ZipWriter.Entry(String(repeating: "a/", count: 40) + "f", "")
        #expect(try refusal(ZipWriter([deep]).bytes).code == .tooLarge)
        let long = ZipWriter.Entry(String(repeating: "n", count: 300), "")
        #expect(try refusal(ZipWriter([long]).bytes).code == .tooLarge)
    }

    @Test func whatIsDamagedIsRefused() throws {
        let whole = ZipWriter(["model.pkl": "0123456789", "b": "c"]).bytes
        for count in [0, 3, 30, whole.count / 2, whole.count - 1] {
            #expect(try refusal(Array(whole.prefix(count))).code == .malformed, "\(count) bytes")
        }
        var wrong = ZipWriter.Entry("model.pkl", "0123456789")
        wrong.checksum = 1
        let error = try refusal(ZipWriter([wrong]).bytes)
        #expect(error.code == .malformed && error.message.contains("model.pkl"), "\(error.message)")
        #expect(try refusal(Array("this is not a zip".utf8)).code == .malformed)
    }

    @Test func twiceTheSameNameAndEncryptionAreRefused() throws {
        let twice = ZipWriter([ZipWriter.Entry("a", "1"), ZipWriter.Entry("a", "2")]).bytes
        #expect(try refusal(twice).message == "it holds \"a\" twice")
        let clash = ZipWriter([ZipWriter.Entry("a", "1"), ZipWriter.Entry("a/b", "2")]).bytes
        #expect(try refusal(clash).code == .malformed)
        var secret = ZipWriter.Entry("a", "0123456789abcdef")
        secret.flags |= 1
        #expect(try refusal(ZipWriter([secret]).bytes).code == .unsupported)
    }

    @Test func aFolderThatExistsIsNotTouched() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("zip-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("a.zip")
        try Data(ZipWriter(["a": "b"]).bytes).write(to: file)
        #expect(throws: ArchiveError.self) { try ZipArchive.extract(file.path, to: folder.path) }
        #expect(FileManager.default.fileExists(atPath: file.path))
    }
}
