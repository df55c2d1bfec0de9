// config.pbtxt and its JSON form, read into `ModelConfiguration`. The fields are those of Triton's model_config.proto. A
// field that would change results and is not offered is refused by name; one that only tunes speed is accepted.

import Bytes
import Formats
import Runtimes

/// What a configuration says, and what it leaves to the model.
struct WrittenConfiguration: Sendable {
    var configuration: ModelConfiguration
    /// False when the text does not name the field, so that it is derived.
    var setsBatchSize = false
    var setsInstances = false
    var setsBatching = false
    var setsPlatform = false
}

/// Reads configurations. Everything thrown is `InferenceError.loadFailed` and names the model and the field.
struct ConfigurationReader {
    private let model: String
    private let limits: InferenceLimits
    private var result: WrittenConfiguration

    private init(model: String, limits: InferenceLimits) {
        self.model = model
        self.limits = limits
        result = WrittenConfiguration(configuration: ModelConfiguration(name: model))
    }

    /// Reads text format. `model` is the name of the repository folder.
    static func read(text: [UInt8], model: String, limits: InferenceLimits) throws(InferenceError)
        -> WrittenConfiguration
    {
        let message: TextProtoMessage
        do throws(TextProtoError) {
            message = try TextProtoParser.parse(text)
        } catch {
            throw InferenceError(.loadFailed, "model \"\(model)\": config.pbtxt: \(error.message)")
        }
        return try read(message, model: model, limits: limits)
    }

    /// Reads the JSON form that the load request's `config` parameter holds.
    static func read(json: [UInt8], model: String, limits: InferenceLimits) throws(InferenceError)
        -> WrittenConfiguration
    {
        let tree: JSON
        do throws(JSONError) {
            tree = try JSON.parse(json, depthMax: 32)
        } catch {
            throw InferenceError(.loadFailed, "model \"\(model)\": config: \(error.message)")
        }
        guard let object = tree.objectValue else {
            throw InferenceError(.loadFailed, "model \"\(model)\": config must be a JSON object")
        }
        return try read(TextProtoMessage(object), model: model, limits: limits)
    }

    private static func read(
        _ message: TextProtoMessage, model: String, limits: InferenceLimits
    ) throws(InferenceError) -> WrittenConfiguration {
        var reader = ConfigurationReader(model: model, limits: limits)
        for field in message.fields { try reader.read(field) }
        return reader.result
    }

    private mutating func read(_ field: TextProtoMessage.Field) throws(InferenceError) {
        switch field.name {
        case "name":
            let name = try string(field)
            guard name.isEmpty || name == model else {
                throw failure("config says name \"\(name)\", but the folder is called \"\(model)\"; make them equal")
            }
        case "platform":
            let platform = try string(field)
            try setPlatform(platform, "platform", ModelPlatform.allCases.map { ($0.name, $0) })
        case "backend":
            let backend = try string(field)
            try setPlatform(backend, "backend", ModelPlatform.allCases.map { ($0.backend, $0) })
        case "max_batch_size":
            result.configuration.batchSizeMax = try int(field, 0...1_000_000)
            result.setsBatchSize = true
        case "input": result.configuration.inputs.append(try port(try message(field), isInput: true))
        case "output": result.configuration.outputs.append(try port(try message(field), isInput: false))
        case "version_policy": result.configuration.versionPolicy = try versionPolicy(try message(field))
        case "dynamic_batching": try dynamicBatching(try message(field))
        case "instance_group": try instanceGroup(try message(field))
        case "default_model_filename":
            let file = try string(field)
            guard !file.holds("/"), file != "..", file != ".", !file.utf8.contains(0) else {
                throw failure("default_model_filename must be a file name without a folder")
            }
            if !file.isEmpty { result.configuration.modelFile = file }
        case "parameters": try parameter(try message(field))
        case "model_transaction_policy":
            for inner in try message(field).fields where inner.name == "decoupled" {
                if try bool(inner) { throw unsupported("model_transaction_policy { decoupled: true }") }
            }
        case "sequence_batching", "ensemble_scheduling", "batch_input", "batch_output", "model_operations",
            "model_repository_agents":
            // The JSON form names lists even when they are empty; those never become fields.
            throw unsupported(field.name)
        case "response_cache", "optimization", "model_warmup", "metric_tags", "cc_model_filenames", "model_metrics",
            "runtime":
            break
        default: throw failure("config has the unknown field \"\(field.name)\"")
        }
    }

    private mutating func setPlatform(
        _ text: String, _ field: String, _ known: [(name: String, platform: ModelPlatform)]
    ) throws(InferenceError) {
        guard !text.isEmpty else { return }
        guard let found = known.first(where: { $0.name == text })?.platform else {
            throw failure(
                "\(field) \"\(text)\" is not supported; supported: \(known.map(\.name).joined(separator: ", "))")
        }
        guard !result.setsPlatform || result.configuration.platform == found else {
            throw failure("platform and backend name different runtimes; one of them is enough")
        }
        result.configuration.platform = found
        result.setsPlatform = true
    }

