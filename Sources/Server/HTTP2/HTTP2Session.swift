// The owner of an nghttp2 server session, without I/O: bytes go in through `receive`, come out through `fill`, and what
// they mean is told to a delegate. nghttp2 does framing, HPACK, flow control and the checks of RFC 9113; this file adds
// our limits. Callbacks reach the session through one unretained pointer, which lives exactly as long as the session.

import Bytes
import CNghttp2
import Clock
import EventLoop
import HTTP

/// What a session tells its connection. Called within `receive` and `fill`; the session must not be fed from there.
protocol HTTP2SessionDelegate: AnyObject {
    /// A request's head is complete, or nil when it is over the limits; more of its body may follow.
    func streamOpened(_ stream: HTTP2Stream, head: RequestHead?)
    /// The stream is over; nothing more comes or goes.
    func streamClosed(_ stream: HTTP2Stream)
    /// There is something to `fill`.
    func sessionHasOutput()
}

/// The peer broke the protocol beyond repair; a GOAWAY frame stands ready to be sent.
struct HTTP2SessionError: Error, Equatable {
    let code: Int32
}

/// One HTTP/2 connection's protocol state. Confined to its connection's loop.
final class HTTP2Session {
    let limits: ServerLimits
    private let loop: EventLoop
    private(set) var streams: [Int32: HTTP2Stream] = [:]
    weak var delegate: (any HTTP2SessionDelegate)?
    private var raw: OpaquePointer?
    private var nameValues: [UInt8] = []
    private var ranges = FieldRanges()
    private var pairs: [nghttp2_nv] = []

