import Bytes
import Digests

/// An access key that may use the store.
package struct StoreCredential: Sendable {
    package let accessKey: String
    package let secretKey: String

    package init(accessKey: String, secretKey: String) {
        self.accessKey = accessKey
        self.secretKey = secretKey
    }
}

/// Who a request acts for.
struct Identity: Sendable {
    let accessKey: String
    /// 64 hexadecimal digits, as Amazon's canonical user ids have; the owner of the buckets this key makes.
    let ownerID: String
    let displayName: String

    init(accessKey: String) {
        self.accessKey = accessKey
        ownerID = Hex.encode(SHA256.hash(Array("slipway owner \(accessKey)".utf8)))
        displayName = accessKey
    }
}
