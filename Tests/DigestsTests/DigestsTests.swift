import Bytes
import Digests
import Testing

/// The example values of RFC 1321, FIPS 180-4, RFC 2202 and RFC 4231.
@Suite struct DigestsTests {
    @Test(arguments: [
        (
            "", "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        ),
        (
            "abc", "900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        ),
    ])
    func knownAnswers(text: String, md5: String, sha1: String, sha256: String) {
        var hashes = (MD5(), SHA1(), SHA256())
        // Byte by byte: what is fed in pieces counts as one.
        for byte in text.utf8 {
            hashes.0.update([byte])
            hashes.1.update([byte])
            hashes.2.update([byte])
        }
        #expect(Hex.encode(hashes.0.finalize()) == md5)
        #expect(Hex.encode(hashes.1.finalize()) == sha1)
        #expect(Hex.encode(hashes.2.finalize()) == sha256)
        #expect(Hex.encode(SHA256.hash(Array(text.utf8))) == sha256)
    }

    @Test func messageCodes() {
        let key = Array("Jefe".utf8)
        let message = Array("what do ya want for nothing?".utf8)
        #expect(
            Hex.encode(HMACSHA1.authenticate(key: key, message: message)) == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        #expect(
            Hex.encode(HMACSHA256.authenticate(key: key, message: message))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    /// A key longer than a block is hashed first (RFC 4231 case 6); an empty key is a key of zeros.
    @Test func keysOfAnyLength() {
        let long = [UInt8](repeating: 0xaa, count: 131)
        let message = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        #expect(
            Hex.encode(HMACSHA256.authenticate(key: long, message: message))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        #expect(
            HMACSHA256.authenticate(key: [], message: []) == HMACSHA256.authenticate(key: [0, 0, 0], message: []))
    }
}
