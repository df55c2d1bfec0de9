// ONNX Runtime, opened once for the process. Its environment is shared by all sessions and lives as long as the process.

import COnnxRuntime

/// The loaded ONNX Runtime library.
///
/// `@unchecked Sendable`: the function table is constant and the environment is documented as safe to share.
package final class OnnxRuntime: @unchecked Sendable {
    let api: OpaquePointer
    let environment: OpaquePointer
    /// The library's version, such as `1.31.1`.
    package let version: String

    /// Opens the library at `path`. Throws `unavailable`.
    package init(path: String) throws(RuntimeError) {
        var version: UnsafePointer<CChar>?
        var reason: UnsafePointer<CChar>?
        guard let api = slipway_ort_open(path, &version, &reason) else {
            throw RuntimeError(
                .unavailable, "ONNX Runtime cannot be loaded: \(reason.map { String(cString: $0) } ?? "unknown reason")")
        }
        self.api = api
        self.version = version.map { String(cString: $0) } ?? ""
        var environment: OpaquePointer?
        let status = slipway_ort_create_env(api, &environment)
        guard status == nil, let environment else {
            throw RuntimeError(.unavailable, "ONNX Runtime cannot start: \(Self.take(status, api))")
        }
        self.environment = environment
    }

    /// Throws `code` with the status's message, unless it is null.
    func check(_ status: OpaquePointer?, _ code: RuntimeError.Code) throws(RuntimeError) {
        guard let status else { return }
        throw RuntimeError(code, Self.take(status, api))
    }

    /// The first line of a status's message; the status is released.
    private static func take(_ status: OpaquePointer?, _ api: OpaquePointer) -> String {
        guard let status else { return "no reason given" }
        defer { slipway_ort_release_status(api, status) }
        let text = String(cString: slipway_ort_message(api, status))
        return String(text.prefix { $0 != "\n" }.prefix(500))
    }
}
