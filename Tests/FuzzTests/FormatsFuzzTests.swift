import Bytes
import Clock
import Formats
import Foundation
import Testing

@Suite struct FormatsFuzzTests {
    /// What is accepted is what Foundation accepts too, and survives being written and read again.
    @Test func json() throws {
        let samples = [
            #"{"a":[1,-2.5e3,"x\u00e4\n",true,null],"b":{"c":{}}}"#, "[[[[]]]]", "18446744073709551615", "-0.0",
            #""\ud83d\ude00""#, "1e308",
        ]
        try Fuzzing.run("json", samples: samples) { input, _ in
            guard let value = try? JSON.parse(input) else { return }
            let accepted = (try? JSONSerialization.jsonObject(with: Data(input), options: .fragmentsAllowed)) != nil
            #expect(accepted, "accepted here only: \(String(decoding: input, as: UTF8.self))")
            #expect((try? JSON.parse(value.encoded)) == value)
            #expect((try? JSON.parse(value.indented)) == value)
        }
    }

    @Test func protobuf() throws {
        var message = ProtobufWriter()
        message.string(1, "model")
        message.packed(3, [1, 300, -1])
        message.message(4) { $0.presentDouble(2, 1.5) }
        let sample = String(decoding: message.bytes.map { $0 < 128 ? $0 : 0x7f }, as: UTF8.self)
        try Fuzzing.run("protobuf", samples: [sample]) { input, _ in
            var reader = ProtobufReader(input)
            var total = 0
            while let field = try? reader.next() {
                total += (try? field.bytes().count) ?? 0
                var values: [UInt64] = []
                try? field.appendVarints(to: &values)
                #expect(values.count <= input.count)
            }
            #expect(total <= input.count)
        }
    }

    @Test func textProto() throws {
        let samples = [
            #"name: "m" input [ { dims: [ -1, 2 ] } ] a < b: 1 > # c"#, #"a: "x" 'y' b { c { d: "\n\x41\101" } };"#,
        ]
        try Fuzzing.run("text-proto", samples: samples) { input, _ in _ = try? TextProtoParser.parse(input) }
    }

    @Test func xml() throws {
        let samples = [
            #"<?xml version="1.0"?><Delete><Object><Key>a&amp;b</Key></Object><Quiet>true</Quiet></Delete>"#,
            "<a><!-- c --><b/><![CDATA[x]]></a>",
        ]
        try Fuzzing.run("xml", samples: samples) { input, _ in _ = try? XMLElement.parse(input) }
    }

    @Test func yaml() throws {
        let samples = ["a: 1\nb: [x, 'y', {z: ~}]\n---\n- |\n  text\n", "? a\n: &x b\nc: *x", "{a: !!str 1, b: 0x1f}"]
        try Fuzzing.run("yaml", samples: samples) { input, _ in _ = try? YAML.parse(input, nodeCountMax: 1000) }
    }

    @Test func times() throws {
        let samples = ["2026-11-21T03:45:11.5+01:00", "20261121T034511Z", "Sat, 21 Nov 2026 03:45:11 GMT"]
        try Fuzzing.run("times", samples: samples) { input, _ in
            let text = String(decoding: input, as: UTF8.self)
            if let time = WallTime(iso8601: text) {
                #expect(WallTime(iso8601: time.iso8601(fractionDigits: 9)) == time)
            }
            if let time = WallTime(httpDate: text) { #expect(WallTime(httpDate: time.httpDate) == time) }
        }
    }

    @Test func base64AndHex() throws {
        try Fuzzing.run("base64", samples: ["Zm9vYmFy", "Zg==", "00ff"]) { input, _ in
            #expect(Base64.decode(Base64.encode(input).utf8) == input)
            #expect(Base64.decode(Base64.encodeURLSafe(input).utf8) == input)
            #expect(Hex.decode(Hex.encode(input).utf8) == input)
            _ = Base64.decode(input)
        }
    }
}
