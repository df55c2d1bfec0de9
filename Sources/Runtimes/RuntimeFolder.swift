import Bytes
import Files
import Glibc

/// Where native runtimes are installed: the folder that `make setup` fills.
package struct RuntimeFolder: Sendable {
    private let candidates: [String]

    /// - Parameter explicit: the folder that was configured; nil looks in `./runtime`, then in `runtime` beside each
    ///   folder above the executable, which finds it from a checkout and from an installation.
    package init(explicit: String?) {
        if let explicit {
            candidates = [explicit]
            return
        }
        var found = ["runtime"]
        var folder = Self.executablePath.pieces(by: "/").dropLast()
        while !folder.isEmpty {
            found.append("/" + folder.joined(separator: "/") + "/runtime")
            folder = folder.dropLast()
        }
        candidates = found
    }

    /// The first file called `prefix…` in the subfolder `name` of a candidate, or nil.
    package func file(in name: String, prefix: String) -> String? {
        for candidate in candidates {
            let folder = "\(candidate)/\(name)"
            if let newest = FileTools.names(in: folder).last(where: { $0.hasPrefix(prefix) }) {
                return "\(folder)/\(newest)"
            }
        }
        return nil
    }

    /// The candidates that have a subfolder `name`, as absolute paths.
    package func folders(holding name: String) -> [String] {
        candidates.compactMap { candidate in
            guard access("\(candidate)/\(name)", R_OK) == 0, let resolved = realpath(candidate, nil) else { return nil }
            defer { free(resolved) }
            return String(cString: resolved)
        }
    }

    private static var executablePath: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes {
            $0.baseAddress.map { readlink("/proc/self/exe", $0.assumingMemoryBound(to: CChar.self), 4096) } ?? 0
        }
        return String(utf8: buffer.prefix(max(0, count)))
    }
}
