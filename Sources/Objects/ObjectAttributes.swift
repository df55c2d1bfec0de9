import Bytes

/// What a client says about an object beside its bytes, given back as it came.
package struct ObjectAttributes: Sendable, Equatable {
    package struct Pair: Sendable, Equatable {
        package let name: String
        package let value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Representation fields (`Content-Type`, `Cache-Control`, ...) with their names as sent back.
    package var fields: [Pair]
    /// User metadata: names in lower case without the `x-amz-meta-` prefix.
    package var userMetadata: [Pair]

    package init(fields: [Pair] = [], userMetadata: [Pair] = []) {
        self.fields = fields
        self.userMetadata = userMetadata
    }

    package func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// Throws `metadataTooLarge` when names and values together are over 2 KiB.
    package func validate() throws(ObjectError) {
        let bytes = userMetadata.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        guard bytes <= ObjectLimits.userMetadataBytesMax else {
            throw ObjectError(
                .metadataTooLarge, "Your metadata headers hold \(bytes) bytes, at most 2048 are allowed.")
        }
    }

    /// The form kept in the index.
    var encoded: [UInt8] {
        var out: [UInt8] = []
        PairCoding.append(fields, to: &out)
        PairCoding.append(userMetadata, to: &out)
        return out
    }

    init(encoded: [UInt8]) {
        var rest = encoded[...]
        fields = PairCoding.take(&rest)
        userMetadata = PairCoding.take(&rest)
    }
}

/// Lists of text pairs as bytes: a count, then each text with its length in front, lengths as four bytes little-endian.
enum PairCoding {
    static func append(_ pairs: [ObjectAttributes.Pair], to out: inout [UInt8]) {
        append(pairs.count, to: &out)
        for pair in pairs {
            for text in [pair.name, pair.value] {
                append(text.utf8.count, to: &out)
                out.append(text)
            }
        }
    }

    static func encode(_ pairs: [ObjectAttributes.Pair]) -> [UInt8] {
        var out: [UInt8] = []
        append(pairs, to: &out)
        return out
    }

    static func decode(_ bytes: [UInt8]) -> [ObjectAttributes.Pair] {
        var rest = bytes[...]
        return take(&rest)
    }

    static func take(_ rest: inout ArraySlice<UInt8>) -> [ObjectAttributes.Pair] {
        guard let count = number(&rest) else { return [] }
        var pairs: [ObjectAttributes.Pair] = []
        for _ in 0..<count {
            guard let name = text(&rest), let value = text(&rest) else { return pairs }
            pairs.append(ObjectAttributes.Pair(name, value))
        }
        return pairs
    }

    private static func append(_ number: Int, to out: inout [UInt8]) {
        for shift in [0, 8, 16, 24] { out.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> Int? {
        guard rest.count >= 4 else { return nil }
        let value = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(4)
        return value
    }

    private static func text(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard let count = number(&rest), rest.count >= count else { return nil }
        let value = String(utf8: rest.prefix(count))
        rest = rest.dropFirst(count)
        return value
    }
}
