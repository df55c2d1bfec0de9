import Formats
import Testing

@Suite struct JSONTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func readsEveryKind() throws {
        let value = try JSON.parse(
            bytes(#"{"a":[1,-2,18446744073709551615,2.5,true,false,null],"b":{"c":"é\n\u00e4"}}"#))
        #expect(value["a"] == .array([1, -2, .unsigned(.max), 2.5, true, false, .null]))
        #expect(value["b"]?["c"]?.stringValue == "é\nä")
    }

    @Test func textsAreComparedByteByByte() {
        #expect(JSON.string("\u{e9}") != "e\u{301}" && JSON.array(["\u{e9}"]) != ["e\u{301}"])
        #expect(JSON.string("\u{e9}") == "\u{e9}" && JSON.int(1) != .double(1))
    }

    @Test func writesWhatItReads() throws {
        let text = #"{"name":"x\"\\\n\u0001","list":[1,[],{},-7,0.5,null,true],"nested":{"deep":[{"a":{}}]}}"#
        let value = try JSON.parse(bytes(text))
        #expect(try JSON.parse(value.encoded) == value)
        #expect(try JSON.parse(value.indented) == value)
        #expect(String(decoding: value.encoded, as: UTF8.self) == text)
    }

    @Test func indents() throws {
        let value: JSON = ["a": [1, 2], "b": [:], "c": []]
        #expect(
            String(decoding: value.indented, as: UTF8.self) == """
                {
                  "a": [
                    1,
                    2
                  ],
                  "b": {},
                  "c": []
                }
                """)
    }

    @Test func writesNumbersThatJSONLacksAsStrings() {
        var writer = JSONWriter()
        writer.beginArray()
        writer.double(.nan)
        writer.double(-.infinity)
        writer.double(1e300)
        writer.endArray()
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"["NaN","-Infinity",1e+300]"#)
    }

    @Test(arguments: ["", "{", "[1,]", "{\"a\":}", "nul", "01", "\"\u{1}\"", "[1] 2", "{a:1}", "'a'"])
    func refuses(_ text: String) { #expect(throws: JSONError.malformed) { try JSON.parse(bytes(text)) } }

    @Test func refusesDepthAndBadUTF8() {
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(throws: JSONError.tooDeep(depthMax: 64)) { try JSON.parse(bytes(deep)) }
        #expect(throws: (any Error).self) { try JSON.parse([0x22, 0xff, 0x22]) }
    }

    @Test func namesDuplicateMembers() throws {
        let document = try JSONDocument(bytes(#"{"a":1,"b":{"c":1,"c":2},"l":[{"d":1,"d":2}],"a":3}"#))
        #expect(document.root.duplicateMembers() == ["b.c", "l[0].d", "a"])
        #expect(document.root["a"]?.int == 3)
    }
}
