// The query of a request, read once. Unknown parameters are ignored, as Kubernetes does; a value that cannot be read is
// refused.

import Cluster
import HTTP

/// What a request asks for beside its path and body.
struct RequestOptions {
    private let items: [(name: String, value: String)]

    init(_ request: Request) { items = request.queryItems }

    init(items: [(name: String, value: String)]) { self.items = items }

    func value(_ name: String) -> String? { items.first { $0.name == name }?.value }

    func values(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    /// `true` in the spellings of Go and Python.
    func flag(_ name: String) throws(StatusError) -> Bool {
        switch value(name)?.lowercased() {
        case nil, "", "false", "0", "f": return false
        case "true", "1", "t": return true
        case .some(let other): throw .badRequest("\(name) must be true or false, not \"\(other.prefix(50))\"")
        }
    }

    func integer(_ name: String) throws(StatusError) -> Int? {
        guard let text = value(name), !text.isEmpty else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw .badRequest("\(name) must be a whole number, not \"\(text.prefix(50))\"")
        }
        return number
    }

    func isDryRun() throws(StatusError) -> Bool {
        let values = values("dryRun")
        for value in values where value != "All" && !value.isEmpty {
            throw .badRequest("dryRun: Unsupported value: \"\(value.prefix(50))\": supported values: \"All\"")
        }
        return values.contains("All")
    }

    /// How to treat unknown fields; `Warn` when the client does not say.
    func fieldValidation() throws(StatusError) -> FieldValidation {
        guard let text = value("fieldValidation"), !text.isEmpty else { return .warn }
        guard let validation = FieldValidation(rawValue: text) else {
            throw .badRequest(
                "fieldValidation: Unsupported value: \"\(text.prefix(50))\": supported values: "
                    + "\"Ignore\", \"Strict\", \"Warn\""
            )
        }
        return validation
    }

    func labelSelector() throws(ClusterError) -> LabelSelector {
        try LabelSelector(parsing: value("labelSelector") ?? "")
    }

    func fieldSelector(for kind: ResourceKind) throws(ClusterError) -> FieldSelector {
        try FieldSelector(parsing: value("fieldSelector") ?? "", for: kind)
    }

    /// The version to start from; nil for none or 0, which mean "as it is now".
    func resourceVersion() throws(StatusError) -> UInt64? {
        guard let text = value("resourceVersion"), !text.isEmpty, text != "0" else { return nil }
        guard let version = UInt64(text) else {
            throw .badRequest("Invalid value: \"\(text.prefix(50))\": resourceVersion must be a number")
        }
        return version
    }
}
