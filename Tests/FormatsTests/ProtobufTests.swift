import Formats
import Testing

@Suite struct ProtobufTests {
    @Test func roundTrips() throws {
        var writer = ProtobufWriter()
        writer.string(1, "name")
        writer.int(2, -1)
        writer.packed(3, [1, 300, -5])
        writer.message(4) { $0.bool(1, true) }
        writer.presentDouble(5, 2.5)
        var reader = ProtobufReader(writer.bytes)
        var seen: [Int] = []
        while let field = try reader.next() {
            seen.append(field.number)
            switch field.number {
            case 1: #expect(try field.string() == "name")
            case 2: #expect(try field.int() == -1)
            case 3:
                var values: [UInt64] = []
                try field.appendVarints(to: &values)
                #expect(values.map { Int64(bitPattern: $0) } == [1, 300, -5])
            case 4:
                var nested = try field.message()
                #expect(try nested.next()?.bool() == true)
            case 5: #expect(try field.double() == 2.5)
            default: Issue.record("field \(field.number)")
            }
        }
        #expect(seen == [1, 2, 3, 4, 5])
    }

    @Test(
        arguments: [
            [0x0a], [0x0a, 0x05, 0x61], [0x08], [0x08, 0xff], [0x00, 0x01], [0x0b], [0x09, 1, 2],
            [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ] as [[UInt8]])
    func refuses(_ bytes: [UInt8]) {
        #expect(throws: ProtobufError.self) {
            var reader = ProtobufReader(bytes)
            while try reader.next() != nil {}
        }
    }
}

@Suite struct TextProtoTests {
    @Test func readsAModelConfiguration() throws {
        let text = """
            # a comment
            name: "mnist" max_batch_size: 8
            input [ { name: 'x', data_type: TYPE_FP32, dims: [ -1, 784 ] } ]
            output { name: "y" "z" dims: 10 dims: 11 }
            parameters: { key: "k" value: { string_value: "a\\n\\x41\\101" } };
            """
        let message = try TextProtoParser.parse(Array(text.utf8))
        #expect(message.values("max_batch_size") == [.word("8")])
        guard case .message(let input)? = message.values("input").first,
            case .message(let output)? = message.values("output").first,
            case .message(let parameter)? = message.values("parameters").first,
            case .message(let value)? = parameter.values("value").first
        else { return #expect(Bool(false), "a nested message is missing") }
        #expect(input.values("dims") == [.word("-1"), .word("784")])
        #expect(output.values("name") == [.string(Array("yz".utf8))])
        #expect(output.values("dims") == [.word("10"), .word("11")])
        #expect(value.values("string_value") == [.string(Array("a\nAA".utf8))])
    }

    @Test(arguments: [
        "name", "name: ", "name \"x\"", "a { b: 1", "a: \"x", "a: [1, 2", "a: [1 2]", "a: \"\\q\"", "{ }", "a: }",
        "1a: 2",
        String(repeating: "a {", count: 100),
    ])
    func refuses(_ text: String) {
        #expect(throws: TextProtoError.self) { try TextProtoParser.parse(Array(text.utf8)) }
    }
}
