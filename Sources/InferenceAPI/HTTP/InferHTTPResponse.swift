import Formats
import HTTP
import Inference
import Runtimes

/// Writes the answer to an infer request.
enum InferHTTPResponse {
    private static let json: HTTPFields = ["Content-Type": "application/json"]

    /// - Parameter response: holds the requested outputs, in the order of `request.outputs` when that names any.
    static func make(
        _ response: InferenceResponse, to request: InferHTTPRequest, from model: ModelVersion
    ) throws(InferenceError) -> (fields: HTTPFields, body: [UInt8]) {
        var binary: [ArraySlice<UInt8>] = []
        var writer = JSONWriter(reserving: 512)
        writer.beginObject()
        if !request.id.isEmpty {
            writer.key("id")
            writer.string(request.id)
        }
        writer.key("model_name")
        writer.string(model.configuration.name)
        writer.key("model_version")
        writer.string("\(model.number)")
        writer.key("outputs")
        writer.beginArray()
        for (index, (name, value)) in response.outputs.enumerated() {
            let wanted =
                index < request.outputs.count
                ? request.outputs[index]
                : RequestedOutput(name: name, isBinary: request.isBinaryByDefault)
            let tensor = wanted.classCount > 0 ? try Classification.classes(value, wanted, model) : value
            writer.beginObject()
            writer.key("name")
            writer.string(name)
            writer.key("datatype")
            writer.string(tensor.type.name)
            writer.key("shape")
            writer.beginArray()
            for dimension in tensor.shape { writer.int(dimension) }
            writer.endArray()
            if wanted.isBinary {
                writer.key("parameters")
                writer.beginObject()
                writer.key("binary_data_size")
                writer.int(tensor.data.count)
                writer.endObject()
                binary.append(tensor.data)
            } else {
                writer.key("data")
                try TensorJSON.write(tensor, to: &writer, output: name)
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        guard !binary.isEmpty else { return (json, writer.bytes) }
        var body = writer.bytes
        let headerLength = body.count
        body.reserveCapacity(headerLength + binary.reduce(0) { $0 + $1.count })
        for data in binary { body.append(contentsOf: data) }
        let fields: HTTPFields = [
            "Content-Type": "application/octet-stream", "Inference-Header-Content-Length": "\(headerLength)",
        ]
        return (fields, body)
    }
}
