import Foundation
import Testing

/// Style that a reader would otherwise have to point out.
struct TextTests {
    /// `swift format lint` holds Swift code to 120 columns; this catches what it does not see: comments, C and Python.
    static let lineLengthMax = 132
    /// A line that is long because of a text may go on: a message is not cut for the margin's sake.
    static let textLineLengthMax = 240
    static let fileLinesMax = 600

    private static func sources() throws -> [Tree.File] {
        try Tree.files("Sources", ["swift", "c", "cpp", "h", "js", "css"]) + Tree.files("Tests", ["swift", "py"])
            + Tree.files("Benchmarks", ["swift", "py"]) + Tree.files("examples", ["py"])
    }

    @Test func filesAndLinesAreShort() throws {
        for file in try Self.sources() {
            #expect(file.lines.count <= Self.fileLinesMax + 1, "\(file.path) has \(file.lines.count) lines")
            for (index, line) in file.lines.enumerated() {
                let lengthMax = line.contains("\"") ? Self.textLineLengthMax : Self.lineLengthMax
                #expect(line.count <= lengthMax, "\(file.path):\(index + 1) has \(line.count) characters")
                #expect(!(line.last?.isWhitespace ?? false), "\(file.path):\(index + 1) ends with a space")
            }
            #expect(file.text.hasSuffix("\n") && !file.text.hasSuffix("\n\n"), "\(file.path): one line end at the end")
        }
    }

    @Test func nothingIsLeftBehind() throws {
        // Spelled apart, so that this file does not find itself.
        let markers = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
        for file in try Self.sources() {
            for (index, line) in file.lines.enumerated() {
                let words = Set(line.split { !$0.isLetter }.map(String.init))
                #expect(words.isDisjoint(with: markers), "\(file.path):\(index + 1) has a leftover marker")
            }
        }
    }

    @Test func sourcesCannotTrapOnBadInput() throws {
        let traps = ["try" + "!", "as" + "!"]
        for file in try Tree.files("Sources", ["swift"]) {
            for (index, line) in file.lines.enumerated() where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                #expect(!traps.contains { line.contains($0) }, "\(file.path):\(index + 1) can trap")
            }
        }
    }

    /// A combining mark hides a separator from `split` (Sources/Bytes/TextBytes.swift).
    @Test func textIsDividedByteByByte() throws {
        for file in try Tree.files("Sources", ["swift"]) {
            for (index, line) in file.lines.enumerated() {
                let isHidden = line.contains("split(separator: \"") || line.contains("astIndex(of: \"/\"")
                #expect(!isHidden, "\(file.path):\(index + 1): use pieces(by:) or lastPlace(of:)")
            }
        }
    }

    /// `Task { }` does not inherit the executor: it leaves the event loop for the global pool, which costs more than a
    /// small request. Loop-side code uses `EventLoop.spawn`; background work says `Task.detached`.
    @Test func noBareTaskLeavesTheLoop() throws {
        for file in try Tree.files("Sources", ["swift"]) {
            for (index, line) in file.lines.enumerated() where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                #expect(line.firstMatch(of: /\bTask(\(\))? *\{/) == nil, "\(file.path):\(index + 1) has a bare Task")
            }
        }
    }
}
