import Bytes
import Clock
import OCI
import Objects
import Synchronization

/// A blob on its way: its bytes so far, which may come in several requests. Touched by one request at a time.
final class BlobUpload: @unchecked Sendable {
    // `BlobUploads` lends it to one request; see `take` and `giveBack`.
    let id: String
    let repository: RepositoryName
    let ingest: Ingest
    fileprivate(set) var usedAt = MonotonicTime.now

    init(id: String, repository: RepositoryName, ingest: Ingest) {
        self.id = id
        self.repository = repository
        self.ingest = ingest
    }

    var size: Int64 { ingest.size }
}

/// The uploads under way. They live in memory, as their running digest does: a client whose registry was restarted begins
/// again, as the specification lets it.
final class BlobUploads: Sendable {
    private struct State {
        var resting: [String: BlobUpload] = [:]
        var lentCount = 0
    }

    static let countMax = 256
    static let idleSeconds = 3600.0

    private let state = Mutex(State())

    /// Adds a new one, which the caller has. Throws `TOOMANYREQUESTS` when there are too many.
    func begin(_ repository: RepositoryName, _ makeIngest: () async throws -> Ingest) async throws -> BlobUpload {
        let abandoned = state.withLock { state in
            let old = state.resting.values.filter { $0.usedAt.elapsedSeconds > Self.idleSeconds }
            for upload in old { state.resting[upload.id] = nil }
            return old
        }
        for upload in abandoned { await upload.ingest.discard() }
        let isFull = state.withLock { state in
            guard state.resting.count + state.lentCount < Self.countMax else { return true }
            state.lentCount += 1
            return false
        }
        guard !isFull else {
            throw RegistryError(.tooManyRequests, "\(Self.countMax) uploads are under way; try again later")
        }
        do {
            return BlobUpload(id: Randomness.uuid(), repository: repository, ingest: try await makeIngest())
        } catch {
            state.withLock { $0.lentCount -= 1 }
            throw error
        }
    }

    /// Lends an upload to a request. Throws `BLOB_UPLOAD_UNKNOWN`, also while another request has it.
    func take(_ id: String, of repository: RepositoryName) throws(RegistryError) -> BlobUpload {
        let upload = state.withLock { state -> BlobUpload? in
            guard let upload = state.resting[id], upload.repository == repository else { return nil }
            state.resting[id] = nil
            state.lentCount += 1
            return upload
        }
        guard let upload else {
            throw RegistryError(
                .blobUploadUnknown, "there is no upload \(id.prefix(64)) in \(repository.text): begin again with POST")
        }
        return upload
    }

    /// Keeps a lent upload for the next request.
    func giveBack(_ upload: BlobUpload) {
        upload.usedAt = .now
        state.withLock { state in
            state.lentCount -= 1
            state.resting[upload.id] = upload
        }
    }

    /// A lent upload is over, well or not.
    func end() { state.withLock { $0.lentCount -= 1 } }

    var count: Int { state.withLock { $0.resting.count + $0.lentCount } }
}