    private func port(_ message: TextProtoMessage, isInput: Bool) throws(InferenceError) -> ModelConfiguration.Port {
        var name = ""
        var type: TensorType?
        var dimensions: [Int] = []
        var labelFile = ""
        for field in message.fields {
            switch field.name {
            case "name": name = try string(field)
            case "data_type":
                let text = try string(field)
                let known = text == "TYPE_STRING" ? "BYTES" : String(text.dropFirst(5))
                guard text.hasPrefix("TYPE_"), let found = TensorType(name: known) else {
                    throw failure("data_type \"\(text)\" is not known")
                }
                type = found
            case "dims": dimensions.append(try int(field, -1...Int(Int32.max)))
            case "label_filename": labelFile = try string(field)
            case "format": break
            case "reshape": throw unsupported("reshape")
            case "is_shape_tensor", "allow_ragged_batch", "optional", "is_non_linear_format_io":
                if try bool(field) { throw unsupported(field.name) }
            default: throw failure("\(isInput ? "input" : "output") has the unknown field \"\(field.name)\"")
            }
        }
        guard !name.isEmpty else { throw failure("an \(isInput ? "input" : "output") has no name") }
        guard let type else { throw failure("\(isInput ? "input" : "output") \"\(name)\" has no data_type") }
        guard labelFile.isEmpty || !labelFile.holds("/") && labelFile != ".." else {
            throw failure("label_filename must be a file name without a folder")
        }
        var port = ModelConfiguration.Port(name: name, type: type, dimensions: dimensions)
        port.labelFile = labelFile
        return port
    }

    private func versionPolicy(_ message: TextProtoMessage) throws(InferenceError) -> ModelConfiguration.VersionPolicy {
        guard let field = message.fields.first else { return .latest(1) }
        let inner = try self.message(field)
        switch field.name {
        case "latest":
            guard let count = inner.fields.first(where: { $0.name == "num_versions" }) else { return .latest(1) }
            return .latest(try int(count, 1...limits.versionCountMax))
        case "all": return .all
        case "specific":
            var versions: [Int] = []
            for field in inner.fields where field.name == "versions" { versions.append(try int(field, 1...Int.max)) }
            return .specific(versions)
        default: throw failure("version_policy has the unknown field \"\(field.name)\"")
        }
    }

    private mutating func dynamicBatching(_ message: TextProtoMessage) throws(InferenceError) {
        var batching = ModelConfiguration.DynamicBatching()
        for field in message.fields {
            switch field.name {
            case "preferred_batch_size": batching.preferredBatchSizes.append(try int(field, 1...1_000_000))
            case "max_queue_delay_microseconds":
                batching.queueDelayMicrosecondsMax = UInt64(try int(field, 0...Int(limits.queueDelayMicrosecondsMax)))
            case "preserve_ordering": batching.preserveOrdering = try bool(field)
            case "default_queue_policy": try queuePolicy(try self.message(field))
            case "priority_levels", "default_priority_level":
                if try int(field, 0...Int.max) > 0 { throw unsupported("dynamic_batching.\(field.name)") }
            case "priority_queue_policy": throw unsupported("dynamic_batching.priority_queue_policy")
            default: throw failure("dynamic_batching has the unknown field \"\(field.name)\"")
            }
        }
        result.configuration.dynamicBatching = batching
        result.setsBatching = true
    }

    private mutating func queuePolicy(_ message: TextProtoMessage) throws(InferenceError) {
        for field in message.fields {
            switch field.name {
            case "max_queue_size": result.configuration.queueCountMax = try int(field, 0...1_000_000)
            case "default_timeout_microseconds":
                result.configuration.queueTimeoutMicroseconds = UInt64(try int(field, 0...Int(Int64.max)))
            case "allow_timeout_override": result.configuration.allowsTimeoutOverride = try bool(field)
            case "timeout_action":
                if try string(field) == "DELAY" { throw unsupported("timeout_action: DELAY") }
            default: throw failure("default_queue_policy has the unknown field \"\(field.name)\"")
            }
        }
    }

    /// Several groups add up: all of them are CPU instances of one session.
    private mutating func instanceGroup(_ message: TextProtoMessage) throws(InferenceError) {
        var count = 1
        for field in message.fields {
            switch field.name {
            case "count": count = max(1, try int(field, 0...limits.instanceCountMax))
            case "kind":
                let kind = try string(field)
                guard ["KIND_CPU", "KIND_AUTO", "KIND_MODEL"].contains(kind) else {
                    throw failure("instance_group kind \(kind) is not supported; use KIND_CPU")
                }
            case "passive": if try bool(field) { throw unsupported("instance_group { passive: true }") }
            case "gpus", "name", "rate_limiter", "secondary_devices", "profile", "host_policy": break
            default: throw failure("instance_group has the unknown field \"\(field.name)\"")
            }
        }
        let total = (result.setsInstances ? result.configuration.instanceCount : 0) + count
        guard total <= limits.instanceCountMax else {
            throw failure("instance_group asks for \(total) instances; at most \(limits.instanceCountMax) are allowed")
        }
        result.configuration.instanceCount = total
        result.setsInstances = true
    }

