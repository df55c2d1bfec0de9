// Prometheus metrics of a pack, read off its counters when they are scraped.

import Bytes
import Metrics
import Packs

enum PackMetrics {
    static func register(_ pack: Pack, on registry: MetricsRegistry) {
        let model = (name: "model", value: pack.name)
        registry.collected(
            "slipway_pack_results_total", help: "Requests for a result, by what came of them.", type: "counter"
        ) { out in
            for (outcome, count) in pack.counts.results {
                line("slipway_pack_results_total", [model, (name: "outcome", value: outcome)], count, &out)
            }
        }
        registry.collected("slipway_pack_loads_total", help: "Loads of a model, by outcome.", type: "counter") { out in
            let counts = pack.counts
            line("slipway_pack_loads_total", [model, (name: "outcome", value: "done")], counts.loads, &out)
            line("slipway_pack_loads_total", [model, (name: "outcome", value: "failed")], counts.loadFailures, &out)
        }
        registry.collected(
            "slipway_pack_worker_restarts_total", help: "Worker processes that died and were replaced.", type: "counter"
        ) { out in line("slipway_pack_worker_restarts_total", [model], UInt64(pack.counts.restarts), &out) }
        registry.collected(
            "slipway_pack_compute_duration_us", help: "Time workers spent on requests, in microseconds.",
            type: "counter"
        ) { out in line("slipway_pack_compute_duration_us", [model], pack.counts.computeNanoseconds / 1000, &out) }
        registry.collected("slipway_pack_pending_requests", help: "Requests that wait for a worker.", type: "gauge") {
            line("slipway_pack_pending_requests", [model], UInt64(pack.counts.waiting), &$0)
        }
        registry.collected("slipway_pack_serving", help: "1 while a model answers, with its file.", type: "gauge") {
            out in
            let state = pack.current
            let labels = [model, (name: "file", value: state.model ?? "")]
            line("slipway_pack_serving", labels, state.isServing ? 1 : 0, &out)
        }
    }

    private static func line(_ name: String, _ labels: MetricLabels, _ value: UInt64, _ out: inout [UInt8]) {
        out.append(MetricsRegistry.prefix(name, labels))
        out.append(decimal: value)
        out.append("\n")
    }
}
