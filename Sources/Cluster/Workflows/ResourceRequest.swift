// What a `resource` template asks for, and the conditions by which its object's state counts as done.

import Bytes
import Formats

/// One `resource` template with its parameters filled in.
struct ResourceRequest: Sendable, Equatable {
    enum Verb: String, Sendable {
        case create, apply, delete, get, patch, replace
    }

    let verb: Verb
    /// The documents of the manifest.
    let objects: [JSON]
    let success: ResourceCondition?
    let failure: ResourceCondition?
    let setsOwner: Bool

    init(_ template: JSON) throws(WorkflowFault) {
        guard let verb = Verb(rawValue: template["action"]?.stringValue ?? "") else {
            throw WorkflowFault(
                "resource.action \"\(template["action"]?.stringValue ?? "")\" is not one of create, apply, delete, get, patch, replace"
            )
        }
        self.verb = verb
        guard let manifest = template["manifest"]?.stringValue, !manifest.isEmpty else {
            throw WorkflowFault("resource.manifest is required")
        }
        if let strategy = template["mergeStrategy"]?.stringValue, verb == .patch, strategy != "merge" {
            throw WorkflowFault("resource.mergeStrategy \"\(strategy)\" is not supported here; use merge")
        }
        for field in ["manifestFrom", "flags"] where template[field] != nil {
            throw WorkflowFault("resource.\(field) is not supported here")
        }
        do throws(YAMLError) {
            objects = try YAML.parse(Array(manifest.utf8)).filter { $0.objectValue?.isEmpty == false }
        } catch {
            throw WorkflowFault("resource.manifest is not valid YAML: \(error.message)")
        }
        guard !objects.isEmpty else { throw WorkflowFault("resource.manifest holds no object") }
        success = try template["successCondition"]?.stringValue.map { text throws(WorkflowFault) in
            try ResourceCondition(text)
        }
        failure = try template["failureCondition"]?.stringValue.map { text throws(WorkflowFault) in
            try ResourceCondition(text)
        }
        setsOwner = template["setOwnerReference"]?.boolValue == true
    }
}

/// `status.succeeded > 0, status.phase == Ready`: comparisons of fields of an object, all of which must hold.
struct ResourceCondition: Sendable, Equatable {
    enum Comparison: String, Sendable, CaseIterable {
        // Longer signs first, so that none is taken for the beginning of another.
        case notEqual = "!="
        case equal = "=="
        case single = "="
        case greater = ">"
        case less = "<"
    }

    struct Term: Sendable, Equatable {
        let path: [String]
        /// Nil when the field must only exist.
        let comparison: Comparison?
        let value: String
    }

    let text: String
    let terms: [Term]

    init(_ text: String) throws(WorkflowFault) {
        self.text = text
        var terms: [Term] = []
        for part in text.pieces(by: ",") {
            let term = Self.trimmed(part)
            guard !term.isEmpty else { continue }
            terms.append(try Self.term(term))
        }
        guard !terms.isEmpty, terms.count <= 64 else { throw WorkflowFault("condition \"\(text)\" cannot be read") }
        self.terms = terms
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\n" || $0 == "\t" }
        while let last = text.last, last == " " || last == "\n" || last == "\t" { text = text.dropLast() }
        return text
    }

    private static func term(_ text: Substring) throws(WorkflowFault) -> Term {
        let sign = text.firstIndex { "!=<>".contains($0) }
        let name = trimmed(sign.map { text[..<$0] } ?? text)
        let path = name.pieces(by: ".").map(String.init)
        guard !path.isEmpty, !name.contains(" ") else { throw WorkflowFault("condition \"\(text)\" cannot be read") }
        guard let sign else { return Term(path: path, comparison: nil, value: "") }
        guard let comparison = Comparison.allCases.first(where: { text[sign...].hasPrefix($0.rawValue) }) else {
            throw WorkflowFault("condition \"\(text)\" cannot be read; comparisons are ==, =, !=, > and <")
        }
        let value = trimmed(text[sign...].dropFirst(comparison.rawValue.count))
        return Term(path: path, comparison: comparison, value: String(value))
    }

    func holds(for object: JSON) -> Bool {
        terms.allSatisfy { term in
            let found = term.path.reduce(Optional(object)) { value, step in
                Int(step).map { value?[$0] } ?? value?[step]
            }
            guard let found, found != .null else { return term.comparison == .notEqual }
            let text = TemplateText.text(found)
            switch term.comparison {
            case nil: return true
            case .equal, .single: return text == term.value
            case .notEqual: return text != term.value
            case .greater: return Self.numbers(text, term.value).map { $0 > $1 } ?? false
            case .less: return Self.numbers(text, term.value).map { $0 < $1 } ?? false
            }
        }
    }

    private static func numbers(_ left: String, _ right: String) -> (Double, Double)? {
        guard let left = Double(left), let right = Double(right) else { return nil }
        return (left, right)
    }
}
