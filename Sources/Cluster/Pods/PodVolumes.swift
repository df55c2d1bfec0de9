// Volumes: a claim is a folder of the data folder, the others are made for the pod and go with it.

import Bytes
import Files
import Formats
import Glibc
import Processes
import Runner

struct PodVolumes {
    /// Where each volume lies on the host.
    private(set) var sources: [String: String] = [:]
    private var readOnly: Set<String> = []

    /// Files to write before the pod starts, with their modes. Found while planning, written by the worker.
    private(set) var files: [(path: String, bytes: [UInt8], mode: UInt32)] = []
    private(set) var pathsToMake: [String] = []
    /// Archives to unpack into folders.
    private(set) var archives: [(archive: String, folder: String)] = []

    /// Where the thing to place at position `index` lies on the host.
    static func placed(_ index: Int, _ podFolder: String) -> String { "\(podFolder)/placed/\(index)/data" }

    private mutating func addPlaced(_ pod: Resource, _ folders: ClusterFolders) throws(PodFault) {
        for (index, item) in PodPlan.array(pod.annotations[PodAnnotations.place]).enumerated() {
            let path = Self.placed(index, folders.pod(pod))
            let folder = String(path.dropLast("/data".count))
            pathsToMake.append(folder)
            if let content = item["content"]?.stringValue {
                files.append((path, Array(content.utf8), UInt32(clamping: item["mode"]?.intValue ?? 0o644) & 0o777))
            } else if let key = item["archive"]?.stringValue {
                guard !key.pieces(by: "/").contains(".."), key.hasPrefix("\(pod.namespace)_") else {
                    throw .rejected(
                        reason: "InvalidArtifact", message: "artifact key \"\(key)\" is not one of this namespace")
                }
                archives.append(("\(folders.artifacts)/\(key)", folder))
            }
        }
    }

    init(pod: Resource, references: PodReferences, folders: ClusterFolders, hostPaths: [String]) throws(PodFault) {
        let base = folders.pod(pod) + "/volumes"
        for volume in pod.spec["volumes"]?.arrayValue ?? [] {
            let name = volume["name"]?.stringValue ?? ""
            guard ObjectNames.labelFault(name) == nil else {
                throw .rejected(
                    reason: "InvalidVolume", message: "volume name \"\(name)\" is not a lowercase RFC 1123 label")
            }
            if let claim = volume["persistentVolumeClaim"] {
                let claimName = claim["claimName"]?.stringValue ?? ""
                guard let found = references.claim(claimName), !found.isTerminating else {
                    throw .unschedulable(
                        message:
                            "persistentvolumeclaim \"\(claimName)\" not found: apply it, or correct claimName; the pod "
                            + "starts by itself then")
                }
                let path = try Self.folder(of: found, references, folders, hostPaths)
                sources[name] = path
                pathsToMake.append(path)
                if claim["readOnly"]?.boolValue == true { readOnly.insert(name) }
            } else if volume["emptyDir"] != nil {
                add(name, at: "\(base)/\(name)")
            } else if let map = volume["configMap"] ?? volume["secret"] {
                let isSecret = volume["secret"] != nil
                let target = (isSecret ? map["secretName"] : map["name"])?.stringValue ?? ""
                guard let found = isSecret ? references.secret(target) : references.configMap(target) else {
                    if map["optional"]?.boolValue == true {
                        add(name, at: "\(base)/\(name)")
                        continue
                    }
                    throw .waiting(
                        container: "", reason: "CreateContainerConfigError",
                        message: "volume \"\(name)\": \(isSecret ? "secret" : "configmap") \"\(target)\" not found")
                }
                add(name, at: "\(base)/\(name)")
                readOnly.insert(name)
                try project(found, map, into: "\(base)/\(name)", volume: name)
            } else if let path = volume["hostPath"]?["path"]?.stringValue {
                // The models of an InferenceService stand in a folder that starts with its namespace.
                let isServing = path.starts(withBytesOf: "\(folders.serving)/\(pod.namespace)_") && Self.isPlain(path)
                guard isServing || Self.isAllowed(path, hostPaths) else {
                    throw .rejected(
                        reason: "HostPathNotAllowed",
                        message: "volume \"\(name)\": hostPath \(path) is not among the folders this server allows; "
                            + "use a persistentVolumeClaim, or start it with that folder in --host-paths")
                }
                sources[name] = path
                if volume["hostPath"]?["type"]?.stringValue == "DirectoryOrCreate" { pathsToMake.append(path) }
            } else {
                let type = volume.objectValue?.keys.first { $0 != "name" } ?? "nothing"
                throw .rejected(
                    reason: "UnsupportedVolume",
                    message: "volume \"\(name)\": \(type) is not supported here; use persistentVolumeClaim, emptyDir, "
                        + "configMap, secret or hostPath")
            }
        }
        try addPlaced(pod, folders)
    }

