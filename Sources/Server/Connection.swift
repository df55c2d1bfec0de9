// One accepted socket: its task, and the choice of protocol by its first bytes.

import EventLoop

/// A connection on its worker's loop.
final class Connection: @unchecked Sendable {
    // Confined to the worker's loop.
    private let worker: Worker
    private let channel: Channel
    private let tls: TLSContext?
    private var protocolConnection: (any ProtocolConnection)?
    private var task: Task<Void, Never>?

    init(descriptor: Int32, worker: Worker, tls: TLSContext?) {
        self.worker = worker
        self.tls = tls
        channel = Channel(descriptor: descriptor, loop: worker.loop)
    }

    /// Begins to serve; `ended` is called on the loop when the socket is closed.
    func start(ended: @escaping @Sendable () -> Void) {
        guard (try? channel.register()) != nil else {
            channel.closeUnregistered()
            return ended()
        }
        // A peer that leaves while a handler works cancels the handler's task.
        channel.onPeerClosed = { [unowned self] in self.protocolConnection?.peerClosed() }
        task = worker.loop.spawn {
            await self.serve()
            self.channel.close()
            ended()
        }
    }

    private func serve() async {
        let peer = channel.peerName
        guard let tls else {
            let plain = PlainTransport(descriptor: channel.descriptor)
            return await serve(ByteStream(channel: channel, transport: plain, peer: peer, isTLS: false))
        }
        do throws(HandshakeFailure) {
            let timeout = worker.service.limits.handshakeTimeoutMilliseconds
            let transport = try await TLSTransport.accept(channel, tls, timeoutMilliseconds: timeout)
            let stream = ByteStream(channel: channel, transport: transport, peer: peer, isTLS: true)
            if transport.isHTTP2 { return await serveHTTP2(stream, received: []) }
            await serve(stream)
        } catch {
            if error == .plainHTTP { await refuse(peer, "this port speaks TLS: use an https URL") }
        }
    }

    /// Tells a client that forgot the `s` of `https`, or put one too many; those that try both go on at once.
    private func refuse(_ peer: String, _ reason: String) async {
        let plain = PlainTransport(descriptor: channel.descriptor)
        let stream = ByteStream(channel: channel, transport: plain, peer: peer, isTLS: false)
        let text = reason + "\n"
        let answer =
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: \(text.utf8.count)\r\n"
            + "Connection: close\r\n\r\n" + text
        try? await stream.write(Array(answer.utf8), timeoutMilliseconds: 1000)
        await stream.closeGracefully(lingerMilliseconds: worker.service.limits.lingerMilliseconds)
    }

    /// Chooses by the first bytes: the HTTP/2 preface, whose `PRI` is no method, or else HTTP/1.
    private func serve(_ stream: ByteStream) async {
        let received = ReceiveBuffer(pool: worker.loop.buffers)
        var match = PrefaceMatch.needsMore
        while match == .needsMore {
            let timeout = worker.service.limits.headTimeoutMilliseconds
            guard let count = try? await stream.read(into: received.room(), timeoutMilliseconds: timeout), count > 0
            else { return }
            received.received(count)
            match = PrefaceMatch(received.bytes)
        }
        if match == .tls { return await refuse(stream.peer, "this port speaks plain HTTP: use an http URL") }
        if match == .http2 {
            let bytes = Array(received.bytes)
            received.consume(bytes.count)
            received.releaseIfEmpty()
            await serveHTTP2(stream, received: bytes)
        } else {
            let http1 = HTTP1Connection(stream: stream, worker: worker, received: received) { [unowned self] in
                self.task?.cancel()
            }
            protocolConnection = http1
            await http1.run()
        }
    }

    private func serveHTTP2(_ stream: ByteStream, received: [UInt8]) async {
        guard let http2 = try? HTTP2Connection(stream: stream, worker: worker) else { return }
        protocolConnection = http2
        await http2.run(received: received)
    }

    /// Closes when idle, else after the present request; at once while its first bytes have not come.
    func drain() {
        if let protocolConnection { protocolConnection.drain() } else { channel.abort() }
    }

    func abort() {
        task?.cancel()
        channel.abort()
    }
}

/// What the first bytes of a connection say.
private enum PrefaceMatch {
    case http1, http2, tls, needsMore

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        // The first byte of a TLS record that holds a handshake; no method begins with it.
        if bytes.first == 0x16 {
            self = .tls
            return
        }
        let preface = "PRI ".utf8
        guard zip(bytes, preface).allSatisfy({ $0 == $1 }) else {
            self = .http1
            return
        }
        self = bytes.count < preface.count ? .needsMore : .http2
    }
}

/// What the server asks of a connection whatever its protocol.
protocol ProtocolConnection: AnyObject {
    /// Close when idle, else after the present request.
    func drain()
    /// The peer has gone while nobody was reading.
    func peerClosed()
}
