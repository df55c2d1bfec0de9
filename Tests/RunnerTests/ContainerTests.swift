import Bytes
import Files
import Glibc
import Processes
import TestFolders
import Testing

@testable import Runner

/// A small image of the host's own programs, as two layers.
private struct HostImage {
    static let runtime = ["/usr/sbin/runc", "/usr/bin/runc", "/usr/local/sbin/runc"].first(where: FileTools.exists)
    static var canRun: Bool { geteuid() == 0 && runtime != nil }

    let folder: String

    init(_ folder: String) throws {
        self.folder = folder
        let script = """
            set -e
            mkdir -p "$0"/below/bin "$0"/below/etc "$0"/above/etc
            for program in sh cat sleep id ls ln tr; do
                cp -L "$(command -v $program)" "$0"/below/bin/
                for library in $(ldd "$(command -v $program)" | grep -o '/[^ ]*'); do
                    mkdir -p "$0/below$(dirname $library)"
                    cp -L $library "$0/below$library"
                done
            done
            echo below > "$0"/below/etc/which
            echo above > "$0"/above/etc/which
            """
        try #require(ChildProgram.succeeds(["sh", "-c", script, folder]))
    }

    func image(_ name: String) throws -> StepImage {
        StepImage(
            runtime: try #require(Self.runtime), container: "test-\(name)-\(Randomness.hexID())", layerFolder: folder,
            layers: ["above", "below"])
    }
}

@Suite(.serialized, .enabled(if: HostImage.canRun, "needs root and runc"))
struct ContainerTests {
    private let folder = TemporaryFolder()
    private let host: HostImage

    init() throws { host = try HostImage(folder.path + "/layers") }

    private func step(_ name: String, _ script: String) throws -> StepSpecification {
        var step = StepSpecification(folder: "\(folder.path)/steps/\(name)", arguments: ["sh", "-c", script])
        step.environment = [("PATH", "/bin"), ("COLOUR", "blue")]
        step.hostName = "a-pod"
        step.gracePeriodMilliseconds = 2000
        step.image = try host.image(name)
        return step
    }

    private func log(_ step: StepSpecification) -> String {
        var log = StepLogReader(folder: step.folder)
        return String(utf8: log.existing())
    }

    @Test func aStepSeesItsImageAndItsVolumesAlone() async throws {
        let runner = try StepRunner(folder: folder.path)
        try FileTools.makeFolder(folder.path + "/volume")
        var step = try step(
            "sees",
            "cat /etc/which; ls /; id -u; id -g; echo $COLOUR; echo kept > /data/kept; if { echo made > /made; } 2> /dev/null; then exit 3; else exit 4; fi"
        )
        step.mounts = [StepMount(source: folder.path + "/volume", target: "/data")]
        (step.user, step.group) = (1000, 1001)
        try #require(chmod(folder.path + "/volume", 0o777) == 0)
        let outcome = try await runner.start(step).outcome()
        #expect(outcome.exitCode == 4, "the image's root is not the user's to write in")
        #expect(FileTools.read(folder.path + "/volume/kept") == Array("kept\n".utf8))
        let text = log(step)
        #expect(text.hasPrefix("above\n") && text.contains("1000\n1001\nblue\n"))
        #expect(text.contains("bin\ndata\ndev\netc\n") && !text.contains("\nhome\n") && !text.contains("\nroot\n"))
    }

