// Opens commands in running pods, at most so many at once.

import EventLoop
import Formats
import Runner
import Synchronization

/// What a client asks to run.
package struct PodCommand: Sendable {
    package var arguments: [String]
    package var hasInput = false
    package var hasOutput = true
    package var hasError = true
    package var isTerminal = false

    package init(_ arguments: [String]) { self.arguments = arguments }
}

/// Starts commands in containers.
package final class PodSessions: Sendable {
    /// Commands at once.
    package static let countMax = 64
    private let runner: StepRunner
    private let pods: PodController
    private let open = Mutex(0)

    init(runner: StepRunner, pods: PodController) {
        self.runner = runner
        self.pods = pods
    }

    /// Runs `command` in a container for as long as `body` takes. Call on an event loop.
    ///
    /// Throws `ClusterError`: `.badRequest` when the container does not run, `.limitReached` when too many commands do.
    package func run(
        _ command: PodCommand, in pod: Resource, container: String
    ) async throws -> PodSession {
        guard let loop = EventLoop.current else { throw ClusterError(.unavailable, "commands start on an event loop") }
        guard let process = await pods.process(pod: pod.uid, container: container) else {
            let phase = pod.status["phase"]?.stringValue ?? "Pending"
            guard phase != "Succeeded", phase != "Failed" else {
                throw ClusterError(
                    .badRequest, "cannot exec into a container in a completed pod; current phase is \(phase)")
            }
            throw ClusterError(
                .badRequest, "container \"\(container)\" of pod \"\(pod.name)\" is not running; its pod is \(phase)")
        }
        let isAdmitted = open.withLock { count in
            guard count < Self.countMax else { return false }
            count += 1
            return true
        }
        guard isAdmitted else {
            throw ClusterError(
                .limitReached, "there are \(Self.countMax) commands in pods already; end one and try again")
        }
        do {
            return try await session(command, process, loop)
        } catch {
            ended()
            throw ClusterError(.badRequest, "the command cannot be started in container \"\(container)\": \(error)")
        }
    }

    private func session(_ command: PodCommand, _ process: StepProcess, _ loop: EventLoop) async throws -> PodSession {
        var step = StepCommand(command.arguments)
        step.hasInput = command.hasInput
        step.hasOutput = command.hasOutput
        step.hasError = command.hasError
        step.isTerminal = command.isTerminal
        return try PodSession(try await runner.execute(step, in: process), on: loop)
    }

    /// Call once for each session that `run` gave, when it is closed.
    package func ended() { open.withLock { $0 -= 1 } }
}
