// The configuration that an OCI runtime makes a container from (OCI runtime specification 1.0, `config.json`). Layers and
// volumes are mounted by the step's launcher, so what stands here is the process and what every container has.

import Bytes
import Files
import Formats

enum ContainerBundle {
    /// `config.json` for `step`, which has `image`, with its root at `root`.
    static func configuration(of step: StepSpecification, image: StepImage, root: String) -> [UInt8] {
        var configuration: JSON = ["ociVersion": "1.0.2"]
        configuration["process"] = process(step, image)
        configuration["root"] = ["path": .string(root), "readonly": .bool(image.isReadOnly)]
        if let hostName = step.hostName { configuration["hostname"] = .string(String(hostName.prefix(63))) }
        configuration["mounts"] = .array(mounts(under: Set(step.mounts.map(\.target))))
        configuration["linux"] = [
            "cgroupsPath": .string("\(controlGroup)/\(image.container)"),
            "namespaces": .array(["pid", "ipc", "uts", "mount"].map { ["type": .string($0)] }),
            "resources": ["devices": [["allow": false, "access": "rwm"]]],
            "maskedPaths": texts([
                "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
            ]),
            "readonlyPaths": texts(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]),
        ]
        return configuration.encoded
    }

    /// The control group above those of all containers.
    static let controlGroup = "/slipway"

    private static func process(_ step: StepSpecification, _ image: StepImage) -> JSON {
        let capabilities = texts(image.capabilities)
        let user: JSON = [
            "uid": .int(Int64(step.user ?? 0)), "gid": .int(Int64(step.group ?? 0)),
            "additionalGids": .array(image.additionalGroups.map { .int(Int64($0)) }),
        ]
        return [
            "terminal": false, "user": user, "args": texts(step.arguments),
            "env": texts(step.environment.map { "\($0.name)=\($0.value)" }),
            "cwd": .string(step.workingDirectory ?? "/"),
            "capabilities": ["bounding": capabilities, "permitted": capabilities, "effective": capabilities],
            "rlimits": [["type": "RLIMIT_CORE", "hard": 0, "soft": 0]],
            "noNewPrivileges": .bool(!image.mayGainPrivileges),
        ]
    }

    /// Mounts of every container; the network is the host's, and so is the file that says how names are looked up.
    private static func mounts(under volumes: Set<String>) -> [JSON] {
        func mount(_ target: String, _ type: String, _ options: [String], source: String? = nil) -> JSON {
            [
                "destination": .string(target), "type": .string(type), "source": .string(source ?? type),
                "options": texts(options),
            ]
        }
        var mounts = [
            mount("/proc", "proc", ["nosuid", "noexec", "nodev"]),
            mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            mount("/dev/shm", "tmpfs", ["nosuid", "noexec", "nodev", "mode=1777", "size=50%"], source: "shm"),
            mount("/dev/mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
            mount("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
        ]
        if FileTools.exists("/etc/resolv.conf") {
            mounts.append(mount("/etc/resolv.conf", "bind", ["bind", "ro"], source: "/etc/resolv.conf"))
        }
        // A volume at such a place is there already, and is what the pod wants.
        return mounts.filter { !volumes.contains($0["destination"]?.stringValue ?? "") }
    }

    private static func texts(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }
}

extension ContainerBundle {
    /// Why the runtime could not start the container, by its log; nil when it did.
    static func startFault(log: [UInt8]) -> String? {
        for line in log.split(separator: UInt8(ascii: "\n")).reversed() {
            guard let entry = try? JSON.parse(Array(line)), entry["level"]?.stringValue == "error",
                let message = entry["msg"]?.stringValue
            else { continue }
            for prefix in ["runc run failed: ", "unable to start container process: "] where message.hasPrefix(prefix) {
                var rest = message[...]
                for prefix in ["runc run failed: ", "unable to start container process: "] where rest.hasPrefix(prefix)
                {
                    rest = rest.dropFirst(prefix.count)
                }
                return String(rest.prefix(1000))
            }
        }
        return nil
    }
}
