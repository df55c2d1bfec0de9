// Listens on the addresses of Services and carries TCP connections to their endpoints, in turn. A Service without ready
// endpoints is not listened on at all, so that clients are refused at once.

import Clock
import EventLoop
import Glibc
import Log
import Synchronization

/// The listening side of all Services. Safe to share.
final class ServiceProxy: Sendable {
    /// Connections of one Service port at once; more wait in the kernel's queue.
    static let connectionCountMax = 1024
    /// Listening sockets at once.
    static let frontendCountMax = 4096
    private static let connectMilliseconds: UInt64 = 3000
    /// A connection on which nothing has moved for so long is given up, as a cluster's connection tracking does.
    private static let idleMilliseconds: UInt64 = 24 * 3600 * 1000

    private struct Entry {
        let listener: Listener
        let backends: BackendTurns
    }

    private let entries = Mutex<[Frontend: Entry]>([:])

    /// Makes `frontend` reach `backends`; none takes its listening socket away. Returns why it cannot listen, or nil.
    func set(_ frontend: Frontend, _ backends: [Backend]) -> ListenError? {
        entries.withLock { entries in
            if let entry = entries[frontend] {
                entry.backends.replace(backends)
                if backends.isEmpty {
                    entries[frontend] = nil
                    entry.listener.stop()
                }
                return nil
            }
            guard !backends.isEmpty else { return nil }
            guard entries.count < Self.frontendCountMax else {
                return .failed(SystemError(call: "listening on more than \(Self.frontendCountMax) ports", code: EMFILE))
            }
            let loops = EventLoopGroup.shared.loops
            let loop = loops[entries.count % loops.count]
            let turns = BackendTurns(backends)
            let holder = ListenerHolder()
            do throws(ListenError) {
                let listener = try Listener(
                    host: frontend.address, port: frontend.port, loop: loop,
                    connectionCountMax: Self.connectionCountMax
                ) { descriptor in
                    Self.adopt(descriptor, loop, turns) { holder.ended() }
                }
                holder.set(listener)
                listener.start()
                entries[frontend] = Entry(listener: listener, backends: turns)
                return nil
            } catch {
                return error
            }
        }
    }

    /// Frontends that are listened on.
    var frontends: Set<Frontend> { entries.withLock { Set($0.keys) } }

    /// Takes every listening socket away; connections go on.
    func stop() {
        let all = entries.withLock { entries in
            defer { entries = [:] }
            return Array(entries.values)
        }
        for entry in all { entry.listener.stop() }
    }

    private static func adopt(
        _ descriptor: Int32, _ loop: EventLoop, _ backends: BackendTurns, ended: @escaping @Sendable () -> Void
    ) {
        loop.execute {
            let channel = Channel(descriptor: descriptor, loop: loop)
            do throws(SystemError) {
                try channel.register()
            } catch {
                channel.closeUnregistered()
                return ended()
            }
            let client = ByteStream(
                channel: channel, transport: PlainTransport(descriptor: descriptor), peer: "", isTLS: false)
            loop.spawn {
                await carry(client, backends)
                ended()
            }
        }
    }

    /// Connects to the first endpoint in turn that answers and moves bytes until both sides have ended.
    private static func carry(_ client: ByteStream, _ backends: BackendTurns) async {
        for backend in backends.inTurn() {
            guard
                let server = try? await Connector.connect(
                    host: backend.address, port: backend.port, loop: client.loop,
                    timeoutMilliseconds: connectMilliseconds)
            else { continue }
            await withDiscardingTaskGroup { group in
                group.addTask { await pump(from: client, to: server) }
                group.addTask { await pump(from: server, to: client) }
            }
            client.close()
            server.close()
            return
        }
        client.reset()
    }

    /// Moves bytes one way; the end of input becomes the other side's, and a failure ends both directions.
    private static func pump(from source: ByteStream, to target: ByteStream) async {
        do throws(StreamError) {
            while true {
                try await source.waitReadable(timeoutMilliseconds: idleMilliseconds)
                guard try await moveOnce(source, target) else { break }
            }
            target.transport.finishSending()
        } catch {
            source.channel.abort()
            target.channel.abort()
        }
    }

    /// Moves what has arrived; false at the end of input. A waiting connection holds no buffer.
    private static func moveOnce(_ source: ByteStream, _ target: ByteStream) async throws(StreamError) -> Bool {
        let slab = source.loop.buffers.take()
        defer { source.loop.buffers.giveBack(slab) }
        let count: Int
        switch source.receiveNow(slab) {
        case .bytes(let received): count = received
        case .wouldBlock: return true
        case .closed: return false
        case .failed(let code): throw .failed(code)
        }
        var sent = 0
        while sent < count {
            switch target.transport.send(UnsafeRawBufferPointer(rebasing: slab[sent..<count]), more: false) {
            case .bytes(let part): sent += part
            case .closed: throw .closed
            case .failed(let code): throw .failed(code)
            case .wouldBlock:
                target.channel.noteWriteWouldBlock()
                try await target.waitWritable(timeoutMilliseconds: idleMilliseconds)
            }
        }
        return true
    }
}

/// The endpoints of one frontend and whose turn it is.
private final class BackendTurns: Sendable {
    private let state: Mutex<(backends: [Backend], next: Int)>

    init(_ backends: [Backend]) { state = Mutex((backends, 0)) }

    func replace(_ backends: [Backend]) { state.withLock { $0.backends = backends } }

    /// All endpoints, the one whose turn it is first.
    func inTurn() -> [Backend] {
        state.withLock { state in
            guard !state.backends.isEmpty else { return [] }
            let start = state.next % state.backends.count
            state.next = start + 1
            return Array(state.backends[start...] + state.backends[..<start])
        }
    }
}

/// Lets a listener's own closure tell it that a connection ended.
private final class ListenerHolder: Sendable {
    private let listener = Mutex<Listener?>(nil)

    func set(_ value: Listener) { listener.withLock { $0 = value } }
    func ended() { listener.withLock { $0 }?.connectionEnded() }
}
