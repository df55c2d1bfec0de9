// Metadata, configuration and statistics as Protobuf: grpc_service.proto and model_config.proto, field numbers in place.

import Formats
import Inference
import Runtimes

enum ModelMessages {
    /// ModelMetadataResponse.
    static func metadata(_ model: ModelVersion, versions: [Int]) -> [UInt8] {
        let configuration = model.configuration
        var writer = ProtobufWriter(reserving: 512)
        writer.string(1, configuration.name)
        for version in versions { writer.string(2, "\(version)") }
        writer.string(3, configuration.platform.name)
        for (field, ports) in [(4, configuration.inputs), (5, configuration.outputs)] {
            for port in ports {
                writer.message(field) { message in
                    message.string(1, port.name)
                    message.string(2, port.type.name)
                    message.packed(3, configuration.fullShape(port).map { Int64($0) })
                }
            }
        }
        return writer.bytes
    }

    /// ModelConfigResponse.
    static func configuration(_ configuration: ModelConfiguration) -> [UInt8] {
        var writer = ProtobufWriter(reserving: 512)
        writer.message(1) { write(configuration, &$0) }
        return writer.bytes
    }

    private static func write(_ configuration: ModelConfiguration, _ writer: inout ProtobufWriter) {
        writer.string(1, configuration.name)
        writer.string(2, configuration.platform.name)
        writer.message(3) { policy in
            switch configuration.versionPolicy {
            case .latest(let count): policy.message(1) { $0.int(1, Int64(count)) }
            case .all: policy.message(2) { _ in }
            case .specific(let versions): policy.message(3) { $0.packed(1, versions.map { Int64($0) }) }
            }
        }
        writer.int(4, Int64(configuration.batchSizeMax))
        for port in configuration.inputs {
            writer.message(5) { message in
                message.string(1, port.name)
                message.int(2, typeNumber(port.type))
                message.packed(4, port.dimensions.map { Int64($0) })
            }
        }
        for port in configuration.outputs {
            writer.message(6) { message in
                message.string(1, port.name)
                message.int(2, typeNumber(port.type))
                message.packed(3, port.dimensions.map { Int64($0) })
                message.string(4, port.labelFile)
            }
        }
        writer.message(7) { group in
            group.string(1, configuration.name)
            group.int(2, Int64(configuration.instanceCount))
            // KIND_CPU.
            group.int(4, 2)
        }
        writer.string(8, configuration.modelFile)
        if let batching = configuration.dynamicBatching {
            writer.message(11) { message in
                message.packed(1, batching.preferredBatchSizes.map { Int64($0) })
                message.unsigned(2, batching.queueDelayMicrosecondsMax)
                message.bool(3, batching.preserveOrdering)
                message.message(6) { policy in
                    policy.unsigned(2, configuration.queueTimeoutMicroseconds)
                    policy.bool(3, configuration.allowsTimeoutOverride)
                    policy.int(4, Int64(configuration.queueCountMax))
                }
            }
        }
        for (key, value) in configuration.parameters {
            writer.message(14) { entry in
                entry.string(1, key)
                entry.message(2) { $0.string(1, value) }
            }
        }
        writer.string(17, configuration.platform.backend)
    }

    /// model_config.proto's DataType.
    private static func typeNumber(_ type: TensorType) -> Int64 {
        switch type {
        case .bool: 1
        case .uint8: 2
        case .uint16: 3
        case .uint32: 4
        case .uint64: 5
        case .int8: 6
        case .int16: 7
        case .int32: 8
        case .int64: 9
        case .fp16: 10
        case .fp32: 11
        case .fp64: 12
        case .bytes: 13
        case .bf16: 14
        }
    }

    /// ModelStatisticsResponse.
    static func statistics(_ models: [ModelVersion]) -> [UInt8] {
        var writer = ProtobufWriter(reserving: 512)
        for model in models {
            let statistics = model.statistics.snapshot
            writer.message(1) { message in
                message.string(1, model.configuration.name)
                message.string(2, "\(model.number)")
                message.unsigned(3, statistics.lastInferenceMilliseconds)
                message.unsigned(4, statistics.inferenceCount)
                message.unsigned(5, statistics.executionCount)
                message.message(6) { stats in
                    let parts = [
                        statistics.success, statistics.fail, statistics.queue, statistics.input, statistics.infer,
                        statistics.output,
                    ]
                    for (index, part) in parts.enumerated() { write(part, index + 1, &stats) }
                }
                for (size, batch) in statistics.batches.sorted(by: { $0.key < $1.key }) {
                    message.message(7) { line in
                        line.unsigned(1, UInt64(size))
                        write(batch.input, 2, &line)
                        write(batch.infer, 3, &line)
                        write(batch.output, 4, &line)
                    }
                }
            }
        }
        return writer.bytes
    }

    private static func write(_ duration: StatisticDuration, _ field: Int, _ writer: inout ProtobufWriter) {
        writer.message(field) { message in
            message.unsigned(1, duration.count)
            message.unsigned(2, duration.nanoseconds)
        }
    }
}
