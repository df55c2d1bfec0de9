// A command in a container with its streams, as `kubectl exec` drives it. Confined to one event loop.

import EventLoop
import Glibc
import Runner

/// A running command of a pod. Made and used on one loop; close it in the end.
package final class PodSession: @unchecked Sendable {
    private let session: StepSession
    private var input: ByteStream?
    private let output: ByteStream?
    private let error: ByteStream?
    private let end: Channel
    private let terminal: Int32
    private var isClosed = false
    /// Between reads an interactive session may be silent for long; its client is what is asked for signs of life.
    private static let idleMilliseconds: UInt64 = 24 * 3600 * 1000

    init(_ session: StepSession, on loop: EventLoop) throws {
        self.session = session
        let inputDescriptor = session.takeInput()
        let outputDescriptor = session.takeOutput()
        let errorDescriptor = session.takeError()
        // The channel owns a copy: the session waits on the original in the end.
        end = Channel(descriptor: dup(session.endDescriptor), loop: loop)
        try end.register()
        end.noteReadWouldBlock()
        input = inputDescriptor < 0 ? nil : try ByteStream(pipe: inputDescriptor, loop: loop)
        // A terminal is one descriptor for both directions.
        let isTerminal = inputDescriptor >= 0 && outputDescriptor < 0 && errorDescriptor < 0
        terminal = isTerminal ? inputDescriptor : -1
        output = isTerminal ? input : outputDescriptor < 0 ? nil : try ByteStream(pipe: outputDescriptor, loop: loop)
        error = errorDescriptor < 0 ? nil : try ByteStream(pipe: errorDescriptor, loop: loop)
    }

    /// Hands `bytes` to the command's standard input. What a command that has closed it does not read is dropped.
    package func send(_ bytes: [UInt8]) async {
        guard let input else { return }
        try? await input.write(bytes, timeoutMilliseconds: Self.idleMilliseconds)
    }

    /// Ends standard input; on a terminal, types the end-of-file character.
    package func finishInput() async {
        if terminal >= 0 { return await send([4]) }
        input?.close()
        input = nil
    }

    /// Sets the size of the terminal; without one nothing happens.
    package func resize(columns: Int, rows: Int) {
        if terminal >= 0, !isClosed { StepSession.resize(terminal, columns: columns, rows: rows) }
    }

    /// The next bytes of standard output, or of the terminal; nil at the end.
    package func readOutput() async -> [UInt8]? { await read(output) }

    /// The next bytes of standard error; nil at the end.
    package func readError() async -> [UInt8]? { await read(error) }

    private func read(_ stream: ByteStream?) async -> [UInt8]? {
        await stream?.nextBytes(withinMilliseconds: Self.idleMilliseconds)
    }

    /// Waits for the command's end: its exit code, 128 + n after signal n. Nil when the time went by first.
    package func exitCode(withinMilliseconds milliseconds: UInt64 = 24 * 3600 * 1000) async -> Int? {
        while true {
            if let code = session.exitCode() { return code }
            guard (try? await end.readable(withinMilliseconds: milliseconds)) == true else { return nil }
        }
    }

    /// Ends reading: for output that a process in the background keeps open after the command itself has ended.
    package func abandonOutput() {
        output?.channel.abort()
        error?.channel.abort()
    }

    /// Kills the command if it still runs.
    package func kill() { session.kill() }

    /// Kills what is left and closes the streams. No read or write may be under way.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        session.kill()
        input?.close()
        if output !== input { output?.close() }
        error?.close()
        end.close()
    }
}
