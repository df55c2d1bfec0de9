// What a person or a program reads: plain lines, or one JSON object a line with `--json`; a progress bar on a terminal.

import Bytes
import Clock
import Formats
import Glibc
import Synchronization

/// Standard output and error of one command.
struct Screen: Sendable {
    let isJSON: Bool
    let isQuiet: Bool
    /// True when standard error is a terminal that a progress bar may be drawn on.
    let drawsProgress: Bool

    init(isJSON: Bool, isQuiet: Bool) {
        self.isJSON = isJSON
        self.isQuiet = isQuiet
        drawsProgress = !isJSON && !isQuiet && isatty(STDERR_FILENO) == 1
    }

    /// Prints `text`, or the members of `json` with `"status": "success"` before them.
    func say(_ text: String, _ json: JSON) {
        guard isJSON else { return Self.write(text + "\n", STDOUT_FILENO) }
        var object = JSONObject()
        object["status"] = "success"
        for member in json.objectValue ?? JSONObject() { object[member.key] = member.value }
        line(.object(object))
    }

    /// A line that `--quiet` leaves out.
    func note(_ text: String, _ json: JSON) {
        if !isQuiet || isJSON { say(text, json) }
    }

    func fail(_ message: String) {
        guard isJSON else { return Self.write("mc: <ERROR> \(message)\n", STDERR_FILENO) }
        line([
            "status": "error",
            "error": ["message": .string(message), "cause": ["message": .string(message)], "type": "error"],
        ])
    }

    private func line(_ json: JSON) {
        var writer = JSONWriter()
        writer.value(json)
        Self.write(String(utf8: writer.bytes) + "\n", STDOUT_FILENO)
    }

    /// Bytes of an object on standard output. False when nobody reads them any more.
    static func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    fileprivate static func write(_ text: String, _ descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// Bytes moved so far, as a bar on a terminal, renewed ten times a second at most.
final class Progress: Sendable {
    private struct State {
        var done: Int64 = 0
        var drawnAt = MonotonicTime(nanoseconds: 0)
        var isDrawn = false
    }

    private let state = Mutex(State())
    private let screen: Screen
    private let total: Int64
    private let started = MonotonicTime.now

    init(_ screen: Screen, total: Int64) {
        self.screen = screen
        self.total = total
    }

    var done: Int64 { state.withLock { $0.done } }
    var elapsedSeconds: Double { max(started.elapsedSeconds, 0.001) }

    func add(_ count: Int64) {
        let now = MonotonicTime.now
        let bar = state.withLock { state -> String? in
            state.done += count
            guard screen.drawsProgress, now.nanoseconds - state.drawnAt.nanoseconds > 100_000_000 || state.done >= total
            else {
                return nil
            }
            state.drawnAt = now
            state.isDrawn = true
            return line(state.done)
        }
        if let bar { Screen.write("\r\u{1b}[K" + bar, STDERR_FILENO) }
    }

    /// Clears the bar: before a line is printed, and at the end.
    func clear() {
        let wasDrawn = state.withLock { state in
            defer { state.isDrawn = false }
            return state.isDrawn
        }
        if wasDrawn { Screen.write("\r\u{1b}[K", STDERR_FILENO) }
    }

    private func line(_ done: Int64) -> String {
        let share = total > 0 ? min(1, Double(done) / Double(total)) : 1
        let filled = Int(share * 30)
        let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: 30 - filled)
        let speed = Sizes.text(Int64(Double(done) / elapsedSeconds))
        return "\(bar) \(Int(share * 100)) %  \(Sizes.text(done)) of \(Sizes.text(total))  \(speed)/s"
    }
}

/// Byte counts as people read them.
enum Sizes {
    /// `12 B`, `3.4 KiB`, `5.0 GiB`.
    static func text(_ bytes: Int64) -> String {
        var value = Double(bytes)
        var units = ["B", "KiB", "MiB", "GiB", "TiB"][...]
        while value >= 1024, units.count > 1 {
            value /= 1024
            units = units.dropFirst()
        }
        guard let unit = units.first, unit != "B" else { return "\(bytes) B" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}
