// Field selectors, `status.phase=Running,metadata.name!=x`: equality on the few fields that a kind declares.

import Bytes
package import Formats

/// A conjunction of comparisons of fields with texts. Empty selects everything.
package struct FieldSelector: Sendable, Equatable {
    package struct Requirement: Sendable, Equatable {
        package var path: [String]
        package var value: String
        package var isEqual: Bool
    }

    package private(set) var requirements: [Requirement] = []

    package init() {}

    /// Selects the object called `name`.
    package init(name: String) {
        requirements = [Requirement(path: ["metadata", "name"], value: name, isEqual: true)]
    }

    /// Parses `text` for objects of `kind`. Throws `.badRequest` for a malformed term or a field the kind does not
    /// offer.
    package init(parsing text: String, for kind: ResourceKind) throws(ClusterError) {
        guard text.utf8.count <= LabelSelector.bytesMax else {
            throw ClusterError(
                .badRequest, "unable to parse the field selector: it is longer than \(LabelSelector.bytesMax) bytes")
        }
        for term in text.pieces(by: ",") {
            guard let sign = term.firstIndex(of: "=") else {
                throw ClusterError(
                    .badRequest,
                    "invalid selector: '\(term)'; can't understand '\(term)': write field=value or field!=value")
            }
            var field = term[..<sign]
            var value = term[term.index(after: sign)...]
            let isEqual = !field.hasSuffix("!")
            if !isEqual { field = field.dropLast() }
            if isEqual, value.hasPrefix("=") { value = value.dropFirst() }
            let known = ["metadata.name", "metadata.namespace"] + kind.selectableFields
            guard known.contains(String(field)) else {
                throw ClusterError(
                    .badRequest,
                    "field label not supported: \(field); \(kind.qualifiedPlural) offer "
                        + known.joined(separator: ", ")
                )
            }
            requirements.append(
                Requirement(
                    path: field.pieces(by: ".").map(String.init), value: Self.unescaped(value), isEqual: isEqual))
        }
    }

    /// `\,`, `\=` and `\\` stand for the sign after the backslash.
    private static func unescaped(_ value: Substring) -> String {
        var out = ""
        var isEscaped = false
        for character in value {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                out.append(character)
                isEscaped = false
            }
        }
        return out
    }

    package func matches(_ object: JSON) -> Bool {
        requirements.allSatisfy { requirement in
            let value = requirement.path.reduce(Optional(object)) { $0?[$1] }
            let text =
                switch value {
                case .string(let text): text
                case .bool(let flag): flag ? "true" : "false"
                case .int(let number): String(number)
                default: ""
                }
            return (text == requirement.value) == requirement.isEqual
        }
    }

    /// The one name that can match, when the selector says so: lets a look-up take the place of a scan.
    package var exactName: String? {
        requirements.first { $0.isEqual && $0.path == ["metadata", "name"] }?.value
    }
}
