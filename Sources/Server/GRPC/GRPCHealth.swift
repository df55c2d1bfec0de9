import Bytes
import Formats
import Synchronization

/// The standard health service, `grpc.health.v1.Health`: `Check` answers at once, `Watch` sends each change.
package final class GRPCHealth: Sendable {
    private struct State {
        var isServing: [String: Bool] = ["": true]
        var waiters: [Int: UnsafeContinuation<Void, Never>] = [:]
        var nextWaiter = 0
        var version = 0
    }

    private enum WireStatus: UInt8 {
        case serving = 1, notServing = 2, serviceUnknown = 3
    }

    private let state = Mutex(State())

    package init() {}

    /// Sets what is told of `service`; the empty name is the whole server, which serves from the start.
    package func set(_ service: String, isServing: Bool) {
        let waiters = state.withLock { state in
            state.isServing[service] = isServing
            state.version += 1
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Adds the two methods to `router`.
    package func register(on router: inout GRPCRouter) {
        router.unary("/grpc.health.v1.Health/Check") { _, message in
            let service = try Self.service(in: message)
            let status = self.status(of: service).status
            guard status != .serviceUnknown else { throw GRPCError(.notFound, "there is no service \(service)") }
            return Self.answer(status)
        }
        router.streaming("/grpc.health.v1.Health/Watch") { call in
            guard let message = try await call.receive() else {
                throw GRPCError(.internal, "Watch carries one message; this call has none")
            }
            let service = try Self.service(in: message)
            var last: WireStatus?
            while !Task.isCancelled {
                let (status, version) = self.status(of: service)
                if status != last { try await call.send(Self.answer(status)) }
                last = status
                await self.change(after: version)
            }
        }
    }

    private func status(of service: String) -> (status: WireStatus, version: Int) {
        state.withLock { state in
            let isServing = state.isServing[service]
            return (isServing.map { $0 ? .serving : .notServing } ?? .serviceUnknown, state.version)
        }
    }

    /// Waits until a status changes or the task is cancelled.
    private func change(after version: Int) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.version == version, !Task.isCancelled else { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume()
        }
    }

    /// Field 1, a string, of `HealthCheckRequest`.
    private static func service(in message: [UInt8]) throws(GRPCError) -> String {
        guard !message.isEmpty else { return "" }
        var reader = ProtobufReader(message)
        var service = ""
        do {
            while let field = try reader.next() {
                if field.number == 1 { service = try field.string() }
            }
        } catch {
            throw GRPCError(.invalidArgument, "the message is not a HealthCheckRequest")
        }
        return service
    }

    /// `HealthCheckResponse` with its field 1, an enumeration.
    private static func answer(_ status: WireStatus) -> [UInt8] { [0x08, status.rawValue] }
}
