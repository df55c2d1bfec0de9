import Bytes
package import EventLoop
package import ObjectClient

/// Packs in a bucket of an object store.
package struct ObjectPackStorage: PackStorage {
    private let client: ObjectClient
    private let location: ObjectLocation
    private let pool: BlockingPool

    private static let modelCountMax = 10_000

    package init(client: ObjectClient, location: ObjectLocation, pool: BlockingPool) {
        self.client = client
        self.location = location
        self.pool = pool
    }

    package var name: String { "s3://\(location.bucket)" + (prefix.isEmpty ? "" : "/\(prefix.dropLast())") }

    /// Ends with a slash, or is empty.
    private var prefix: String {
        location.key.isEmpty || location.key.hasSuffix("/") ? location.key : location.key + "/"
    }

    package func names(_ folder: String) async throws(PackError) -> [String] {
        let whole = "\(prefix)\(folder)/"
        do {
            let objects = try await client.listAll(
                bucket: location.bucket, prefix: whole, countMax: Self.modelCountMax)
            return objects.map { String($0.key.dropping(bytesOf: whole)) }.filter { !$0.isEmpty && !$0.holds("/") }
        } catch {
            throw failure(error)
        }
    }

    package func fetch(_ path: String, into file: IncomingFile) async throws(PackError) -> Bool {
        do {
            try await client.read(bucket: location.bucket, key: prefix + path) { try await append($0, to: file) }
            return true
        } catch let error as ObjectClientError where error.isNotFound && error.code != "NoSuchBucket" {
            return false
        } catch let error as PackError {
            throw error
        } catch {
            throw failure(error)
        }
    }

    private func append(_ chunk: [UInt8], to file: IncomingFile) async throws {
        try await pool.run { try file.append(chunk) }
    }

    private func failure(_ error: any Error) -> PackError {
        guard let error = error as? ObjectClientError else {
            return PackError(.storageFailed, "\(name) cannot be read: \(error)")
        }
        switch error.code {
        case "NoSuchBucket":
            return PackError(
                .storageFailed,
                "bucket \"\(location.bucket)\" does not exist at \(client.endpoint.url): make it with mc mb and copy "
                    + "the pack there")
        case "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "Status403":
            return PackError(
                .storageFailed,
                "\(name) refuses the credential (\(error.code)): check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        case "Unreachable":
            return PackError(
                .storageFailed,
                "\(name) cannot be read: \(error.message); start the store, or correct --s3-endpoint")
        default: return PackError(.storageFailed, "\(name) cannot be read: \(error.message)")
        }
    }
}
