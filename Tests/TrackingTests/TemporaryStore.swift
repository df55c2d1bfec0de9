import Bytes
import Glibc
import Tracking

/// A store in a folder that lives as long as the test that made it.
final class TemporaryStore: Sendable {
    let store: TrackingStore
    private let folder: String

    init() async throws {
        folder = "/tmp/slipway-tracking-\(Randomness.hexID())"
        mkdir(folder, 0o700)
        store = try await TrackingStore(path: "\(folder)/tracking.db", artifactRoot: "mlflow-artifacts:/")
    }

    deinit {
        for suffix in ["", "-wal", "-shm"] { unlink("\(folder)/tracking.db\(suffix)") }
        rmdir(folder)
    }
}
