// An HTTP client with the server's body types. libcurl does the protocol; one thread of our own drives all transfers
// (`TransferEngine`), and a transfer's two ends meet in `Transfer`, where both directions have a bounded buffer.

package import HTTP

/// Sends requests and keeps connections for reuse. Safe to call from any task; the task's executor is never blocked.
package final class HTTPClient: Sendable {
    package struct Configuration: Sendable {
        /// A PEM file of certificate authorities to trust instead of the system's.
        package var authorityPath: String?
        /// False takes any certificate, for any name: only when a person asks for it.
        package var verifiesServer = true
        package var connectTimeoutMilliseconds: UInt64 = 10_000
        /// Connections to one host and port; more transfers wait for one.
        package var connectionsPerHostMax = 64
        /// Idle connections kept for reuse.
        package var idleConnectionsMax = 64
        /// Transfers at once. Over it: `tooManyTransfers`.
        package var transfersMax = 1024
        /// Fields of a response head. Over it: `malformedResponse`.
        package var fieldCountMax = 256
        /// True sends through the proxy that `http_proxy`, `https_proxy` and `no_proxy` name.
        package var usesEnvironmentProxy = false
        package var userAgent = "slipway"

        package init() {}
    }

    /// Counts since the client was made.
    package struct Statistics: Sendable, Equatable {
        package var transfers = 0
        /// Connections opened; the other transfers reused one.
        package var connections = 0

        package init(transfers: Int = 0, connections: Int = 0) {
            self.transfers = transfers
            self.connections = connections
        }
    }

    /// A client with the default configuration, for the life of the process.
    package static let shared = HTTPClient()

    private let engine: TransferEngine

    package init(configuration: Configuration = Configuration()) {
        engine = TransferEngine(configuration)
        engine.start()
    }

    deinit { engine.stop() }

    package var statistics: Statistics { engine.statistics }

    /// Sends `request`, its body included, and returns when the response head is there.
    ///
    /// Throws `HTTPClientError`, what a streamed body throws, or `CancellationError`; the transfer is then over.
    package func execute(_ request: ClientRequest) async throws -> ClientResponse {
        let transfer = try Transfer(request, engine: engine)
        try engine.submit(transfer)
        let head = try await withTaskCancellationHandler {
            do {
                if case .stream(let body) = request.body { try await transfer.upload(body) }
                return try await transfer.head()
            } catch {
                transfer.cancel()
                throw error
            }
        } onCancel: {
            transfer.cancel()
        }
        guard request.method != .head, !head.status.forbidsBody else {
            return ClientResponse(status: head.status, fields: head.fields, body: .empty)
        }
        let length = head.fields["Content-Length"].flatMap { Int($0) }
        let source = TransferBody(transfer, client: self)
        return ClientResponse(
            status: head.status, fields: head.fields, body: RequestBody(source: source, length: length))
    }

    /// Sends `request` and collects the response body, at most `bytesMax` bytes.
    package func collect(
        _ request: ClientRequest, bytesMax: Int
    ) async throws -> (status: HTTPStatus, fields: HTTPFields, body: [UInt8]) {
        let response = try await execute(request)
        return (response.status, response.fields, try await response.collect(bytesMax: bytesMax))
    }
}

/// The response body of a transfer; cancels the transfer when it is dropped.
private final class TransferBody: BodySource {
    private let transfer: Transfer
    // Held so that the client's thread lives until the body has been read.
    private let client: HTTPClient

    init(_ transfer: Transfer, client: HTTPClient) {
        self.transfer = transfer
        self.client = client
    }

    deinit { transfer.cancel() }

    func next() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await transfer.nextChunk()
        } onCancel: {
            transfer.cancel()
        }
    }

    var trailers: HTTPFields { transfer.trailers }
}
