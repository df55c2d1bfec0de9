// How a request becomes libcurl options. A body of any method goes the way of an upload with the method's name set over
// it, because libcurl's POST path adds a content type of its own.

import Bytes
import CCurl
import Glibc
import HTTP

extension Transfer {
    /// Prepares `handle` for this transfer. Engine's thread.
    func prepare(_ handle: EasyHandle, _ configuration: HTTPClient.Configuration) {
        self.handle = handle
        handle.useErrorText()
        handle.set(CURLOPT_NOSIGNAL, true)
        handle.set(CURLOPT_URL, request.url)
        handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
        handle.set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        handle.set(CURLOPT_PATH_AS_IS, true)
        handle.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        handle.set(CURLOPT_USERAGENT, configuration.userAgent)
        handle.set(CURLOPT_BUFFERSIZE, 64 * 1024)
        if !configuration.usesEnvironmentProxy { handle.set(CURLOPT_PROXY, "") }
        if let path = configuration.authorityPath {
            handle.set(CURLOPT_CAINFO, path)
            slipway_curl_set_text(handle.raw, CURLOPT_CAPATH, nil)
        }
        if !configuration.verifiesServer {
            handle.set(CURLOPT_SSL_VERIFYPEER, false)
            handle.set(CURLOPT_SSL_VERIFYHOST, 0)
        }
        setTimeouts(handle, configuration)
        if request.followsRedirects {
            handle.set(CURLOPT_FOLLOWLOCATION, true)
            handle.set(CURLOPT_MAXREDIRS, 5)
        }
        setMethodAndBody(handle)
        setFields(handle)
        setCallbacks(handle)
    }

    private func setTimeouts(_ handle: EasyHandle, _ configuration: HTTPClient.Configuration) {
        handle.set(CURLOPT_CONNECTTIMEOUT_MS, Int(clamping: configuration.connectTimeoutMilliseconds))
        if let milliseconds = request.timeoutMilliseconds {
            handle.set(CURLOPT_TIMEOUT_MS, Int(clamping: max(milliseconds, 1)))
        }
        if let seconds = request.stallTimeoutSeconds {
            handle.set(CURLOPT_LOW_SPEED_LIMIT, 1)
            handle.set(CURLOPT_LOW_SPEED_TIME, max(seconds, 1))
        }
    }

    private func setMethodAndBody(_ handle: EasyHandle) {
        switch (request.body, request.method) {
        case (.empty, .head): handle.set(CURLOPT_NOBODY, true)
        case (.empty, .get): handle.set(CURLOPT_HTTPGET, true)
        case (.empty, .put), (.empty, .post), (.empty, .patch): setUpload(handle, length: 0)
        case (.empty, _):
            handle.set(CURLOPT_HTTPGET, true)
            handle.set(CURLOPT_CUSTOMREQUEST, request.method.name)
        default: setUpload(handle, length: uploadLength ?? -1)
        }
    }

    /// Bytes of the request body; nil when not known beforehand.
    private var uploadLength: Int64? {
        switch request.body {
        case .empty: 0
        case .bytes(let bytes): Int64(bytes.count)
        case .file(let file): Int64(file.range.count)
        case .stream(let body): body.length.map { Int64($0) }
        }
    }

    private func setUpload(_ handle: EasyHandle, length: Int64) {
        handle.set(CURLOPT_UPLOAD, true)
        handle.set(CURLOPT_INFILESIZE_LARGE, offset: length)
        handle.set(CURLOPT_CUSTOMREQUEST, request.method.name)
    }

    private func setFields(_ handle: EasyHandle) {
        for (name, value) in request.fields.all {
            // "Name;" is libcurl's way to send a field without a value; "Name:" would remove it.
            handle.appendField(value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        // For a small body, asking for "100 Continue" costs more than sending the body in vain.
        if let length = uploadLength, length <= 1 << 20 { handle.appendField("Expect:") }
        handle.useFields()
    }

    private func setCallbacks(_ handle: EasyHandle) {
        // The engine holds the transfer strongly for as long as the handle is in its multi handle.
        let context = Unmanaged.passUnretained(self).toOpaque()
        slipway_curl_set_data_callback(handle.raw, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Transfer.from(context).receiveHeader(line) ? size * count : 0
        }
        handle.set(CURLOPT_HEADERDATA, context: context)
        slipway_curl_set_data_callback(handle.raw, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let block = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Transfer.from(context).receiveBody(block) ? size * count : Int(CURL_WRITEFUNC_PAUSE)
        }
        handle.set(CURLOPT_WRITEDATA, context: context)
        slipway_curl_set_data_callback(handle.raw, CURLOPT_READFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return Int(CURL_READFUNC_ABORT) }
            return Transfer.from(context).readUpload(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        handle.set(CURLOPT_READDATA, context: context)
        slipway_curl_set_seek_callback(handle.raw) { context, offset, origin in
            guard let context, origin == SEEK_SET else { return CURL_SEEKFUNC_FAIL }
            return Transfer.from(context).seekUpload(Int64(offset))
        }
        handle.set(CURLOPT_SEEKDATA, context: context)
    }

    private static func from(_ context: UnsafeMutableRawPointer) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }
}
