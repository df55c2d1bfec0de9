// One load of one model: configuration, versions, sessions. All or nothing, so that a half-loaded model never serves.

import Bytes
import EventLoop
import Files
import Runtimes

/// Loads a model from its folder. Blocks; runs on a file thread.
struct ModelLoader: Sendable {
    let name: String
    let folder: ModelFolder
    let runtimes: ModelRuntimes
    let configuration: RepositoryConfiguration
    let compute: BlockingPool

    /// The versions that the policy picks, each with a session. Throws `loadFailed` or `unavailable`.
    ///
    /// - Parameters:
    ///   - written: a configuration in the place of the folder's config.pbtxt.
    ///   - previous: what serves now; versions of the same number go on with its statistics.
    func load(
        written: WrittenConfiguration?, previous: [Int: ModelVersion]
    ) throws(InferenceError) -> [ModelVersion] {
        let written = if let written { written } else { try readConfiguration() }
        let numbers = try versionNumbers(written.configuration.versionPolicy)
        var versions: [ModelVersion] = []
        for number in numbers {
            versions.append(try load(number, written, previous[number]?.statistics))
        }
        return versions
    }

    private func readConfiguration() throws(InferenceError) -> WrittenConfiguration {
        let path = "\(folder.path)/config.pbtxt"
        guard FileAccess.attributes(path) != nil else {
            return WrittenConfiguration(configuration: ModelConfiguration(name: name))
        }
        guard let text = FileTools.readAll(path, bytesMax: configuration.limits.configurationBytesMax) else {
            throw failure("config.pbtxt cannot be read, or is over \(configuration.limits.configurationBytesMax) bytes")
        }
        return try ConfigurationReader.read(text: text, model: name, limits: configuration.limits)
    }

    private func versionNumbers(_ policy: ModelConfiguration.VersionPolicy) throws(InferenceError) -> [Int] {
        let present = FileTools.names(in: folder.path).compactMap { ModelName.version($0) }.sorted()
        guard !present.isEmpty else {
            throw failure("the folder holds no version: put the model at \(name)/1/model.onnx")
        }
        let chosen: [Int]
        switch policy {
        case .latest(let count): chosen = Array(present.suffix(count))
        case .all: chosen = present
        case .specific(let wanted):
            if let missing = wanted.first(where: { !present.contains($0) }) {
                throw failure("version_policy asks for version \(missing), which the folder does not hold")
            }
            chosen = Array(Set(wanted)).sorted()
        }
        guard !chosen.isEmpty else { throw failure("version_policy picks no version") }
        guard chosen.count <= configuration.limits.versionCountMax else {
            throw failure(
                "version_policy picks \(chosen.count) versions; at most \(configuration.limits.versionCountMax) are loaded"
            )
        }
        return chosen
    }

    private func load(
        _ number: Int, _ written: WrittenConfiguration, _ statistics: ModelStatistics?
    ) throws(InferenceError) -> ModelVersion {
        var written = written
        let path = try locate(number, &written)
        if !written.setsInstances { written.configuration.instanceCount = configuration.instanceCountDefault }
        written.configuration.session.concurrentRunCount = written.configuration.instanceCount
        let session: any ModelSession
        do throws(RuntimeError) {
            session = try runtimes.session(
                written.configuration.platform, path: path, options: written.configuration.session)
        } catch {
            if error.code == .libraryMissing {
                throw InferenceError(.unavailable, "failed to load '\(name)': \(error.message)")
            }
            throw failure("version \(number): \(RuntimeText.withoutPaths(error.message))")
        }
        let complete = try written.completed(
            inputs: session.inputs, outputs: session.outputs, batchSizeDefault: configuration.batchSizeDefault)
        return ModelVersion(
            number: number, configuration: complete, session: session,
            statistics: statistics ?? ModelStatistics(batchSizeMax: configuration.limits.batchSizeStatisticsMax),
            labels: labels(complete), pool: compute, limits: configuration.limits)
    }

    /// Where the model of a version stands; fills in the platform and the file that the configuration leaves open.
    private func locate(_ number: Int, _ written: inout WrittenConfiguration) throws(InferenceError) -> String {
        let version = "\(folder.path)/\(number)"
        let named = written.configuration.modelFile
        let platforms = written.setsPlatform ? [written.configuration.platform] : ModelPlatform.allCases
        for platform in platforms {
            let file = named.isEmpty ? platform.defaultFile : named
            guard named.isEmpty || written.setsPlatform || Self.fits(file, platform),
                let attributes = FileAccess.attributes("\(version)/\(file)")
            else { continue }
            written.configuration.platform = platform
            written.configuration.modelFile = file
            // A model with weights in files of their own stands in a folder of the model's name; a SavedModel is one.
            return attributes.isFolder && platform != .savedModel ? "\(version)/\(file)/\(file)" : "\(version)/\(file)"
        }
        // As TensorFlow Serving has it: the version's folder is the SavedModel.
        if named.isEmpty, platforms.contains(.savedModel), FileAccess.attributes("\(version)/saved_model.pb") != nil {
            written.configuration.platform = .savedModel
            written.configuration.modelFile = "saved_model.pb"
            return version
        }
        let wanted = named.isEmpty ? platforms.map(\.defaultFile) : [named]
        throw failure("version \(number) has no file \(wanted.joined(separator: " or "))")
    }

    /// Whether a file that the configuration names is one of `platform`, by its ending.
    private static func fits(_ file: String, _ platform: ModelPlatform) -> Bool {
        switch platform {
        case .onnx: !file.hasSuffix(".xml") && !file.hasSuffix(".savedmodel")
        case .savedModel: file.hasSuffix(".savedmodel")
        case .openvino: file.hasSuffix(".xml")
        }
    }

    /// The lines of the label files; a file that is missing gives none.
    private func labels(_ configuration: ModelConfiguration) -> [String: [String]] {
        var labels: [String: [String]] = [:]
        for output in configuration.outputs where !output.labelFile.isEmpty {
            guard let bytes = FileTools.readAll("\(folder.path)/\(output.labelFile)", bytesMax: 4 << 20) else {
                continue
            }
            labels[output.name] = String(utf8: bytes).lines.map(String.init)
        }
        return labels
    }

    private func failure(_ reason: String) -> InferenceError {
        InferenceError(.loadFailed, "failed to load '\(name)', \(reason)")
    }
}
