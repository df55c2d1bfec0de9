import Bytes
import Testing

@Suite struct TextBytesTests {
    @Test func piecesAreDividedWhereTheKernelDivides() {
        #expect("../\u{301}x/y".pieces(by: "/") == ["..", "\u{301}x", "y"])
        #expect("a\r\nb".pieces(by: "\n") == ["a\r", "b"])
        #expect("/a//b/".pieces(by: "/", omittingEmptySubsequences: false) == ["", "a", "", "b", ""])
        #expect("k=v=w".pieces(by: "=", maxSplits: 1) == ["k", "v=w"])
        #expect("xa/b".dropFirst().pieces(by: "/") == ["a", "b"] && "".pieces(by: "/").isEmpty)
    }

    @Test func aMarkHidesNoByte() {
        let text = "a:/\u{301}b"
        #expect(text.holds("/") && !text.holds("c"))
        #expect("/\u{301}b".starts(withBytesOf: "/") && !"".starts(withBytesOf: "/"))
        #expect(
            text.lastPlace(of: "/").map { text[..<$0] } == "a:" && text.firstPlace(of: "/") == text.lastPlace(of: "/"))
        #expect("a/\u{301}b".dropping(bytesOf: "a/") == "\u{301}b" && "a".dropping(bytesOf: "abc").isEmpty)
        #expect(text.firstPlace(of: "b") != nil && text.firstPlace(of: "c") == nil && text.lastPlace(of: "c") == nil)
    }
}
