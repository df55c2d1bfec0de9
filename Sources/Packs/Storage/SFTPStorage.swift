package import EventLoop
package import HTTPClient

/// Packs on a server that speaks SSH.
package struct SFTPStorage: PackStorage {
    private let client: SFTPClient
    private let pool: BlockingPool

    package init(client: SFTPClient, pool: BlockingPool) {
        self.client = client
        self.pool = pool
    }

    package var name: String { "sftp://\(client.location.name)\(client.location.path)" }

    package func names(_ folder: String) async throws(PackError) -> [String] {
        try await blocking(pool) { () throws(PackError) in
            do throws(SFTPError) {
                return try client.names(folder)
            } catch {
                if error.code == .notFound { return [] }
                throw failure(error)
            }
        }
    }

    package func fetch(_ path: String, into file: IncomingFile) async throws(PackError) -> Bool {
        try await blocking(pool) { () throws(PackError) in
            var refusal: PackError?
            do throws(SFTPError) {
                try client.read(path) { bytes in
                    do throws(PackError) {
                        try file.append(bytes)
                        return true
                    } catch {
                        refusal = error
                        return false
                    }
                }
                return true
            } catch {
                if let refusal { throw refusal }
                if error.code == .notFound { return false }
                throw failure(error)
            }
        }
    }

    private func failure(_ error: SFTPError) -> PackError {
        let hint =
            switch error.code {
            case .untrusted:
                ": compare its fingerprint, then add it with ssh-keyscan -p \(client.location.port) "
                    + "\(client.location.host) to the known_hosts file, or name it with --sftp-host-key"
            case .denied: ": check MY_USER_NAME, and MY_PASSWORD or --sftp-key"
            default: ""
            }
        return PackError(.storageFailed, "\(name) cannot be read: \(error.message)\(hint)")
    }
}
