import Formats
import Runtimes
import Testing

@testable import Inference
@testable import InferenceAPI

@Suite struct InferenceFuzzTests {
    /// Whatever is accepted has tensors whose bytes fit their shapes.
    @Test func httpRequest() throws {
        let samples = [
            #"{"id":"1","inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2],[3e3,-4]]}],"outputs":[{"name":"y"}]}"#,
            #"{"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","data":["a\u00e9"]}],"parameters":{"binary_data_output":true}}"#,
            #"{"inputs":[{"name":"x","shape":[2],"datatype":"INT8","parameters":{"binary_data_size":2}}]}ab"#,
        ]
        try Fuzzing.run("infer-http", samples: samples) { input, random in
            let length = Bool.random(using: &random) ? nil : Int.random(in: 0...input.count + 2, using: &random)
            guard let request = try? InferHTTPRequest(input, headerLength: length) else { return }
            for (_, tensor) in request.request.inputs { Self.check(tensor) }
        }
    }

    @Test func grpcRequest() throws {
        var message = ProtobufWriter()
        message.string(1, "model")
        message.message(5) { input in
            input.string(1, "x")
            input.string(2, "INT16")
            input.packed(3, [2])
            input.message(5) { $0.packed(2, [1, 2]) }
        }
        let sample = String(decoding: message.bytes, as: UTF8.self)
        try Fuzzing.run("infer-grpc", samples: [sample]) { input, _ in
            guard let request = try? InferGRPCRequest(input) else { return }
            for (_, tensor) in request.request.inputs { Self.check(tensor) }
        }
    }

    @Test func configuration() throws {
        let samples = [
            #"name: "m" max_batch_size: 8 input [{name: "x" data_type: TYPE_FP32 dims: [1, -1]}] instance_group {count: 2}"#,
            #"dynamic_batching { preferred_batch_size: [4] max_queue_delay_microseconds: 100 } version_policy { all {} }"#,
            #"parameters { key: "intra_op_thread_count" value: { string_value: "4" } }"#,
        ]
        let limits = InferenceLimits()
        try Fuzzing.run("model-configuration", samples: samples) { input, _ in
            guard let written = try? ConfigurationReader.read(text: input, model: "m", limits: limits) else { return }
            #expect((1...limits.instanceCountMax).contains(written.configuration.instanceCount))
            #expect(!written.configuration.modelFile.utf8.contains(UInt8(ascii: "/")))
        }
        try Fuzzing.run(
            "model-configuration-json", samples: [#"{"max_batch_size":"8","input":[{"name":"x","dims":[1]}]}"#]
        ) { input, _ in
            _ = try? ConfigurationReader.read(json: input, model: "m", limits: limits)
        }
    }

    /// Whatever is accepted names at least one output.
    @Test func savedModelSignature() throws {
        var model = ProtobufWriter()
        model.int(1, 1)
        model.message(2) { graph in
            graph.message(1) { $0.string(4, "serve") }
            graph.message(5) { entry in
                entry.string(1, "serving_default")
                entry.message(2) { signature in
                    signature.message(1) { $0.string(1, "INPUT_0") }
                    signature.message(2) { $0.string(1, "OUTPUT_0") }
                }
            }
        }
        let sample = String(decoding: model.bytes, as: UTF8.self)
        try Fuzzing.run("saved-model", samples: [sample]) { input, _ in
            guard let signature = try? SavedModelSignature.read(input) else { return }
            #expect(!signature.outputs.isEmpty)
        }
    }

    private static func check(_ tensor: Tensor) {
        let count = Tensor.elementCount(tensor.shape)
        if let width = tensor.type.width {
            #expect(count.map { $0 * width } == tensor.data.count)
        } else {
            #expect(count == Tensor.stringCount(tensor.data))
        }
    }
}
