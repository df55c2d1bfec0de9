import Bytes
import Metrics

/// What the console counts beside its requests.
struct ConsoleMetrics: Sendable {
    let logIns: Counter
    let refusedLogIns: Counter

    init(_ registry: MetricsRegistry, sessions: SessionStore) {
        func counter(_ outcome: String) -> Counter {
            registry.counter(
                "slipway_console_logins_total", help: "Attempts to log in, by outcome.", labels: [("outcome", outcome)])
        }
        logIns = counter("accepted")
        refusedLogIns = counter("refused")
        registry.collected("slipway_console_sessions", help: "Open sessions.", type: "gauge") { out in
            out.append("slipway_console_sessions \(sessions.count)\n")
        }
    }
}
