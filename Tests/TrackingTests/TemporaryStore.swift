import DatabaseTesting
import Tracking

/// A store on a database that lives as long as the test that made it.
final class TemporaryStore: Sendable {
    let store: TrackingStore
    private let database: TestDatabase

    init(_ engine: TestEngine = .sqlite) async throws {
        database = try TestDatabase(engine)
        store = try await TrackingStore(location: database.location, artifactRoot: "mlflow-artifacts:/")
    }
}
