package import Formats

/// Why an operation on the cluster's objects failed. Messages are meant for clients and name the object at fault.
package struct ClusterError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        case notFound
        case alreadyExists
        /// The object changed since it was read, or another manager owns a field.
        case conflict
        /// The object breaks rules of its kind; `details.causes` says which.
        case invalid
        /// The request is understood and refused by a rule (a terminating namespace, a missing right).
        case forbidden
        /// The request makes no sense as it stands.
        case badRequest
        /// The history that a watch asks for is gone; list again.
        case expired
        /// A bound on objects or watches is reached.
        case limitReached
        /// The change could not be made durable; nothing of it happened.
        case unavailable
    }

    /// One broken rule.
    package struct Cause: Sendable, Equatable {
        /// Kubernetes' word: `FieldValueInvalid`, `FieldValueRequired`, `FieldManagerConflict`, ...
        package var reason: String
        package var message: String
        /// The path of the field, `spec.containers[0].name`.
        package var field: String

        package init(reason: String, message: String, field: String) {
            self.reason = reason
            self.message = message
            self.field = field
        }

        package static func invalid(_ field: String, value: JSON, _ rule: String) -> Cause {
            Cause(
                reason: "FieldValueInvalid",
                message: "Invalid value: \(String(decoding: value.encoded, as: UTF8.self)): \(rule)",
                field: field)
        }

        package static func required(_ field: String, _ rule: String = "") -> Cause {
            Cause(
                reason: "FieldValueRequired", message: rule.isEmpty ? "Required value" : "Required value: \(rule)",
                field: field)
        }

        package static func unsupported(_ field: String, value: String, _ allowed: [String]) -> Cause {
            let names = allowed.map { "\"\($0)\"" }.joined(separator: ", ")
            return Cause(
                reason: "FieldValueNotSupported",
                message: "Unsupported value: \"\(value)\": supported values: \(names)",
                field: field)
        }
    }

    /// What the error is about.
    package struct Details: Sendable, Equatable {
        package var name = ""
        package var group = ""
        /// The plural resource name, or for `invalid` the kind, as Kubernetes has it.
        package var kind = ""
        package var uid = ""
        package var causes: [Cause] = []

        package init() {}
    }

    package var code: Code
    package var message: String
    package var details: Details

    package init(_ code: Code, _ message: String, details: Details = Details()) {
        self.code = code
        self.message = message
        self.details = details
    }

    package var description: String { "\(code): \(message)" }
}

extension ClusterError {
    private static func details(_ kind: ResourceKind, _ name: String) -> Details {
        var details = Details()
        details.name = name
        details.group = kind.group
        details.kind = kind.plural
        return details
    }

    package static func notFound(_ kind: ResourceKind, _ name: String) -> ClusterError {
        ClusterError(.notFound, "\(kind.qualifiedPlural) \"\(name)\" not found", details: details(kind, name))
    }

    package static func alreadyExists(_ kind: ResourceKind, _ name: String) -> ClusterError {
        ClusterError(.alreadyExists, "\(kind.qualifiedPlural) \"\(name)\" already exists", details: details(kind, name))
    }

    package static func conflict(_ kind: ResourceKind, _ name: String, _ reason: String) -> ClusterError {
        ClusterError(
            .conflict, "Operation cannot be fulfilled on \(kind.qualifiedPlural) \"\(name)\": \(reason)",
            details: details(kind, name))
    }

    package static func forbidden(_ kind: ResourceKind, _ name: String, _ reason: String) -> ClusterError {
        let object = name.isEmpty ? "" : " \"\(name)\""
        return ClusterError(
            .forbidden, "\(kind.qualifiedPlural)\(object) is forbidden: \(reason)", details: details(kind, name))
    }

    /// The message repeats every cause, as clients print only the message.
    package static func invalid(_ kind: ResourceKind, _ name: String, _ causes: [Cause]) -> ClusterError {
        var all = details(kind, name)
        all.kind = kind.kind
        all.causes = causes
        let reasons = causes.map { "\($0.field): \($0.message)" }
        let text = reasons.count == 1 ? reasons[0] : "[\(reasons.joined(separator: ", "))]"
        let owner = kind.group.isEmpty ? kind.kind : "\(kind.kind).\(kind.group)"
        return ClusterError(.invalid, "\(owner) \"\(name)\" is invalid: \(text)", details: all)
    }

    package static let staleVersion =
        "the object has been modified; please apply your changes to the latest version and try again"
}
