import Formats
import Inference
import Runtimes

/// Metadata and configuration of a model as JSON.
enum ModelWriter {
    static func metadata(_ model: ModelVersion, versions: [Int], _ writer: inout JSONWriter) {
        let configuration = model.configuration
        writer.beginObject()
        writer.key("name")
        writer.string(configuration.name)
        writer.key("versions")
        writer.beginArray()
        for version in versions { writer.string("\(version)") }
        writer.endArray()
        writer.key("platform")
        writer.string(configuration.platform.name)
        for (key, ports) in [("inputs", configuration.inputs), ("outputs", configuration.outputs)] {
            writer.key(key)
            writer.beginArray()
            for port in ports {
                writer.beginObject()
                writer.key("name")
                writer.string(port.name)
                writer.key("datatype")
                writer.string(port.type.name)
                writer.key("shape")
                writer.beginArray()
                for dimension in configuration.fullShape(port) { writer.int(dimension) }
                writer.endArray()
                writer.endObject()
            }
            writer.endArray()
        }
        writer.endObject()
    }

    /// The complete configuration in proto3's JSON mapping of Triton's ModelConfig, defaults included, since clients read
    /// fields without asking whether they are there.
    static func configuration(_ configuration: ModelConfiguration, _ writer: inout JSONWriter) {
        var tree: JSON = [
            "name": .string(configuration.name), "platform": .string(configuration.platform.name),
            "backend": .string(configuration.platform.backend), "runtime": "",
            "version_policy": versionPolicy(configuration.versionPolicy),
            "max_batch_size": JSON(configuration.batchSizeMax),
            "input": .array(
                configuration.inputs.map { port in
                    [
                        "name": .string(port.name), "data_type": .string(typeName(port.type)), "format": "FORMAT_NONE",
                        "dims": dimensions(port), "is_shape_tensor": false, "allow_ragged_batch": false,
                        "optional": false,
                        "is_non_linear_format_io": false,
                    ]
                }),
            "output": .array(
                configuration.outputs.map { port in
                    [
                        "name": .string(port.name), "data_type": .string(typeName(port.type)), "dims": dimensions(port),
                        "label_filename": .string(port.labelFile), "is_shape_tensor": false,
                        "is_non_linear_format_io": false,
                    ]
                }),
            "batch_input": [], "batch_output": [],
            "optimization": [
                "priority": "PRIORITY_DEFAULT", "input_pinned_memory": ["enable": false],
                "output_pinned_memory": ["enable": false], "gather_kernel_buffer_threshold": 0, "eager_batching": false,
            ],
        ]
        if let batching = configuration.dynamicBatching {
            tree["dynamic_batching"] = [
                "preferred_batch_size": .array(batching.preferredBatchSizes.map { JSON($0) }),
                "max_queue_delay_microseconds": .int(Int64(batching.queueDelayMicrosecondsMax)),
                "preserve_ordering": .bool(batching.preserveOrdering), "priority_levels": 0,
                "default_priority_level": 0,
                "default_queue_policy": [
                    "timeout_action": "REJECT",
                    "default_timeout_microseconds": .int(Int64(clamping: configuration.queueTimeoutMicroseconds)),
                    "allow_timeout_override": .bool(configuration.allowsTimeoutOverride),
                    "max_queue_size": JSON(configuration.queueCountMax),
                ],
                "priority_queue_policy": [:],
            ]
        }
        tree["instance_group"] = [
            [
                "name": .string(configuration.name), "kind": "KIND_CPU", "count": JSON(configuration.instanceCount),
                "gpus": [], "secondary_devices": [], "profile": [], "passive": false, "host_policy": "",
            ]
        ]
        tree["default_model_filename"] = .string(configuration.modelFile)
        tree["cc_model_filenames"] = [:]
        tree["metric_tags"] = [:]
        var parameters = JSONObject()
        for (key, value) in configuration.parameters { parameters[key] = ["string_value": .string(value)] }
        tree["parameters"] = .object(parameters)
        tree["model_warmup"] = []
        writer.value(tree)
    }

    /// `TYPE_FP32`, and `TYPE_STRING` for BYTES.
    static func typeName(_ type: TensorType) -> String { type == .bytes ? "TYPE_STRING" : "TYPE_\(type.name)" }

    private static func dimensions(_ port: ModelConfiguration.Port) -> JSON { .array(port.dimensions.map { JSON($0) }) }

    private static func versionPolicy(_ policy: ModelConfiguration.VersionPolicy) -> JSON {
        switch policy {
        case .latest(let count): ["latest": ["num_versions": JSON(count)]]
        case .all: ["all": [:]]
        case .specific(let versions): ["specific": ["versions": .array(versions.map { JSON($0) })]]
        }
    }
}
