import Formats
import Inference
import Runtimes
import Testing

@testable import InferenceAPI

@Suite struct InferRequestTests {
    private func read(_ json: String, headerLength: Int? = nil, more: [UInt8] = []) throws(InferenceError)
        -> InferHTTPRequest
    {
        try InferHTTPRequest(Array(json.utf8) + more, headerLength: headerLength)
    }

    @Test(
        arguments: [
            ("BOOL", "[true, 0]", [1, 0]), ("UINT8", "[255, 0]", [255, 0]), ("INT8", "[-1, 2.0]", [255, 2]),
            ("INT16", "[-2, 1]", [0xfe, 0xff, 1, 0]), ("FP16", "[1, -2]", [0, 0x3c, 0, 0xc0]),
            ("BF16", "[1, -2]", [0x80, 0x3f, 0, 0xc0]), ("FP32", "[1, [0]]", [0, 0, 0x80, 0x3f, 0, 0, 0, 0]),
            ("UINT64", "[18446744073709551615, 1]", [255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0]),
            ("BYTES", #"["é", ""]"#, [2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]),
        ] as [(String, String, [UInt8])])
    func readsElements(type: String, data: String, bytes: [UInt8]) throws {
        let request = try read(#"{"inputs":[{"name":"x","datatype":"\#(type)","shape":[2],"data":\#(data)}]}"#)
        #expect(Array(request.request.inputs[0].tensor.data) == bytes)
    }

    @Test func readsBytesBehindTheHeader() throws {
        let json = """
            {"id":"a","parameters":{"binary_data_output":true,"timeout":5},"inputs":[\
            {"name":"x","datatype":"INT8","shape":[3],"parameters":{"binary_data_size":3}},\
            {"name":"y","datatype":"INT8","shape":[1],"data":[7]},\
            {"name":"z","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}}],\
            "outputs":[{"name":"o","parameters":{"binary_data":false}},{"name":"p","parameters":{"classification":2}}]}
            """
        let request = try read(json, headerLength: json.utf8.count, more: [1, 2, 3, 1, 0, 0, 0, 9])
        #expect(request.id == "a" && request.request.timeoutMicroseconds == 5 && request.isBinaryByDefault)
        #expect(request.request.inputs.map { Array($0.tensor.data) } == [[1, 2, 3], [7], [1, 0, 0, 0, 9]])
        #expect(request.request.outputNames == ["o", "p"])
        #expect(request.outputs.map(\.isBinary) == [false, true] && request.outputs[1].classCount == 2)
    }

    @Test func writesEveryType() throws {
        let cases: [(TensorType, [UInt8], String)] = [
            (.bool, [1, 0], "[true,false]"), (.int8, [255], "[-1]"), (.uint16, [1, 1], "[257]"),
            (.fp16, [0, 0x3c], "[1.0]"),
            (.bf16, [0x80, 0x3f], "[1.0]"), (.fp32, [0, 0, 0xc0, 0x7f], #"["NaN"]"#),
            (.int64, [255, 255, 255, 255, 255, 255, 255, 255], "[-1]"),
            (.bytes, [2, 0, 0, 0, 0x61, 0x22], #"["a\""]"#),
        ]
        for (type, bytes, json) in cases {
            var writer = JSONWriter()
            try TensorJSON.write(Tensor(type: type, shape: [1], data: bytes[...]), to: &writer, output: "y")
            #expect(String(decoding: writer.bytes, as: UTF8.self) == json)
        }
        var writer = JSONWriter()
        let nested = Tensor(type: .uint8, shape: [2, 2], data: [1, 2, 3, 4])
        try TensorJSON.writeNested(nested, to: &writer, output: "y")
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "[[1,2],[3,4]]")
    }

    @Test func refusesWhatIsNotUTF8() {
        var writer = JSONWriter()
        let tensor = Tensor(type: .bytes, shape: [1], data: [1, 0, 0, 0, 0xff])
        #expect { try TensorJSON.write(tensor, to: &writer, output: "y") } throws: {
            ($0 as? InferenceError)?.message.contains("ask for it with binary_data") == true
        }
    }
}

@Suite struct InferGRPCRequestTests {
    private func message(
        _ type: String, _ shape: [Int64], contents: ((inout ProtobufWriter) -> Void)? = nil, raw: [[UInt8]] = []
    ) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.string(1, "m")
        writer.string(2, "3")
        writer.string(3, "id")
        writer.message(5) { input in
            input.string(1, "x")
            input.string(2, type)
            input.packed(3, shape)
            if let contents { input.message(5, contents) }
        }
        writer.message(6) { output in
            output.string(1, "y")
            output.message(2) { entry in
                entry.string(1, "classification")
                entry.message(2) { $0.int(2, 4) }
            }
        }
        for bytes in raw { writer.data(7, bytes) }
        return writer.bytes
    }

    @Test func readsRawBytes() throws {
        let request = try InferGRPCRequest(message("INT16", [1, 2], raw: [[1, 0, 2, 0]]))
        #expect(request.model == "m" && request.version == "3" && request.id == "id")
        #expect(request.request.inputs[0].tensor == Tensor(type: .int16, shape: [1, 2], data: [1, 0, 2, 0]))
        #expect(request.outputs[0].name == "y" && request.outputs[0].classCount == 4)
    }

    @Test func readsTypedContents() throws {
        let request = try InferGRPCRequest(message("INT16", [2], contents: { $0.packed(2, [1, -2]) }))
        #expect(Array(request.request.inputs[0].tensor.data) == [1, 0, 0xfe, 0xff])
    }

    @Test func refusesByName() {
        let cases: [([UInt8], String)] = [
            (message("INT16", [2], raw: [[1]]), "has 1 bytes; INT16 [2] needs 4"),
            (message("INT16", [-2], raw: [[1]]), "negative dimension"),
            (message("NOPE", [1], raw: [[1]]), "unknown datatype \"NOPE\""),
            (message("INT8", [1], raw: [[1], [2]]), "2 entries for 1 inputs"),
            (message("INT8", [1], contents: { $0.packed(2, [300]) }), "do not fit INT8"),
            (message("INT8", [1], contents: { $0.packed(3, [3]) }), "do not fit INT8"),
            ([0xff], "not readable"),
        ]
        for (bytes, text) in cases {
            #expect { try InferGRPCRequest(bytes) } throws: { error in
                let error = error as? InferenceError
                return error?.code == .invalid && error?.message.contains(text) == true
            }
        }
    }
}
