// KServe's V1 protocol: one list of instances in, one list of predictions out. For models with one input; the others are
// told to use V2.

import Formats
import HTTP
import Inference
import Runtimes
import Server

extension InferenceService {
    func addV1Routes(_ router: inout Router) {
        router.get("/v1/models") { _ in
            let names = Set(self.repository.loaded.map(\.configuration.name)).sorted()
            return self.json { writer in
                writer.value(["models": .array(names.map { .string($0) })])
            }
        }
        router.get("/v1/models/{model}") { request in
            let model = try self.model(request)
            return self.json { $0.value(["name": .string(model.configuration.name), "ready": true]) }
        }
        router.post("/v1/models/{model}") { request in
            let word = request.parameter("model")
            guard word.hasSuffix(":predict") else {
                throw InferenceError(.unsupported, "only :predict is served by V1: POST /v1/models/NAME:predict")
            }
            let model = try self.repository.model(String(word.dropLast(":predict".count)))
            return try await self.predict(model, try await self.body(request))
        }
    }

    private func predict(_ model: ModelVersion, _ body: [UInt8]) async throws -> Response {
        let request = try Self.v1Request(body, model.configuration)
        let answer = try await model.infer(request)
        var writer = JSONWriter(reserving: 1024)
        writer.beginObject()
        writer.key("predictions")
        if answer.outputs.count == 1 {
            try TensorJSON.writeNested(answer.outputs[0].tensor, to: &writer, output: answer.outputs[0].name)
        } else {
            writer.beginObject()
            for (name, tensor) in answer.outputs {
                writer.key(name)
                try TensorJSON.writeNested(tensor, to: &writer, output: name)
            }
            writer.endObject()
        }
        writer.endObject()
        return Response(contentType: "application/json", writer.bytes)
    }

    private static func v1Request(
        _ body: [UInt8], _ configuration: ModelConfiguration
    ) throws(InferenceError) -> InferenceRequest {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(body)
        } catch {
            throw InferenceError(.invalid, "the request is not readable: \(error.message)")
        }
        guard let instances = document.root["instances"], instances.isArray else {
            throw InferenceError(.invalid, "the request must be {\"instances\": [...]}")
        }
        guard configuration.inputs.count == 1 else {
            throw InferenceError(
                .unsupported, "V1 serves models with one input; this has \(configuration.inputs.count): use V2's infer")
        }
        let port = configuration.inputs[0]
        var shape: [Int] = []
        var level: JSONValue? = instances
        while let array = level, array.isArray {
            shape.append(array.count)
            var first: JSONValue?
            array.forEachElement { element in if first == nil { first = element } }
            level = first
        }
        if level?.isObject == true {
            throw InferenceError(.unsupported, "instances that are objects are not supported; give plain arrays")
        }
        let count = try TensorBytes.elementCount(shape, input: port.name)
        let bytes = try TensorJSON.read(instances, type: port.type, count: count, input: port.name)
        return InferenceRequest(inputs: [(port.name, Tensor(type: port.type, shape: shape, data: bytes[...]))])
    }
}
