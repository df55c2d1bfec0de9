import Files
import Glibc
import TestFolders
import Testing

@testable import Images
@testable import OCI

struct ImageFolderTests {
    private let temporary = TemporaryFolder()
    private let folder: ImageFolder

    init() throws {
        folder = ImageFolder(root: temporary.path + "/pulled")
        try folder.prepare()
    }

    private func digest(_ digit: String) throws -> Digest {
        try #require(Digest("sha256:" + String(repeating: digit, count: 64)))
    }

    /// An image of `layers`, each of `bytes` bytes, used `age` seconds ago.
    private func add(_ digit: String, layers: [String], bytes: Int64, age: Int) throws {
        for layer in layers {
            try FileTools.makeFolder("\(folder.layers)/\(layer)")
            try FileTools.write("\(folder.root)/sizes/\(layer)", Array("\(bytes)".utf8))
        }
        try folder.add(try digest(digit), layers: layers, ImageConfiguration())
        let moment = timespec(tv_sec: time(nil) - age, tv_nsec: 0)
        #expect(
            utimensat(AT_FDCWD, "\(folder.root)/images/\(try digest(digit).hexadecimal)", [moment, moment], 0) == 0)
    }

    @Test func whatIsUsedLeastLatelyGoesFirst() throws {
        try add("1", layers: ["top", "base"], bytes: 100, age: 5000)
        try add("2", layers: ["other", "base"], bytes: 100, age: 4000)
        try add("3", layers: ["third"], bytes: 100, age: 3000)
        try FileTools.makeFolder("\(folder.layers)/of-nothing")
        #expect(folder.prune(bytesMax: 300, kept: []) == 100)
        #expect(folder.image(try digest("1")) == nil, "the oldest")
        for kept in ["2", "3"] { #expect(folder.image(try digest(kept)) != nil) }
        #expect(Set(FileTools.names(in: folder.layers)) == ["other", "base", "third"], "a shared layer stays")
    }

    @Test func whatRunsOrCameJustNowStays() throws {
        try add("1", layers: ["a"], bytes: 100, age: 5000)
        try add("2", layers: ["b"], bytes: 100, age: 4000)
        try add("3", layers: ["c"], bytes: 100, age: 10)
        #expect(folder.prune(bytesMax: 0, kept: [try digest("1")]) == 100)
        #expect(Set(FileTools.names(in: folder.layers)) == ["a", "c"])
    }

    @Test func namesFollowTheLastPull() throws {
        let reference = try #require(ImageReference("localhost:5000/a:v1"))
        try add("1", layers: ["a"], bytes: 1, age: 0)
        try add("2", layers: ["b"], bytes: 1, age: 0)
        #expect(folder.image(named: reference) == nil)
        let second = try digest("2")
        try folder.name(reference, try digest("1"))
        try folder.name(reference, try digest("2"))
        #expect(folder.image(named: reference)?.digest == second)
        FileTools.removeTree("\(folder.layers)/b")
        #expect(folder.image(named: reference) == nil, "an image whose layer is gone is not there")
        try FileTools.write("\(folder.root)/images/\(try digest("1").hexadecimal)", Array("{".utf8))
        #expect(folder.image(try digest("1")) == nil)
    }

    @Test func whatWasHalfMadeGoesAtTheNextStart() throws {
        let path = try folder.openArchive().path
        try folder.prepare()
        #expect(!FileTools.exists(path))
    }
}