    /// Prepares the server's SETTINGS.
    init(limits: ServerLimits, loop: EventLoop) throws(HTTP2SessionError) {
        self.limits = limits
        self.loop = loop
        var options: OpaquePointer?
        guard nghttp2_option_new(&options) == 0 else { throw HTTP2SessionError(code: NGHTTP2_ERR_NOMEM.rawValue) }
        defer { nghttp2_option_del(options) }
        nghttp2_option_set_no_auto_window_update(options, 1)
        nghttp2_option_set_no_closed_streams(options, 1)
        nghttp2_option_set_stream_reset_rate_limit(
            options, UInt64(limits.streamResetBurstMax), UInt64(limits.streamResetsPerSecondMax))
        let context = Unmanaged.passUnretained(self).toOpaque()
        let status = nghttp2_session_server_new2(&raw, Self.callbacks, context, options)
        guard status == 0 else { throw HTTP2SessionError(code: status) }
        let settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
                value: UInt32(limits.streamsPerConnectionMax)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue),
                value: UInt32(limits.streamWindowBytes)),
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue), value: UInt32(limits.headBytesMax)),
        ]
        nghttp2_submit_settings(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count)
        nghttp2_session_set_local_window_size(
            raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(limits.connectionWindowBytes))
    }

    deinit { nghttp2_session_del(raw) }

    // MARK: Bytes

    /// Takes bytes from the peer.
    func receive(_ bytes: UnsafeRawBufferPointer) throws(HTTP2SessionError) {
        let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let count = nghttp2_session_mem_recv(raw, base, bytes.count)
        guard count == bytes.count else { throw HTTP2SessionError(code: Int32(count)) }
    }

    func receive(_ bytes: [UInt8]) throws(HTTP2SessionError) {
        let count = bytes.withUnsafeBufferPointer { nghttp2_session_mem_recv(raw, $0.baseAddress, $0.count) }
        guard count == bytes.count else { throw HTTP2SessionError(code: Int32(count)) }
    }

    /// Appends frames to send until `out` holds `countMax` bytes or there are none left.
    func fill(_ out: inout [UInt8], countMax: Int) {
        while out.count < countMax {
            var block: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(raw, &block)
            guard count > 0, let block else { return }
            out.append(contentsOf: UnsafeBufferPointer(start: block, count: count))
        }
    }

    /// True when neither side has anything more to say.
    var isFinished: Bool { nghttp2_session_want_read(raw) == 0 && nghttp2_session_want_write(raw) == 0 }

    // MARK: Answers

    /// Sends a head; the body follows as the stream's output gives it. `hasBody` false ends the stream with the head.
    func respond(_ stream: HTTP2Stream, _ response: Response, date: [UInt8], contentLength: Int?, hasBody: Bool) {
        guard !stream.isClosed else { return }
        beginFields()
        ranges.append(":status", to: &nameValues) { $0.append(decimal: response.status.code) }
        ranges.append(response.fields, to: &nameValues)
        if let contentLength {
            ranges.append("content-length", to: &nameValues) { $0.append(decimal: contentLength) }
        }
        ranges.append("date", to: &nameValues) { $0.append(contentsOf: date) }
        var provider = nghttp2_data_provider()
        provider.source.ptr = Unmanaged.passUnretained(stream).toOpaque()
        provider.read_callback = Self.readCallback
        withPairs { pairs in
            if hasBody {
                nghttp2_submit_response(raw, stream.id, pairs.baseAddress, pairs.count, &provider)
            } else {
                nghttp2_submit_response(raw, stream.id, pairs.baseAddress, pairs.count, nil)
            }
        }
        outputIsReady()
    }

    /// Queues a stream's trailer section; called when its last body byte has been taken.
    fileprivate func submitTrailers(_ stream: HTTP2Stream) {
        beginFields()
        ranges.append(stream.outputTrailers, to: &nameValues)
        withPairs { pairs in _ = nghttp2_submit_trailer(raw, stream.id, pairs.baseAddress, pairs.count) }
    }

    private func beginFields() {
        nameValues.removeAll(keepingCapacity: true)
        ranges.removeAll()
    }

    private func withPairs(_ body: (UnsafeMutableBufferPointer<nghttp2_nv>) -> Void) {
        nameValues.withUnsafeMutableBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            pairs.removeAll(keepingCapacity: true)
            for range in ranges.all {
                pairs.append(
                    nghttp2_nv(
                        name: base + range.name, value: base + range.value, namelen: range.value - range.name,
                        valuelen: range.end - range.value, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
            }
            pairs.withUnsafeMutableBufferPointer { body($0) }
        }
    }

    /// Tells nghttp2 that a stream which had nothing to send has something now.
    func resumeOutput(of stream: HTTP2Stream) {
        guard !stream.isClosed else { return }
        nghttp2_session_resume_data(raw, stream.id)
        outputIsReady()
    }

    func outputIsReady() { delegate?.sessionHasOutput() }

    /// Ends a stream early.
    func reset(_ stream: HTTP2Stream, _ code: nghttp2_error_code) {
        guard !stream.isClosed else { return }
        nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code.rawValue)
        outputIsReady()
    }

    func resetInternalError(_ stream: HTTP2Stream) { reset(stream, NGHTTP2_INTERNAL_ERROR) }
    func resetWantsHTTP1(_ stream: HTTP2Stream) { reset(stream, NGHTTP2_HTTP_1_1_REQUIRED) }

    /// Opens the windows again for bytes that a handler has taken.
    func consume(_ count: Int, of stream: HTTP2Stream) {
        if stream.isClosed {
            nghttp2_session_consume_connection(raw, count)
        } else {
            nghttp2_session_consume(raw, stream.id, count)
        }
        outputIsReady()
    }

    // MARK: The end

    /// First step of a graceful end: the peer may still open streams that are on their way.
    func announceShutdown() {
        nghttp2_submit_shutdown_notice(raw)
        outputIsReady()
    }

    /// Second step: no new streams; the connection ends with the last open one.
    func goAway() {
        let last = nghttp2_session_get_last_proc_stream_id(raw)
        nghttp2_submit_goaway(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, NGHTTP2_NO_ERROR.rawValue, nil, 0)
        outputIsReady()
    }

    /// Ends at once, with a GOAWAY that tells why.
    func terminate(_ code: nghttp2_error_code) {
        nghttp2_session_terminate_session(raw, code.rawValue)
        outputIsReady()
    }

    func terminateTooSlow() { terminate(NGHTTP2_ENHANCE_YOUR_CALM) }

    /// Closes what is left when the connection is gone.
    func closeAll() {
        for stream in streams.values { stream.close() }
        streams.removeAll()
    }

    // MARK: Called by nghttp2

    fileprivate func beganHeaders(_ id: Int32) {
        let stream = HTTP2Stream(id: id, session: self, loop: loop)
        stream.headDeadline = MonotonicTime.now.advanced(milliseconds: limits.headTimeoutMilliseconds)
        streams[id] = stream
    }

    fileprivate func beganTrailers(_ id: Int32) { streams[id]?.head = HTTP2HeadCollector() }

    fileprivate func receivedField(
        _ id: Int32, _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>
    ) {
        streams[id]?.head.append(name, value, bytesMax: limits.headBytesMax, countMax: limits.fieldCountMax)
    }

    fileprivate func endedHeaders(_ id: Int32, isTrailer: Bool, endsStream: Bool) {
        guard let stream = streams[id] else { return }
        if isTrailer {
            if !stream.head.isTooLarge { stream.trailers = stream.head.trailerFields() }
            stream.endInput()
            return
        }
        stream.headDeadline = nil
        if endsStream { stream.endInput() }
        if stream.head.isTooLarge {
            delegate?.streamOpened(stream, head: nil)
        } else if let head = stream.head.finish() {
            delegate?.streamOpened(stream, head: head)
        } else {
            reset(stream, NGHTTP2_PROTOCOL_ERROR)
        }
    }

    fileprivate func receivedData(_ id: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
        streams[id]?.receive(bytes)
    }

    fileprivate func endedData(_ id: Int32) { streams[id]?.endInput() }

    /// The answer is complete while the request is not: the rest of it is not wanted.
    fileprivate func sentEnd(_ id: Int32) {
        if let stream = streams[id], !stream.isInputEnded { reset(stream, NGHTTP2_NO_ERROR) }
    }

    fileprivate func closed(_ id: Int32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        let unread = stream.takeUnreadCount()
        if unread > 0 { nghttp2_session_consume_connection(raw, unread) }
        stream.close()
        delegate?.streamClosed(stream)
    }
}

