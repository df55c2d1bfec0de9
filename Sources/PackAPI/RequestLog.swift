// One line a request in the common log format, in the file where people of the original service look for it.

import Bytes
import Clock
import HTTP
import Log

struct RequestLog: Sendable {
    let file: RotatingFile

    func append(_ request: Request, _ status: HTTPStatus, bytes: Int) {
        var line: [UInt8] = []
        line.append(String(request.peer.prefix { $0 != ":" }))
        line.append(" - - [")
        line.append(WallTime.now.iso8601(fractionDigits: 3))
        line.append("] \"")
        line.append(request.method.name)
        line.append(" ")
        line.append(String(request.path))
        line.append(request.head.version == .http2 ? " HTTP/2\" " : " HTTP/1.1\" ")
        line.append(decimal: status.code)
        line.append(" ")
        line.append(decimal: bytes)
        line.append("\n")
        file.write(line)
    }
}