    private mutating func parameter(_ message: TextProtoMessage) throws(InferenceError) {
        var key = ""
        var value = ""
        for field in message.fields {
            switch field.name {
            case "key": key = try string(field)
            case "value":
                for inner in try self.message(field).fields where inner.name == "string_value" {
                    value = try string(inner)
                }
            default: throw failure("parameters has the unknown field \"\(field.name)\"")
            }
        }
        switch key {
        case "intra_op_thread_count": result.configuration.session.intraOpThreadCount = try threads(key, value)
        case "inter_op_thread_count": result.configuration.session.interOpThreadCount = try threads(key, value)
        case "TF_SIGNATURE_DEF":
            guard value == SavedModelSignature.name else {
                throw failure(
                    "parameter TF_SIGNATURE_DEF is \"\(value)\"; only \"\(SavedModelSignature.name)\" is supported")
            }
        case "TF_GRAPH_TAG":
            guard value == "serve" else {
                throw failure("parameter TF_GRAPH_TAG is \"\(value)\"; only \"serve\" is supported")
            }
        default: break
        }
        result.configuration.parameters.append((key, value))
    }

    private func threads(_ key: String, _ value: String) throws(InferenceError) -> Int {
        guard let count = Int(value), (1...256).contains(count) else {
            throw failure("parameter \(key) must be 1 to 256, not \"\(value)\"")
        }
        return count
    }

    // MARK: Values

    private func message(_ field: TextProtoMessage.Field) throws(InferenceError) -> TextProtoMessage {
        guard case .message(let message) = field.value else { throw failure("\(field.name) must be a message") }
        return message
    }

    private func string(_ field: TextProtoMessage.Field) throws(InferenceError) -> String {
        switch field.value {
        case .string(let bytes): return String(utf8: bytes)
        case .word(let word): return word
        case .message: throw failure("\(field.name) must not be a message")
        }
    }

    private func int(_ field: TextProtoMessage.Field, _ range: ClosedRange<Int>) throws(InferenceError) -> Int {
        let text = try string(field)
        guard let value = Int(text), range.contains(value) else {
            throw failure("\(field.name) must be \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return value
    }

    private func bool(_ field: TextProtoMessage.Field) throws(InferenceError) -> Bool {
        switch try string(field) {
        case "true", "True", "t", "1": return true
        case "false", "False", "f", "0": return false
        case let text: throw failure("\(field.name) must be true or false, not \"\(text)\"")
        }
    }

    private func failure(_ reason: String) -> InferenceError {
        InferenceError(.loadFailed, "model \"\(model)\": \(reason)")
    }

    private func unsupported(_ feature: String) -> InferenceError {
        failure("config uses \(feature), which is not supported")
    }
}

extension TextProtoMessage {
    /// Fields of model_config.proto that are maps: JSON writes them as objects, text format as key and value.
    private static let maps: Set<String> = [
        "parameters", "metric_tags", "cc_model_filenames", "priority_queue_policy", "input_map", "output_map", "inputs",
    ]

    /// The message that a JSON object in proto3's mapping stands for.
    init(_ object: JSONObject) {
        self.init()
        for (name, value) in object {
            switch value {
            case .array(let elements): for element in elements { append(name, element) }
            case .object(let members) where Self.maps.contains(name):
                for (key, member) in members {
                    var entry = JSONObject()
                    entry["key"] = .string(key)
                    entry["value"] = member
                    append(name, .object(entry))
                }
            default: append(name, value)
            }
        }
    }

    private mutating func append(_ name: String, _ value: JSON) {
        switch value {
        case .null: break
        case .bool(let flag): fields.append(Field(name: name, value: .word(flag ? "true" : "false"), line: 0))
        case .int(let number): fields.append(Field(name: name, value: .word("\(number)"), line: 0))
        case .unsigned(let number): fields.append(Field(name: name, value: .word("\(number)"), line: 0))
        case .double(let number): fields.append(Field(name: name, value: .word("\(number)"), line: 0))
        case .string(let text): fields.append(Field(name: name, value: .string(Array(text.utf8)), line: 0))
        case .array: fields.append(Field(name: name, value: .word("[]"), line: 0))
        case .object(let members): fields.append(Field(name: name, value: .message(TextProtoMessage(members)), line: 0))
        }
    }
}
