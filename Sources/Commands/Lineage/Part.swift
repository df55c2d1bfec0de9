/// One part of a lineage: what was found, or why there is nothing to show.
enum Part<Value> {
    case found(Value)
    /// Whoever keeps it answered, and has none. The text names what is missing and what would put it there.
    case absent(String)
    /// Nobody could say: a server that does not answer or refuses. The text names it and the way out.
    case unknown(String)

    var value: Value? { if case .found(let value) = self { value } else { nil } }

    /// Why there is no value.
    var reason: String? {
        switch self {
        case .found: nil
        case .absent(let reason), .unknown(let reason): reason
        }
    }

    func flatMap<Other>(_ transform: (Value) -> Part<Other>) -> Part<Other> {
        switch self {
        case .found(let value): transform(value)
        case .absent(let reason): .absent(reason)
        case .unknown(let reason): .unknown(reason)
        }
    }
}

extension Part: Sendable where Value: Sendable {}
extension Part: Equatable where Value: Equatable {}
