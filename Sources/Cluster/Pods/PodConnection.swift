// One TCP connection to a pod's port, as `kubectl port-forward` drives it. Confined to one event loop.

import EventLoop
import Formats

/// Bytes to and from a port of a pod. One task may receive while another sends; close it in the end.
package final class PodConnection: @unchecked Sendable {
    private let stream: ByteStream
    private var isSending = false
    private var isClosed = false
    private var isAborted = false

    private static let connectMilliseconds: UInt64 = 3000
    /// As connections to Services.
    private static let idleMilliseconds: UInt64 = 24 * 3600 * 1000

    private init(_ stream: ByteStream) { self.stream = stream }

    /// Connects to the pod's own address. Call on an event loop. Throws `ClusterError` `.badRequest` when nothing listens.
    package static func open(_ pod: Resource, port: Int) async throws(ClusterError) -> PodConnection {
        guard let loop = EventLoop.current else {
            throw ClusterError(.unavailable, "connections to pods start on an event loop")
        }
        guard let address = pod.status["podIP"]?.stringValue, !address.isEmpty else {
            throw ClusterError(.badRequest, "pod \(pod.name) has no address yet")
        }
        do throws(StreamError) {
            return PodConnection(
                try await Connector.connect(
                    host: address, port: port, loop: loop, timeoutMilliseconds: connectMilliseconds))
        } catch {
            throw ClusterError(
                .badRequest,
                "nothing listens on port \(port) of pod \(pod.name) (\(address)); a server in a pod listens on $(POD_IP) "
                    + "or on every address")
        }
    }

    /// Hands `bytes` to the pod's server; what it does not take any more is dropped.
    package func send(_ bytes: [UInt8]) async {
        guard !isClosed else { return }
        isSending = true
        try? await stream.write(bytes, timeoutMilliseconds: Self.idleMilliseconds)
        isSending = false
        if isClosed { stream.close() }
    }

    /// Tells the pod's server that no more comes.
    package func finishInput() {
        if !isClosed { stream.transport.finishSending() }
    }

    /// The next bytes; nil at the end, after a failure or `abort`.
    package func receive() async -> [UInt8]? {
        await stream.nextBytes(withinMilliseconds: Self.idleMilliseconds) { !isClosed && !isAborted }
    }

    /// Ends a `receive` and a `send` that wait.
    package func abort() {
        guard !isClosed else { return }
        isAborted = true
        stream.channel.abort()
    }

    /// Closes; a `send` that is under way ends first. No `receive` may be under way.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        if isSending { stream.channel.abort() } else { stream.close() }
    }
}
