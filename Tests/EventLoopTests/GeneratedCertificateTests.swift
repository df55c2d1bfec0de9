import EventLoop
import Glibc
import Testing

@Suite struct GeneratedCertificateTests {
    private let folder: String

    init() throws {
        var template = Array("/tmp/slipway-tls-XXXXXX".utf8CString)
        folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    private func contents(_ name: String) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 8192)
        let descriptor = open(folder + "/" + name, O_RDONLY)
        defer { close(descriptor) }
        let count = read(descriptor, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }

    private func removeFolder() {
        for name in ["ca.crt", "ca.key", "server.crt", "server.key"] { unlink(folder + "/" + name) }
        rmdir(folder)
    }

    @Test func keepsWhatHoldsAndRenewsWhatDoesNot() throws {
        defer { removeFolder() }
        let first = try GeneratedCertificate.prepare(folder: folder, names: ["localhost", "127.0.0.1", "::1"])
        _ = try TLSContext(first.configuration)
        let (authority, server) = (contents("ca.crt"), contents("server.crt"))
        _ = try GeneratedCertificate.prepare(folder: folder, names: ["127.0.0.1"])
        #expect(contents("ca.crt") == authority && contents("server.crt") == server)
        // Another name: a new server certificate by the same authority.
        _ = try GeneratedCertificate.prepare(folder: folder, names: ["localhost", "cluster.test"])
        #expect(contents("ca.crt") == authority && contents("server.crt") != server)
        // A lost authority: everything is new, and fits together.
        unlink(folder + "/ca.key")
        let last = try GeneratedCertificate.prepare(folder: folder, names: ["localhost"])
        #expect(contents("ca.crt") != authority)
        _ = try TLSContext(last.configuration)
    }

    @Test func filesArePrivate() throws {
        defer { removeFolder() }
        _ = try GeneratedCertificate.prepare(folder: folder, names: ["localhost"])
        for name in ["ca.crt", "ca.key", "server.crt", "server.key"] {
            var status = stat()
            #expect(stat(folder + "/" + name, &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func saysWhatIsWrongWithFiles() throws {
        defer { removeFolder() }
        let made = try GeneratedCertificate.prepare(folder: folder, names: ["localhost"])
        let missing = TLSConfiguration(certificatePath: folder + "/none", privateKeyPath: folder + "/none")
        #expect(throws: TLSError.self) { _ = try TLSContext(missing) }
        let crossed = TLSConfiguration(
            certificatePath: made.configuration.certificatePath, privateKeyPath: folder + "/ca.key")
        #expect(throws: TLSError.self) { _ = try TLSContext(crossed) }
    }
}
