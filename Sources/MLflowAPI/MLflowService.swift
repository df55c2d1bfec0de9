// The MLflow REST API over the tracking domain: one handler that guards, routes and maps errors.

import Bytes
package import HTTP
import Log
package import Metrics
import Server
package import Tracking

/// What one tracking server serves.
package struct MLflowConfiguration: Sendable {
    /// Host names taken beside localhost and private addresses; may hold `*`.
    package var allowedHosts: [String] = []
    /// Rendered at `/metrics`; nil leaves that path out.
    package var metrics: MetricsRegistry?

    /// False leaves the artifact proxy out: clients go to the artifact root themselves.
    package var servesArtifacts = true

    package init() {}
}

/// Answers MLflow's REST API.
package final class MLflowService: Sendable {
    /// What clients are told that this server is compatible with; they switch features on by it.
    package static let compatibleVersion = "3.17.2"

    let store: TrackingStore
    let artifacts: ArtifactResolver
    let configuration: MLflowConfiguration
    private let logger = Logger(role: "track")

    package init(
        store: TrackingStore, artifacts: ArtifactResolver, configuration: MLflowConfiguration = MLflowConfiguration()
    ) {
        self.store = store
        self.artifacts = artifacts
        self.configuration = configuration
        configuration.metrics?.collected(
            "slipway_track_commits_total", help: "Transactions committed to the tracking database.", type: "counter"
        ) { [store] out in out.append("slipway_track_commits_total \(store.commitCount)\n") }
        configuration.metrics?.collected(
            "slipway_track_writes_total", help: "Writes that those transactions carried.", type: "counter"
        ) { [store] out in out.append("slipway_track_writes_total \(store.writeCount)\n") }
    }

    /// The handler to serve.
    package var handler: Handler {
        let router = routes()
        return { request in
            do {
                return try await router.respond(to: request)
            } catch let error as MLflowError {
                return error.response
            } catch let error as TrackingError {
                if error.code == .internalError {
                    self.logger.error("tracking store", [("id", request.id), ("error", error.message)])
                }
                return MLflowError(error).response
            }
        }
    }
}
