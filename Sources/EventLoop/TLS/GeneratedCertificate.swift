// Certificates for a first start without any: an authority of the installation's own, which clients are told to trust,
// and a server certificate signed by it. Both are ECDSA P-256. The files are kept and used again as long as they hold.

import COpenSSL
import Glibc

/// A server certificate and the authority that signed it, as PEM files in one folder.
package struct GeneratedCertificate: Sendable {
    /// The authority's certificate, for clients to trust.
    package let authorityPath: String
    /// The server's certificate and key.
    package let configuration: TLSConfiguration

    /// Years the authority, days the server certificate and the days before its end when it is renewed.
    private static let authorityDays = 3650
    private static let serverDays = 365
    private static let renewalDays = 30

    /// Takes the files of `folder`, or makes what is missing, unreadable, soon over, or not valid for all of `names`.
    ///
    /// `names` are DNS names and numeric addresses; the first is also the subject. The folder is made with mode 0700
    /// and the files with 0600, each written whole beside its place and renamed. Blocks: call it at start-up.
    package static func prepare(folder: String, names: [String]) throws(TLSError) -> GeneratedCertificate {
        precondition(!names.isEmpty)
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw TLSError("the certificate folder cannot be made") }
        let paths = (authority: folder + "/ca.crt", authorityKey: folder + "/ca.key")
        let server = TLSConfiguration(certificatePath: folder + "/server.crt", privateKeyPath: folder + "/server.key")
        let result = GeneratedCertificate(authorityPath: paths.authority, configuration: server)

        var authority = try? KeyPair(certificatePath: paths.authority, keyPath: paths.authorityKey)
        if let held = authority, !held.isValid(forDays: serverDays) { authority = nil }
        if authority == nil {
            let made = try KeyPair.makeAuthority(days: authorityDays)
            try made.write(certificatePath: paths.authority, keyPath: paths.authorityKey)
            authority = made
        }
        guard let authority else { throw TLSError("the certificate authority cannot be made") }
        if let held = try? KeyPair(certificatePath: server.certificatePath, keyPath: server.privateKeyPath),
            held.isValid(forDays: renewalDays), held.isSigned(by: authority), names.allSatisfy(held.isValid(for:))
        {
            return result
        }
        let made = try KeyPair.makeServer(names: names, days: serverDays, authority: authority)
        try made.write(certificatePath: server.certificatePath, keyPath: server.privateKeyPath)
        return result
    }
}

/// A certificate with its private key.
private final class KeyPair {
    private let certificate: OpaquePointer
    private let key: OpaquePointer

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    /// Reads both PEM files; throws when one cannot be read or they do not belong together.
    init(certificatePath: String, keyPath: String) throws(TLSError) {
        let certificateBytes = try Self.read(certificatePath)
        let keyBytes = try Self.read(keyPath)
        guard let certificate = Self.parse(certificateBytes, { PEM_read_bio_X509($0, nil, nil, nil) }) else {
            throw TLSError("\(certificatePath) is not a PEM certificate")
        }
        guard let key = Self.parse(keyBytes, { PEM_read_bio_PrivateKey($0, nil, nil, nil) }) else {
            X509_free(certificate)
            throw TLSError("\(keyPath) is not a PEM key")
        }
        self.certificate = certificate
        self.key = key
        guard X509_check_private_key(certificate, key) == 1 else { throw TLSError("certificate and key do not match") }
    }

