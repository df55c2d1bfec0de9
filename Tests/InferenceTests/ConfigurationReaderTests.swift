import Runtimes
import Testing

@testable import Inference

@Suite struct ConfigurationReaderTests {
    private func read(_ text: String) throws(InferenceError) -> WrittenConfiguration {
        try ConfigurationReader.read(text: Array(text.utf8), model: "m", limits: InferenceLimits())
    }

    @Test func readsWhatTutorialsWrite() throws {
        let written = try read(
            """
            name: "m"  # the folder's name
            platform: "onnxruntime_onnx"
            max_batch_size: 8
            input [ { name: "x" data_type: TYPE_FP32 dims: [ 1, 28, 28 ] } ]
            output { name: "y" data_type: TYPE_STRING dims: -1 label_filename: "labels.txt" }
            version_policy: { specific: { versions: [1, 3] } }
            instance_group [ { count: 2 kind: KIND_CPU } ]
            dynamic_batching {
              preferred_batch_size: [ 4, 8 ]
              max_queue_delay_microseconds: 100
              default_queue_policy { max_queue_size: 5 default_timeout_microseconds: 7000 allow_timeout_override: true }
            }
            parameters { key: "intra_op_thread_count" value: { string_value: "4" } }
            optimization { graph { level: 1 } }
            """)
        let configuration = written.configuration
        #expect(configuration.batchSizeMax == 8 && written.setsBatchSize)
        #expect(configuration.inputs == [.init(name: "x", type: .fp32, dimensions: [1, 28, 28])])
        #expect(configuration.outputs[0].type == .bytes && configuration.outputs[0].labelFile == "labels.txt")
        #expect(configuration.versionPolicy == .specific([1, 3]))
        #expect(configuration.instanceCount == 2 && configuration.queueCountMax == 5)
        #expect(configuration.queueTimeoutMicroseconds == 7000 && configuration.allowsTimeoutOverride)
        #expect(configuration.dynamicBatching?.preferredBatchSizes == [4, 8])
        #expect(configuration.session.intraOpThreadCount == 4)
    }

