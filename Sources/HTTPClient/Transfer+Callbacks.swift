// What libcurl calls while it drives a transfer, always on the engine's thread.

import CCurl
import Glibc
import HTTP
import Synchronization

extension Transfer {
    /// Takes a header line; false ends the transfer as malformed.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        switch received.receive(line, fieldCountMax: engine.configuration.fieldCountMax) {
        case .more: return true
        case .malformed: return false
        case .trailer:
            shared.withLock { $0.trailers = received.trailers }
            return true
        case .head:
            let isRedirect = (300...399).contains(received.status) && received.fields.contains("Location")
            guard received.status >= 200, !(isRedirect && request.followsRedirects) else { return true }
            received.isHeadDone = true
            let head = Head(status: HTTPStatus(received.status), fields: received.fields)
            update { $0.head = head }
            return true
        }
    }

    /// Takes body bytes; false pauses the transfer, and libcurl gives the same bytes again when it goes on.
    func receiveBody(_ block: UnsafeRawBufferPointer) -> Bool {
        let (isTaken, waiter) = shared.withLock { shared -> (Bool, UnsafeContinuation<Void, Never>?) in
            guard shared.body.count < Self.receiveHighWater else {
                shared.isReceivePaused = true
                return (false, nil)
            }
            shared.body.append(contentsOf: block)
            return (true, shared.wake())
        }
        waiter?.resume()
        return isTaken
    }

    /// Fills `space` with request body bytes; returns their count, 0 at the end, or one of libcurl's commands.
    func readUpload(_ space: UnsafeMutableRawBufferPointer) -> Int {
        let count: Int
        switch request.body {
        case .empty: count = 0
        case .bytes(let bytes):
            count = min(space.count, bytes.count - Int(sentCount))
            bytes.withUnsafeBytes { bytes in
                space.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[Int(sentCount)...].prefix(count)))
            }
        case .file(let file):
            let left = Int64(file.range.count) - sentCount
            guard left > 0 else { return 0 }
            let offset = off_t(file.range.lowerBound + sentCount)
            count = pread(file.descriptor, space.baseAddress, min(space.count, Int(left)), offset)
            // The file is shorter than its region or cannot be read: the declared length cannot be kept.
            guard count > 0 else { return Int(CURL_READFUNC_ABORT) }
        case .stream: count = readStream(space)
        }
        if count > 0, count != Int(CURL_READFUNC_PAUSE) { sentCount += Int64(count) }
        return count
    }

    private func readStream(_ space: UnsafeMutableRawBufferPointer) -> Int {
        let (count, waiter) = shared.withLock { shared -> (Int, UnsafeContinuation<Void, Never>?) in
            let left = shared.upload.count - shared.uploadOffset
            guard left > 0 else {
                if shared.isUploadEnded { return (0, nil) }
                shared.isSendPaused = true
                return (Int(CURL_READFUNC_PAUSE), nil)
            }
            let count = min(space.count, left)
            shared.upload.withUnsafeBytes { bytes in
                space.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[shared.uploadOffset...].prefix(count)))
            }
            shared.uploadOffset += count
            if count == left {
                shared.upload.removeAll(keepingCapacity: true)
                shared.uploadOffset = 0
            }
            return (count, shared.wake())
        }
        waiter?.resume()
        return count
    }

    /// Moves back to `offset` of the request body, which libcurl asks for to send it again on a new connection.
    func seekUpload(_ offset: Int64) -> Int32 {
        if case .stream = request.body, offset != sentCount { return CURL_SEEKFUNC_FAIL }
        sentCount = offset
        return CURL_SEEKFUNC_OK
    }
}
