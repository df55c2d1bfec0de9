import Bytes
import Files
import Glibc
import Processes
import TestFolders
import Testing

@testable import Runner

@Suite(.serialized)
struct StepRunnerTests {
    private let folder = TemporaryFolder()

    private func step(_ name: String, _ arguments: [String]) -> StepSpecification {
        var step = StepSpecification(folder: "\(folder.path)/steps/\(name)", arguments: arguments)
        step.environment = [("PATH", "/usr/bin:/bin"), ("NAME", "a b'c")]
        step.gracePeriodMilliseconds = 2000
        return step
    }

    @Test func exitCodesOutputAndLogs() async throws {
        let runner = try StepRunner(folder: folder.path)
        var step = step("fails", ["sh", "-c", "echo \"$NAME\"; echo bad >&2; printf tail; exit 3"])
        step.resultBytesMax = 1000
        let outcome = try await runner.start(step).outcome()
        #expect(outcome.exitCode == 3 && outcome.reason == .error && outcome.signal == 0)
        #expect(FileTools.read(step.folder + "/stdout") == Array("a b'c\ntail".utf8))
        var log = StepLogReader(folder: step.folder)
        let text = String(utf8: log.existing())
        #expect(text.contains("a b'c\n") && text.contains("bad\n") && text.hasSuffix("tail"))
        var last = StepLogOptions()
        last.tailLineCount = 1
        var tail = StepLogReader(folder: step.folder, options: last)
        #expect(String(utf8: tail.existing()) == "tail")
    }

    @Test func whatCannotStartSaysWhy() async throws {
        let runner = try StepRunner(folder: folder.path)
        let outcome = try await runner.start(step("none", ["no-such-program"])).outcome()
        #expect(outcome.reason == .startError && outcome.exitCode == 128)
        #expect(outcome.message == "exec: \"no-such-program\": executable file not found in $PATH")
        var nul = step("nul", ["true"])
        nul.environment.append(("A", "x\0y"))
        await #expect(throws: RunnerError.self) { _ = try await runner.start(nul) }
    }

    @Test func stopEndsGrandchildrenToo() async throws {
        let runner = try StepRunner(folder: folder.path)
        let step = step("stops", ["sh", "-c", "trap '' TERM; setsid sleep 345678 & sleep 345678"])
        let process = try await runner.start(step)
        try await Task.sleep(nanoseconds: 100_000_000)
        process.stop(gracePeriodMilliseconds: 100)
        let outcome = await process.outcome()
        #expect(outcome.reason == .stopped && outcome.exitCode == 137)
        #expect(!ChildProgram.succeeds(["pgrep", "-f", "sleep 345678"]))
    }

    @Test func aSecondRunnerFindsWhatTheFirstStarted() async throws {
        let first = try StepRunner(folder: folder.path)
        let running = step("running", ["sh", "-c", "sleep 1.5; exit 4"])
        let ended = step("ended", ["true"])
        _ = try await first.start(running)
        _ = await (try first.start(ended)).outcome()

        let second = try StepRunner(folder: folder.path)
        guard case .ended(let outcome) = try await second.find(folder: ended.folder) else {
            Issue.record("an ended step was not found")
            return
        }
        #expect(outcome.exitCode == 0)
        guard case .running(let process) = try await second.find(folder: running.folder) else {
            Issue.record("a running step was not found")
            return
        }
        #expect(await process.outcome().exitCode == 4)
        // Starting it again runs nothing: the folder says that it ran.
        #expect(try await second.start(running).outcome().exitCode == 4)
        guard case .neverStarted = try await second.find(folder: folder.path + "/steps/other") else {
            Issue.record("a step that never was is found")
            return
        }
    }

    @Test func aKilledLauncherIsALostStep() async throws {
        let runner = try StepRunner(folder: folder.path)
        let process = try await runner.start(step("lost", ["sleep", "456789"]))
        try await Task.sleep(nanoseconds: 50_000_000)
        kill(process.processID, SIGKILL)
        let outcome = await process.outcome()
        #expect(outcome.reason == .lost && outcome.exitCode == 137)
        if runner.isolation != .plain { #expect(!ChildProgram.succeeds(["pgrep", "-f", "sleep 456789"])) }
    }

    @Test func privateViewMountsAndOutputs() async throws {
        let runner = try StepRunner(folder: folder.path + "/runner")
        guard runner.isolation.hasPrivateView else { return }
        let volume = folder.path + "/volume"
        try FileTools.makeFolder(volume)
        symlink("/etc", volume + "/escape")
        var step = step(
            "view",
            [
                "sh", "-c",
                "echo kept > /mnt/volume/file; echo lost > /lost-by-slipway-test; echo out > /tmp/out; hostname; ls \(folder.path)",
            ])
        step.hostName = "step-one"
        step.mounts = [StepMount(source: volume, subPath: "inner", target: "/mnt/volume")]
        step.collected = [.file("/tmp/out"), .file("/tmp/none"), .tree("/mnt/volume")]
        step.resultBytesMax = 1000
        let outcome = try await runner.start(step).outcome()
        #expect(outcome.message == "")
        #expect(FileTools.read(volume + "/inner/file") == Array("kept\n".utf8))
        #expect(!FileTools.exists("/lost-by-slipway-test"))
        #expect(FileTools.read(step.folder + "/outputs/0") == Array("out\n".utf8))
        #expect(!FileTools.exists(step.folder + "/outputs/1"))
        #expect(FileTools.exists(step.folder + "/outputs/2"))
        // The folder of this test lies in /tmp, and the step's /tmp is its own.
        #expect(FileTools.read(step.folder + "/stdout") == Array("step-one\n".utf8))

        var escape = self.step("escape", ["true"])
        escape.mounts = [StepMount(source: volume, subPath: "escape", target: "/mnt/volume")]
        let refused = try await runner.start(escape).outcome()
        #expect(refused.reason == .startError && refused.message.contains("cannot open the volume for /mnt/volume"))
    }

    @Test func logsAreBounded() async throws {
        let runner = try StepRunner(folder: folder.path)
        var step = step("loud", ["sh", "-c", "yes 0123456789 | head -c 1000000"])
        step.logBytesMax = 100_000
        _ = try await runner.start(step).outcome()
        let bytes = ["log", "log.1"].reduce(0) { $0 + (FileTools.read("\(step.folder)/\($1)")?.count ?? 0) }
        #expect(bytes > 100_000 && bytes <= 200_000)
    }

    @Test func resultTextIsReadWholeOrNotAtAll() {
        let good = "exit=0\nsignal=0\nstarted=1\nfinished=2\nreason=Completed\nmessage=\n"
        #expect(StepOutcome(parsing: Array(good.utf8))?.exitCode == 0)
        for count in 0..<good.utf8.count {
            let part = StepOutcome(parsing: Array(good.utf8.prefix(count)))
            #expect(part == nil, "\(count)")
        }
    }

    @Test func mountPoints() {
        let text = """
            20 1 254:0 / / rw - ext4 /dev/vda rw
            21 20 0:21 / /proc rw - proc proc rw
            22 20 0:22 / /sys rw - sysfs sysfs rw
            23 22 0:29 / /sys/fs/cgroup rw - tmpfs tmpfs rw
            24 20 0:6 / /dev rw - devtmpfs devtmpfs rw
            25 20 0:30 / /mnt/with\\040blank rw - ext4 /dev/vdb rw
            """
        #expect(
            HostMounts.carried(mountinfo: Array(text.utf8), under: ["/data"]) == ["/dev", "/mnt/with blank", "/sys"])
    }
}
