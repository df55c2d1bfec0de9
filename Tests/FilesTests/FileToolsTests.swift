import Files
import Glibc
import TestFolders
import Testing

@Suite struct FileToolsTests {
    private let folder = TemporaryFolder()
    private var file: String { "\(folder.path)/file" }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test(arguments: [false, true]) func aFileIsReplacedWhole(isDurable: Bool) throws {
        let large = [UInt8](repeating: 7, count: 200_000)
        for (bytes, mode) in [(large, 0o600), ([1, 2, 3], 0o666)] as [([UInt8], mode_t)] {
            try FileTools.write(file, bytes, mode: mode, isDurable: isDurable)
            #expect(FileTools.read(file) == bytes && self.mode(file) == mode)
        }
        #expect(folder.names == ["file"])
        #expect { try FileTools.write("\(folder.path)/none/file", [1]) } throws: {
            ($0 as? SystemError)?.code == ENOENT
        }
    }

    @Test func nothingIsLeftOfAFileThatCannotTakeItsPlace() throws {
        try FileTools.makeFolder("\(file)/below")
        #expect(throws: SystemError.self) { try FileTools.write(file, [1]) }
        #expect(folder.names == ["file"] && FileTools.isFolder(file))
    }

    @Test func aTreeGoesWhateverItsNames() throws {
        let outside = folder.path + "/outside"
        try FileTools.write(outside, [1])
        let tree = folder.path + "/tree"
        try FileTools.makeFolder(tree + "/e\u{301}")
        symlink(outside, tree + "/link")
        symlink(folder.path, tree + "/up")
        // Bytes that are no UTF-8: a file of such a name in a folder of such a name.
        let odd = Array((tree + "/odd").utf8CString.dropLast()) + [CChar(bitPattern: 0xe9), 0]
        #expect(mkdir(odd, 0o755) == 0)
        let file = odd.dropLast() + [0x2f, CChar(bitPattern: 0xff), 0]
        close(open(Array(file), O_WRONLY | O_CREAT, 0o644))
        FileTools.removeTree(tree)
        #expect(folder.names == ["outside"] && FileTools.read(outside) == [1])
    }

    @Test func readsAreBounded() throws {
        try FileTools.write(file, Array(0..<100))
        #expect(FileTools.read(file, bytesMax: 3) == [0, 1, 2])
        #expect(FileTools.readAll(file, bytesMax: 99) == nil)
        #expect(FileTools.readAll(file, bytesMax: 100) == Array(0..<100))
        #expect(FileTools.read(folder.path) == nil && FileTools.read("\(folder.path)/none") == nil)
        // A pipe would keep its reader waiting.
        #expect(mkfifo("\(folder.path)/pipe", 0o600) == 0)
        #expect(FileTools.read("\(folder.path)/pipe") == nil)
    }

    @Test func aNewFileIsNeverOneThatIsThere() throws {
        let writer = try FileWriter(file, mode: 0o600, isNew: true)
        try writer.write([1, 2, 3], count: 2)
        try writer.write([9])
        try writer.sync()
        #expect(FileTools.read(file) == [1, 2, 9])
        #expect { try FileWriter(file, mode: 0o600, isNew: true) } throws: { ($0 as? SystemError)?.code == EEXIST }
        #expect(symlink("elsewhere", "\(folder.path)/link") == 0)
        #expect(throws: SystemError.self) { try FileWriter("\(folder.path)/link", mode: 0o600, isNew: true) }
        #expect(!FileTools.exists("\(folder.path)/elsewhere"))
        // Without `isNew` it begins anew.
        try FileWriter(file, mode: 0o600).write([5])
        #expect(FileTools.read(file) == [5])
    }

    @Test func foldersAreMadeWithTheirParents() throws {
        let deep = "\(folder.path)/a/b/c"
        try FileTools.makeFolder(deep, mode: 0o700)
        try FileTools.makeFolder(deep + "/", mode: 0o700)
        #expect(FileTools.isFolder(deep) && !FileTools.isFile(deep) && mode("\(folder.path)/a") == 0o700)
        try FileTools.write(file, [])
        #expect { try FileTools.makeFolder(file + "/below") } throws: {
            ($0 as? SystemError)?.description == "mkdir: Not a directory"
        }
    }

    @Test func namesAreSorted() throws {
        for name in ["b", "a", ".hidden", "c"] { try FileTools.write("\(folder.path)/\(name)", []) }
        #expect(FileTools.names(in: folder.path) == [".hidden", "a", "b", "c"])
        #expect(FileTools.names(in: "\(folder.path)/none") == [])
        #expect(throws: SystemError.self) { try FileTools.list("\(folder.path)/none") }
    }

    @Test func aTreeIsRemovedAndItsLinksAreNotFollowed() throws {
        try FileTools.makeFolder("\(folder.path)/kept")
        try FileTools.write("\(folder.path)/kept/file", [1])
        try FileTools.makeFolder("\(folder.path)/tree/sub")
        try FileTools.write("\(folder.path)/tree/sub/file", [1])
        #expect(symlink("\(folder.path)/kept", "\(folder.path)/tree/link") == 0)
        FileTools.removeTree("\(folder.path)/tree")
        FileTools.removeTree("\(folder.path)/none")
        #expect(folder.names == ["kept"] && FileTools.isFile("\(folder.path)/kept/file"))
    }
}
