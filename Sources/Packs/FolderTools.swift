import Bytes
import Files

/// File operations of a pack's folder, whose failures are the pack's. All block.
enum FolderTools {
    /// Makes a folder and those above it. Throws `failed`.
    static func make(_ path: String) throws(PackError) {
        do throws(SystemError) { try FileTools.makeFolder(path) } catch { throw notWritten(error) }
    }

    /// Moves a file whose bytes are synced to its place, and syncs the folder. Throws `failed`.
    static func publish(_ path: String, as target: String) throws(PackError) {
        do throws(SystemError) { try FileTools.move(path, to: target, isDurable: true) } catch {
            throw PackError(.failed, "a file of the pack cannot be replaced: \(error.reason)")
        }
    }

    /// Puts a small file in its place, durably. Throws `failed`.
    static func write(_ text: String, to path: String) throws(PackError) {
        do throws(SystemError) { try FileTools.write(path, Array(text.utf8), isDurable: true) } catch {
            throw notWritten(error)
        }
    }

    static func notWritten(_ error: SystemError) -> PackError {
        PackError(.failed, "the pack's folder cannot be written: \(error.reason)")
    }

    /// The first 4 KiB of a small text file; nil when there is none.
    static func text(_ path: String) -> String? { FileTools.read(path, bytesMax: 4096).map { String(utf8: $0) } }
}
