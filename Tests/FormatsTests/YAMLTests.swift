import Formats
import Testing

@Suite struct YAMLTests {
    private func parse(_ text: String) throws -> [JSON] { try YAML.parse(Array(text.utf8)) }

    @Test func readsTheCoreSchema() throws {
        let text = """
            text: plain words
            quoted: "007"
            number: 12
            octal: 0o17
            hexadecimal: 0x1f
            real: -1.5e3
            truth: true
            word: yes
            nothing: ~
            empty:
            list: [1, two, {three: 3}]
            folded: >
              a
              b
            literal: |
              a
              b
            """
        let value = try #require(try parse(text).first)
        #expect(
            value == [
                "text": "plain words", "quoted": "007", "number": 12, "octal": 15, "hexadecimal": 31, "real": -1500.0,
                "truth": true, "word": "yes", "nothing": .null, "empty": .null, "list": [1, "two", ["three": 3]],
                "folded": "a b\n", "literal": "a\nb",
            ])
    }

    @Test func readsSeveralDocumentsAndNone() throws {
        #expect(try parse("a: 1\n---\nb: 2\n") == [["a": 1], ["b": 2]])
        #expect(try parse("") == [])
    }

    @Test(arguments: [
        ("a: &x [1]\nb: *x", "aliases"), ("a: 1\na: 2", "twice"), ("a: [1", "did not find"),
        ("? [a]\n: b", "plain text"),
        ("a: !!binary aGk=", "tag"), ("a:\n\t- b", "token"),
    ])
    func refuses(_ text: String, _ reason: String) {
        do {
            _ = try parse(text)
            Issue.record("accepted: \(text)")
        } catch {
            let message = (error as? YAMLError)?.message ?? ""
            #expect(message.contains(reason), "\(message)")
        }
    }

    @Test func boundsDepthAndSize() {
        #expect(throws: YAMLError.self) { try parse(String(repeating: "[", count: 200)) }
        #expect(throws: YAMLError.self) {
            try YAML.parse(
                Array("[\(Array(repeating: "1", count: 200).joined(separator: ","))]".utf8), nodeCountMax: 100)
        }
    }
}