    /// Where a claim's volume lies on the host.
    private static func folder(
        of claim: Resource, _ references: PodReferences, _ folders: ClusterFolders, _ hostPaths: [String]
    ) throws(PodFault) -> String {
        let volumeName = claim.volumeName
        if volumeName == claim.provisionedName || volumeName.isEmpty && claim.isProvisioned {
            return folders.claim(namespace: claim.namespace, name: claim.name, uid: claim.uid)
        }
        guard claim.status["phase"] == "Bound", !volumeName.isEmpty else {
            throw .unschedulable(message: "pod has unbound immediate PersistentVolumeClaims: \"\(claim.name)\"")
        }
        guard let path = references.persistentVolume(volumeName)?.spec["hostPath"]?["path"]?.stringValue else {
            throw .unschedulable(
                message: "persistentvolumeclaim \"\(claim.name)\" bound to non-existent persistentvolume "
                    + "\"\(volumeName)\"")
        }
        guard isAllowed(path, hostPaths) else {
            throw .rejected(
                reason: "HostPathNotAllowed",
                message: "persistentvolume \"\(volumeName)\": hostPath \(path) is not among the folders this server "
                    + "allows; start it with that folder in --host-paths")
        }
        return path
    }

    /// True for a folder of the host that pods may mount.
    static func isAllowed(_ path: String, _ hostPaths: [String]) -> Bool {
        isPlain(path) && hostPaths.contains { path == $0 || path.starts(withBytesOf: $0 + "/") }
    }

    private static func isPlain(_ path: String) -> Bool { !path.pieces(by: "/").contains("..") }

    private mutating func add(_ name: String, at path: String) {
        sources[name] = path
        pathsToMake.append(path)
    }

    private mutating func project(_ found: Resource, _ map: JSON, into folder: String, volume: String) throws(PodFault)
    {
        let mode = UInt32(clamping: map["defaultMode"]?.intValue ?? 0o644)
        var items: [(key: String, path: String, mode: UInt32)] = found.dataKeys.map { ($0, $0, mode) }
        if let listed = map["items"]?.arrayValue {
            items = listed.map {
                (
                    $0["key"]?.stringValue ?? "", $0["path"]?.stringValue ?? "",
                    UInt32(clamping: $0["mode"]?.intValue ?? Int64(mode))
                )
            }
        }
        for item in items {
            let parts = item.path.pieces(by: "/", omittingEmptySubsequences: false)
            guard !item.path.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
                throw .rejected(
                    reason: "InvalidVolume",
                    message: "volume \"\(volume)\": path \"\(item.path)\" must stay below the volume")
            }
            guard let bytes = found.dataValue(item.key) else {
                if map["optional"]?.boolValue == true { continue }
                throw .waiting(
                    container: "", reason: "CreateContainerConfigError",
                    message: "volume \"\(volume)\": references non-existent key \(item.key) in \(found.name)")
            }
            if parts.count > 1 { pathsToMake.append(folder + "/" + parts.dropLast().joined(separator: "/")) }
            files.append((folder + "/" + item.path, bytes, item.mode & 0o777))
        }
    }

    /// The mounts of `container`; `expand` replaces variables in `subPathExpr`.
    func mounts(of container: JSON, expand: (String) -> String) throws(PodFault) -> [StepMount] {
        let name = container["name"]?.stringValue ?? ""
        var mounts: [StepMount] = []
        for mount in container["volumeMounts"]?.arrayValue ?? [] {
            let volume = mount["name"]?.stringValue ?? ""
            let path = mount["mountPath"]?.stringValue ?? ""
            func fault(_ message: String) -> PodFault {
                .rejected(reason: "InvalidVolumeMount", message: "container \"\(name)\": \(message)")
            }
            guard let source = sources[volume] else {
                throw fault("volumeMounts names no volume of the pod: \"\(volume)\"")
            }
            guard path.hasPrefix("/"), !path.pieces(by: "/").isEmpty, Self.isPlain(path) else {
                throw fault("mountPath \"\(path)\" must be an absolute path other than / and without \"..\"")
            }
            let subPath = mount["subPath"]?.stringValue ?? expand(mount["subPathExpr"]?.stringValue ?? "")
            guard !subPath.starts(withBytesOf: "/"), !subPath.pieces(by: "/").contains("..") else {
                throw fault("subPath \"\(subPath)\" must be a relative path without \"..\"")
            }
            mounts.append(
                StepMount(
                    source: source, subPath: subPath, target: path,
                    isReadOnly: readOnly.contains(volume) || mount["readOnly"]?.boolValue == true))
        }
        // A mount inside another's folder must come after it.
        return mounts.sorted { $0.target < $1.target }
    }

    /// Makes folders and writes projected files. Blocks.
    func materialize() throws {
        for path in pathsToMake { try FileTools.makeFolder(path, mode: 0o777) }
        for (path, bytes, mode) in files { try FileTools.write(path, bytes, mode: mode) }
        for (archive, folder) in archives where !FileTools.exists(folder + "/data") {
            let unpacked = folder + "/new"
            FileTools.removeTree(unpacked)
            try FileTools.makeFolder(unpacked)
            // The launcher packed one file or folder; tar drops leading slashes and refuses "..".
            guard ChildProgram.succeeds(["tar", "-xf", archive, "-C", unpacked]),
                let name = FileTools.names(in: unpacked).first
            else { throw SystemError("unpacking an artifact", code: EIO) }
            try FileTools.move("\(unpacked)/\(name)", to: folder + "/data")
        }
    }
}
