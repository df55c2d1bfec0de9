import Bytes
import Runtimes

/// Joining requests into one run and handing its outputs out again.
enum Batch {
    /// The inputs of all requests, one behind the other along the first dimension.
    static func joined(_ batch: [PendingRequest]) -> [(name: String, tensor: Tensor)] {
        let rows = batch.reduce(0) { $0 + $1.rows }
        return batch[0].request.inputs.enumerated().map { index, first in
            var data: [UInt8] = []
            data.reserveCapacity(batch.reduce(0) { $0 + $1.request.inputs[index].tensor.data.count })
            for item in batch { data.append(contentsOf: item.request.inputs[index].tensor.data) }
            return (
                first.name,
                Tensor(type: first.tensor.type, shape: [rows] + first.tensor.shape.dropFirst(), data: data[...])
            )
        }
    }

    /// The rows of `outputs` that belong to each request. Throws `failed` when an output does not keep the batch.
    static func split(
        _ outputs: [Tensor], _ names: [String], _ batch: [PendingRequest], model: String
    ) throws(InferenceError) -> [InferenceResponse] {
        if batch.count == 1 { return [InferenceResponse(outputs: Array(zip(names, outputs)))] }
        let rows = batch.reduce(0) { $0 + $1.rows }
        var parts: [[(name: String, tensor: Tensor)]] = Array(repeating: [], count: batch.count)
        for (name, output) in zip(names, outputs) {
            guard output.shape.first == rows else {
                throw InferenceError(
                    .failed,
                    "model \"\(model)\": output \"\(name)\" has shape \(text(output.shape)) for a batch of \(rows)")
            }
            let elementsPerRow = output.shape.dropFirst().reduce(1, *)
            var start = output.data.startIndex
            for (index, item) in batch.enumerated() {
                var end = start
                if let width = output.type.width {
                    end += item.rows * elementsPerRow * width
                } else {
                    for _ in 0..<item.rows * elementsPerRow {
                        end += 4 + (Tensor.stringLength(output.data, at: end) ?? 0)
                    }
                }
                let shape = [item.rows] + output.shape.dropFirst()
                parts[index].append((name, Tensor(type: output.type, shape: shape, data: output.data[start..<end])))
                start = end
            }
        }
        return parts.map { InferenceResponse(outputs: $0) }
    }
}

/// Messages of a native runtime, made fit for a client.
enum RuntimeText {
    /// Paths become their last component; at most 1000 characters are kept.
    static func withoutPaths(_ message: String) -> String {
        let words = message.prefix(4000).split(whereSeparator: { $0 == " " || $0 == "\n" || $0 == "\t" }).map { word in
            guard let slash = word.firstIndex(of: "/"), word[..<slash].allSatisfy({ "([\"'=".contains($0) }) else {
                return String(word)
            }
            return word[..<slash] + String(word.pieces(by: "/").last ?? "")
        }
        return String(words.joined(separator: " ").prefix(1000))
    }
}
