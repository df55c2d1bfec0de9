import Bytes
import Formats
import ObjectClient

/// Lists what lies at a place: through S3, or through the tracking server's artifact proxy.
final class LineageObjects {
    private static let pageCountMax = 10
    private static let folderCountMax = 50
    private static let locationCountMax = 5

    private let store: ObjectClient
    private let track: LineagePeer
    private var failure: String?

    init(store: ObjectClient, track: LineagePeer) {
        self.store = store
        self.track = track
    }

    /// The objects of a version: where its tag says, else under its source, in the version's own folder if there is one.
    func groups(of version: RegistryVersion) async -> [ObjectGroup] {
        if let tagged = version.tags[LineageTags.objects] { return await groups(.version, places(tagged)) }
        if version.source.isEmpty { return [] }
        if version.source.hasPrefix("s3://") {
            let folder = "\(version.source.hasSuffix("/") ? version.source : version.source + "/")\(version.version)/"
            let own = await listing(folder)
            if own.value != nil { return [ObjectGroup(role: .version, location: folder, listing: own)] }
            return await groups(.version, [version.source])
        }
        // `models:/` and `runs:/` sources: the tracking server knows where they lie.
        let answer = await track.ask(
            "/api/2.0/mlflow/model-versions/get-download-uri",
            query: [("name", version.name), ("version", version.version)])
        return await groups(.version, [answer.value?["artifact_uri"]?.stringValue ?? version.source])
    }

    /// What the run says it wrote, and its artifacts.
    func groups(of run: TrackedRun) async -> [ObjectGroup] {
        var all = await groups(.run, places(run.tags[LineageTags.objects] ?? ""))
        if !run.artifactLocation.isEmpty { all += await groups(.artifacts, [run.artifactLocation]) }
        return all
    }

    private func places(_ text: String) -> [String] {
        text.pieces(by: " ").prefix(Self.locationCountMax).map(String.init)
    }

    private func groups(_ role: ObjectGroup.Role, _ locations: [String]) async -> [ObjectGroup] {
        var groups: [ObjectGroup] = []
        for location in locations {
            groups.append(ObjectGroup(role: role, location: location, listing: await listing(location)))
        }
        return groups
    }

    private func listing(_ location: String) async -> Part<ObjectListing> {
        if let place = ObjectLocation(location) { return await objects(place) }
        if let path = Self.proxied(location) { return await artifacts(path) }
        return .absent("is no place in an object store, so nothing here can list it")
    }

    /// The path behind `mlflow-artifacts:/path` and `mlflow-artifacts://host/path`; nil for another place.
    static func proxied(_ location: String) -> String? {
        guard location.hasPrefix("mlflow-artifacts:/") else { return nil }
        let rest = location.dropFirst("mlflow-artifacts:/".count)
        guard rest.hasPrefix("/") else { return String(rest) }
        return String(rest.dropFirst().drop { $0 != "/" }.dropFirst())
    }

    private func objects(_ place: ObjectLocation) async -> Part<ObjectListing> {
        if let failure { return .unknown(failure) }
        let folder = place.key.isEmpty || place.key.hasSuffix("/") ? place.key : place.key + "/"
        var listing = ObjectListing()
        var token: String?
        do {
            for page in 1...Self.pageCountMax {
                let found = try await store.list(bucket: place.bucket, prefix: place.key, continuationToken: token)
                for object in found.objects where object.key == place.key || object.key.hasPrefix(folder) {
                    listing.add(.init(key: object.key, bytes: object.size, etag: object.etag))
                }
                token = found.continuationToken
                if token == nil { break }
                listing.isComplete = page < Self.pageCountMax
            }
        } catch let error as ObjectClientError {
            return failed(error, bucket: place.bucket)
        } catch {
            return .unknown("the object store's answer broke off: \(error)")
        }
        return listing.count == 0 ? .absent("nothing lies there") : .found(listing)
    }

    private func failed(_ error: ObjectClientError, bucket: String) -> Part<ObjectListing> {
        if error.code == "NoSuchBucket" { return .absent("the object store has no bucket \(bucket)") }
        let remedy =
            error.status == 0
            ? "start it with `slipway store`, or name another with --s3-endpoint"
            : "give --s3-access-key and --s3-secret-key, or the --data of the store"
        let text = "\(error.message) (\(error.code)): \(remedy)"
        if error.status == 0 { failure = text }
        return .unknown(text)
    }

    private func artifacts(_ path: String) async -> Part<ObjectListing> {
        var listing = ObjectListing()
        var folders = [path][...]
        var askedCount = 0
        while let folder = folders.popFirst() {
            guard askedCount < Self.folderCountMax else {
                listing.isComplete = false
                break
            }
            askedCount += 1
            let answer = await track.ask("/api/2.0/mlflow-artifacts/artifacts", query: [("path", folder)])
            guard let files = answer.value else {
                if listing.count == 0, folders.isEmpty { return answer.flatMap { _ in .absent("nothing lies there") } }
                continue
            }
            for file in files["files"]?.arrayValue ?? [] {
                guard let name = file["path"]?.stringValue else { continue }
                let whole = folder.isEmpty ? name : "\(folder)/\(name)"
                if file["is_dir"]?.boolValue == true {
                    folders.append(whole)
                } else {
                    listing.add(.init(key: whole, bytes: file["file_size"]?.intValue ?? 0, etag: nil))
                }
            }
        }
        return listing.count == 0 ? .absent("nothing lies there") : .found(listing)
    }
}
