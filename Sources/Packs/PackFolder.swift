// The local folder of a pack, as the document lays it out, and beside it `.slipway`: downloads that have not proved
// themselves and the unpacked copies that workers run from. A worker keeps reading its copy (data files, late imports), so
// each load unpacks anew and the copy goes with its workers; the zips are what stays.
//
//   NAME/src/NAME.zip   NAME/model/YYYYMMDD.zip   logs/
//   .slipway/lock   .slipway/NAME.current   .slipway/incoming-ID   .slipway/work-ID/NAME/{src,model}

import Archives
import Bytes
import Files
import Glibc

/// What a load is made of.
enum PackPart: Sendable, Equatable {
    /// A zip at this path.
    case zip(String)
    /// A folder that somebody unpacked.
    case folder(String)
}

/// One folder, owned by one process. All operations block.
package final class PackFolder: Sendable {
    let root: String
    let layout: PackLayout
    private let lock: Int32

    private var hidden: String { "\(root)/.slipway" }
    package var logs: String { "\(root)/logs" }

    /// Takes the folder over and clears what a dead process left. Throws `failed` when another process has it.
    package init(_ path: String, layout: PackLayout) throws(PackError) {
        try FolderTools.make(path)
        guard let resolved = realpath(path, nil) else { throw PackError(.failed, "the folder \(path) cannot be used") }
        root = String(cString: resolved)
        free(resolved)
        self.layout = layout
        let hidden = "\(root)/.slipway"
        for folder in [hidden, "\(root)/\(layout.sourceFolder)", "\(root)/\(layout.modelFolder)", "\(root)/logs"] {
            try FolderTools.make(folder)
        }
        lock = open("\(hidden)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard lock >= 0 else { throw PackError(.failed, "the folder \(path) cannot be written") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw PackError(.failed, "another slipway pack serves from the folder \(path); give this one its own")
        }
        for name in FileTools.names(in: hidden) where name.hasPrefix("work-") || name.hasPrefix("incoming-") {
            FileTools.removeTree("\(hidden)/\(name)")
        }
    }

    deinit { close(lock) }

    // MARK: What is there

    /// The sources that a load would use; nil when there are none.
    func sources() -> PackPart? {
        let zip = "\(root)/\(layout.sourceFile)"
        if FileTools.isFile(zip) { return .zip(zip) }
        let folder = "\(root)/\(layout.sourceFolder)"
        return FileTools.names(in: folder).isEmpty ? nil : .folder(folder)
    }

    /// The model that a load would use, with its file's name: the one that served last, else the newest, else what
    /// somebody unpacked there.
    func model() -> (part: PackPart, name: String)? {
        let folder = "\(root)/\(layout.modelFolder)"
        let names = FileTools.names(in: folder)
        let listing = ModelListing(names)
        let last = FolderTools.text("\(hidden)/\(layout.name).current").flatMap { PackDate($0.prefix(8)) }
        if let date = last.flatMap({ listing.dates.contains($0) ? $0 : nil }) ?? listing.dates.first {
            return (.zip("\(root)/\(layout.modelFile(date))"), "\(date.text).zip")
        }
        let unpacked = names.filter { !$0.hasSuffix(".zip") }
        return unpacked.isEmpty ? nil : (.folder(folder), "model")
    }

    // MARK: Coming in

    func incoming(_ name: String, bytesMax: Int64) throws(PackError) -> IncomingFile {
        try IncomingFile("\(hidden)/incoming-\(Randomness.hexID())", name: name, bytesMax: bytesMax)
    }

    /// Moves checked sources into place; the same name is overwritten.
    func publishSources(_ path: String) throws(PackError) {
        try FolderTools.publish(path, as: "\(root)/\(layout.sourceFile)")
    }

    /// Moves a loaded model into place and notes that it serves.
    func publishModel(_ path: String, _ date: PackDate) throws(PackError) {
        try FolderTools.publish(path, as: "\(root)/\(layout.modelFile(date))")
        try FolderTools.write("\(date.text)\n", to: "\(hidden)/\(layout.name).current")
    }

    // MARK: Unpacking

    /// A new workspace with both parts in it, laid out as the original service's: `NAME/src` and `NAME/model`.
    func workspace(
        sources: PackPart, model: PackPart, type: PackType, modelName: String, limits: ArchiveLimits
    ) throws(PackError) -> String {
        let path = "\(hidden)/work-\(Randomness.hexID())"
        do throws(PackError) {
            try FolderTools.make("\(path)/\(layout.name)")
            try place(
                sources, at: "\(path)/\(layout.sourceFolder)", name: "\(layout.name).zip",
                wanted: { type == .tensorflow ? $0 == "k8s_api_model.py" : $0 == "requirements.txt" }, limits)
            try place(
                model, at: "\(path)/\(layout.modelFolder)", name: modelName,
                wanted: { type == .tensorflow ? $0 == "checkpoint" : $0.hasSuffix(".pkl") }, limits)
            return path
        } catch {
            FileTools.removeTree(path)
            throw error
        }
    }

    /// Unpacks sources only to see whether that works and they are what the type needs. Throws `packInvalid`.
    func check(sources path: String, type: PackType, limits: ArchiveLimits) throws(PackError) {
        let folder = "\(hidden)/work-\(Randomness.hexID())"
        defer { FileTools.removeTree(folder) }
        try FolderTools.make(folder)
        let name = "\(layout.name).zip"
        try place(
            .zip(path), at: "\(folder)/src", name: name,
            wanted: { type == .tensorflow ? $0 == "k8s_api_model.py" : $0 == "requirements.txt" }, limits)
        if type == .tensorflow, !FileTools.isFile("\(folder)/src/k8s_api_model.py") {
            let names = FileTools.names(in: "\(folder)/src").prefix(5).joined(separator: ", ")
            throw PackError(
                .packInvalid,
                "\(name) holds no k8s_api_model.py at its top (it holds \(names)); MODEL_TYPE tf needs one with a "
                    + "class k8s_api_model")
        }
    }

    private func place(
        _ part: PackPart, at target: String, name: String, wanted: (String) -> Bool, _ limits: ArchiveLimits
    ) throws(PackError) {
        switch part {
        case .folder(let folder):
            guard symlink(folder, target) == 0 else { throw PackError(.failed, "the pack's folder cannot be written") }
        case .zip(let zip):
            let unpacked = target + ".new"
            do throws(ArchiveError) {
                try ZipArchive.extract(zip, to: unpacked, limits: limits)
            } catch {
                throw PackError(error, file: name)
            }
            // Many zip a folder where its contents are meant; that one folder is then taken for the whole.
            let names = FileTools.names(in: unpacked).filter { $0 != "__MACOSX" && $0 != ".DS_Store" }
            var root = unpacked
            if names.count == 1, !wanted(names[0]), FileTools.isFolder("\(unpacked)/\(names[0])") {
                root += "/\(names[0])"
            }
            guard rename(root, target) == 0 else { throw PackError(.failed, "the pack's folder cannot be written") }
            FileTools.removeTree(unpacked)
        }
    }
}
