import Bytes
import Files
import Glibc
import TestFolders
import Testing

@testable import Runner

@Suite(.serialized)
struct StepSessionTests {
    private let folder = TemporaryFolder()

    private func running(_ runner: StepRunner) async throws -> StepProcess {
        var step = StepSpecification(folder: folder.path + "/steps/a", arguments: ["sleep", "1000"])
        step.environment = [("PATH", "/usr/bin:/bin"), ("COLOUR", "blue")]
        step.workingDirectory = "/tmp"
        return try await runner.start(step)
    }

    @Test func commandsShareTheStepsPlaceAndSayHowTheyEnded() async throws {
        let runner = try StepRunner(folder: folder.path)
        let process = try await running(runner)
        defer { process.stop(gracePeriodMilliseconds: 0) }
        try await Task.sleep(nanoseconds: 200_000_000)
        var command = StepCommand(["sh", "-c", "echo $COLOUR; pwd; cat; echo bad >&2; exit 7"])
        command.hasInput = true
        let session = try await runner.execute(command, in: process)
        let input = session.takeInput()
        #expect(write(input, "typed", 5) == 5)
        close(input)
        #expect(Descriptors.readAll(session.takeOutput()) == "blue\n/tmp\ntyped")
        #expect(Descriptors.readAll(session.takeError()) == "bad\n")
        #expect(try await Descriptors.code(session) == 7)
        if runner.isolation != .plain {
            // The step's own process namespace: its launcher is process 1 there.
            let names = try await runner.execute(StepCommand(["cat", "/proc/1/comm"]), in: process)
            #expect(Descriptors.readAll(names.takeOutput()) == "slipway-step\n")
        }
        let missing = try await runner.execute(StepCommand(["no-such-program"]), in: process)
        #expect(
            Descriptors.readAll(missing.takeError()).contains("executable file not found in $PATH: no-such-program"))
        #expect(try await Descriptors.code(missing) == 127)
    }

    @Test func aTerminalIsOneAndKnowsItsSize() async throws {
        let runner = try StepRunner(folder: folder.path)
        let process = try await running(runner)
        defer { process.stop(gracePeriodMilliseconds: 0) }
        try await Task.sleep(nanoseconds: 200_000_000)
        let wait = "i=0; while [ \"$(stty size)\" = '0 0' ] && [ $i -lt 500 ]; do i=$((i+1)); sleep 0.02; done"
        var command = StepCommand(["sh", "-c", "test -t 0 && test -t 1 && { \(wait); stty size; }"])
        command.hasInput = true
        command.isTerminal = true
        let session = try await runner.execute(command, in: process)
        let terminal = session.takeInput()
        StepSession.resize(terminal, columns: 111, rows: 33)
        #expect(Descriptors.readAll(terminal).contains("33 111"))
        #expect(try await Descriptors.code(session) == 0)
    }

    @Test func aSessionThatIsGivenUpLeavesNoProcess() async throws {
        let runner = try StepRunner(folder: folder.path)
        let process = try await running(runner)
        defer { process.stop(gracePeriodMilliseconds: 0) }
        try await Task.sleep(nanoseconds: 200_000_000)
        var session: StepSession? = try await runner.execute(
            StepCommand(["sh", "-c", "sleep 4242.5 & wait"]), in: process)
        try await Task.sleep(nanoseconds: 200_000_000)
        #expect(isRunning("4242.5"))
        _ = session
        session = nil
        try await Task.sleep(nanoseconds: 200_000_000)
        #expect(!isRunning("4242.5"))
    }

    private func isRunning(_ argument: String) -> Bool {
        FileTools.names(in: "/proc").contains { name in
            guard Int(name) != nil, let line = FileTools.read("/proc/\(name)/cmdline") else { return false }
            return line.split(separator: 0).contains { String(utf8: $0) == argument }
        }
    }
}
