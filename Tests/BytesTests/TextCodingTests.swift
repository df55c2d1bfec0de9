import Bytes
import Testing

@Suite struct TextCodingTests {
    @Test func hexRoundTrips() {
        #expect(Hex.encode([0, 15, 16, 255]) == "000f10ff")
        #expect(Hex.decode("000F10ff".utf8) == [0, 15, 16, 255])
        #expect(Hex.decode("0".utf8) == nil)
        #expect(Hex.decode("0g".utf8) == nil)
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func base64KnowsTheVectorsOfTheRFC(_ plain: String, _ coded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == coded)
        #expect(Base64.decode(coded.utf8) == Array(plain.utf8))
    }

    @Test(arguments: ["Z", "Zg=", "Zg===", "Z=g=", "Zm9v=", "Zm 9v"])
    func base64Refuses(_ text: String) { #expect(Base64.decode(text.utf8) == nil) }

    @Test func percentCoding() {
        #expect(PercentCoding.encode("a b/ä~") == "a%20b%2F%C3%A4~")
        #expect(PercentCoding.encode("a/b", keepingSlash: true) == "a/b")
        #expect(PercentCoding.decode("a%20b+c") == "a b+c")
        #expect(PercentCoding.decode("a%20b+c", plusIsSpace: true) == "a b c")
        for broken in ["%", "%1", "%zz", "%00", "%ff"] { #expect(PercentCoding.decode(broken) == nil) }
    }

    @Test func appendsNumbers() {
        var out: [UInt8] = []
        out.append(decimal: -120)
        out.append(" ")
        out.append(decimal: 0)
        out.append(" ")
        out.append(decimal: UInt64.max)
        out.append(" ")
        out.append(decimal: Int64.min)
        out.append(" ")
        out.append(hexadecimal: 0)
        out.append(" ")
        out.append(hexadecimal: UInt64.max)
        out.append(" ")
        out.append(decimal: 7, width: 3)
        #expect(String(utf8: out) == "-120 0 18446744073709551615 -9223372036854775808 0 ffffffffffffffff 007")
    }

    @Test func uuidHasItsVersionAndVariant() {
        let uuid = Array(Randomness.uuid().utf8)
        #expect(uuid.count == 36)
        #expect(uuid[14] == UInt8(ascii: "4"))
        #expect("89ab".utf8.contains(uuid[19]))
    }
}
