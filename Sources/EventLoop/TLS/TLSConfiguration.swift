/// Where a TLS server's certificate chain and private key stand, both PEM files.
package struct TLSConfiguration: Sendable {
    package var certificatePath: String
    package var privateKeyPath: String

    package init(certificatePath: String, privateKeyPath: String) {
        self.certificatePath = certificatePath
        self.privateKeyPath = privateKeyPath
    }
}