    @Test func whatItLeavesIsCollectedFromImageAndVolumes() async throws {
        let runner = try StepRunner(folder: folder.path)
        try FileTools.makeFolder(folder.path + "/volume")
        var step = try step("leaves", "echo one > /result; echo two > /data/result; echo three > /etc/sub")
        step.mounts = [StepMount(source: folder.path + "/volume", target: "/data")]
        step.collected = [.file("/result"), .file("/data/result"), .tree("/etc"), .file("/nowhere")]
        let outcome = try await runner.start(step).outcome()
        #expect(outcome.reason == .completed)
        #expect(FileTools.read(step.folder + "/outputs/0") == Array("one\n".utf8))
        #expect(FileTools.read(step.folder + "/outputs/1") == Array("two\n".utf8))
        let unpacked = folder.path + "/unpacked"
        try FileTools.makeFolder(unpacked)
        #expect(ChildProgram.succeeds(["tar", "-xf", step.folder + "/outputs/2", "-C", unpacked]))
        #expect(FileTools.read(unpacked + "/etc/sub") == Array("three\n".utf8))
        #expect(FileTools.read(unpacked + "/etc/which") == Array("above\n".utf8))
        #expect(!FileTools.exists(step.folder + "/outputs/3"))
        #expect(!FileTools.exists(host.folder + "/above/result"), "layers are shared: nothing is written to them")
    }

    @Test func linksInTheImageLeadNowhereElse() async throws {
        let runner = try StepRunner(folder: folder.path)
        try #require(symlink("/etc", host.folder + "/above/outside") == 0)
        try FileTools.makeFolder(folder.path + "/volume")
        var step = try step("links", "cat /etc/mounted/a; ln -s /outside/which /link")
        try FileTools.write(folder.path + "/volume/a", Array("of the volume\n".utf8))
        step.mounts = [StepMount(source: folder.path + "/volume", target: "/outside/mounted")]
        step.collected = [.file("/link")]
        let outcome = try await runner.start(step).outcome()
        #expect(outcome.exitCode == 0, "\(outcome.message) \(log(step))")
        #expect(log(step) == "of the volume\n")
        #expect(FileTools.read(step.folder + "/outputs/0") == Array("above\n".utf8))
        #expect(!FileTools.exists("/etc/mounted"))
    }

    @Test func whatCannotStartSaysWhy() async throws {
        let runner = try StepRunner(folder: folder.path)
        var step = try step("none", "")
        step.arguments = ["no-such-program"]
        let outcome = try await runner.start(step).outcome()
        #expect(outcome.reason == .startError && outcome.exitCode == 128)
        #expect(outcome.message == "exec: \"no-such-program\": executable file not found in $PATH")
        let one = try await runner.start(try self.step("one", "exit 1")).outcome()
        #expect(one.reason == .error && one.exitCode == 1)
    }

    @Test func stoppingEndsTheContainerAndItsControlGroup() async throws {
        let runner = try StepRunner(folder: folder.path)
        let step = try step("stops", "trap '' TERM; echo ready; sleep 345679")
        let process = try await runner.start(step)
        for _ in 0..<200 where log(step) != "ready\n" { try await Task.sleep(nanoseconds: 10_000_000) }
        let group = try #require(step.image).container
        #expect(controlGroups(group) > 0)
        process.stop(gracePeriodMilliseconds: 100)
        let outcome = await process.outcome()
        #expect(outcome.reason == .stopped && outcome.exitCode == 137)
        #expect(!ChildProgram.succeeds(["pgrep", "-f", "sleep 345679"]))
        #expect(controlGroups(group) == 0)
    }

    @Test func aKilledLauncherTakesTheContainerWithIt() async throws {
        let runner = try StepRunner(folder: folder.path)
        let step = try step("killed", "echo ready; sleep 345680")
        let process = try await runner.start(step)
        for _ in 0..<200 where log(step) != "ready\n" { try await Task.sleep(nanoseconds: 10_000_000) }
        try #require(kill(process.processID, SIGKILL) == 0)
        #expect(await process.outcome().reason == .lost)
        #expect(!ChildProgram.succeeds(["pgrep", "-f", "sleep 345680"]))
        let group = try #require(step.image).container
        for _ in 0..<200 where controlGroups(group) > 0 { try await Task.sleep(nanoseconds: 10_000_000) }
        #expect(controlGroups(group) == 0)
    }

