import Cluster
import Formats

/// One command and the client that watches it. Confined to the connection's loop.
final class RemoteCommand: @unchecked Sendable {
    private let channel: any RemoteChannel
    private let session: PodSession
    private var isOver = false

    init(channel: any RemoteChannel, session: PodSession) {
        self.channel = channel
        self.session = session
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.takeInput() }
            group.addTask { await self.runToEnd() }
        }
    }

    /// Client to command. A client that goes away takes the command with it.
    private func takeInput() async {
        while let input = await channel.receive() {
            switch input {
            case .bytes(let bytes): await session.send(bytes)
            case .endOfInput: await session.finishInput()
            case .size(let bytes): resize(bytes)
            }
        }
        if !isOver { session.kill() }
    }

    private func resize(_ bytes: [UInt8]) {
        guard let size = try? JSON.parse(bytes) else { return }
        session.resize(
            columns: Int(clamping: size["Width"]?.intValue ?? 0), rows: Int(clamping: size["Height"]?.intValue ?? 0))
    }

    /// Command to client, then how it ended.
    private func runToEnd() async {
        let code = await withTaskGroup(of: Part.self) { group in
            group.addTask { await self.pump(.output) }
            group.addTask { await self.pump(.error) }
            group.addTask { .code(await self.session.exitCode() ?? 137) }
            var code: Int?
            var pumps = 2
            for await part in group {
                switch part {
                case .code(let value):
                    code = value
                    group.addTask { await self.abandonOutputSoon() }
                case .stream: pumps -= 1
                case .abandoned: break
                }
                if pumps == 0, code != nil { group.cancelAll() }
            }
            return code ?? 137
        }
        isOver = true
        await channel.finish(Self.status(code).encoded)
    }

    /// What has come to its end.
    private enum Part {
        case stream
        case code(Int)
        case abandoned
    }

    private func pump(_ stream: RemoteStream) async -> Part {
        while let bytes = stream == .output ? await session.readOutput() : await session.readError() {
            do { try await channel.send(stream, bytes) } catch { session.kill() }
        }
        return .stream
    }

    /// A process that the command left behind may hold its pipes for ever.
    private func abandonOutputSoon() async -> Part {
        try? await Task.sleep(nanoseconds: 300_000_000)
        session.abandonOutput()
        return .abandoned
    }

    private static func status(_ code: Int) -> JSON {
        if code == 0 { return ["metadata": [:], "status": "Success"] }
        return [
            "metadata": [:], "status": "Failure", "reason": "NonZeroExitCode",
            "message": .string("command terminated with non-zero exit code: exit status \(code)"),
            "details": ["causes": [["reason": "ExitCode", "message": .string("\(code)")]]],
        ]
    }
}
