/// How the upload of a logged model stands.
package enum LoggedModelStatus: Int, Sendable {
    case unspecified = 0
    case pending = 1
    case ready = 2
    case uploadFailed = 3

    package static let names = ["UNSPECIFIED", "PENDING", "READY", "UPLOAD_FAILED"]

    package var name: String { Self.names[rawValue] }
}

/// A model that a run made, with its own parameters, metrics and artifacts.
package struct LoggedModel: Sendable {
    package var id: String
    package var experimentID: Int
    package var name: String
    package var type: String?
    package var sourceRunID: String?
    package var artifactLocation: String
    package var status: LoggedModelStatus
    package var statusMessage: String?
    package var creationMilliseconds: Int
    package var lastUpdateMilliseconds: Int
    package var tags: [KeyText]
    package var parameters: [KeyText]
    package var metrics: [MetricPoint]
}
