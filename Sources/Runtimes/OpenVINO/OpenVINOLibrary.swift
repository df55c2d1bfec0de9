// OpenVINO is loaded when the first model needs it, from the runtime folder that `make setup` fills, as ONNX Runtime is.

import Bytes
import COpenVINO
import Glibc

/// OpenVINO's shared library, opened, with its core object. One for the life of the process.
package final class OpenVINOLibrary: RuntimeLibrary {
    package static let place = (folder: "openvino", prefix: "libopenvino_c.so")
    package static let advice = """
        OpenVINO, which runs TensorFlow models, is not installed: run `make setup` in Slipway's folder, or name \
        libopenvino_c.so with --openvino FILE or SLIPWAY_OPENVINO
        """

    /// The library's build, such as `2026.4.1-22982`.
    package let version: String
    let handles: Handles

    /// The library's shared objects: the core is thread-safe by its documentation, the table is never written again.
    struct Handles: @unchecked Sendable {
        let api: OpaquePointer
        let core: OpaquePointer
    }

    /// Opens the library at `path`. Throws `RuntimeError.libraryMissing`.
    package init(path: String) throws(RuntimeError) {
        guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "unknown reason"
            throw RuntimeError(.libraryMissing, "OpenVINO cannot be opened: \(reason)")
        }
        var missing: UnsafePointer<CChar>?
        guard let api = slipway_ov_load(library, &missing) else {
            let name = missing.map { String(cString: $0) } ?? "a function"
            throw RuntimeError(.libraryMissing, "\(path) is not OpenVINO's C library: it does not export \(name)")
        }
        version = slipway_ov_version(api).map { String(cString: $0) } ?? "unknown"
        // The numbers of the element types have changed between releases; their widths tell.
        for type in TensorType.allCases {
            guard let width = type.width, let code = OpenVINOElement.code(type) else { continue }
            guard slipway_ov_element_width(api, code) == width else {
                throw RuntimeError(
                    .libraryMissing, "OpenVINO \(version) numbers element types otherwise; 2026.4 is known to work")
            }
        }
        var core: OpaquePointer?
        try Self.check(api, slipway_ov_core_create(api, &core), .libraryMissing)
        guard let core else { throw RuntimeError(.libraryMissing, "OpenVINO \(version) gave no core") }
        try Self.check(api, slipway_ov_core_configure(api, core), .libraryMissing)
        handles = Handles(api: api, core: core)
    }

    /// Turns a status that is not success into an error with `code`. The library keeps one message for all threads, so
    /// two failures at the same moment may show each other's words.
    static func check(_ api: OpaquePointer, _ status: Int32, _ code: RuntimeError.Code) throws(RuntimeError) {
        guard status != 0 else { return }
        // The library's message would be that of an older failure.
        guard status > Int32(slipway_ov_invalid_parameter) else {
            let name = slipway_ov_status_name(api, status).map { String(cString: $0) } ?? "\(status)"
            throw RuntimeError(code, "OpenVINO failed: \(name)")
        }
        let text = slipway_ov_error(api)
        defer { slipway_ov_free(api, text) }
        throw RuntimeError(code, text.map { reason(String(cString: $0)) } ?? "OpenVINO failed with status \(status)")
    }

    /// The lines of a message that say something to a person: not where in the library's source it was thrown.
    static func reason(_ message: String) -> String {
        let lines = message.pieces(by: "\n").map { $0.drop { $0 == " " } }
        let useful = lines.filter {
            !$0.isEmpty && !$0.hasPrefix("Exception from ") && !($0.hasPrefix("Check '") && $0.contains("' failed at "))
                && !$0.hasPrefix("FrontEnd API failed") && !$0.hasPrefix("To facilitate the conversion")
        }
        return (useful.isEmpty ? lines : useful).joined(separator: " ")
    }
}

/// `ov_element_type_e`.
enum OpenVINOElement {
    /// Nil for strings, which OpenVINO's CPU device does not compute with.
    static func code(_ type: TensorType) -> Int32? {
        switch type {
        case .bool: 1
        case .bf16: 2
        case .fp16: 3
        case .fp32: 4
        case .fp64: 5
        case .int8: 7
        case .int16: 8
        case .int32: 9
        case .int64: 10
        case .uint8: 16
        case .uint16: 17
        case .uint32: 18
        case .uint64: 19
        case .bytes: nil
        }
    }

    private static let byCode = Dictionary(
        uniqueKeysWithValues: TensorType.allCases.compactMap { type in code(type).map { ($0, type) } })

    static func type(_ code: Int32) -> TensorType? { byCode[code] }
}
