import COnnxRuntime

/// A loaded ONNX model. Any number of threads may run it at once; its memory goes with the last reference.
package final class OnnxSession: Sendable {
    package let inputs: [TensorSpecification]
    package let outputs: [TensorSpecification]
    let library: OnnxLibrary
    private let raw: RawSession

    /// The library's session object. `Run` may be called from any thread (ONNX Runtime's documentation).
    private struct RawSession: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    /// Reads the model at `path`; blocks for the time the runtime optimises it. Throws `RuntimeError.modelInvalid`.
    package convenience init(library: OnnxLibrary, path: String, options: SessionOptions) throws(RuntimeError) {
        try self.init(library: library, options: options) { settings, out in
            slipway_ort_session_create(library.handles.api, library.handles.env, path, settings, &out)
        }
    }

    /// Reads the model in `bytes`; it must hold its weights itself. Throws `RuntimeError.modelInvalid`.
    package convenience init(library: OnnxLibrary, bytes: [UInt8], options: SessionOptions) throws(RuntimeError) {
        try self.init(library: library, options: options) { settings, out in
            bytes.withUnsafeBytes {
                slipway_ort_session_create_from_bytes(
                    library.handles.api, library.handles.env, $0.baseAddress, $0.count, settings, &out)
            }
        }
    }

    private init(
        library: OnnxLibrary, options: SessionOptions,
        create: (_ settings: OpaquePointer, _ out: inout OpaquePointer?) -> OpaquePointer?
    ) throws(RuntimeError) {
        let api = library.handles.api
        var settings: OpaquePointer?
        try OnnxLibrary.check(api, slipway_ort_options_create(api, &settings), .failed)
        guard let settings else { throw RuntimeError(.failed, "ONNX Runtime gave no session options") }
        defer { slipway_ort_options_release(api, settings) }
        try OnnxLibrary.check(
            api,
            slipway_ort_options_set_threads(
                api, settings, Int32(clamping: options.intraOpThreadCount), Int32(clamping: options.interOpThreadCount)),
            .failed)
        // Waiting threads sleep: spinning doubles the CPU of a small model and starves the neighbours.
        for key in ["session.intra_op.allow_spinning", "session.inter_op.allow_spinning"] {
            try OnnxLibrary.check(api, slipway_ort_options_add(api, settings, key, "0"), .failed)
        }
        var session: OpaquePointer?
        try OnnxLibrary.check(api, create(settings, &session), .modelInvalid)
        guard let session else { throw RuntimeError(.failed, "ONNX Runtime gave no session") }
        self.library = library
        raw = RawSession(pointer: session)
        do throws(RuntimeError) {
            inputs = try Self.ports(library, session, isOutput: false)
            outputs = try Self.ports(library, session, isOutput: true)
        } catch {
            slipway_ort_session_release(api, session)
            throw error
        }
    }

    deinit { slipway_ort_session_release(library.handles.api, raw.pointer) }

    /// Computes `outputNames` from `inputs`, one for every input of the model; blocks the calling thread.
    ///
    /// Throws `RuntimeError`: `inputInvalid` when names or shapes do not fit the model, else `failed`.
    package func run(
        _ inputs: [(name: String, tensor: Tensor)], outputNames: [String]
    ) throws(RuntimeError) -> [Tensor] {
        let api = library.handles.api
        var names = CStrings()
        for (name, _) in inputs { names.append(name) }
        for name in outputNames { names.append(name) }
        var values: [OpaquePointer?] = []
        values.reserveCapacity(inputs.count)
        var outputs = [OpaquePointer?](repeating: nil, count: outputNames.count)
        defer {
            for value in values { slipway_ort_value_release(api, value) }
            for value in outputs where value != nil { slipway_ort_value_release(api, value) }
        }
        try withExtendedBytes(inputs[...], &values) { (values: [OpaquePointer?]) throws(RuntimeError) in
            let status = names.withPointers { pointers in
                slipway_ort_run(
                    api, raw.pointer, pointers.baseAddress, values, inputs.count,
                    pointers.baseAddress.map { $0 + inputs.count }, outputNames.count, &outputs)
            }
            try OnnxLibrary.check(api, status, .failed)
        }
        var results: [Tensor] = []
        results.reserveCapacity(outputs.count)
        for output in outputs {
            guard let output else { throw RuntimeError(.failed, "the model gave no value for an output") }
            results.append(try OnnxTensor.read(output, library))
        }
        return results
    }

    /// Makes a value over the bytes of each input and calls `body` while all of those bytes stand still. Recursive, since
    /// the memory of an array may only be used inside a closure.
    private func withExtendedBytes(
        _ inputs: ArraySlice<(name: String, tensor: Tensor)>, _ values: inout [OpaquePointer?],
        _ body: ([OpaquePointer?]) throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        guard let (_, tensor) = inputs.first else { return try body(values) }
        if tensor.type == .bytes {
            values.append(try OnnxTensor.strings(tensor, library))
            return try withExtendedBytes(inputs.dropFirst(), &values, body)
        }
        var failure: RuntimeError?
        tensor.data.withUnsafeBytes { bytes in
            do throws(RuntimeError) {
                let width = tensor.type.width ?? 1
                if Int(bitPattern: bytes.baseAddress).isMultiple(of: width) {
                    values.append(try OnnxTensor.over(bytes, tensor, library))
                    try withExtendedBytes(inputs.dropFirst(), &values, body)
                } else {
                    // A tensor behind an odd-sized header; the library's vector code wants aligned elements.
                    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 64)
                    defer { copy.deallocate() }
                    copy.copyMemory(from: bytes)
                    values.append(
                        try OnnxTensor.over(UnsafeRawBufferPointer(rebasing: copy[..<bytes.count]), tensor, library))
                    try withExtendedBytes(inputs.dropFirst(), &values, body)
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Reads names, types and shapes of the model's inputs or outputs.
    private static func ports(
        _ library: OnnxLibrary, _ session: OpaquePointer, isOutput: Bool
    ) throws(RuntimeError) -> [TensorSpecification] {
        let api = library.handles.api
        let side: Int32 = isOutput ? 1 : 0
        var count = 0
        try OnnxLibrary.check(api, slipway_ort_port_count(api, session, side, &count), .modelInvalid)
        var found: [TensorSpecification] = []
        for index in 0..<count {
            var text: UnsafeMutablePointer<CChar>?
            try OnnxLibrary.check(
                api, slipway_ort_port_name(api, session, side, index, library.handles.allocator, &text), .modelInvalid)
            guard let text else { throw RuntimeError(.modelInvalid, "the model has an input or output without a name") }
            let name = String(cString: text)
            try OnnxLibrary.check(api, slipway_ort_free(api, library.handles.allocator, text), .failed)
            var type: OpaquePointer?
            try OnnxLibrary.check(api, slipway_ort_port_type(api, session, side, index, &type), .modelInvalid)
            defer { slipway_ort_type_release(api, type) }
            var shape: OpaquePointer?
            try OnnxLibrary.check(api, slipway_ort_type_shape(api, type, &shape), .modelInvalid)
            let what = isOutput ? "output" : "input"
            guard let shape else {
                throw RuntimeError(
                    .modelInvalid, "\(what) \"\(name)\" is not a tensor; sequences and maps are not supported")
            }
            let (element, dimensions) = try OnnxTensor.describe(shape, api)
            guard let element else {
                throw RuntimeError(.modelInvalid, "\(what) \"\(name)\" has an element type that is not supported")
            }
            found.append(TensorSpecification(name: name, type: element, shape: dimensions.map { $0 < 0 ? -1 : $0 }))
        }
        return found
    }
}

/// NUL-terminated texts in one buffer, and pointers to them.
private struct CStrings {
    private var bytes: [CChar] = []
    private var offsets: [Int] = []

    mutating func append(_ text: String) {
        offsets.append(bytes.count)
        for byte in text.utf8 { bytes.append(CChar(bitPattern: byte)) }
        bytes.append(0)
    }

    func withPointers<Result>(_ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { buffer in
            let pointers = offsets.map { offset in buffer.baseAddress.map { $0 + offset } }
            return pointers.withUnsafeBufferPointer(body)
        }
    }
}
