import Bytes
import Glibc

/// Takes back what was half unpacked.
enum FolderRemoval {
    /// Removes a folder and all below it. Links are removed, never followed.
    static func remove(_ path: String) {
        if unlink(path) == 0 || errno == ENOENT { return }
        if let stream = opendir(path) {
            var names: [String] = []
            while let entry = readdir(stream) {
                names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(utf8: $0.prefix { $0 != 0 }) })
            }
            closedir(stream)
            for name in names where name != "." && name != ".." { remove("\(path)/\(name)") }
        }
        rmdir(path)
    }
}
