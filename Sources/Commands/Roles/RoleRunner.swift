// What every role's command does around its servers: start, say that it is ready, wait for the wish to end, shut down.

import EventLoop
import Log
import Processes
import Server

/// A role's servers while they run.
struct RunningRole: Sendable {
    /// What each port speaks, for the readiness line.
    let servers: [(name: String, server: Server)]
    /// Called after the servers have stopped.
    let finish: @Sendable () async -> Void

    init(servers: [(name: String, server: Server)], finish: @escaping @Sendable () async -> Void = {}) {
        self.servers = servers
        self.finish = finish
    }
}

enum RoleRunner {
    /// Runs a role until SIGTERM or SIGINT. `start` may throw `ListenError`, which becomes a message that names the port
    /// and who holds it.
    static func run(_ role: String, start: () async throws -> RunningRole) async throws -> Int32 {
        let running: RunningRole
        do {
            running = try await start()
        } catch let error as ListenError {
            throw failure(error)
        }
        let logger = Logger(role: role)
        logger.info("ready", running.servers.map { ($0.name, "\($0.server.configuration.address):\($0.server.port)") })
        try await Termination.requested()
        logger.info("stopping")
        let drainMillisecondsMax = ChildProcess.isSupervised ? ChildProcess.drainMilliseconds : .max
        await withTaskGroup(of: Void.self) { group in
            for (_, server) in running.servers {
                group.addTask { await server.shutdown(drainMillisecondsMax: drainMillisecondsMax) }
            }
        }
        await running.finish()
        return 0
    }

    /// The message for a port that cannot be listened on.
    static func failure(_ error: ListenError) -> CommandFailure {
        switch error {
        case .badAddress(let text), .foreignAddress(let text):
            return CommandFailure(
                "'\(text)' is not an address of this machine",
                hint: "Give one of `ip address`; 127.0.0.1 is for this machine alone, 0.0.0.0 is all of them.")
        case .inUse(let address, let port):
            let holder = PortHolder.find(port: port).map { " by process \($0.processID) (\($0.command))" } ?? ""
            return CommandFailure(
                "port \(port) on \(address) is in use\(holder)", hint: "Stop it, or choose another port with a flag.")
        case .failed(let error): return CommandFailure("cannot listen: \(error)")
        case .certificate(let error): return CommandFailure("cannot serve TLS: \(error)")
        }
    }
}
