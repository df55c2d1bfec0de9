// Copies a model's objects into a service's repository. A copy is made beside and put in the place of the old one by a
// rename, which keeps what was there until the server has loaded the new one.

import Bytes
import EventLoop
import Files
import Formats
import Glibc
import ObjectClient

/// What is in a repository for one model: whose object asked for it, and whether the server has it.
struct ModelRecord: Equatable, Sendable {
    /// uid and generation of the object that names the model.
    var key: String
    /// True once every server of the service has loaded it.
    var isLoaded: Bool

    var json: JSON { ["key": .string(key), "loaded": .bool(isLoaded)] }

    init(key: String, isLoaded: Bool) {
        self.key = key
        self.isLoaded = isLoaded
    }

    init?(_ bytes: [UInt8]) {
        guard let json = try? JSON.parse(bytes), let key = json["key"]?.stringValue,
            let isLoaded = json["loaded"]?.boolValue
        else { return nil }
        self.init(key: key, isLoaded: isLoaded)
    }
}

/// The folder of one service: `models/NAME` for the server, `records/NAME` and `incoming/` for the controller.
struct ModelFolders: Sendable {
    let root: String
    let pool: BlockingPool

    var models: String { "\(root)/models" }

    private static let objectCountMax = 10_000
    private static let bytesMax: Int64 = 64 << 30

    /// Makes the folders; what a crash left in `incoming/` goes.
    func prepare() async throws {
        let (root, models) = (root, models)
        try await pool.run {
            FileTools.removeTree("\(root)/incoming")
            for folder in [models, "\(root)/records", "\(root)/incoming", "\(root)/replaced"] {
                try FileTools.makeFolder(folder, mode: 0o755)
            }
        }
    }

    func record(_ name: String) async -> ModelRecord? {
        let (path, model) = ("\(root)/records/\(name)", "\(models)/\(name)")
        return
            (try? await pool.run {
                FileTools.isFolder(model) ? FileTools.read(path, bytesMax: 4096).flatMap { ModelRecord($0) } : nil
            }) ?? nil
    }

    func write(_ record: ModelRecord, _ name: String) async throws {
        let (path, bytes) = ("\(root)/records/\(name)", record.json.encoded)
        try await pool.run { try FileTools.write(path, bytes, mode: 0o644) }
    }

    /// The names of the models that are there.
    func names() async -> [String] {
        let root = root
        return (try? await pool.run { FileTools.names(in: "\(root)/records") }) ?? []
    }

    func remove(_ name: String) async {
        let paths = ["\(root)/records/\(name)", "\(models)/\(name)", "\(root)/replaced/\(name)"]
        try? await pool.run { for path in paths { FileTools.removeTree(path) } }
    }

    /// Copies what stands under `uri` and puts it in the place of the model `name`; the old one is kept aside until
    /// `settle`. Throws `StorageFault`.
    func fetch(_ uri: String, as name: String, from endpoint: ObjectEndpoint) async throws {
        let incoming = "\(root)/incoming/\(name)-\(Randomness.hexID())"
        do {
            try await copy(uri, to: incoming, from: endpoint)
        } catch {
            try? await pool.run { FileTools.removeTree(incoming) }
            throw error
        }
        let (target, replaced) = ("\(models)/\(name)", "\(root)/replaced/\(name)")
        try await pool.run {
            try Self.arrange(incoming)
            FileTools.removeTree(replaced)
            if FileTools.exists(target) { try FileTools.move(target, to: replaced) }
            try FileTools.move(incoming, to: target)
        }
    }

    /// Forgets the old model, or puts it back in the place of the new one.
    func settle(_ name: String, keepsNew: Bool) async {
        let (target, replaced) = ("\(models)/\(name)", "\(root)/replaced/\(name)")
        try? await pool.run {
            if !keepsNew {
                FileTools.removeTree(target)
                if FileTools.exists(replaced) { try FileTools.move(replaced, to: target) }
            }
            FileTools.removeTree(replaced)
        }
    }

