// Which Python runs a worker. Nothing is searched in PATH: the interpreter decides which libraries a model has, so it is
// either named or the one of the project's runtime folder.

import Bytes
import Glibc

/// A Python interpreter on this machine.
package struct PythonInterpreter: Sendable, Equatable {
    package let path: String

    /// - Parameters:
    ///   - explicit: what was configured: the interpreter, or the folder of a virtual environment.
    ///   - runtimes: absolute paths of runtime folders, which may hold `python/NAME/bin/python`.
    ///   - names: environments to look for, best first.
    /// Nil when there is none, or the configured one cannot be run.
    package init?(explicit: String?, runtimes: [String], names: [String]) {
        if let explicit {
            for candidate in [explicit, "\(explicit)/bin/python"] where Self.isProgram(candidate) {
                path = Self.absolute(candidate)
                return
            }
            return nil
        }
        for name in names {
            for runtime in runtimes where Self.isProgram("\(runtime)/python/\(name)/bin/python") {
                path = "\(runtime)/python/\(name)/bin/python"
                return
            }
        }
        return nil
    }

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    /// Links stay: the one of a virtual environment is what tells Python of it.
    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return "\(String(cString: folder))/\(path)"
    }
}
