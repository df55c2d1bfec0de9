// Names inside pods: one hosts file for each namespace, bound over /etc/hosts of every container in it. It is written in
// place, so that containers that run already see a new Service.

import Bytes
import Files
import Formats
import Glibc
import Synchronization

/// The hosts files of a cluster's namespaces. Safe to share.
final class HostNames: Sendable {
    private let store: ResourceStore
    private let folder: String
    private let files: FilePool
    /// What each namespace's file holds.
    private let written = Mutex<[String: [UInt8]]>([:])

    init(store: ResourceStore, folder: String, files: FilePool) {
        self.store = store
        self.folder = folder
        self.files = files
    }

    func path(namespace: String) -> String { "\(folder)/\(namespace).hosts" }

    /// Writes the file of `namespace`, in which a pod is about to start.
    func prepare(namespace: String) async throws { try await files.run { try self.write(namespace) } }

    /// Writes the files again that exist already and are no longer true.
    func refreshAll() async {
        let namespaces = written.withLock { Array($0.keys) }
        guard !namespaces.isEmpty else { return }
        // What cannot be written now is written with the next change.
        try? await files.run { for namespace in namespaces { try self.write(namespace) } }
    }

    private func write(_ namespace: String) throws {
        let text = Self.text(
            namespace: namespace, services: store.list(.service).items, endpoints: store.list(.endpoints).items,
            base: FileTools.read("/etc/hosts", bytesMax: 64 * 1024) ?? [])
        try written.withLock { written in
            guard written[namespace] != text else { return }
            let file = open(path(namespace: namespace), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            guard file >= 0 else { throw SystemError("open") }
            defer { close(file) }
            // In place and then cut: a reader between the two sees whole lines of the new text first.
            guard text.withUnsafeBytes({ pwrite(file, $0.baseAddress, $0.count, 0) }) == text.count else {
                throw SystemError("write")
            }
            ftruncate(file, off_t(text.count))
            written[namespace] = text
        }
    }

    /// The host's own lines, then every Service under its four names; the short ones only in its own namespace.
    static func text(namespace: String, services: [Resource], endpoints: [Resource], base: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.append("# Kept by slipway cluster for the pods of namespace \(namespace).\n")
        for service in services {
            let name = service.name
            var names = [
                "\(name).\(service.namespace).svc.cluster.local", "\(name).\(service.namespace).svc",
                "\(name).\(service.namespace)",
            ]
            if service.namespace == namespace { names.append(name) }
            for address in addresses(of: service, endpoints) {
                out.append("\(address)\t\(names.joined(separator: " "))\n")
            }
        }
        out.append(contentsOf: base)
        if base.last != UInt8(ascii: "\n") { out.append("\n") }
        return out
    }

    /// The Service's own address, or for a headless one those of its ready pods.
    private static func addresses(of service: Resource, _ endpoints: [Resource]) -> [String] {
        let address = service.spec["clusterIP"]?.stringValue ?? ""
        if address != "None" { return address.isEmpty ? [] : [address] }
        let found = endpoints.first { $0.namespace == service.namespace && $0.name == service.name }
        return (found?.json["subsets"]?.arrayValue ?? []).flatMap { $0["addresses"]?.arrayValue ?? [] }
            .compactMap { $0["ip"]?.stringValue }
    }
}
