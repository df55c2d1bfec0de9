import Files
import Glibc

/// The control groups of containers. A runtime removes its own; one that was killed together with its launcher cannot.
enum ControlGroups {
    private static let root = "/sys/fs/cgroup"

    /// Removes the group of `container` in each hierarchy. Blocks, for at most a second while its last process goes.
    static func remove(_ container: String) {
        for hierarchy in [""] + FileTools.names(in: root).map({ "/" + $0 }) {
            let path = "\(root)\(hierarchy)\(ContainerBundle.controlGroup)/\(container)"
            for _ in 0..<100 where rmdir(path) != 0 && errno == EBUSY { usleep(10_000) }
        }
    }
}