    /// A certificate with a new key, not yet signed.
    private init(subject: String, days: Int) throws(TLSError) {
        guard let certificate = X509_new() else { throw TLSError("no memory for a certificate") }
        guard let key = slipway_new_p256_key() else {
            X509_free(certificate)
            throw TLSError("a key cannot be made")
        }
        self.certificate = certificate
        self.key = key
        X509_set_version(certificate, 2)
        // A random serial number of 63 bits, as the authority may be made anew under the same name.
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...(UInt64.max >> 1)))
        // Clocks differ: valid from an hour ago.
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600)
        X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86_400)
        let name = X509_get_subject_name(certificate)
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, Array("Slipway".utf8), -1, -1, 0)
        X509_NAME_add_entry_by_txt(name, "CN", 0x1000, Array(subject.utf8), Int32(subject.utf8.count), -1, 0)
        guard X509_set_pubkey(certificate, key) == 1 else { throw TLSError("a certificate cannot take its key") }
    }

    static func makeAuthority(days: Int) throws(TLSError) -> KeyPair {
        let pair = try KeyPair(subject: "Slipway local authority", days: days)
        X509_set_issuer_name(pair.certificate, X509_get_subject_name(pair.certificate))
        try pair.add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0", issuer: pair)
        try pair.add(NID_key_usage, "critical,keyCertSign,cRLSign", issuer: pair)
        try pair.add(NID_subject_key_identifier, "hash", issuer: pair)
        try pair.sign(with: pair)
        return pair
    }

    static func makeServer(names: [String], days: Int, authority: KeyPair) throws(TLSError) -> KeyPair {
        let pair = try KeyPair(subject: String(names[0].prefix(64)), days: days)
        X509_set_issuer_name(pair.certificate, X509_get_subject_name(authority.certificate))
        try pair.add(NID_basic_constraints, "critical,CA:FALSE", issuer: authority)
        try pair.add(NID_key_usage, "critical,digitalSignature", issuer: authority)
        try pair.add(NID_ext_key_usage, "serverAuth", issuer: authority)
        try pair.add(NID_subject_key_identifier, "hash", issuer: authority)
        try pair.add(NID_authority_key_identifier, "keyid", issuer: authority)
        let alternatives = names.map { (SocketAddress.isNumeric($0) ? "IP:" : "DNS:") + $0 }
        try pair.add(NID_subject_alt_name, alternatives.joined(separator: ","), issuer: authority)
        try pair.sign(with: authority)
        return pair
    }

    private func add(_ identifier: Int32, _ value: String, issuer: KeyPair) throws(TLSError) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer.certificate, certificate, nil, nil, 0)
        guard let made = X509V3_EXT_conf_nid(nil, &context, identifier, value) else {
            throw TLSError("\(value) cannot stand in a certificate")
        }
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(certificate, made, -1) == 1 else { throw TLSError("a certificate takes no extension") }
    }

    private func sign(with issuer: KeyPair) throws(TLSError) {
        guard X509_sign(certificate, issuer.key, EVP_sha256()) > 0 else {
            throw TLSError("a certificate cannot be signed")
        }
    }

    // MARK: Checks

    func isValid(forDays days: Int) -> Bool {
        var moment = time(nil) + days * 86_400
        return X509_cmp_time(X509_get0_notAfter(certificate), &moment) > 0
    }

    func isValid(for name: String) -> Bool {
        SocketAddress.isNumeric(name)
            ? X509_check_ip_asc(certificate, name, 0) == 1
            : X509_check_host(certificate, name, name.utf8.count, 0, nil) == 1
    }

    func isSigned(by issuer: KeyPair) -> Bool { X509_verify(certificate, issuer.key) == 1 }

    // MARK: Files

    func write(certificatePath: String, keyPath: String) throws(TLSError) {
        guard let output = slipway_memory_bio() else { throw TLSError("no memory for a file") }
        defer { BIO_free(output) }
        guard PEM_write_bio_PrivateKey(output, key, nil, nil, 0, nil, nil) == 1 else {
            throw TLSError("a key cannot be written")
        }
        try Self.write(output, to: keyPath)
        BIO_ctrl(output, BIO_CTRL_RESET, 0, nil)
        guard PEM_write_bio_X509(output, certificate) == 1 else { throw TLSError("a certificate cannot be written") }
        try Self.write(output, to: certificatePath)
    }

    /// Writes beside `path` with mode 0600, syncs, renames.
    private static func write(_ output: OpaquePointer, to path: String) throws(TLSError) {
        var bytes: UnsafeMutablePointer<CChar>?
        let count = slipway_bio_contents(output, &bytes)
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TLSError("a certificate file cannot be made") }
        let isWritten = Glibc.write(descriptor, bytes, count) == count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten, rename(temporary, path) == 0 else {
            unlink(temporary)
            throw TLSError("a certificate file cannot be written")
        }
    }

    private static func read(_ path: String) throws(TLSError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw TLSError("\(path) cannot be opened") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count > 0 else { throw TLSError("\(path) cannot be read") }
        return Array(bytes.prefix(count))
    }

    private static func parse(_ bytes: [UInt8], _ parse: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        bytes.withUnsafeBytes { raw in
            guard let input = BIO_new_mem_buf(raw.baseAddress, Int32(raw.count)) else { return nil }
            defer { BIO_free(input) }
            return parse(input)
        }
    }
}
