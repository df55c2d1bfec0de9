/// Where a connection to a Service may go.
package struct Backend: Sendable, Hashable, Comparable {
    let address: String
    let port: Int

    package static func < (left: Backend, right: Backend) -> Bool {
        (left.address, left.port) < (right.address, right.port)
    }
}

/// Where a Service is reached.
struct Frontend: Sendable, Hashable, CustomStringConvertible {
    let address: String
    let port: Int

    var description: String { "\(address):\(port)" }
}
