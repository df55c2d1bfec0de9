// The values that `{{...}}` may name at one place of a workflow.

/// Names and their texts, in layers: later ones hide earlier ones.
struct WorkflowScope: Sendable {
    private var layers: [[String: String]]

    init(_ layers: [[String: String]] = []) { self.layers = layers }

    subscript(_ name: String) -> String? {
        for layer in layers.reversed() {
            if let value = layer[name] { return value }
        }
        return nil
    }

    func adding(_ layer: [String: String]) -> WorkflowScope {
        layer.isEmpty ? self : WorkflowScope(layers + [layer])
    }
}
