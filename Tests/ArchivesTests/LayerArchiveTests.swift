import ArchiveTesting
import Archives
import CLinux
import Glibc
import TestFolders
import Testing

/// Layers of images. Ownership needs root.
@Suite(.enabled(if: geteuid() == 0, "needs root"))
struct LayerArchiveTests {
    private let folder = TemporaryFolder()

    private func extract(_ tar: TarWriter, limits: ArchiveLimits = LayerArchive.limits) throws -> ArchiveSummary {
        let path = folder.path + "/layer.tar"
        try #require(write(tar.bytes, to: path))
        return try LayerArchive.extract(path, to: folder.path + "/layer", limits: limits)
    }

    private func write(_ bytes: [UInt8], to path: String) -> Bool {
        guard let file = fopen(path, "w") else { return false }
        defer { fclose(file) }
        return fwrite(bytes, 1, bytes.count, file) == bytes.count
    }

    private func refusal(_ tar: TarWriter, limits: ArchiveLimits = LayerArchive.limits) -> ArchiveError? {
        let error = #expect(throws: ArchiveError.self) { _ = try extract(tar, limits: limits) }
        #expect(access(folder.path + "/layer", F_OK) != 0, "what failed leaves nothing behind")
        return error
    }

    private func status(_ name: String) throws -> stat {
        var status = stat()
        try #require(lstat("\(folder.path)/layer/\(name)", &status) == 0, "\(name)")
        return status
    }

    private func text(_ name: String) -> String? {
        guard let file = fopen("\(folder.path)/layer/\(name)", "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    @Test func ownersModesTimesAndLinks() throws {
        let summary = try extract(
            TarWriter([
                .folder("etc/", mode: 0o750), .file("etc/passwd", "root", mode: 0o4755, owner: 1000, time: 1_000_000),
                .file("./deep/er/file", "x"), .symlink("etc/link", to: "passwd"),
                .hardlink("etc/hard", to: "etc/passwd"),
                .file("/absolute", "y"), .device("dev/null"), .file("system-systemd\\x2d.slice", ""),
            ]))
        #expect(summary.fileCount == 4 && summary.bytes == 6)
        let passwd = try status("etc/passwd")
        #expect(passwd.st_uid == 1000 && passwd.st_gid == 1000 && passwd.st_mode & 0o7777 == 0o4755)
        #expect(passwd.st_mtim.tv_sec == 1_000_000 && passwd.st_nlink == 2)
        #expect(try status("etc").st_mode & 0o7777 == 0o750)
        #expect(try status("etc/link").st_mode & S_IFMT == S_IFLNK && text("etc/link") == "root")
        #expect(text("absolute") == "y" && text("deep/er/file") == "x" && text("system-systemd\\x2d.slice") == "")
        #expect(access(folder.path + "/layer/dev/null", F_OK) != 0)
    }

    @Test func removalsAreWhatTheOverlayTakesThemFor() throws {
        _ = try extract(
            TarWriter([
                .file("a/.wh.gone", ""), .file("b/.wh..wh..opq", ""), .file("b/new", "x"), .file(".wh.c", ""),
                .file("c/again", "y"), .file(".wh.d", ""), .file("d", "z"), .file("e/x", ""), .file(".wh.e", ""),
                .file(".wh.f", ""), .folder("f/"),
            ]))
        let gone = try status("a/gone")
        #expect(gone.st_mode & S_IFMT == S_IFCHR && gone.st_rdev == 0)
        for name in ["b", "c", "e", "f"] {
            var value = [UInt8](repeating: 0, count: 4)
            #expect(
                getxattr("\(folder.path)/layer/\(name)", "trusted.overlay.opaque", &value, 4) == 1 && value[0] == 0x79)
        }
        #expect(text("b/new") == "x" && text("d") == "z")
        #expect(access(folder.path + "/layer/a/.wh.gone", F_OK) != 0)
    }

    @Test func aLaterEntryTakesThePlaceOfAnEarlierOne() throws {
        _ = try extract(
            TarWriter([
                .file("a", "first"), .file("a", "second"), .symlink("b", to: "a"), .file("b", "file"),
                .file("c", "file"), .folder("c/"), .file("c/d", "x"), .folder("e/"), .symlink("e", to: "a"),
            ]))
        #expect(text("a") == "second" && text("b") == "file" && text("c/d") == "x" && text("e") == "second")
    }

    @Test func aLinkOfTheLayerLeadsNowhereElse() throws {
        let outside = folder.path + "/outside"
        try #require(mkdir(outside, 0o755) == 0)
        _ = try? extract(
            TarWriter([
                .symlink("way", to: outside), .symlink("up", to: "../../outside"), .file("way/escaped", "x"),
                .file("up/escaped", "x"), .file("way/.wh.escaped", ""), .hardlink("stolen", to: "way/escaped"),
            ]))
        #expect(folder.files(in: "outside").isEmpty)
        #expect(access(folder.path + "/escaped", F_OK) != 0)
    }

    @Test(arguments: ["../evil", "a/../../evil", "a/..", "../\u{301}evil"])
    func aNameThatLeavesTheLayerIsRefused(_ name: String) {
        #expect(refusal(TarWriter([.file(name, "x")]))?.code == .unsafe)
    }

    @Test func whatMakesNoSenseIsRefused() {
        #expect(refusal(TarWriter([.file("a", "x"), .file("a/b", "y")]))?.message.contains("no folder") == true)
        #expect(refusal(TarWriter([.hardlink("a", to: "nowhere")]))?.message.contains("does not hold") == true)
        #expect(refusal(TarWriter([.file("a/b", "x"), .file("a", "y")]))?.message.contains("both a folder") == true)
        var broken = TarWriter([.file("a", String(repeating: "x", count: 4000))])
        broken.cut = 2000
        #expect(refusal(broken)?.code == .malformed)
    }

    @Test func boundsHold() {
        var limits = LayerArchive.limits
        limits.entryCountMax = 2
        #expect(
            refusal(TarWriter([.file("a", ""), .file("b", ""), .file("c", "")]), limits: limits)?.code == .tooLarge)
        limits = LayerArchive.limits
        limits.bytesMax = 5
        #expect(refusal(TarWriter([.file("a", "123"), .file("b", "456")]), limits: limits)?.code == .tooLarge)
        limits = LayerArchive.limits
        limits.depthMax = 3
        #expect(refusal(TarWriter([.file("a/b/c/d", "")]), limits: limits)?.code == .tooLarge)
    }
}
