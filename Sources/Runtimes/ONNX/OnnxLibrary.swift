// ONNX Runtime is loaded when the first model needs it, from the runtime folder that `make setup` fills, so that the
// server itself starts without it and says what to do.

import COnnxRuntime
import Glibc

/// ONNX Runtime's shared library, opened. One for the life of the process: the library cannot be unloaded safely.
package final class OnnxLibrary: RuntimeLibrary {
    package static let place = (folder: "onnxruntime", prefix: "libonnxruntime.so")
    package static let advice = """
        ONNX Runtime is not installed: run `make setup` in Slipway's folder, or name its library with --onnxruntime FILE \
        or SLIPWAY_ONNXRUNTIME
        """

    /// The library's release, such as `1.31.1`.
    package let version: String
    let handles: Handles

    /// The library's shared objects, thread-safe by its documentation.
    struct Handles: @unchecked Sendable {
        // Written once by `init`; the library synchronises inside.
        let api: OpaquePointer
        let env: OpaquePointer
        let memory: OpaquePointer
        let allocator: OpaquePointer
    }

    /// Opens the library at `path`. Throws `RuntimeError.libraryMissing`.
    package init(path: String) throws(RuntimeError) {
        guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "unknown reason"
            throw RuntimeError(.libraryMissing, "ONNX Runtime cannot be opened: \(reason)")
        }
        guard let base = dlsym(library, "OrtGetApiBase") else {
            throw RuntimeError(.libraryMissing, "\(path) is not ONNX Runtime: it does not export OrtGetApiBase")
        }
        var text: UnsafePointer<CChar>?
        guard let api = slipway_ort_api_open(base, &text) else {
            let found = text.map { String(cString: $0) } ?? "unknown"
            throw RuntimeError(.libraryMissing, "ONNX Runtime \(found) is too old; 1.17 or newer is needed")
        }
        version = text.map { String(cString: $0) } ?? "unknown"
        var env: OpaquePointer?
        var memory: OpaquePointer?
        var allocator: OpaquePointer?
        try Self.check(api, slipway_ort_env_create(api, "slipway", &env), .libraryMissing)
        try Self.check(api, slipway_ort_memory_create(api, &memory), .libraryMissing)
        try Self.check(api, slipway_ort_allocator_default(api, &allocator), .libraryMissing)
        guard let env, let memory, let allocator else {
            throw RuntimeError(.libraryMissing, "ONNX Runtime \(version) gave no environment")
        }
        handles = Handles(api: api, env: env, memory: memory, allocator: allocator)
    }

    /// Turns a status that is not success into an error with `code` and releases it.
    static func check(_ api: OpaquePointer, _ status: OpaquePointer?, _ code: RuntimeError.Code) throws(RuntimeError) {
        guard let status else { return }
        defer { slipway_ort_status_release(api, status) }
        // OrtErrorCode: 2 is INVALID_ARGUMENT, which a run answers for inputs that do not fit.
        let isArgument = slipway_ort_status_code(api, status) == 2
        let message = slipway_ort_status_message(api, status).map { String(cString: $0) } ?? "no message"
        throw RuntimeError(code == .failed && isArgument ? .inputInvalid : code, message)
    }
}
