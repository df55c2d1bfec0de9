import CCurl

/// One libcurl easy handle with what must outlive its options. Engine's thread only.
final class EasyHandle {
    let raw: UnsafeMutableRawPointer
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var fieldList: UnsafeMutablePointer<curl_slist>?

    /// Nil when libcurl has no memory.
    init?() {
        guard let raw = curl_easy_init() else { return nil }
        self.raw = raw
        errorText.pointee = 0
    }

    deinit {
        curl_easy_cleanup(raw)
        curl_slist_free_all(fieldList)
        errorText.deallocate()
    }

    /// What libcurl says about the last failure; empty when it says nothing.
    var errorMessage: String { String(cString: errorText) }

    /// Makes the handle ready for another request. Connections are the multi handle's and stay.
    func reset() {
        curl_easy_reset(raw)
        curl_slist_free_all(fieldList)
        fieldList = nil
        errorText.pointee = 0
    }

    func useErrorText() { slipway_curl_set_pointer(raw, CURLOPT_ERRORBUFFER, errorText) }

    func appendField(_ line: String) {
        if let longer = curl_slist_append(fieldList, line) { fieldList = longer }
    }

    func useFields() { slipway_curl_set_pointer(raw, CURLOPT_HTTPHEADER, fieldList) }

    func set(_ option: CURLoption, _ value: Int) { slipway_curl_set_long(raw, option, value) }
    func set(_ option: CURLoption, _ value: Bool) { slipway_curl_set_long(raw, option, value ? 1 : 0) }
    func set(_ option: CURLoption, offset value: Int64) { slipway_curl_set_offset(raw, option, curl_off_t(value)) }
    /// libcurl copies `value`.
    func set(_ option: CURLoption, _ value: String) { slipway_curl_set_text(raw, option, value) }
    func set(_ option: CURLoption, context value: UnsafeMutableRawPointer) {
        slipway_curl_set_pointer(raw, option, value)
    }
}
