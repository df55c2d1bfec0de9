// Prometheus metrics: counters, gauges and histograms, rendered in the text exposition format 0.0.4.

import Bytes
import Synchronization

/// Label names and values of one series, in the order they are written.
package typealias MetricLabels = [(name: String, value: String)]

/// The metrics of one role, in the order they were registered.
package final class MetricsRegistry: Sendable {
    private struct Family {
        let name: String
        let help: String
        let type: String
        var collect: [@Sendable (inout [UInt8]) -> Void]
    }

    private let families = Mutex<[Family]>([])

    package init() {}

    /// A counter: a number that only grows.
    package func counter(_ name: String, help: String, labels: MetricLabels = []) -> Counter {
        let counter = Counter()
        let prefix = Self.prefix(name, labels)
        add(name, help, "counter") { out in
            out.append(prefix)
            out.append(decimal: counter.value)
            out.append("\n")
        }
        return counter
    }

    /// A gauge: a number that goes up and down.
    package func gauge(_ name: String, help: String, labels: MetricLabels = []) -> Gauge {
        let gauge = Gauge()
        let prefix = Self.prefix(name, labels)
        add(name, help, "gauge") { out in
            out.append(prefix)
            out.append(decimal: gauge.value)
            out.append("\n")
        }
        return gauge
    }

    /// A histogram with the given upper bounds, ascending; `+Inf` is added.
    package func histogram(_ name: String, help: String, bounds: [Double], labels: MetricLabels = []) -> Histogram {
        let histogram = Histogram(bounds: bounds)
        add(name, help, "histogram") { histogram.render(name, labels, &$0) }
        return histogram
    }

    /// A family whose series are computed when scraped: `collect` appends whole lines.
    package func collected(
        _ name: String, help: String, type: String, collect: @escaping @Sendable (inout [UInt8]) -> Void
    ) {
        add(name, help, type, collect)
    }

    private func add(
        _ name: String, _ help: String, _ type: String, _ collect: @escaping @Sendable (inout [UInt8]) -> Void
    ) {
        families.withLock { families in
            if let index = families.firstIndex(where: { $0.name == name }) {
                families[index].collect.append(collect)
            } else {
                families.append(Family(name: name, help: help, type: type, collect: [collect]))
            }
        }
    }

    /// The text exposition of every metric.
    package func render() -> [UInt8] {
        var out: [UInt8] = []
        for family in families.withLock({ $0 }) {
            out.append("# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.type)\n")
            for collect in family.collect { collect(&out) }
        }
        return out
    }

    /// `name{label="value"} `, with the label values escaped.
    package static func prefix(_ name: String, _ labels: MetricLabels) -> String {
        var out: [UInt8] = []
        out.append(name)
        for (index, label) in labels.enumerated() {
            out.append(index == 0 ? "{" : ",")
            out.append(label.name)
            out.append("=\"")
            for byte in label.value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"): out.append("\\\\")
                case UInt8(ascii: "\""): out.append("\\\"")
                case UInt8(ascii: "\n"): out.append("\\n")
                default: out.append(byte)
                }
            }
            out.append("\"")
        }
        out.append(labels.isEmpty ? " " : "} ")
        return String(utf8: out)
    }
}

/// A number that only grows. Adding costs one atomic addition.
package final class Counter: Sendable {
    private let storage = Atomic<UInt64>(0)
    package init() {}
    package var value: UInt64 { storage.load(ordering: .relaxed) }
    package func add(_ amount: UInt64 = 1) { storage.wrappingAdd(amount, ordering: .relaxed) }
}

/// A number that goes up and down.
package final class Gauge: Sendable {
    private let storage = Atomic<Int64>(0)
    package init() {}
    package var value: Int64 { storage.load(ordering: .relaxed) }
    package func add(_ amount: Int64) { storage.wrappingAdd(amount, ordering: .relaxed) }
    package func set(_ value: Int64) { storage.store(value, ordering: .relaxed) }
}

/// Counts of observations by upper bound, with their sum.
package final class Histogram: Sendable {
    private struct State {
        var counts: [UInt64]
        var sum = 0.0
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    package init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    package func observe(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[bucket] += 1
            $0.sum += value
        }
    }

    func render(_ name: String, _ labels: MetricLabels, _ out: inout [UInt8]) {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        var total: UInt64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? "\(bounds[index])" : "+Inf"
            out.append(MetricsRegistry.prefix("\(name)_bucket", labels + [("le", bound)]))
            out.append(decimal: total)
            out.append("\n")
        }
        out.append("\(MetricsRegistry.prefix("\(name)_sum", labels))\(sum)\n")
        out.append("\(MetricsRegistry.prefix("\(name)_count", labels))\(total)\n")
    }
}
