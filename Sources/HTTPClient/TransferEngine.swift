// The one thread that drives all of a client's transfers through a libcurl multi handle. Other threads only post
// commands and wake it. Easy handles are recycled; connections live in the multi handle and are reused by host.

import CCurl
import EventLoop
import Synchronization

/// Runs transfers on its own thread.
///
/// `@unchecked Sendable`: `multi` is used by the engine's thread alone but for `curl_multi_wakeup`, which libcurl
/// allows from any thread; `active` and `idle` belong to the engine's thread; the rest is behind `mailbox`.
final class TransferEngine: @unchecked Sendable {
    private enum Command {
        case start(Transfer)
        case resume(Transfer)
        case cancel(Transfer)
    }

    private struct Mailbox {
        var commands: [Command] = []
        var transferCount = 0
        var statistics = HTTPClient.Statistics()
        var isStopped = false
    }

    /// Easy handles kept for the next transfers.
    private static let idleHandlesMax = 32

    let configuration: HTTPClient.Configuration
    private let multi: UnsafeMutableRawPointer
    private let mailbox = Mutex(Mailbox())
    private var active: [UnsafeMutableRawPointer: Transfer] = [:]
    private var idle: [EasyHandle] = []

    private static let initialised: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(_ configuration: HTTPClient.Configuration) {
        guard Self.initialised, let multi = curl_multi_init() else { preconditionFailure("libcurl does not start") }
        self.multi = multi
        self.configuration = configuration
        slipway_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.connectionsPerHostMax)
        slipway_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.idleConnectionsMax)
    }

    deinit {
        idle.removeAll()
        curl_multi_cleanup(multi)
    }

    var statistics: HTTPClient.Statistics { mailbox.withLock { $0.statistics } }

    func start() {
        Thread.start(name: "http-client") { self.run() }
    }

    // MARK: From any thread

    func submit(_ transfer: Transfer) throws(HTTPClientError) {
        let isAccepted = mailbox.withLock { mailbox in
            guard mailbox.transferCount < configuration.transfersMax else { return false }
            mailbox.transferCount += 1
            mailbox.statistics.transfers += 1
            mailbox.commands.append(.start(transfer))
            return true
        }
        guard isAccepted else {
            throw HTTPClientError(
                .tooManyTransfers, "\(configuration.transfersMax) requests are under way, as many as this client allows"
            )
        }
        curl_multi_wakeup(multi)
    }

    /// Lets a paused transfer go on.
    func resume(_ transfer: Transfer) { post(.resume(transfer)) }

    /// Takes a transfer out; its connection is closed unless it had ended.
    func cancel(_ transfer: Transfer) { post(.cancel(transfer)) }

    func stop() {
        mailbox.withLock { $0.isStopped = true }
        curl_multi_wakeup(multi)
    }

    private func post(_ command: Command) {
        mailbox.withLock { $0.commands.append(command) }
        curl_multi_wakeup(multi)
    }

    // MARK: The engine's thread

    private func run() {
        while true {
            let (commands, isStopped) = mailbox.withLock { mailbox in
                defer { mailbox.commands.removeAll(keepingCapacity: true) }
                return (mailbox.commands, mailbox.isStopped)
            }
            for command in commands { carryOut(command) }
            if isStopped { break }
            var runningCount: Int32 = 0
            curl_multi_perform(multi, &runningCount)
            collectFinished()
            // Returns early for a socket, a libcurl timer, or a wake-up.
            curl_multi_poll(multi, nil, 0, 60_000, nil)
        }
        for transfer in active.values {
            remove(transfer, .failure(CancellationError()))
        }
    }

    private func carryOut(_ command: Command) {
        switch command {
        case .start(let transfer): start(transfer)
        case .resume(let transfer):
            if let handle = transfer.handle { curl_easy_pause(handle.raw, CURLPAUSE_CONT) }
        case .cancel(let transfer):
            if transfer.handle != nil { remove(transfer, .failure(CancellationError())) }
        }
    }

    private func start(_ transfer: Transfer) {
        // A transfer cancelled before it began has its result already; its cancel command finds no handle.
        let isOver = transfer.shared.withLock { $0.result != nil }
        guard !isOver, let handle = idle.popLast() ?? EasyHandle() else {
            mailbox.withLock { $0.transferCount -= 1 }
            transfer.finish(.failure(HTTPClientError(.failed, "libcurl has no memory for another transfer")))
            return
        }
        transfer.prepare(handle, configuration)
        active[handle.raw] = transfer
        let code = curl_multi_add_handle(multi, handle.raw)
        if code != CURLM_OK {
            remove(transfer, .failure(HTTPClientError(.failed, String(cString: curl_multi_strerror(code)))))
        }
    }

    private func collectFinished() {
        var leftCount: Int32 = 0
        while let message = curl_multi_info_read(multi, &leftCount) {
            guard message.pointee.msg == CURLMSG_DONE, let raw = message.pointee.easy_handle,
                let transfer = active[raw], let handle = transfer.handle
            else { continue }
            let code = message.pointee.data.result
            let opened = slipway_curl_get_long(raw, CURLINFO_NUM_CONNECTS)
            mailbox.withLock { $0.statistics.connections += opened }
            if code == CURLE_OK {
                remove(transfer, .success(()))
            } else {
                remove(transfer, .failure(HTTPClientError(code, detail: handle.errorMessage)))
            }
        }
    }

    private func remove(_ transfer: Transfer, _ result: Result<Void, any Error>) {
        guard let handle = transfer.handle else { return }
        curl_multi_remove_handle(multi, handle.raw)
        active[handle.raw] = nil
        transfer.handle = nil
        handle.reset()
        if idle.count < Self.idleHandlesMax { idle.append(handle) }
        mailbox.withLock { $0.transferCount -= 1 }
        transfer.finish(result)
    }
}
