import Files
import Glibc

/// The control groups of containers. A runtime removes its own; one that was killed together with its launcher cannot.
enum ControlGroups {
    private static let root = "/sys/fs/cgroup"

    /// Removes the group of `container` in each hierarchy. Blocks, for about a second in all while its last process goes.
    static func remove(_ container: String) {
        var roundsLeft = 100
        for hierarchy in [""] + FileTools.names(in: root).map({ "/" + $0 }) {
            let path = "\(root)\(hierarchy)\(ContainerBundle.controlGroup)/\(container)"
            while rmdir(path) != 0, errno == EBUSY, roundsLeft > 0 {
                roundsLeft -= 1
                usleep(10_000)
            }
        }
    }
}
