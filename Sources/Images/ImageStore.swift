// The images of this machine: pulled once, whoever asks for them.

import Archives
import EventLoop
import Files
import Glibc
package import HTTPClient
import Log
package import OCI
import Synchronization

/// Where images come from and how much room they may take.
package struct ImageSettings: Sendable {
    /// The store's own folder; absolute.
    package var folder: String
    /// Where an image whose name has no host is looked for, such as `localhost:5000`; nil looks nowhere.
    package var registry: String?
    /// The log-in at `registry`, where it wants one.
    package var credential: RegistryCredential?
    /// Hosts that are spoken to over plain HTTP, beside this machine's own addresses.
    package var insecureRegistries: Set<String> = []
    /// Bytes that layers may take unpacked before images that nothing uses go.
    package var bytesMax: Int64 = 20 << 30

    package init(folder: String) { self.folder = folder }
}

/// Pulls and keeps images.
package actor ImageStore {
    /// An image, and whether it had to come from its registry.
    package struct Found: Sendable {
        package let image: PulledImage
        package let wasPresent: Bool
    }

    private let settings: ImageSettings
    private let folder: ImageFolder
    private let client: HTTPClient
    private let pool = BlockingPool(name: "images", threadCount: 2, backlogCountMax: 256)
    private let logger = Logger(role: "cluster")
    private var pulls: [Request: Task<Found, any Error>] = [:]
    private var layers: [String: Task<Void, any Error>] = [:]
    private var preparing: Task<Void, any Error>?
    private var pruning: Task<Int64, Never>?

    /// What was pulled since the start.
    package struct Statistics: Sendable {
        package var pulled: UInt64 = 0
        package var failed: UInt64 = 0
        /// Of layers, as they came.
        package var bytes: UInt64 = 0
    }

    private let counts = Mutex(Statistics())
    package nonisolated var statistics: Statistics { counts.withLock { $0 } }

    private struct Request: Hashable {
        let reference: ImageReference
        let credentials: [RegistryCredential]
    }

    package init(settings: ImageSettings, client: HTTPClient = .shared) {
        self.settings = settings
        self.client = client
        folder = ImageFolder(root: settings.folder)
    }

    /// The registry that `reference` stands in; nil when it names none and there is no default.
    package nonisolated func located(_ reference: ImageReference) -> ImageReference? {
        reference.host == nil ? settings.registry.map { reference.at($0) } : reference
    }

    /// The image that a pod runs already, by its digest; nil when it is here no more.
    package func image(_ digest: Digest) async throws -> PulledImage? {
        try await prepare()
        let folder = folder
        return try await pool.run { folder.image(digest) }
    }

    /// The image that `reference` stood for when it was pulled last; nil when it is not here.
    package func image(named reference: ImageReference) async throws -> PulledImage? {
        try await prepare()
        let folder = folder
        return try await pool.run { folder.image(named: reference) }
    }

    /// Asks the registry what `reference`, which has a host, stands for now, and pulls what is not here. Throws `ImageError`.
    package func pull(_ reference: ImageReference, credentials: [RegistryCredential]) async throws -> Found {
        try await prepare()
        let request = Request(reference: reference, credentials: credentials)
        if let pull = pulls[request] { return try await pull.value }
        // Detached: other pods may wait for the same image, so it does not end with the one that asked first.
        let pull = Task.detached { try await self.pull(request) }
        pulls[request] = pull
        defer { pulls[request] = nil }
        do {
            let found = try await pull.value
            if !found.wasPresent { counts.withLock { $0.pulled += 1 } }
            return found
        } catch {
            counts.withLock { $0.failed += 1 }
            throw error
        }
    }

    /// Removes what takes more room than it may and is used by none of `kept`.
    package func prune(keeping kept: Set<Digest>) async {
        guard pulls.isEmpty, pruning == nil, FileTools.isFolder(settings.folder) else { return }
        let (folder, pool, bytesMax) = (folder, pool, settings.bytesMax)
        // Detached: whoever looks for an image meanwhile waits for its end, or would be given one that is about to go.
        let task = Task.detached {
            (try? await pool.run { folder.prune(bytesMax: bytesMax, kept: kept) }) ?? 0
        }
        pruning = task
        let freed = await task.value
        pruning = nil
        if freed > 0 { logger.info("removed image layers that nothing used", [("bytes", "\(freed)")]) }
    }

    /// The folders are there, and nothing is being removed.
    private func prepare() async throws {
        if preparing == nil { try await makeReady() } else { try await preparing?.value }
        if let pruning { _ = await pruning.value }
    }

    private func makeReady() async throws {
        let (folder, pool) = (folder, pool)
        // Detached: whoever comes meanwhile waits for the same, since what is being pulled lies where it clears up.
        let task = Task.detached { try await pool.run { try folder.prepare() } }
        preparing = task
        do {
            try await task.value
        } catch {
            preparing = nil
            throw ImageError(.failed, "the folder of images cannot be made: \(error)")
        }
    }

    // MARK: Pulling

    private func pull(_ request: Request) async throws -> Found {
        let reference = request.reference
        // The platform's own registry speaks plain HTTP.
        let insecure = settings.insecureRegistries.union(settings.registry.map { [$0] } ?? [])
        let own = settings.credential.map { [$0] } ?? []
        let registry = RegistryClient(
            reference, credentials: request.credentials + own, insecure: insecure, client: client)
        let folder = folder
        var (bytes, digest) = try await registry.manifest(reference.manifest)
        if let image = try await pool.run({ [digest] in folder.image(digest) }) {
            try await write(reference, digest)
            return Found(image: image, wasPresent: true)
        }
        do {
            var manifest = try ImageManifest(bytes, architecture: Self.architecture)
            if case .index(let descriptor) = manifest {
                bytes = try await registry.manifest(descriptor.digest.text).bytes
                manifest = try ImageManifest(bytes, architecture: Self.architecture)
            }
            guard case .image(let descriptor, let layers) = manifest else {
                throw ImageError(.unsupported, "image \"\(reference)\": its index names another index")
            }
            let configuration = try ImageConfiguration(
                await registry.document(descriptor), architecture: Self.architecture)
            try await requireRoom(for: layers, reference)
            for layer in layers { try await fetch(layer, reference, registry) }
            // A layer that stands there twice counts where it is topmost.
            var names: [String] = []
            for layer in layers.reversed() where !names.contains(ImageFolder.layerName(layer.digest)) {
                names.append(ImageFolder.layerName(layer.digest))
            }
            try await pool.run { [names, digest] in try folder.add(digest, layers: names, configuration) }
        } catch let error as ImageDocumentError {
            throw ImageError(.unsupported, "image \"\(reference)\" cannot be run here: \(error)")
        } catch let error as Files.SystemError {
            throw ImageError(.failed, "image \"\(reference)\" cannot be kept: \(error)")
        }
        try await write(reference, digest)
        guard let image = try await pool.run({ [digest] in folder.image(digest) }) else {
            throw ImageError(.unsupported, "image \"\(reference)\" cannot be run here: it has no layers")
        }
        return Found(image: image, wasPresent: false)
    }

    /// Refuses an image before its first byte comes when it would not fit: packed layers are smaller than what they hold.
    private func requireRoom(for layers: [ImageDescriptor], _ reference: ImageReference) async throws {
        // A layer may be listed twice, and layers that other images brought need no room of the disk.
        let distinct = Dictionary(layers.map { ($0.digest, $0) }) { first, _ in first }.values
        func sum(_ layers: some Collection<ImageDescriptor>) -> Int64 {
            layers.reduce(Int64(0)) { sum, layer in
                let (total, isOver) = sum.addingReportingOverflow(layer.size)
                return isOver ? .max : total
            }
        }
        let bytes = sum(distinct)
        guard bytes <= settings.bytesMax else {
            throw ImageError(
                .failed,
                "image \"\(reference)\" has \(bytes) bytes packed, and images may take \(settings.bytesMax) here; raise --image-space"
            )
        }
        let folder = folder
        let missing = try await pool.run { distinct.filter { !folder.hasLayer(ImageFolder.layerName($0.digest)) } }
        let missingBytes = sum(missing)
        guard try await pool.run({ try folder.hasRoom(for: missingBytes) }) else {
            throw ImageError(
                .failed,
                "image \"\(reference)\" has \(missingBytes) bytes to fetch, for which the disk has no room; make some")
        }
    }

    private func write(_ reference: ImageReference, _ digest: Digest) async throws {
        let folder = folder
        do {
            try await pool.run { try folder.name(reference, digest) }
        } catch {
            throw ImageError(.failed, "image \"\(reference)\" cannot be kept: \(error)")
        }
    }

    private func fetch(
        _ layer: ImageDescriptor, _ reference: ImageReference, _ registry: RegistryClient
    ) async throws {
        let name = ImageFolder.layerName(layer.digest)
        if let other = layers[name] { return try await other.value }
        let folder = folder
        if try await pool.run({ folder.hasLayer(name) }) { return }
        // Another image may have begun it while that was looked up.
        if let other = layers[name] { return try await other.value }
        // Detached: images that share the layer wait for it.
        let task = Task.detached { try await self.download(layer, name, reference, registry) }
        layers[name] = task
        defer { layers[name] = nil }
        try await task.value
    }

    private func download(
        _ layer: ImageDescriptor, _ name: String, _ reference: ImageReference, _ registry: RegistryClient
    ) async throws {
        let (folder, pool) = (folder, pool)
        let (path, file) = try await pool.run { try folder.openArchive() }
        do {
            try await registry.layer(layer) { piece in
                try await pool.run { try file.write(piece) }
            }
            let bytesMax = settings.bytesMax
            try await pool.run { try folder.unpack(path, as: name, bytesMax: bytesMax) }
            try await pool.run { FileTools.removeTree(path) }
            counts.withLock { $0.bytes += UInt64(layer.size) }
        } catch {
            try? await pool.run { FileTools.removeTree(path) }
            if let error = error as? ArchiveError {
                throw ImageError(
                    error.code == .failed ? .failed : .malformed,
                    "image \"\(reference)\": layer \(layer.digest.text) cannot be unpacked: \(error)")
            }
            throw error
        }
    }

    /// This machine's, as images name it.
    private static let architecture: String = {
        var name = utsname()
        uname(&name)
        let machine = withUnsafeBytes(of: &name.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return ["x86_64": "amd64", "aarch64": "arm64"][machine] ?? machine
    }()
}
