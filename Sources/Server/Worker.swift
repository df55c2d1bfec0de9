// The connections of one loop, and what they share there: the cached date, the request ids, the access log.

import Bytes
import Clock
import EventLoop
import Synchronization

/// A server's part on one event loop. Everything but `connectionCount` is confined to that loop.
final class Worker: @unchecked Sendable {
    let loop: EventLoop
    let service: Service
    let log: AccessLog
    private var connections: [ObjectIdentifier: Connection] = [:]
    private let count = Atomic<Int>(0)
    private var date: (second: Int64, text: [UInt8]) = (-1, [])
    private var idState: UInt64

    init(loop: EventLoop, service: Service) {
        self.loop = loop
        self.service = service
        log = AccessLog(role: service.configuration.role, loop: loop)
        idState = .random(in: .min ... .max)
    }

    var connectionCount: Int { count.load(ordering: .relaxed) }

    /// Takes over an accepted socket. `ended` is called when its connection has closed.
    func adopt(_ descriptor: Int32, ended: @escaping @Sendable () -> Void) {
        count.wrappingAdd(1, ordering: .relaxed)
        loop.execute {
            let connection = Connection(descriptor: descriptor, worker: self)
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

    /// The `Date` field's value, formatted once a second.
    var httpDate: [UInt8] {
        let now = WallTime.now
        if now.seconds != date.second { date = (now.seconds, Array(now.httpDate.utf8)) }
        return date.text
    }

    /// 16 hexadecimal digits, unique in the process for all practical purposes (splitmix64).
    func nextRequestID() -> String {
        idState &+= 0x9e37_79b9_7f4a_7c15
        var mixed = idState
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        mixed ^= mixed >> 31
        return String(unsafeUninitializedCapacity: 16) { out in
            for index in 0..<16 { out[index] = Hex.digits[Int(truncatingIfNeeded: mixed >> UInt64(60 - index * 4)) & 15] }
            return 16
        }
    }
}
