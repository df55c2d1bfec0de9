/// How a server is reached from the machine it runs on.
enum LocalHost {
    /// The address itself, or loopback of the same family where a server listens on every interface.
    static func reaching(_ address: String) -> String {
        switch address {
        case "0.0.0.0", "": "127.0.0.1"
        case "::": "::1"
        default: address
        }
    }

    /// `host:port`, an IPv6 address in brackets.
    static func authority(_ host: String, _ port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
