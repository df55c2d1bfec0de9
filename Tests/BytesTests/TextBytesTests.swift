import Bytes
import Testing

@Suite struct TextBytesTests {
    @Test func piecesAreDividedWhereTheKernelDivides() {
        #expect("../\u{301}x/y".pieces(by: "/") == ["..", "\u{301}x", "y"])
        #expect("a\r\nb".pieces(by: "\n") == ["a\r", "b"])
        #expect("/a//b/".pieces(by: "/", omittingEmptySubsequences: false) == ["", "a", "", "b", ""])
        #expect("k=v=w".pieces(by: "=", maxSplits: 1) == ["k", "v=w"])
        // As the standard library's, whatever the limits.
        for text in ["", "/", "//", "a", "/a//b/", "a/b/c/", "//a/b"] {
            for maxSplits in [0, 1, 2, .max] {
                for omits in [true, false] {
                    let wanted = text.split(separator: "/", maxSplits: maxSplits, omittingEmptySubsequences: omits)
                    let found = text.pieces(by: "/", maxSplits: maxSplits, omittingEmptySubsequences: omits)
                    #expect(found == wanted, "\(text) \(maxSplits) \(omits)")
                }
            }
        }
        #expect("xa/b".dropFirst().pieces(by: "/") == ["a", "b"] && "".pieces(by: "/").isEmpty)
    }

    @Test func aMarkHidesNoByte() {
        let text = "a:/\u{301}b"
        #expect(text.holds("/") && !text.holds("c"))
        #expect("/\u{301}b".starts(withBytesOf: "/") && !"".starts(withBytesOf: "/"))
        #expect(
            text.divided(atLast: "/")?.before == "a:" && text.divided(atFirst: "/")?.before == "a:")
        #expect("a/\u{301}b".dropping(bytesOf: "a/") == "\u{301}b" && "a".dropping(bytesOf: "abc").isEmpty)
        #expect(text.divided(atLast: "/")?.after == "\u{301}b" && text.divided(atFirst: "c") == nil)
        #expect("x\u{600}/".droppingLastSlash() == "x\u{600}" && "//\u{301}a".droppingSlashes() == "\u{301}a")
        #expect("x\u{600}/".ends(withBytesOf: "/") && !"x".ends(withBytesOf: "ax") && "ax".ends(withBytesOf: "ax"))
        #expect("a\r\n\nb\r".lines == ["a", "", "b"])
    }

    @Test func exactTextsAreTheirBytes() {
        let (ohm, omega) = (ExactText("\u{2126}"), ExactText("\u{3a9}"))
        #expect(ohm.text == omega.text && ohm != omega && Set([ohm, omega, ohm]).count == 2 && omega < ohm)
    }
}
