// The connections of one loop, and what they share there: the cached date, the request ids, the access log.

import Clock
import EventLoop
import HTTP
import Synchronization

/// A server's part on one event loop. Everything but `connectionCount` is confined to that loop.
final class Worker: @unchecked Sendable {
    let loop: EventLoop
    let service: Service
    let log: AccessLog
    private var connections: [ObjectIdentifier: Connection] = [:]
    private let count = Atomic<Int>(0)
    private var date: (turn: UInt64, text: [UInt8], trailing: [UInt8]) = (0, [], [])
    private var idState: UInt64

    init(loop: EventLoop, service: Service) {
        self.loop = loop
        self.service = service
        log = AccessLog(role: service.configuration.role, loop: loop)
        idState = .random(in: .min ... .max)
    }

    var connectionCount: Int { count.load(ordering: .relaxed) }

    /// Takes over an accepted socket. `ended` is called when its connection has closed.
    func adopt(_ descriptor: Int32, tls: TLSContext?, ended: @escaping @Sendable () -> Void) {
        count.wrappingAdd(1, ordering: .relaxed)
        loop.execute {
            let connection = Connection(descriptor: descriptor, worker: self, tls: tls)
            self.connections[ObjectIdentifier(connection)] = connection
            connection.start {
                self.connections[ObjectIdentifier(connection)] = nil
                self.count.wrappingSubtract(1, ordering: .relaxed)
                ended()
            }
        }
    }

    /// Closes idle connections; the others close after their present request.
    func drain() {
        service.isDraining.store(true, ordering: .relaxed)
        loop.execute { for connection in self.connections.values { connection.drain() } }
    }

    /// Cancels what is still running.
    func abort() {
        loop.execute {
            for connection in self.connections.values { connection.abort() }
            self.log.flush()
        }
    }

    /// The end of every HTTP/1 response head, with its `Date`, made once a second.
    var headEnd: [UInt8] {
        refreshDate()
        return date.trailing
    }

    /// The `date` field's value for HTTP/2.
    var httpDate: [UInt8] {
        refreshDate()
        return date.text
    }

    private func refreshDate() {
        let turn = loop.turnTime.nanoseconds / 1_000_000_000
        guard turn != date.turn else { return }
        let text = WallTime.now.httpDate
        date = (turn, Array(text.utf8), ResponseHeadWriter.trailing(date: text))
    }

    /// A number for a new request (splitmix64).
    func nextRequestNumber() -> UInt64 {
        idState &+= 0x9e37_79b9_7f4a_7c15
        var mixed = idState
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
