// Reading a step's log while it is written. The launcher writes `TIME STREAM F|P TEXT` lines into `log` and moves a full
// file to `log.1`.

import Bytes
package import Clock
import Glibc

/// Which part of a log to read and how to show it.
package struct StepLogOptions: Sendable {
    /// Put the time before each line.
    package var timestamps = false
    /// Only the last lines; nil for all.
    package var tailLineCount: Int?
    /// Only lines from this moment on.
    package var since: WallTime?

    package init() {}
}

/// A position in a step's log.
package struct StepLogReader: ~Copyable {
    private let folder: String
    private let options: StepLogOptions
    private var file: Int32 = -1
    private var rest: [UInt8] = []
    private var isAtLineStart = true

    package init(folder: String, options: StepLogOptions = StepLogOptions()) {
        self.folder = folder
        self.options = options
    }

    deinit { if file >= 0 { close(file) } }

    /// What the log holds already, as it is shown. Call once, first. Blocks.
    package mutating func existing() -> [UInt8] {
        var out: [UInt8] = []
        let older = open(folder + "/log.1", O_RDONLY | O_CLOEXEC)
        reopen()
        if older >= 0 {
            drain(older, into: &out)
            close(older)
        }
        if file >= 0 { drain(file, into: &out) }
        if let count = options.tailLineCount { return Self.tail(out, count) }
        return out
    }

    /// What was written since the last call; empty when nothing was. Blocks.
    package mutating func more() -> [UInt8] {
        var out: [UInt8] = []
        if file < 0 { reopen() }
        guard file >= 0 else { return out }
        drain(file, into: &out)
        var current = stat()
        var opened = stat()
        if stat(folder + "/log", &current) == 0, fstat(file, &opened) == 0, current.st_ino != opened.st_ino {
            // Rotated: the old file has been read to its end above, or is now.
            drain(file, into: &out)
            reopen()
            if file >= 0 { drain(file, into: &out) }
        }
        return out
    }

    private mutating func reopen() {
        if file >= 0 { close(file) }
        file = open(folder + "/log", O_RDONLY | O_CLOEXEC)
    }

    private mutating func drain(_ descriptor: Int32, into out: inout [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest.append(contentsOf: buffer[..<count])
            var start = 0
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                show(rest[start..<end], into: &out)
                start = end + 1
            }
            rest.removeFirst(start)
        }
    }

    private mutating func show(_ line: ArraySlice<UInt8>, into out: inout [UInt8]) {
        let blank = UInt8(ascii: " ")
        guard let timeEnd = line.firstIndex(of: blank), line.count >= timeEnd - line.startIndex + 10 else { return }
        let time = line[..<timeEnd]
        // ` stdout F ` and ` stderr P ` are of one length.
        let tag = line[timeEnd + 8]
        if let since = options.since, let moment = WallTime(iso8601: String(utf8: time)), moment < since { return }
        if options.timestamps, isAtLineStart {
            out.append(contentsOf: time)
            out.append(blank)
        }
        out.append(contentsOf: line[(timeEnd + 10)...])
        isAtLineStart = tag != UInt8(ascii: "P")
        if isAtLineStart { out.append(UInt8(ascii: "\n")) }
    }

    static func tail(_ bytes: [UInt8], _ lineCount: Int) -> [UInt8] {
        guard lineCount > 0 else { return [] }
        var left = lineCount
        var index = bytes.count
        if bytes.last == UInt8(ascii: "\n") { index -= 1 }
        while index > 0 {
            if bytes[index - 1] == UInt8(ascii: "\n") {
                left -= 1
                if left == 0 { return Array(bytes[index...]) }
            }
            index -= 1
        }
        return bytes
    }
}
