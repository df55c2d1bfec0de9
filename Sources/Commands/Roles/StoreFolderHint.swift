import Glibc
import Objects

/// The way out when a folder of objects cannot be opened.
enum StoreFolderHint {
    /// `another` says how a different folder is named, such as "with --data"; nil when the message says it all.
    static func text(_ error: ObjectError, folder: String, another: String) -> String? {
        if error.code == .locked { return "One process serves a folder; give another \(another)." }
        let file = "\(folder)/lock"
        let isWritable =
            access(folder, R_OK | W_OK | X_OK) == 0 && (access(file, F_OK) != 0 || access(file, R_OK | W_OK) == 0)
        guard !isWritable else { return nil }
        // The usual case is a container's volume that belongs to root.
        return "The user \(geteuid()) may not write there: `chown -R \(geteuid()) \(folder)` as root, "
            + "or give another \(another)."
    }
}
