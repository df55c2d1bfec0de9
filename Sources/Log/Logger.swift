// Structured logging: one line an event on standard error, `key=value` pairs after the message. No buffering across
// lines, one write(2) a line, so lines of several processes sharing a terminal or file do not tear.

import Bytes
import Clock
import Synchronization

/// How loud an event is.
package enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case debug, info, warning, error

    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

    package var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }
}

/// Writes events of one role, such as `store`, to standard error.
package struct Logger: Sendable {
    private let role: String

    private static let thresholdValue = Atomic(LogLevel.info.rawValue)

    /// Events below this level are dropped; process-wide, `info` unless `--log-level` says otherwise.
    package static var threshold: LogLevel {
        get { LogLevel(rawValue: thresholdValue.load(ordering: .relaxed)) ?? .info }
        set { thresholdValue.store(newValue.rawValue, ordering: .relaxed) }
    }

    package init(role: String) { self.role = role }

    package func debug(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> [(String, String)] = []) {
        log(.debug, message(), fields())
    }

    package func info(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> [(String, String)] = []) {
        log(.info, message(), fields())
    }

    package func warning(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> [(String, String)] = []) {
        log(.warning, message(), fields())
    }

    package func error(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> [(String, String)] = []) {
        log(.error, message(), fields())
    }

    private func log(
        _ level: LogLevel, _ message: @autoclosure () -> String, _ fields: @autoclosure () -> [(String, String)]
    ) {
        guard level >= Self.threshold else { return }
        var line: [UInt8] = []
        line.reserveCapacity(160)
        line.append(WallTime.now.iso8601(fractionDigits: 3))
        line.append(" ")
        line.append(level.name)
        line.append(" ")
        line.append(role)
        line.append(": ")
        Self.append(message(), to: &line, quotingSpaces: false)
        for (key, value) in fields() {
            line.append(" ")
            line.append(key)
            line.append("=")
            Self.append(value, to: &line, quotingSpaces: true)
        }
        line.append("\n")
        LogOutput.write(line)
    }

    /// Appends `value` so that it stays on its line and, for a field, is one word or a quoted text.
    private static func append(_ value: String, to line: inout [UInt8], quotingSpaces: Bool) {
        let quoted = quotingSpaces && (value.isEmpty || value.utf8.contains { $0 <= 0x20 || $0 == UInt8(ascii: "\"") })
        if quoted { line.append("\"") }
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\n"): line.append("\\n")
            case 0..<0x20, 0x7f: line.append("?")
            case UInt8(ascii: "\"") where quoted: line.append("\\\"")
            default: line.append(byte)
            }
        }
        if quoted { line.append("\"") }
    }
}
