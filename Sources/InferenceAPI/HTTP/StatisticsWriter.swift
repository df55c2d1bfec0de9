import Formats
import Inference

/// V2's statistics extension as JSON.
enum StatisticsWriter {
    static func write(_ models: [ModelVersion], _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("model_stats")
        writer.beginArray()
        for model in models { write(model, &writer) }
        writer.endArray()
        writer.endObject()
    }

    private static func write(_ model: ModelVersion, _ writer: inout JSONWriter) {
        let statistics = model.statistics.snapshot
        writer.beginObject()
        writer.key("name")
        writer.string(model.configuration.name)
        writer.key("version")
        writer.string("\(model.number)")
        for (key, value) in [
            ("last_inference", statistics.lastInferenceMilliseconds), ("inference_count", statistics.inferenceCount),
            ("execution_count", statistics.executionCount),
        ] {
            writer.key(key)
            writer.int(value)
        }
        writer.key("inference_stats")
        writer.beginObject()
        for (key, value) in [
            ("success", statistics.success), ("fail", statistics.fail), ("queue", statistics.queue),
            ("compute_input", statistics.input), ("compute_infer", statistics.infer),
            ("compute_output", statistics.output), ("cache_hit", StatisticDuration()),
            ("cache_miss", StatisticDuration()),
        ] {
            writer.key(key)
            write(value, &writer)
        }
        writer.endObject()
        writer.key("response_stats")
        writer.beginObject()
        writer.endObject()
        writer.key("batch_stats")
        writer.beginArray()
        for (size, batch) in statistics.batches.sorted(by: { $0.key < $1.key }) {
            writer.beginObject()
            writer.key("batch_size")
            writer.int(size)
            for (key, value) in [
                ("compute_input", batch.input), ("compute_infer", batch.infer), ("compute_output", batch.output),
            ] {
                writer.key(key)
                write(value, &writer)
            }
            writer.endObject()
        }
        writer.endArray()
        writer.key("memory_usage")
        writer.beginArray()
        writer.endArray()
        writer.endObject()
    }

    private static func write(_ duration: StatisticDuration, _ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("count")
        writer.int(duration.count)
        writer.key("ns")
        writer.int(duration.nanoseconds)
        writer.endObject()
    }
}