    @Test(arguments: [
        (#"platform: "tensorflow_savedmodel""#, ModelPlatform.savedModel), (#"backend: "tensorflow""#, .savedModel),
        (#"backend: "openvino""#, .openvino),
        (#"platform: "tensorflow_savedmodel" backend: "tensorflow""#, .savedModel),
        (#"backend: "onnxruntime""#, .onnx),
    ])
    func readsThePlatform(text: String, platform: ModelPlatform) throws {
        let written = try read(text)
        #expect(written.configuration.platform == platform && written.setsPlatform)
    }

    @Test func jsonSaysTheSame() throws {
        let json = """
            {"max_batch_size": 8, "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": ["3", 4]}], "batch_input": [],
             "parameters": {"inter_op_thread_count": {"string_value": "2"}}, "version_policy": {"all": {}}}
            """
        let written = try ConfigurationReader.read(json: Array(json.utf8), model: "m", limits: InferenceLimits())
        #expect(written.configuration.inputs == [.init(name: "x", type: .fp32, dimensions: [3, 4])])
        #expect(written.configuration.session.interOpThreadCount == 2)
        #expect(written.configuration.versionPolicy == .all)
    }

    @Test(arguments: [
        (#"name: "other""#, "config says name \"other\""),
        (#"backend: "python""#, "backend \"python\" is not supported; supported: onnxruntime"),
        (#"backend: "onnxruntime" platform: "tensorflow_savedmodel""#, "platform and backend name different runtimes"),
        (
            #"parameters { key: "TF_SIGNATURE_DEF" value: { string_value: "classify" } }"#,
            "only \"serving_default\" is supported"
        ),
        (#"platform: "ensemble""#, "platform \"ensemble\" is not supported"),
        ("sequence_batching { }", "sequence_batching, which is not supported"),
        ("ensemble_scheduling { }", "ensemble_scheduling, which is not supported"),
        ("model_transaction_policy { decoupled: true }", "decoupled: true }, which is not supported"),
        (#"input { name: "x" data_type: TYPE_FP32 dims: 1 reshape { shape: [] } }"#, "reshape, which is not supported"),
        (#"input { name: "x" data_type: TYPE_FP32 dims: 1 optional: true }"#, "optional, which is not supported"),
        (#"input { name: "x" data_type: TYPE_COMPLEX dims: 1 }"#, "data_type \"TYPE_COMPLEX\" is not known"),
        (#"input { data_type: TYPE_FP32 dims: 1 }"#, "has no name"),
        ("instance_group { kind: KIND_GPU }", "KIND_GPU is not supported; use KIND_CPU"),
        ("instance_group { count: 100000 }", "count must be 0 to 256"),
        ("max_batch_size: -3", "max_batch_size must be 0 to 1000000, not \"-3\""),
        ("max_batch_size: 99999999999999999999", "max_batch_size must be"),
        ("max_batch_sise: 3", "unknown field \"max_batch_sise\""),
        (#"default_model_filename: "../x""#, "must be a file name without a folder"),
        ("input [", "config.pbtxt: line 1"),
    ])
    func refusesByName(text: String, message: String) {
        #expect { try read(text) } throws: { error in
            let error = error as? InferenceError
            return error?.code == .loadFailed && error?.message.contains(message) == true
                && error?.message.hasPrefix("model \"m\": ") == true
        }
    }

    private let batching = TensorSpecification(name: "x", type: .fp32, shape: [-1, 4])

    @Test func derivesWhatIsLeftOpen() throws {
        let complete = try read("").completed(
            inputs: [batching], outputs: [.init(name: "y", type: .int64, shape: [-1])], batchSizeDefault: 16)
        #expect(complete.batchSizeMax == 16 && complete.dynamicBatching != nil)
        #expect(complete.inputs == [.init(name: "x", type: .fp32, dimensions: [4])])
        #expect(complete.outputs == [.init(name: "y", type: .int64, dimensions: [])])
    }

    @Test func derivesNoBatchFromAFixedDimension() throws {
        let fixed = TensorSpecification(name: "y", type: .fp32, shape: [1, 4])
        let complete = try read("").completed(
            inputs: [batching], outputs: [fixed], batchSizeDefault: 16)
        #expect(complete.batchSizeMax == 0 && complete.dynamicBatching == nil)
        #expect(complete.inputs[0].dimensions == [-1, 4])
    }

    @Test(arguments: [
        (
            #"max_batch_size: 2 input { name: "z" data_type: TYPE_FP32 dims: 4 }"#,
            "which the model does not have; it has \"x\""
        ),
        (
            #"max_batch_size: 2 input { name: "x" data_type: TYPE_FP32 dims: 5 }"#,
            "FP32 [-1,5], but the model has FP32 [-1,4]"
        ),
        (
            #"max_batch_size: 2 input { name: "x" data_type: TYPE_INT8 dims: 4 }"#,
            "INT8 [-1,4], but the model has FP32 [-1,4]"
        ),
        (
            "max_batch_size: 2 dynamic_batching { preferred_batch_size: 4 }",
            "preferred_batch_size 4 is over max_batch_size 2"
        ),
    ])
    func holdsTheConfigurationAgainstTheModel(text: String, message: String) throws {
        let written = try read(text)
        #expect {
            try written.completed(inputs: [batching], outputs: [batching], batchSizeDefault: 4)
        } throws: { ($0 as? InferenceError)?.message.contains(message) == true }
    }
}

@Suite struct ModelNameTests {
    @Test(arguments: ["m", "a.b-c_9", String(repeating: "a", count: 255)]) func accepts(name: String) {
        #expect(ModelName.isValid(name))
    }

    @Test(arguments: ["", ".", "..", "a/b", "a\0", "é", "a b", String(repeating: "a", count: 256)]) func refuses(
        name: String
    ) {
        #expect(!ModelName.isValid(name))
    }

    @Test(
        arguments: [("1", 1), ("20260101", 20_260_101), ("0", nil), ("01", nil), ("-1", nil), ("1a", nil)]
            as [(String, Int?)])
    func readsVersions(text: String, version: Int?) { #expect(ModelName.version(text) == version) }
}
