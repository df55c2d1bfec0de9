import Testing

@testable import MC

@Suite struct CopyPathsTests {
    @Test(arguments: [
        ("models/", "models/a/1", "s/b", "s/b/a/1"),
        ("models", "models/a/1", "s/b", "s/b/models/a/1"),
        ("./models", "./models/a", "s/b", "s/b/models/a"),
        ("/tmp/models", "/tmp/models/a", "s/b/", "s/b/models/a"),
        ("/tmp/models/", "/tmp/models/a", "s/b/", "s/b/a"),
        ("s/b/p/", "s/b/p/x/y", "down", "down/x/y"),
        ("s/b/p", "s/b/p/x/y", "down", "down/p/x/y"),
        (".", "./a", "s/b", "s/b/a"), ("s/b/", "s/b//a", "t/c", "t/c//a"),
        ("s/b/", "s/b/\u{301}a", "t/c", "t/c/\u{301}a"),
        ("./", "./a", "s/b", "s/b/a"),
    ])
    func nests(_ source: String, _ item: String, _ target: String, _ expected: String) {
        #expect(CopyPaths.join(target, CopyPaths.suffix(of: item, source: source)) == expected)
    }

    @Test(arguments: [("a/b/c", "c"), ("a/b/", "b"), ("c", "c")])
    func lastNames(_ path: String, _ name: String) {
        #expect(CopyPaths.lastName(path) == name)
    }

    @Test(arguments: [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_572_864, "1.5 MiB"), (5 << 30, "5.0 GiB")])
    func sizes(_ bytes: Int, _ text: String) {
        #expect(Sizes.text(Int64(bytes)) == text)
    }

    @Test func optionsKnowTheirFlags() throws {
        let options = try Options(
            ["-r", "a", "--name=x y", "--", "-b"], of: "find", switches: ["recursive": "r"], valued: ["name"])
        #expect(options.has("recursive") && options.values["name"] == "x y" && options.words == ["a", "-b"])
        #expect(throws: MCError.self) { try Options(["--nope"], of: "ls") }
        #expect(throws: MCError.self) { try Options(["--name"], of: "find", valued: ["name"]) }
    }
}
