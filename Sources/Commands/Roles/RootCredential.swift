// The root credential: given by the environment or a flag, else made at first start and kept in the data folder for
// the owner's eyes only.

import Bytes
import EventLoop
import Files
import Formats
import Glibc

/// Name and secret of the root user of every role.
struct RootCredential: Sendable, Equatable {
    let user: String
    let password: String

    /// True when this start made it: it is shown once.
    let isNew: Bool

    /// True when it stands in the data folder.
    var isKept = false

    /// The credential that `settings` give, or the one kept in `folder`, made there when there is none.
    ///
    /// Throws `UsageError` when only one half is given, `CommandFailure` when the file cannot be read or written.
    static func resolve(_ settings: Settings, folder: String) throws -> RootCredential {
        if let credential = try find(settings, folder: folder) { return credential }
        let made = RootCredential(
            user: "slipway", password: Base64.encodeURLSafe(Randomness.bytes(18)), isNew: true, isKept: true)
        let text: JSON = ["user": .string(made.user), "password": .string(made.password)]
        try PrivateFile.write(path(in: folder), text.indented + [UInt8(ascii: "\n")])
        return made
    }

    /// The credential that `settings` give, or the one kept in `folder`; nil when there is none yet.
    ///
    /// Throws `UsageError` when only one half is given, `CommandFailure` when the file cannot be read.
    static func find(_ settings: Settings, folder: String) throws -> RootCredential? {
        let given = (
            try settings[CommonSettings.rootUser] ?? mounted(settings[CommonSettings.rootUserFile], countMin: 3),
            try settings[CommonSettings.rootPassword] ?? mounted(settings[CommonSettings.rootPasswordFile], countMin: 8)
        )
        switch given {
        case (let user?, let password?): return RootCredential(user: user, password: password, isNew: false)
        case (nil, nil): break
        default: throw UsageError("give both MINIO_ROOT_USER and MINIO_ROOT_PASSWORD, or neither")
        }
        guard let kept = try PrivateFile.read(path(in: folder)) else { return nil }
        guard let root = try? JSON.parse(kept), let user = root["user"]?.stringValue,
            let password = root["password"]?.stringValue
        else { throw CommandFailure("root-credential.json in the data folder is not understood") }
        return RootCredential(user: user, password: password, isNew: false, isKept: true)
    }

    static func path(in folder: String) -> String { "\(folder)/root-credential.json" }
}

extension RootCredential {
    /// The text of a mounted secret, without the line end that editors leave.
    private static func mounted(_ path: String?, countMin: Int) throws -> String? {
        guard let path else { return nil }
        guard let bytes = try PrivateFile.read(path) else { throw CommandFailure("there is no file \(path)") }
        let text = String(utf8: bytes[..<(bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex)])
        guard (countMin...128).contains(text.utf8.count) else {
            throw UsageError("\(path) holds \(text.utf8.count) characters; \(countMin) to 128 are needed")
        }
        return text
    }
}

/// Files that only their owner may read, written beside and renamed.
enum PrivateFile {
    /// The bytes of the file, or nil when there is none.
    static func read(_ path: String) throws -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw CommandFailure("cannot read \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw CommandFailure("cannot read \(path): \(String(cString: strerror(errno)))") }
        return Array(bytes.prefix(count))
    }

    static func write(_ path: String, _ bytes: [UInt8]) throws {
        do throws(Files.SystemError) { try FileTools.write(path, bytes, mode: 0o600, isDurable: true) } catch {
            throw CommandFailure("cannot write \(path): \(error.reason)")
        }
    }
}

/// Folders.
enum Folder {
    /// Makes the folder and those above it; 0700 for what is new.
    static func make(_ path: String) throws {
        do throws(Files.SystemError) { try FileTools.makeFolder(path, mode: 0o700) } catch {
            throw CommandFailure("cannot make the folder \(path): \(error.reason)")
        }
    }

    /// The absolute path of a folder that exists.
    static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
