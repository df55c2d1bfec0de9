// An infer request over HTTP: a JSON header, behind which the bytes of binary tensors may stand (V2's binary tensor data
// extension).

import Bytes
import Formats
import Inference
import Runtimes

/// An output that a client asked for, and how it wants it.
struct RequestedOutput: Sendable {
    let name: String
    var isBinary = false
    /// How many classes to answer in the place of the tensor; 0 is the tensor.
    var classCount = 0
}

/// A request that was read whole.
struct InferHTTPRequest {
    var id = ""
    var request = InferenceRequest(inputs: [])
    /// Empty asks for all.
    var outputs: [RequestedOutput] = []
    /// How outputs go that `outputs` does not name.
    var isBinaryByDefault = false

    /// Reads `body`, whose first `headerLength` bytes are JSON; nil makes all of it JSON.
    ///
    /// Throws `InferenceError.invalid` or `unsupported`, naming what is wrong.
    init(_ body: [UInt8], headerLength: Int?) throws(InferenceError) {
        let length = headerLength ?? body.count
        guard length > 0, length <= body.count else {
            throw InferenceError(
                .invalid, "Inference-Header-Content-Length is \(length), but the body has \(body.count) bytes")
        }
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(length == body.count ? body : Array(body[..<length]))
        } catch {
            throw InferenceError(.invalid, "the request is not readable: \(error.message)")
        }
        let root = document.root
        guard root.isObject else { throw InferenceError(.invalid, "the request must be a JSON object") }
        var inputs: JSONValue?
        var outputs: JSONValue?
        var parameters: JSONValue?
        root.forEachMember { name, value in
            if name.equals("inputs") {
                inputs = value
            } else if name.equals("outputs") {
                outputs = value
            } else if name
                .equals("parameters")
            {
                parameters = value
            } else if name.equals("id") {
                id = value.string ?? ""
            }
        }
        if let parameters { try read(parameters: parameters) }
        guard let inputs, inputs.isArray else {
            throw InferenceError(.invalid, "the request must have a list \"inputs\"")
        }
        guard inputs.count <= 4096, outputs?.count ?? 0 <= 4096 else {
            throw InferenceError(.invalid, "the request has more than 4096 inputs or outputs")
        }
        var binary = body[length...]
        try inputs.forEachElement { (input: JSONValue) throws(InferenceError) in try read(input: input, &binary) }
        guard binary.isEmpty else {
            throw InferenceError(
                .invalid, "\(binary.count) bytes stand behind the tensors; check each binary_data_size")
        }
        guard let outputs, !outputs.isNull else { return }
        guard outputs.isArray else { throw InferenceError(.invalid, "\"outputs\" must be a list") }
        try outputs.forEachElement { (output: JSONValue) throws(InferenceError) in try read(output: output) }
        request.outputNames = self.outputs.map(\.name)
    }

    private mutating func read(parameters: JSONValue) throws(InferenceError) {
        guard parameters.isObject else { throw InferenceError(.invalid, "\"parameters\" must be an object") }
        if let flag = parameters["binary_data_output"]?.bool { isBinaryByDefault = flag }
        if let timeout = parameters["timeout"] {
            guard let microseconds = timeout.unsigned else {
                throw InferenceError(.invalid, "parameter \"timeout\" must be microseconds, a whole number")
            }
            request.timeoutMicroseconds = microseconds
        }
    }

    private mutating func read(input: JSONValue, _ binary: inout ArraySlice<UInt8>) throws(InferenceError) {
        guard let name = input["name"]?.string, !name.isEmpty else {
            throw InferenceError(.invalid, "an input has no name")
        }
        guard let typeName = input["datatype"]?.string else {
            throw InferenceError(.invalid, "input \"\(name)\" has no datatype")
        }
        guard let type = TensorType(name: typeName) else {
            throw InferenceError(.invalid, "input \"\(name)\" has the unknown datatype \"\(typeName)\"")
        }
        guard let dimensions = input["shape"], dimensions.isArray, dimensions.count <= 64 else {
            throw InferenceError(.invalid, "input \"\(name)\" has no shape, or one that is not a short list")
        }
        var shape: [Int] = []
        try dimensions.forEachElement { (dimension: JSONValue) throws(InferenceError) in
            guard let size = dimension.int, size >= 0 else {
                throw InferenceError(.invalid, "input \"\(name)\": its shape holds something that is no size")
            }
            shape.append(Int(size))
        }
        let count = try TensorBytes.elementCount(shape, input: name)
        let parameters = input["parameters"]
        if parameters?["shared_memory_region"] != nil {
            throw InferenceError(
                .unsupported, "input \"\(name)\": shared memory is not supported; send the tensor's bytes")
        }
        let tensor: Tensor
        if let size = parameters?["binary_data_size"] {
            guard let length = size.int, length >= 0, length <= Int64(binary.count) else {
                throw InferenceError(
                    .invalid,
                    "input \"\(name)\": binary_data_size is over the \(binary.count) bytes that are left of the body")
            }
            tensor = try TensorBytes.tensor(type, shape, binary.prefix(Int(length)), input: name)
            binary = binary.dropFirst(Int(length))
        } else {
            guard let data = input["data"] else {
                throw InferenceError(.invalid, "input \"\(name)\" has neither data nor binary_data_size")
            }
            let bytes = try TensorJSON.read(data, type: type, count: count, input: name)
            tensor = Tensor(type: type, shape: shape, data: bytes[...])
        }
        request.inputs.append((name, tensor))
    }

    private mutating func read(output: JSONValue) throws(InferenceError) {
        guard let name = output["name"]?.string, !name.isEmpty else {
            throw InferenceError(.invalid, "a requested output has no name")
        }
        var wanted = RequestedOutput(name: name, isBinary: isBinaryByDefault)
        if let parameters = output["parameters"] {
            if parameters["shared_memory_region"] != nil {
                throw InferenceError(.unsupported, "output \"\(name)\": shared memory is not supported")
            }
            if let flag = parameters["binary_data"]?.bool { wanted.isBinary = flag }
            if let classes = parameters["classification"] {
                guard let count = classes.int, (1...1_000_000).contains(count) else {
                    throw InferenceError(.invalid, "output \"\(name)\": classification must be 1 or more")
                }
                wanted.classCount = Int(count)
            }
        }
        outputs.append(wanted)
    }
}
