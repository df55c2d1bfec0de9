import Bytes
import Glibc

@testable import Runner

/// What tests do with the ends of a session.
enum Descriptors {
    static func readAll(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, 5000) > 0 else { break }
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        close(descriptor)
        return String(utf8: bytes)
    }

    static func code(_ session: StepSession) async throws -> Int? {
        for _ in 0..<500 {
            if let code = session.exitCode() { return code }
            try await Task.sleep(nanoseconds: 10_000_000)
        }
        return nil
    }
}
