import EventLoop

/// The ports of a predictor's server on its pod's address: Triton's own, and those that KServe starts Triton with.
struct PredictorPorts: Equatable {
    struct Named: Equatable {
        let name: String
        let number: Int
    }

    let http: Int
    let grpc: Int
    let metrics: Int
    /// Speak HTTP and gRPC, both.
    let more: [Named]

    /// What the pod declares.
    var named: [Named] {
        [Named(name: "http", number: http), Named(name: "grpc", number: grpc)] + more
            + [Named(name: "metrics", number: metrics)]
    }

    /// 8000, 8001 and 8002 as Triton has them, 8080 and 9000 as KServe's runtime for Triton does. A port that a process of
    /// this machine listens on at every address is not free on a pod's address either: another is taken for the first
    /// three, and one of the other two is left out. Nil when the system gives no port.
    ///
    /// - Parameter bindable: the port when it can be had on a pod's address, else nil; 0 asks for any.
    static func choose(_ bindable: (Int) -> Int? = bindable) -> PredictorPorts? {
        func port(_ wanted: Int) -> Int? { bindable(wanted) ?? bindable(0) }
        guard let http = port(8000), let grpc = port(8001), let metrics = port(8002) else { return nil }
        let more = [Named(name: "user-port", number: 8080), Named(name: "h2c", number: 9000)]
        return PredictorPorts(
            http: http, grpc: grpc, metrics: metrics, more: more.filter { bindable($0.number) != nil })
    }

    /// No cluster's range holds this address, so that only those who listen on every address are in its way.
    private static let probeAddress = "127.255.255.254"

    private static func bindable(_ port: Int) -> Int? {
        try? Listener.bindablePort(host: probeAddress, port: port)
    }
}
