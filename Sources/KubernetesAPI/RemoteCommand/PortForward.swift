// `kubectl port-forward`: for each connection that it accepts, kubectl opens two SPDY streams, one for errors and one for
// data, which name the pod's port and belong together by a request id. Stream protocol portforward.k8s.io.

import Cluster
import Formats

/// The connections of one client to one pod. Confined to the connection's loop.
final class PortForward: @unchecked Sendable {
    static let streamProtocol = "portforward.k8s.io"
    /// SPDY in the binary messages of a WebSocket, kubectl 1.31 and newer.
    static let subprotocol = "SPDY/3.1+portforward.k8s.io"
    /// Connections of one client at once.
    static let connectionCountMax = 256
    private static let idleMilliseconds: UInt64 = 4 * 3600 * 1000

    /// One connection that kubectl accepted.
    private struct Forward {
        var port = 0
        var errorStream: UInt32?
        var dataStream: UInt32?
        var target: PodConnection?
    }

    private let connection: SPDYConnection
    private let pod: Resource
    private var forwards: [String: Forward] = [:]
    /// The request that a stream belongs to.
    private var requests: [UInt32: String] = [:]

    init(connection: SPDYConnection, pod: Resource) {
        self.connection = connection
        self.pod = pod
    }

    /// Carries bytes until the client has gone.
    func run() async {
        await withDiscardingTaskGroup { group in
            while let frame = await connection.nextFrame(withinMilliseconds: Self.idleMilliseconds) {
                if case .goAway = frame { break }
                guard let request = await take(frame) else { continue }
                group.addTask { await self.carry(request) }
            }
            for forward in forwards.values { forward.target?.abort() }
        }
    }

    /// Does what a frame asks for. Returns the request whose connection has been made by it.
    ///
    /// Data is handed on here, one connection after another: a server that does not read holds up its client, and with
    /// it the client's other connections, instead of filling this server's memory.
    private func take(_ frame: SPDYFrame) async -> String? {
        switch frame {
        case .open(let stream, let fields, _): return await open(stream, fields)
        case .data(let stream, let bytes, let isFinal):
            guard let forward = forward(ofData: stream), let target = forward.target else { return nil }
            if !bytes.isEmpty { await target.send(bytes) }
            if isFinal { target.finishInput() }
        case .reset(let stream): forward(ofData: stream)?.target?.abort()
        case .ping, .goAway, .other: break
        }
        return nil
    }

    private func forward(ofData stream: UInt32) -> Forward? {
        requests[stream].flatMap { forwards[$0] }.flatMap { $0.dataStream == stream ? $0 : nil }
    }

    private func open(_ stream: UInt32, _ fields: [String: String]) async -> String? {
        let isData = fields["streamtype"] == "data"
        guard isData || fields["streamtype"] == "error", let port = Int(fields["port"] ?? ""),
            (1...65_535).contains(port), requests[stream] == nil, requests.count < 2 * Self.connectionCountMax
        else {
            try? await connection.write(connection.encoder.reset(stream: stream))
            return nil
        }
        try? await connection.write(connection.encoder.reply(stream: stream))
        // Clients that name no request open the data stream right after that of errors.
        let request = fields["requestid"] ?? "\(isData ? stream &- 2 : stream)"
        requests[stream] = request
        var forward = forwards[request] ?? Forward()
        forward.port = port
        if isData { forward.dataStream = stream } else { forward.errorStream = stream }
        forwards[request] = forward
        guard forward.dataStream != nil, forward.errorStream != nil, forward.target == nil else { return nil }
        do throws(ClusterError) {
            // Apart: an assignment that holds the dictionary while it waits would undo what others do to it meanwhile.
            let target = try await PodConnection.open(pod, port: port)
            forwards[request]?.target = target
            return request
        } catch {
            await end(request, message: "error forwarding port \(port) to pod \(pod.name): \(error.message)")
            return nil
        }
    }

    /// Pod to client, to the end of the pod's output.
    private func carry(_ request: String) async {
        guard let target = forwards[request]?.target, let stream = forwards[request]?.dataStream else { return }
        while let bytes = await target.receive() {
            do { try await connection.write(connection.encoder.data(stream: stream, bytes)) } catch { break }
        }
        target.close()
        await end(request, message: "")
    }

    /// Ends both streams of a request; a message on the stream of errors is a failure.
    private func end(_ request: String, message: String) async {
        guard let forward = forwards.removeValue(forKey: request) else { return }
        for stream in [forward.dataStream, forward.errorStream] {
            guard let stream else { continue }
            requests[stream] = nil
            let bytes = stream == forward.errorStream ? Array(message.utf8) : []
            try? await connection.write(connection.encoder.data(stream: stream, bytes, isFinal: true))
        }
    }
}
