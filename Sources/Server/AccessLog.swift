import Bytes
import Clock
import EventLoop
import HTTP
import Log

/// Lines of answered requests, gathered in memory and written when the loop is about to wait, so that a busy loop makes
/// one write(2) for many requests. Confined to its loop.
final class AccessLog {
    private let role: String
    private let loop: EventLoop
    private var lines: [UInt8] = []
    private let bytesMax = 32 * 1024

    init(role: String, loop: EventLoop) {
        self.role = role
        self.loop = loop
    }

    func append(_ request: Request, status: HTTPStatus, bytes: Int, seconds: Double) {
        if lines.isEmpty { loop.beforeNextWait { self.flush() } }
        lines.append(WallTime.now.iso8601(fractionDigits: 3))
        lines.append(" info ")
        lines.append(role)
        lines.append(": request method=")
        lines.append(request.method.name)
        lines.append(" path=")
        // The query is left out: it may hold a presigned URL's signature. The target has no control characters.
        lines.append(contentsOf: request.path.utf8)
        lines.append(" status=")
        lines.append(decimal: status.code)
        lines.append(" bytes=")
        lines.append(decimal: bytes)
        lines.append(" us=")
        lines.append(decimal: Int(seconds * 1_000_000))
        lines.append(" id=")
        lines.append(request.id)
        lines.append(" peer=")
        lines.append(request.peer)
        if let principal = request.principal {
            lines.append(" principal=")
            lines.append(contentsOf: principal.utf8.map { $0 > 0x20 && $0 != 0x7f ? $0 : UInt8(ascii: "?") })
        }
        lines.append("\n")
        if lines.count >= bytesMax { flush() }
    }

    func flush() {
        guard !lines.isEmpty else { return }
        LogOutput.write(lines)
        lines.removeAll(keepingCapacity: true)
    }
}
