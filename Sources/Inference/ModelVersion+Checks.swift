import Runtimes

extension ModelVersion {
    /// Holds a request against the model; returns its batch size (1 for a model that does not batch).
    ///
    /// Throws `InferenceError.invalid` that names the input or output, what is expected and what came.
    func check(_ request: InferenceRequest) throws(InferenceError) -> Int {
        var rows = 1
        for (index, input) in request.inputs.enumerated() {
            guard let port = configuration.inputs.first(where: { $0.name == input.name }) else {
                throw invalid("has no input \"\(input.name)\"; it takes \(Self.list(configuration.inputs))")
            }
            guard !request.inputs[..<index].contains(where: { $0.name == input.name }) else {
                throw invalid("input \"\(input.name)\" is given twice")
            }
            try check(input.tensor, port)
            if configuration.batchSizeMax > 0 {
                let size = input.tensor.shape[0]
                guard index == 0 || size == rows else {
                    throw invalid(
                        "input \"\(input.name)\" has batch size \(size), but \"\(request.inputs[0].name)\" has \(rows)")
                }
                rows = size
            }
        }
        if request.inputs.count < configuration.inputs.count {
            let missing = configuration.inputs.filter { port in !request.inputs.contains { $0.name == port.name } }
            throw invalid(
                "input \(Self.list(missing)) is missing; the model takes \(configuration.inputs.count) inputs")
        }
        for (index, name) in request.outputNames.enumerated() {
            guard configuration.outputs.contains(where: { $0.name == name }) else {
                throw invalid("has no output \"\(name)\"; it gives \(Self.list(configuration.outputs))")
            }
            guard !request.outputNames[..<index].contains(name) else {
                throw invalid("output \"\(name)\" is asked for twice")
            }
        }
        return rows
    }

    private func check(_ tensor: Tensor, _ port: ModelConfiguration.Port) throws(InferenceError) {
        let expected = configuration.fullShape(port)
        guard tensor.type == port.type, tensor.shape.count == expected.count,
            zip(expected, tensor.shape).allSatisfy({ $0 == -1 || $0 == $1 })
        else {
            throw invalid(
                """
                input "\(port.name)" expects \(port.type.name) \(text(expected)), got \(tensor.type.name) \(text(tensor.shape))
                """)
        }
        guard configuration.batchSizeMax > 0 else { return }
        guard (1...configuration.batchSizeMax).contains(tensor.shape[0]) else {
            throw invalid(
                "input \"\(port.name)\" has batch size \(tensor.shape[0]); it must be 1 to \(configuration.batchSizeMax)"
            )
        }
    }

    private func invalid(_ reason: String) -> InferenceError {
        InferenceError(.invalid, "model \"\(configuration.name)\": \(reason)")
    }

    private static func list(_ ports: [ModelConfiguration.Port]) -> String {
        ports.map { "\"\($0.name)\"" }.joined(separator: ", ")
    }
}
