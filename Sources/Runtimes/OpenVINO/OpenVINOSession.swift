import COpenVINO
import Synchronization

/// A model that OpenVINO compiled for the CPU. Runs take an infer request from a pool and bring it back, so that a run
/// allocates nothing but its answer.
package final class OpenVINOSession: Sendable {
    package let inputs: [TensorSpecification]
    package let outputs: [TensorSpecification]
    private let library: OpenVINOLibrary
    private let compiled: Handle
    private let idle = Mutex<[Handle]>([])
    private let idleCountMax: Int
    /// True when only a run can tell whether an input's shape fits: a dimension behind the first is of any size.
    private let hasOpenShapes: Bool

    /// An object of the library; one thread at a time uses an infer request, any number the compiled model.
    private struct Handle: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    /// Reads the model at `path`, a folder for a SavedModel; blocks for the time OpenVINO compiles it. Throws
    /// `RuntimeError.modelInvalid`.
    ///
    /// - Parameter signature: the names that clients know; nil takes those of the model file.
    package init(
        library: OpenVINOLibrary, path: String, options: SessionOptions, signature: SavedModelSignature? = nil
    ) throws(RuntimeError) {
        let api = library.handles.api
        var read: OpaquePointer?
        try OpenVINOLibrary.check(api, slipway_ov_model_read(api, library.handles.core, path, &read), .modelInvalid)
        guard let read else { throw RuntimeError(.modelInvalid, "OpenVINO gave no model") }
        defer { slipway_ov_model_free(api, read) }
        inputs = try Self.ports(api, read, isOutput: false, names: signature?.inputs)
        outputs = try Self.ports(api, read, isOutput: true, names: signature?.outputs)
        hasOpenShapes = inputs.contains { $0.shape.dropFirst().contains(-1) }
        idleCountMax = max(1, options.concurrentRunCount)
        let threadCount = idleCountMax * max(1, options.intraOpThreadCount)
        var model: OpaquePointer?
        try OpenVINOLibrary.check(
            api, slipway_ov_compile(api, library.handles.core, read, "\(idleCountMax)", "\(threadCount)", &model),
            .modelInvalid)
        guard let model else { throw RuntimeError(.modelInvalid, "OpenVINO gave no compiled model") }
        compiled = Handle(pointer: model)
        self.library = library
    }

    deinit {
        let api = library.handles.api
        for request in idle.withLock({ $0 }) { slipway_ov_request_free(api, request.pointer) }
        slipway_ov_compiled_free(api, compiled.pointer)
    }

    /// Computes `outputNames` from `inputs`, one for every input of the model; blocks the calling thread.
    ///
    /// Throws `RuntimeError`: `inputInvalid` when names or shapes do not fit the model, else `failed`.
    package func run(
        _ inputs: [(name: String, tensor: Tensor)], outputNames: [String]
    ) throws(RuntimeError) -> [Tensor] {
        var positions: [Int] = []
        for (name, _) in inputs {
            guard let position = self.inputs.firstIndex(where: { $0.name == name }) else {
                throw RuntimeError(.inputInvalid, "the model has no input \"\(name)\"")
            }
            positions.append(position)
        }
        guard Set(positions).count == self.inputs.count else {
            throw RuntimeError(.inputInvalid, "the model takes \(self.inputs.count) inputs, each once")
        }
        let request = try takeRequest()
        var results: [Tensor] = []
        // A request that failed may hold half of a run; it is not used again.
        do throws(RuntimeError) {
            try StillBytes.of(inputs.map(\.tensor)[...]) { (bytes) throws(RuntimeError) in
                try run(request, inputs, bytes, positions)
                results = try read(request, outputNames)
            }
        } catch {
            slipway_ov_request_free(library.handles.api, request.pointer)
            throw error
        }
        giveBack(request)
        return results
    }

    private func run(
        _ request: Handle, _ inputs: [(name: String, tensor: Tensor)], _ bytes: [UnsafeRawBufferPointer],
        _ positions: [Int]
    ) throws(RuntimeError) {
        let api = library.handles.api
        for (index, (name, tensor)) in inputs.enumerated() {
            guard let code = OpenVINOElement.code(tensor.type) else {
                throw RuntimeError(.inputInvalid, "input \"\(name)\" is of type \(tensor.type.name)")
            }
            // The library refuses a null address even for no bytes.
            let address =
                UnsafeMutableRawPointer(mutating: bytes[index].baseAddress) ?? UnsafeMutableRawPointer(bitPattern: 64)
            let shape = tensor.shape.map { Int64($0) }
            var value: OpaquePointer?
            try OpenVINOLibrary.check(
                api, slipway_ov_tensor_over(api, code, Int64(shape.count), shape, address, &value), .inputInvalid)
            // The request keeps what it needs of the tensor.
            defer { slipway_ov_tensor_free(api, value) }
            try OpenVINOLibrary.check(
                api, slipway_ov_request_set(api, request.pointer, positions[index], value), .inputInvalid)
        }
        try OpenVINOLibrary.check(
            api, slipway_ov_request_run(api, request.pointer), hasOpenShapes ? .inputInvalid : .failed)
    }

    /// Copies the outputs out of the request.
    private func read(_ request: Handle, _ names: [String]) throws(RuntimeError) -> [Tensor] {
        let api = library.handles.api
        var results: [Tensor] = []
        results.reserveCapacity(names.count)
        for name in names {
            guard let index = outputs.firstIndex(where: { $0.name == name }) else {
                throw RuntimeError(.inputInvalid, "the model has no output \"\(name)\"")
            }
            var value: OpaquePointer?
            try OpenVINOLibrary.check(api, slipway_ov_request_get(api, request.pointer, index, &value), .failed)
            guard let value else { throw RuntimeError(.failed, "the model gave no value for output \"\(name)\"") }
            defer { slipway_ov_tensor_free(api, value) }
            results.append(try Self.tensor(api, value, name))
        }
        return results
    }

    private static func tensor(
        _ api: OpaquePointer, _ value: OpaquePointer, _ name: String
    ) throws(RuntimeError) -> Tensor {
        var code: Int32 = 0
        var rank: Int64 = 0
        var count = 0
        var bytes: UnsafeMutableRawPointer?
        var dimensions = [Int64](repeating: 0, count: rankMax)
        try OpenVINOLibrary.check(
            api, slipway_ov_tensor_read(api, value, &code, &rank, &dimensions, rankMax, &bytes, &count), .failed)
        let shape = dimensions.prefix(Int(clamping: rank)).map { Int($0) }
        guard let type = OpenVINOElement.type(code), rank <= rankMax, let elements = Tensor.elementCount(shape),
            let width = type.width, elements.multipliedReportingOverflow(by: width) == (count, false)
        else {
            throw RuntimeError(.failed, "output \"\(name)\" has a type or shape that is not supported")
        }
        let data = [UInt8](UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
        return Tensor(type: type, shape: shape, data: data[...])
    }

    // MARK: Requests

    private func takeRequest() throws(RuntimeError) -> Handle {
        if let request = idle.withLock({ $0.popLast() }) { return request }
        let api = library.handles.api
        var request: OpaquePointer?
        try OpenVINOLibrary.check(api, slipway_ov_request_create(api, compiled.pointer, &request), .failed)
        guard let request else { throw RuntimeError(.failed, "OpenVINO gave no infer request") }
        return Handle(pointer: request)
    }

    private func giveBack(_ request: Handle) {
        let isKept = idle.withLock { idle in
            guard idle.count < idleCountMax else { return false }
            idle.append(request)
            return true
        }
        if !isKept { slipway_ov_request_free(library.handles.api, request.pointer) }
    }

    // MARK: Ports

    private static let rankMax = 16

    /// Reads names, types and shapes of the model's inputs or outputs, in the order of their numbers.
    private static func ports(
        _ api: OpaquePointer, _ model: OpaquePointer, isOutput: Bool, names: [String]?
    ) throws(RuntimeError) -> [TensorSpecification] {
        let side: Int32 = isOutput ? 1 : 0
        let what = isOutput ? "output" : "input"
        var count = 0
        try OpenVINOLibrary.check(api, slipway_ov_port_count(api, model, side, &count), .modelInvalid)
        var found: [TensorSpecification] = []
        for index in 0..<count {
            var text: UnsafeMutablePointer<CChar>?
            var code: Int32 = 0
            var rank: Int64 = 0
            var dimensions = [Int64](repeating: 0, count: rankMax)
            try OpenVINOLibrary.check(
                api, slipway_ov_port(api, model, side, index, &text, &code, &rank, &dimensions, rankMax), .modelInvalid)
            defer { slipway_ov_free(api, text) }
            let own = text.map { String(cString: $0) } ?? "\(what)_\(index)"
            let name = try names.map { (names) throws(RuntimeError) in try match(own, names, what) } ?? own
            guard let type = OpenVINOElement.type(code) else {
                throw RuntimeError(
                    .modelInvalid,
                    """
                    \(what) "\(name)" has an element type that OpenVINO does not compute with here (texts are one); save \
                    the model as ONNX
                    """)
            }
            guard (0...Int64(rankMax)).contains(rank) else {
                throw RuntimeError(
                    .modelInvalid,
                    "\(what) \"\(name)\" may have any number of dimensions; give it a shape of fixed rank")
            }
            found.append(
                TensorSpecification(name: name, type: type, shape: dimensions.prefix(Int(rank)).map { Int($0) }))
        }
        guard Set(found.map(\.name)).count == found.count else {
            throw RuntimeError(.modelInvalid, "two \(what)s of the model have the same name")
        }
        return found
    }

    /// The signature's name of a port: OpenVINO appends `_1` to an output that is called as an input is.
    private static func match(_ own: String, _ names: [String], _ what: String) throws(RuntimeError) -> String {
        if names.contains(own) { return own }
        if let bar = own.lastIndex(of: "_"), names.contains(String(own[..<bar])) { return String(own[..<bar]) }
        throw RuntimeError(.modelInvalid, "the SavedModel's signature does not name the \(what) \"\(own)\"")
    }
}
