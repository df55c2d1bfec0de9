import CLinux
import Glibc

/// What the person looks at: colour and width of a terminal, plain text everywhere else.
package struct Terminal: Sendable {
    /// True when escape sequences may be written.
    package let hasColour: Bool
    /// Columns; 100 when it is no terminal.
    package let width: Int

    /// - Parameter descriptor: the stream to look at, such as `STDOUT_FILENO`.
    package init(_ descriptor: Int32 = STDOUT_FILENO) {
        let isTerminal = isatty(descriptor) == 1
        // https://no-color.org: any value that is not empty asks for plain text.
        let refusesColour = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        let isDumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
        hasColour = isTerminal && !refusesColour && !isDumb
        var size = winsize()
        width =
            isTerminal && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 20 ? Int(size.ws_col) : 100
    }

    package init(hasColour: Bool, width: Int) {
        self.hasColour = hasColour
        self.width = width
    }

    package func bold(_ text: String) -> String { paint(text, "1") }
    package func dim(_ text: String) -> String { paint(text, "2") }
    package func red(_ text: String) -> String { paint(text, "31") }
    package func green(_ text: String) -> String { paint(text, "32") }
    package func yellow(_ text: String) -> String { paint(text, "33") }

    private func paint(_ text: String, _ code: String) -> String {
        hasColour ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}

/// Writing to the process's own streams.
package enum Output {
    /// Writes `text` and a line end to standard output.
    package static func line(_ text: String = "") { write(text + "\n", STDOUT_FILENO) }
    /// Writes `text` and a line end to standard error.
    package static func errorLine(_ text: String) { write(text + "\n", STDERR_FILENO) }

    private static func write(_ text: String, _ descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    return
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