/// Where the names and values of a field section stand in one byte buffer.
private struct FieldRanges {
    private(set) var all: [(name: Int, value: Int, end: Int)] = []

    mutating func removeAll() { all.removeAll(keepingCapacity: true) }

    mutating func append(_ name: StaticString, to bytes: inout [UInt8], _ value: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.append(name)
        let middle = bytes.count
        value(&bytes)
        all.append((start, middle, bytes.count))
    }

    /// Appends `fields` with lower-case names, without those that belong to HTTP/1 connections.
    mutating func append(_ fields: HTTPFields, to bytes: inout [UInt8]) {
        for entry in fields.entries {
            let start = bytes.count
            for byte in fields.storage[Int(entry.name.lowerBound)..<Int(entry.name.upperBound)] {
                bytes.append(ASCII.lowercase(byte))
            }
            let middle = bytes.count
            if Self.isConnectionField(bytes[start...]) {
                bytes.removeSubrange(start...)
                continue
            }
            bytes.append(contentsOf: fields.storage[Int(entry.value.lowerBound)..<Int(entry.value.upperBound)])
            all.append((start, middle, bytes.count))
        }
    }

    private static func isConnectionField(_ name: ArraySlice<UInt8>) -> Bool {
        switch name.count {
        case 4: name.elementsEqual("date".utf8)
        case 7: name.elementsEqual("upgrade".utf8)
        case 10: name.elementsEqual("connection".utf8) || name.elementsEqual("keep-alive".utf8)
        case 14: name.elementsEqual("content-length".utf8)
        case 16: name.elementsEqual("proxy-connection".utf8)
        case 17: name.elementsEqual("transfer-encoding".utf8)
        default: false
        }
    }
}

// MARK: - Callbacks

extension HTTP2Session {
    /// The callback table, shared by every session; nghttp2 copies it into each.
    private nonisolated(unsafe) static let callbacks: OpaquePointer? = makeCallbacks()

    private static func makeCallbacks() -> OpaquePointer? {
        var table: OpaquePointer?
        guard nghttp2_session_callbacks_new(&table) == 0 else { return nil }
        nghttp2_session_callbacks_set_on_begin_headers_callback(table) { _, frame, context in
            guard let frame, let context else { return 0 }
            let session = HTTP2Session.from(context)
            if frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
                session.beganHeaders(frame.pointee.hd.stream_id)
            } else {
                session.beganTrailers(frame.pointee.hd.stream_id)
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_header_callback(table) {
            _, frame, name, nameCount, value, valueCount, _, context in
            guard let frame, let context else { return 0 }
            HTTP2Session.from(context).receivedField(
                frame.pointee.hd.stream_id, UnsafeBufferPointer(start: name, count: nameCount),
                UnsafeBufferPointer(start: value, count: valueCount))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(table) { _, frame, context in
            guard let frame, let context else { return 0 }
            let header = frame.pointee.hd
            let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
            if header.type == UInt8(NGHTTP2_HEADERS.rawValue) {
                HTTP2Session.from(context).endedHeaders(
                    header.stream_id, isTrailer: frame.pointee.headers.cat != NGHTTP2_HCAT_REQUEST,
                    endsStream: endsStream)
            } else if header.type == UInt8(NGHTTP2_DATA.rawValue), endsStream {
                HTTP2Session.from(context).endedData(header.stream_id)
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table) { _, _, id, bytes, count, context in
            guard let context else { return 0 }
            HTTP2Session.from(context).receivedData(id, UnsafeBufferPointer(start: bytes, count: count))
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_send_callback(table) { _, frame, context in
            guard let frame, let context else { return 0 }
            if frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
                frame.pointee.hd.type <= UInt8(NGHTTP2_HEADERS.rawValue)
            {
                HTTP2Session.from(context).sentEnd(frame.pointee.hd.stream_id)
            }
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(table) { _, id, _, context in
            guard let context else { return 0 }
            HTTP2Session.from(context).closed(id)
            return 0
        }
        return table
    }

    /// Gives nghttp2 the next body bytes of a stream, or tells it to wait, or ends the body.
    private static let readCallback: nghttp2_data_source_read_callback = { _, _, space, count, flags, source, context in
        guard let space, let flags, let source, let pointer = source.pointee.ptr, let context else {
            return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
        }
        // The session holds the stream for as long as nghttp2 has it open.
        let stream = Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
        let taken = stream.takeOutput(UnsafeMutableRawBufferPointer(start: space, count: count))
        if stream.outputCount == 0, stream.isOutputEnded {
            flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if !stream.outputTrailers.isEmpty {
                flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                HTTP2Session.from(context).submitTrailers(stream)
            }
            return taken
        }
        return taken > 0 ? taken : Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }

    private static func from(_ context: UnsafeMutableRawPointer) -> HTTP2Session {
        Unmanaged<HTTP2Session>.fromOpaque(context).takeUnretainedValue()
    }
}
