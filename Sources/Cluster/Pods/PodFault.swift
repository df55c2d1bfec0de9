/// Why a pod or container cannot start now.
enum PodFault: Error, Equatable, CustomStringConvertible {
    /// Something the pod as a whole needs is missing: it stays Pending, unscheduled, until that appears.
    case unschedulable(message: String)
    /// A container cannot be made; it waits with this reason (`CreateContainerConfigError`, `ImagePullBackOff`).
    case waiting(container: String, reason: String, message: String)
    /// The pod asks for what this server never does; it ends Failed.
    case rejected(reason: String, message: String)

    var description: String {
        switch self {
        case .unschedulable(let message): message
        case .waiting(_, let reason, let message), .rejected(let reason, let message): "\(reason): \(message)"
        }
    }
}