    @Test func commandsRunInTheContainer() async throws {
        let runner = try StepRunner(folder: folder.path)
        var step = try step("commands", "echo ready; sleep 345681")
        (step.user, step.group, step.workingDirectory) = (1000, 1001, "/etc")
        let process = try await runner.start(step)
        defer { process.stop(gracePeriodMilliseconds: 0) }
        for _ in 0..<200 where log(step) != "ready\n" { try await Task.sleep(nanoseconds: 10_000_000) }
        var command = StepCommand(["sh", "-c", "cat which; id -u; echo $COLOUR; cat; echo bad >&2; exit 7"])
        command.hasInput = true
        let session = try await runner.execute(command, in: process)
        let input = session.takeInput()
        #expect(write(input, "typed", 5) == 5)
        close(input)
        #expect(Descriptors.readAll(session.takeOutput()) == "above\n1000\nblue\ntyped")
        #expect(Descriptors.readAll(session.takeError()) == "bad\n")
        #expect(try await Descriptors.code(session) == 7)

        // One that ignores what asks it to end.
        let endless = try await runner.execute(
            StepCommand(["sh", "-c", "trap '' TERM HUP INT; sleep 345682"]), in: process)
        for _ in 0..<200 where !ChildProgram.succeeds(["pgrep", "-f", "sleep 345682"]) {
            try await Task.sleep(nanoseconds: 10_000_000)
        }
        #expect(ChildProgram.succeeds(["pgrep", "-f", "sleep 345682"]))
        endless.kill()
        #expect(try await Descriptors.code(endless) != nil)
        for _ in 0..<200 where ChildProgram.succeeds(["pgrep", "-f", "sleep 345682"]) {
            try await Task.sleep(nanoseconds: 10_000_000)
        }
        #expect(!ChildProgram.succeeds(["pgrep", "-f", "sleep 345682"]))

        // One that has left something behind which keeps its streams.
        let survived = try await runner.execute(
            StepCommand(["sh", "-c", "setsid sleep 345684 & exit 0"]), in: process)
        for _ in 0..<200 where !ChildProgram.succeeds(["pgrep", "-f", "sleep 345684"]) {
            try await Task.sleep(nanoseconds: 10_000_000)
        }
        survived.kill()
        #expect(try await Descriptors.code(survived) != nil)
    }

    @Test func aFolderMayHaveAnyName() async throws {
        let odd = folder.path + "/a,b:c d\\e"
        let runner = try StepRunner(folder: odd + "/runner")
        var step = try step("odd", "cat /etc/which")
        step.image?.layerFolder = odd + "/layers"
        try FileTools.makeFolder(odd)
        try FileTools.move(host.folder, to: odd + "/layers")
        #expect(try await runner.start(step).outcome().exitCode == 0)
        #expect(log(step) == "above\n")
        var plain = StepSpecification(folder: odd + "/steps/plain", arguments: ["true"])
        plain.environment = [("PATH", "/usr/bin:/bin")]
        #expect(runner.isolation == .namespaces)
        #expect(try await runner.start(plain).outcome().exitCode == 0)
    }

    @Test func aCommandGetsATerminal() async throws {
        let runner = try StepRunner(folder: folder.path)
        let step = try step("terminal", "echo ready; sleep 345683")
        let process = try await runner.start(step)
        defer { process.stop(gracePeriodMilliseconds: 0) }
        for _ in 0..<200 where log(step) != "ready\n" { try await Task.sleep(nanoseconds: 10_000_000) }
        var command = StepCommand(["sh", "-c", "[ -t 0 ] && [ -t 1 ] && echo terminal | tr a-z A-Z"])
        command.hasInput = true
        command.isTerminal = true
        let session = try await runner.execute(command, in: process)
        #expect(Descriptors.readAll(session.takeInput()).contains("TERMINAL"))
        #expect(try await Descriptors.code(session) == 0)
    }

    private func controlGroups(_ name: String) -> Int {
        let root = "/sys/fs/cgroup"
        return ([""] + FileTools.names(in: root).map { "/" + $0 }).count {
            FileTools.isFolder("\(root)\($0)/slipway/\(name)")
        }
    }
}
