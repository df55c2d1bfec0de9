// Prometheus metrics under Triton's names, read off the statistics when they are scraped.

import Bytes
package import Inference
package import Metrics

package enum InferenceMetrics {
    private typealias Read = @Sendable (ModelStatistics.Snapshot) -> UInt64

    /// Adds the families of `repository` to `registry`.
    package static func register(_ repository: ModelRepository, on registry: MetricsRegistry) {
        let families: [(name: String, help: String, read: Read)] = [
            ("nv_inference_request_success", "Number of successful inference requests.", { $0.success.count }),
            ("nv_inference_count", "Number of inferences performed; a batch of n counts n.", { $0.inferenceCount }),
            ("nv_inference_exec_count", "Number of model executions.", { $0.executionCount }),
            (
                "nv_inference_request_duration_us", "Time of successful requests, in microseconds.",
                { $0.success.nanoseconds / 1000 }
            ),
            (
                "nv_inference_queue_duration_us", "Time requests waited, in microseconds.",
                { $0.queue.nanoseconds / 1000 }
            ),
            (
                "nv_inference_compute_input_duration_us", "Time spent on inputs, in microseconds.",
                { $0.input.nanoseconds / 1000 }
            ),
            (
                "nv_inference_compute_infer_duration_us", "Time spent computing, in microseconds.",
                { $0.infer.nanoseconds / 1000 }
            ),
            (
                "nv_inference_compute_output_duration_us", "Time spent on outputs, in microseconds.",
                { $0.output.nanoseconds / 1000 }
            ),
        ]
        for (name, help, read) in families {
            registry.collected(name, help: help, type: "counter") { out in
                for model in repository.loaded { line(name, model, [], read(model.statistics.snapshot), &out) }
            }
        }
        let failure = "nv_inference_request_failure"
        registry.collected(failure, help: "Number of failed inference requests, by reason.", type: "counter") { out in
            for model in repository.loaded {
                let statistics = model.statistics.snapshot
                line(failure, model, [("reason", "REJECTED")], statistics.rejected, &out)
                line(failure, model, [("reason", "OTHER")], statistics.fail.count - statistics.rejected, &out)
            }
        }
        let pending = "nv_inference_pending_request_count"
        registry.collected(pending, help: "Requests that wait.", type: "gauge") { out in
            for model in repository.loaded { line(pending, model, [], UInt64(model.pendingCount), &out) }
        }
    }

    private static func line(
        _ name: String, _ model: ModelVersion, _ labels: MetricLabels, _ value: UInt64, _ out: inout [UInt8]
    ) {
        let all =
            [("model", model.configuration.name), ("version", "\(model.number)")] + labels.map { ($0.name, $0.value) }
        out.append(MetricsRegistry.prefix(name, all.map { (name: $0.0, value: $0.1) }))
        out.append(decimal: value)
        out.append("\n")
    }
}
