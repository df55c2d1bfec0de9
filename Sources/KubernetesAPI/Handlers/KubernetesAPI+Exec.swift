// `kubectl exec` and `kubectl cp` over WebSocket: subprotocols v5.channel.k8s.io and v4.channel.k8s.io. Each binary message
// begins with the number of its stream.

import Bytes
import Cluster
import Formats
import HTTP
import Server

/// The streams of one connection (kubernetes/apimachinery `pkg/util/remotecommand`).
private enum RemoteStream {
    static let input: UInt8 = 0
    static let output: UInt8 = 1
    static let error: UInt8 = 2
    static let status: UInt8 = 3
    static let resize: UInt8 = 4
    /// v5 only: the stream named by the next byte is closed.
    static let close: UInt8 = 255
}

extension KubernetesAPI {
    /// Subprotocols of remote commands, as kubectl 1.30 and later and the Python client speak them.
    static let remoteCommandProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"]

    static func refusedSubresource(_ name: String, _ key: ResourceKey) -> StatusError {
        let what = name == "portforward" ? "port-forward: Services and pods listen on this machine already" : name
        return StatusError(
            .notImplemented, "NotImplemented", "pods \"\(key.name)\": this server does not support \(what)")
    }

    /// Clients that fall back to SPDY after a refusal show the refusal of that: it must name the first reason again.
    private static func checkUpgrade(_ request: Request, _ pod: Resource) throws(StatusError) {
        let phase = pod.status["phase"]?.stringValue ?? "Pending"
        guard phase != "Succeeded", phase != "Failed" else {
            throw .badRequest("cannot exec into a container in a completed pod; current phase is \(phase)")
        }
        guard request.method == .get, WebSocketUpgrade.isRequested(by: request) else {
            let offered = request.fields["Upgrade"] ?? ""
            throw .badRequest(
                "this server speaks exec over WebSocket, not \(offered.isEmpty ? "without an upgrade" : String(offered.prefix(30))): "
                    + "use kubectl 1.30 or newer, or set KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true for kubectl 1.29")
        }
    }

    func exec(_ request: Request, _ key: ResourceKey, _ options: RequestOptions) async throws -> Response {
        let pod = try store.get(key)
        let container = try Self.container(of: pod, named: options.value("container"))
        var command = PodCommand(options.values("command"))
        guard !command.arguments.isEmpty, command.arguments.count <= 10_000 else {
            throw StatusError.badRequest("you must specify at least one command for the container")
        }
        command.hasInput = try options.flag("stdin")
        command.hasOutput = try options.flag("stdout")
        command.hasError = try options.flag("stderr")
        command.isTerminal = try options.flag("tty")
        guard command.hasInput || command.hasOutput || command.hasError else {
            throw StatusError.badRequest("you must specify at least 1 of stdin, stdout, stderr")
        }
        try Self.checkUpgrade(request, pod)
        guard let sessions else { throw StatusError.badRequest("pod \(pod.name) does not run: no pods run here") }
        let session = try await sessions.run(command, in: pod, container: container)
        let response = WebSocketUpgrade.response(request, subprotocols: Self.remoteCommandProtocols) { socket in
            await RemoteCommand(socket: socket, session: session).run()
            session.close()
            sessions.ended()
        }
        if response.status != .switchingProtocols {
            session.close()
            sessions.ended()
        }
        return response
    }
}

/// One command and the client that watches it. Confined to the connection's loop.
private final class RemoteCommand: @unchecked Sendable {
    private let socket: WebSocket
    private let session: PodSession
    private var isOver = false

    init(socket: WebSocket, session: PodSession) {
        self.socket = socket
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
        while let message = try? await socket.receive() {
            guard case .binary(let bytes) = message, let stream = bytes.first else { continue }
            switch stream {
            case RemoteStream.input: await session.send(Array(bytes.dropFirst()))
            case RemoteStream.resize: resize(bytes)
            case RemoteStream.close where bytes.count > 1 && bytes[1] == RemoteStream.input: await session.finishInput()
            default: break
            }
        }
        if !isOver { session.kill() }
    }

    private func resize(_ bytes: [UInt8]) {
        guard let size = try? JSON.parse(Array(bytes.dropFirst())) else { return }
        session.resize(
            columns: Int(clamping: size["Width"]?.intValue ?? 0), rows: Int(clamping: size["Height"]?.intValue ?? 0))
    }

    /// Command to client, then how it ended.
    private func runToEnd() async {
        let code = await withTaskGroup(of: Part.self) { group in
            group.addTask { await self.pump(RemoteStream.output) }
            group.addTask { await self.pump(RemoteStream.error) }
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
        try? await socket.send(binary: [RemoteStream.status] + Self.status(code).encoded)
        await socket.close()
    }

    /// What has come to its end.
    private enum Part {
        case stream
        case code(Int)
        case abandoned
    }

    private func pump(_ stream: UInt8) async -> Part {
        while let bytes = stream == RemoteStream.output ? await session.readOutput() : await session.readError() {
            do { try await socket.send(binary: [stream] + bytes) } catch { session.kill() }
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