    private func copy(_ uri: String, to folder: String, from endpoint: ObjectEndpoint) async throws {
        guard let location = ObjectLocation(uri) else {
            throw StorageFault(message: "\"\(uri)\" names no bucket: write s3://BUCKET/PATH")
        }
        var prefix = location.key
        while prefix.hasSuffix("/") { prefix.removeLast() }
        if !prefix.isEmpty { prefix += "/" }
        let client = ObjectClient(endpoint: endpoint)
        let objects: [ObjectSummary]
        do {
            objects = try await client.listAll(bucket: location.bucket, prefix: prefix, countMax: Self.objectCountMax)
        } catch let error as ObjectClientError {
            throw StorageFault(message: Self.explain(error, uri, location.bucket, endpoint))
        }
        let files = objects.filter { !$0.key.ends(withBytesOf: "/") }
        guard !files.isEmpty else {
            throw StorageFault(
                message:
                    "there is no object under \(uri) at \(endpoint.url): upload the model first, or mend storageUri")
        }
        let bytes = files.reduce(Int64(0)) { $0 &+ max(0, $1.size) }
        guard bytes <= Self.bytesMax else {
            throw StorageFault(message: "\(uri) holds \(bytes) bytes; at most \(Self.bytesMax) are copied")
        }
        for object in files {
            let relative = object.key.dropping(bytesOf: prefix)
            let parts = relative.pieces(by: "/", omittingEmptySubsequences: false)
            guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }) else {
                throw StorageFault(message: "the object key \"\(object.key)\" is not a usable path")
            }
            try await copy(object, client, location.bucket, to: "\(folder)/\(relative)")
        }
    }

    private func copy(_ object: ObjectSummary, _ client: ObjectClient, _ bucket: String, to path: String) async throws {
        let file = try await pool.run { try Self.writer(path) }
        do {
            try await client.read(bucket: bucket, key: object.key) { chunk in
                try await pool.run { try file.write(chunk) }
            }
        } catch let error as ObjectClientError {
            throw StorageFault(message: "\(object.key) in bucket \(bucket) cannot be read: \(error)")
        }
    }

    private static func writer(_ path: String) throws -> FileWriter {
        if let parent = path.divided(atLast: "/")?.before { try FileTools.makeFolder(String(parent), mode: 0o755) }
        return try FileWriter(path, mode: 0o644)
    }

    /// Puts a model that stands without a version folder into version 1.
    private static func arrange(_ folder: String) throws {
        let names = FileTools.names(in: folder)
        let files = ["saved_model.pb", "model.onnx", "model.savedmodel", "model.xml"]
        guard !names.contains(where: { Int($0) != nil }), names.contains(where: { files.contains($0) }) else { return }
        let version = folder + "/1"
        try FileTools.makeFolder(version, mode: 0o755)
        for name in names where name != "config.pbtxt" {
            try FileTools.move("\(folder)/\(name)", to: "\(version)/\(name)")
        }
    }

    private static func explain(
        _ error: ObjectClientError, _ uri: String, _ bucket: String, _ endpoint: ObjectEndpoint
    ) -> String {
        switch error.code {
        case "NoSuchBucket": "bucket \"\(bucket)\" of \(uri) does not exist at \(endpoint.url): make it with mc mb"
        case "InvalidAccessKeyId":
            "the object store at \(endpoint.url) does not know the access key of the ServiceAccount's Secret"
        case "SignatureDoesNotMatch":
            "the object store at \(endpoint.url) refuses the secret key of the ServiceAccount's Secret"
        case "AccessDenied" where endpoint.credential == nil:
            """
            the object store at \(endpoint.url) wants a key: give the ServiceAccount a Secret with AWS_ACCESS_KEY_ID and \
            AWS_SECRET_ACCESS_KEY
            """
        case "Unreachable":
            """
            \(uri) cannot be listed: \(error.message); start the store, or correct the Secret's annotation \
            serving.kserve.io/s3-endpoint
            """
        default: "\(uri) cannot be listed: \(error)"
        }
    }
}
