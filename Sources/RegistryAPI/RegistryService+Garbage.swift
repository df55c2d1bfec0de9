package import Clock
import OCI
import Objects

extension RegistryService {
    /// Blobs younger than this may belong to a push that has not named them yet.
    package static let graceSeconds: Int64 = 24 * 3600

    /// Removes what no manifest names: links of repositories to such blobs, then blobs without a link. Returns how many
    /// blobs went, or nil when a push is under way, which may be about to name what is old. Only what is older than
    /// `graceSeconds` goes, because a push comes in several requests. Throws, and removes nothing, when a manifest cannot
    /// be read.
    package func collectGarbage(now: WallTime = .now, graceSeconds: Int64 = graceSeconds) async throws -> Int? {
        guard gate.beginCollecting() else { return nil }
        defer { gate.endCollecting() }
        let limit = now.advanced(seconds: -graceSeconds)
        var named: Set<String> = []
        try await forEach(.manifests) { [store] object in
            let key = object.key.text
            guard let colon = key.lastIndex(of: ":"), let (info, bytes) = try await store.read(.manifests, key) else {
                return
            }
            // OCI manifests may leave their media type to Content-Type, as podman's do. One that cannot be understood
            // ends the collection: what it names is not known, so nothing may go.
            let document = try ManifestDocument(bytes, contentType: info.attributes.field("Content-Type"))
            for blob in document.blobs { named.insert(key[...colon] + blob.hexadecimal) }
        }
        var linked: Set<Substring> = []
        try await forEach(.links) { [store] object in
            let key = object.key.text
            if !named.contains(key), object.modified < limit {
                try await store.delete(.links, [key])
            } else if let colon = key.lastIndex(of: ":") {
                linked.insert(key[key.index(after: colon)...])
            }
        }
        var count = 0
        try await forEach(.blobs) { [store] object in
            guard !linked.contains(Substring(object.key.text)), object.modified < limit else { return }
            try await store.delete(.blobs, [object.key.text])
            count += 1
        }
        return count
    }

    private func forEach(_ kind: RegistryStore.Kind, _ body: (ListedObject) async throws -> Void) async throws {
        var query = ListingQuery()
        while true {
            let page = try await store.objects.listObjects(bucket: kind.rawValue, query)
            for object in page.items { try await body(object) }
            guard let next = page.next else { return }
            query.after = next
        }
    }
}
