import Bytes
package import Clock

/// How a step ended.
package struct StepOutcome: Sendable, Equatable {
    package enum Reason: String, Sendable {
        /// Exit code 0.
        case completed = "Completed"
        /// Another exit code, or a signal that nobody here sent.
        case error = "Error"
        /// It was stopped on request.
        case stopped = "Stopped"
        /// The process could not be started; `message` says why.
        case startError = "StartError"
        /// The launcher is gone and left no result: the machine restarted, or somebody killed it.
        case lost = "ContainerStatusUnknown"
    }

    /// 0-255; 128 + n for signal n, 128 for a step that could not be started, 137 for a lost one.
    package var exitCode: Int
    /// The signal that ended the process, or 0.
    package var signal: Int
    package var started: WallTime
    package var finished: WallTime
    package var reason: Reason
    package var message: String

    package init(
        exitCode: Int, signal: Int = 0, started: WallTime, finished: WallTime, reason: Reason, message: String = ""
    ) {
        self.exitCode = exitCode
        self.signal = signal
        self.started = started
        self.finished = finished
        self.reason = reason
        self.message = message
    }

    package static func lost(started: WallTime) -> StepOutcome {
        StepOutcome(
            exitCode: 137, started: started, finished: .now, reason: .lost,
            message: "the process is gone and left no exit code: the machine was restarted, or its launcher was killed")
    }

    package static func startError(_ message: String) -> StepOutcome {
        StepOutcome(exitCode: 128, started: .now, finished: .now, reason: .startError, message: message)
    }

    /// Reads the launcher's `result` file; nil when it is not whole.
    init?(parsing text: [UInt8]) {
        guard text.last == UInt8(ascii: "\n") else { return nil }
        var fields: [Substring: Substring] = [:]
        let lines = String(utf8: text)
        for line in lines.pieces(by: "\n") {
            guard let sign = line.firstIndex(of: "=") else { return nil }
            fields[line[..<sign]] = line[line.index(after: sign)...]
        }
        guard let exitCode = fields["exit"].flatMap({ Int($0) }), let signal = fields["signal"].flatMap({ Int($0) }),
            let started = fields["started"].flatMap({ Int64($0) }),
            let finished = fields["finished"].flatMap({ Int64($0) }),
            let reason = fields["reason"].flatMap({ Reason(rawValue: String($0)) }), let message = fields["message"]
        else { return nil }
        self.init(
            exitCode: exitCode, signal: signal, started: WallTime(nanoseconds: started),
            finished: WallTime(nanoseconds: finished), reason: reason, message: String(message))
    }
}
