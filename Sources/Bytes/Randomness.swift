/// Random identifiers from the system's generator, which is cryptographically secure on Linux (`getrandom`).
package enum Randomness {
    /// `count` random bytes.
    package static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// `count` characters of `a-z0-9` without vowels, as Kubernetes appends to generated names.
    package static func nameSuffix(_ count: Int) -> String {
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
        var generator = SystemRandomNumberGenerator()
        return String(utf8: (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }

    /// A version 4 UUID (RFC 9562), lower case with hyphens.
    package static func uuid() -> String {
        var raw = bytes(16)
        raw[6] = raw[6] & 0x0f | 0x40
        raw[8] = raw[8] & 0x3f | 0x80
        let hex = Array(Hex.encode(raw).utf8)
        let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        return groups.map { String(utf8: hex[$0]) }.joined(separator: "-")
    }

    /// 32 hexadecimal digits, the form of MLflow's run and model ids.
    package static func hexID() -> String { Hex.encode(bytes(16)) }
}
