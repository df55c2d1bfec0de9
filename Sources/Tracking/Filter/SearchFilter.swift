/// What a clause or an ordering looks at.
enum SearchEntity: String, Sendable {
    case attribute, metric, parameter, tag, dataset

    /// The entity that clients call `name`, singular or plural.
    init?(name: String) {
        switch name.lowercased() {
        case "attribute", "attributes", "attr", "run": self = .attribute
        case "metric", "metrics": self = .metric
        case "parameter", "parameters", "param", "params": self = .parameter
        case "tag", "tags": self = .tag
        case "dataset", "datasets": self = .dataset
        default: return nil
        }
    }
}

/// A comparison of the filter language.
enum SearchOperator: String, Sendable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case like = "LIKE"
    case caselessLike = "ILIKE"
    case isIn = "IN"
    case isNotIn = "NOT IN"
    case isNull = "IS NULL"
    case isNotNull = "IS NOT NULL"
}

/// The right side of a comparison.
enum SearchValue: Sendable, Equatable {
    case text(String)
    case integer(Int)
    case decimal(Double)
    case list([String])
    case none

    /// As it stands in a message.
    var shown: String {
        switch self {
        case .text(let text): "'\(NameRules.abbreviated(text))'"
        case .integer(let number): "\(number)"
        case .decimal(let number): "\(number)"
        case .list: "a list"
        case .none: "nothing"
        }
    }
}

/// One comparison; a filter is the conjunction of its clauses.
struct SearchClause: Sendable, Equatable {
    var entity: SearchEntity
    var key: String
    var comparison: SearchOperator
    var value: SearchValue
}

/// One ordering term.
struct SearchOrder: Sendable, Equatable {
    var entity: SearchEntity
    var key: String
    var isAscending: Bool
}
