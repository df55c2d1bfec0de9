// Carries out probes. Each check runs on an event loop and is bounded by its own time limit.

import Bytes
import EventLoop
import Files
import Runner

/// Checks one running container.
struct Prober: Sendable {
    let runner: StepRunner
    let process: StepProcess

    /// Nil when the check went well, else why it did not.
    func failure(of probe: Probe) async -> String? {
        let loops = EventLoopGroup.shared.loops
        let loop = loops[Int(process.processID) % loops.count]
        return await withUnsafeContinuation { continuation in
            loop.spawn { continuation.resume(returning: await self.check(probe, loop)) }
        }
    }

    private func check(_ probe: Probe, _ loop: EventLoop) async -> String? {
        let milliseconds = UInt64(probe.timeoutSeconds) * 1000
        switch probe.action {
        case .connection(let host, let port): return await connect(host, port, loop, milliseconds)
        case .http(let host, let port, let path, let fields):
            return await request(host, port, path, fields, loop, milliseconds)
        case .command(let arguments): return await execute(arguments, loop, milliseconds)
        }
    }

    private func connect(_ host: String, _ port: Int, _ loop: EventLoop, _ milliseconds: UInt64) async -> String? {
        do throws(StreamError) {
            let stream = try await Connector.connect(
                host: host, port: port, loop: loop, timeoutMilliseconds: milliseconds)
            stream.close()
            return nil
        } catch {
            return Self.text(error, "\(host):\(port)")
        }
    }

    private func request(
        _ host: String, _ port: Int, _ path: String, _ fields: [String], _ loop: EventLoop, _ milliseconds: UInt64
    ) async -> String? {
        do throws(StreamError) {
            let stream = try await Connector.connect(
                host: host, port: port, loop: loop, timeoutMilliseconds: milliseconds)
            defer { stream.close() }
            var head = "GET \(path) HTTP/1.1\r\nHost: \(host):\(port)\r\nUser-Agent: kube-probe/1.32\r\n"
            for field in fields { head += field + "\r\n" }
            head += "Accept: */*\r\nConnection: close\r\n\r\n"
            try await stream.write(Array(head.utf8), timeoutMilliseconds: milliseconds)
            // `HTTP/1.1 200` is all that counts.
            var answer: [UInt8] = []
            while answer.count < 12 {
                let slab = loop.buffers.take()
                defer { loop.buffers.giveBack(slab) }
                let count = try await stream.read(into: slab, timeoutMilliseconds: milliseconds)
                guard count > 0 else { throw .closed }
                answer.append(contentsOf: slab.prefix(count))
            }
            guard let code = Int(String(utf8: answer[9..<12])), String(utf8: answer.prefix(5)) == "HTTP/" else {
                return "\(host):\(port) does not answer in HTTP"
            }
            return (200..<400).contains(code) ? nil : "HTTP probe failed with statuscode: \(code)"
        } catch {
            return Self.text(error, "\(host):\(port)\(path)")
        }
    }

    private static func text(_ error: StreamError, _ target: String) -> String {
        switch error {
        case .timedOut: "\(target): timed out"
        case .failed(let code): "\(target): \(SystemError("connect", code: code))"
        default: "\(target): the connection was closed"
        }
    }

    private func execute(_ arguments: [String], _ loop: EventLoop, _ milliseconds: UInt64) async -> String? {
        do {
            var command = StepCommand(arguments)
            command.hasOutput = false
            command.hasError = false
            let session = try PodSession(try await runner.execute(command, in: process), on: loop)
            guard let code = await session.exitCode(withinMilliseconds: milliseconds) else {
                session.close()
                return "command timed out"
            }
            session.close()
            return code == 0 ? nil : "command exited with \(code)"
        } catch {
            return "the command could not be started: \(error)"
        }
    }
}
