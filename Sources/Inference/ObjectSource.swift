// Models in an object store. A model is copied to a folder of its own for the time it is loaded, and the copy removed
// afterwards: nothing on disk can be stale, and nothing grows.

import Bytes
import EventLoop
import Files
import ObjectClient

/// Models under a prefix of a bucket: `PREFIX/NAME/config.pbtxt`, `PREFIX/NAME/1/model.onnx`.
struct ObjectSource: ModelSource {
    let client: ObjectClient
    let bucket: String
    /// Ends with a slash, or is empty.
    let prefix: String
    let cacheFolder: String
    let pool: BlockingPool
    let limits: InferenceLimits

    func names() async throws(InferenceError) -> [String] {
        do {
            var names: [String] = []
            var token: String?
            repeat {
                let page = try await client.list(
                    bucket: bucket, prefix: prefix, delimiter: "/", continuationToken: token)
                for common in page.commonPrefixes {
                    let name = String(common.dropping(bytesOf: prefix).droppingLastSlash())
                    if ModelName.isValid(name) { names.append(name) }
                }
                token = page.continuationToken
            } while token != nil && names.count < limits.modelCountMax
            return names.sorted()
        } catch let error as ObjectClientError where error.isNotFound {
            return []
        } catch {
            throw failure("its models cannot be listed", error)
        }
    }

    func fingerprint(_ name: String) async throws(InferenceError) -> String? {
        let objects = try await objects(name)
        return objects.isEmpty ? nil : objects.map { "\($0.key)=\($0.size)@\($0.etag)" }.joined(separator: ";")
    }

    func open(_ name: String) async throws(InferenceError) -> ModelFolder? {
        let objects = try await objects(name)
        guard !objects.isEmpty else { return nil }
        let bytes = objects.reduce(Int64(0)) { $0 &+ max(0, $1.size) }
        guard bytes <= limits.objectBytesMax else {
            throw InferenceError(
                .loadFailed, "model \"\(name)\" holds \(bytes) bytes; at most \(limits.objectBytesMax) are copied")
        }
        let folder = ModelFolder(path: "\(cacheFolder)/\(name)-\(Randomness.hexID())", isCopy: true)
        for object in objects {
            let relative = object.key.dropping(bytesOf: "\(prefix)\(name)/")
            let components = relative.pieces(by: "/", omittingEmptySubsequences: false)
            // An object that stands for a folder, as some tools make them.
            if components.last == "" { continue }
            guard components.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }) else {
                throw InferenceError(
                    .loadFailed, "model \"\(name)\": the object key \"\(relative)\" is not a usable path")
            }
            try await copy(object.key, to: "\(folder.path)/\(relative)", model: name)
        }
        return folder
    }

    private func objects(_ name: String) async throws(InferenceError) -> [ObjectSummary] {
        do {
            return try await client.listAll(
                bucket: bucket, prefix: "\(prefix)\(name)/", countMax: limits.objectCountMax)
        } catch let error as ObjectClientError where error.code == "NoSuchBucket" {
            throw InferenceError(
                .loadFailed,
                "model \"\(name)\" cannot be found: bucket \"\(bucket)\" does not exist at \(client.endpoint.url): make it "
                    + "with mc mb and copy the model there")
        } catch let error as ObjectClientError where error.isNotFound {
            return []
        } catch {
            throw failure("model \"\(name)\" cannot be listed", error)
        }
    }

    private func copy(_ key: String, to path: String, model: String) async throws(InferenceError) {
        do {
            guard let file = try await pool.run({ FileAccess.writer(path) }) else {
                throw InferenceError(.unavailable, "the model cache cannot be written")
            }
            try await client.read(bucket: bucket, key: key) { chunk in
                guard try await pool.run({ (try? file.write(chunk)) != nil }) else {
                    throw InferenceError(.unavailable, "the model cache cannot be written: is the disk full?")
                }
            }
        } catch let error as InferenceError {
            throw error
        } catch {
            throw failure("model \"\(model)\" cannot be copied", error)
        }
    }

    private func failure(_ what: String, _ error: any Error) -> InferenceError {
        let reason = (error as? ObjectClientError).map { "\($0.code): \($0.message)" } ?? "\(error)"
        return InferenceError(.unavailable, "repository s3://\(bucket)/\(prefix): \(what): \(reason)")
    }
}
