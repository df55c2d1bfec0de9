/// The outcome of a gRPC call, with its wire number (gRPC "Status codes and their use").
package enum GRPCStatus: Int, Sendable {
    case ok = 0
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case aborted = 10
    case outOfRange = 11
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16
}

/// Ends a call with a status other than OK. `message` is shown to the client.
package struct GRPCError: Error, Sendable, Equatable {
    package var code: GRPCStatus
    package var message: String

    package init(_ code: GRPCStatus, _ message: String) {
        self.code = code
        self.message = message
    }
}
