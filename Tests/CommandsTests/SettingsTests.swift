import Formats
import Testing

@testable import Commands

struct SettingsTests {
    static let port = Setting<Int>.port(
        "port", aliases: ["-p"], environment: ["A_PORT", "B_PORT"], default: 9000, help: "")
    static let size = Setting<Int>.bytes("size", default: 1 << 20, range: 1...1 << 30, help: "")
    static let wait = Setting<Int>.milliseconds("wait", default: 1500, range: 0...60_000, help: "")
    static let quiet = Setting<Bool>.toggle("quiet", help: "")
    static let secret = Setting<String?>.optional(
        "secret", environment: ["A_SECRET"], help: "", isSecret: true, where: { $0.utf8.count >= 8 })
    static let mode = Setting<String>.choice("mode", default: "fast", of: ["fast", "safe"], help: "")
    static let models = Setting<String?>.optional("models", environment: ["A_MODELS"], help: "", isList: true)
    static let all = [
        port.declaration, size.declaration, wait.declaration, quiet.declaration, secret.declaration, mode.declaration,
        models.declaration,
    ]

    static func command() -> Command { Command(name: "trial", summary: "a trial", settings: all) { _ in 0 } }

    static func resolve(
        _ line: [String] = [], environment: [String: String] = [:], file: JSON? = nil
    ) throws -> Settings {
        let parsed = try Arguments(line, for: command())
        let file = try file.map { try ConfigurationFile(path: "trial.yaml", root: $0) }
        return try Settings(all, flags: parsed.flags, environment: environment, file: file, section: "store")
    }

    @Test func theDefaultSpeaksWhenNothingElseDoes() throws {
        let settings = try Self.resolve()
        #expect(settings[Self.port] == 9000)
        #expect(settings[Self.secret] == nil)
        #expect(!settings.isGiven(Self.port))
    }

    @Test func flagsGoBeforeEnvironmentAndFirstNameWins() throws {
        let environment = ["A_PORT": "1", "B_PORT": "2"]
        #expect(try Self.resolve(environment: environment)[Self.port] == 1)
        #expect(try Self.resolve(environment: ["A_PORT": "", "B_PORT": "2"])[Self.port] == 2)
        #expect(try Self.resolve(["--port", "3"], environment: environment)[Self.port] == 3)
    }

    @Test(arguments: [
        (["-p", "7"], 7), (["--port=7"], 7), (["--port", "1", "--port", "7"], 7),
    ])
    func spellingsOfAFlag(line: [String], expected: Int) throws {
        #expect(try Self.resolve(line)[Self.port] == expected)
    }

    @Test func aListGrowsWithEachFlag() throws {
        #expect(try Self.resolve(["--models", "a", "--models=b,c"])[Self.models] == "a,b,c")
        #expect(try Self.resolve(["--models", "a"], environment: ["A_MODELS": "b"])[Self.models] == "a")
        #expect(try Self.resolve([], environment: ["A_MODELS": "b"])[Self.models] == "b")
    }

    @Test func switchesTurnOnAndOff() throws {
        #expect(try Self.resolve(["--quiet"])[Self.quiet])
        #expect(try !Self.resolve(["--quiet", "--no-quiet"])[Self.quiet])
        #expect(try !Self.resolve(["--quiet=off"])[Self.quiet])
    }

    @Test func sizesAndTimesReadAsPeopleWriteThem() throws {
        #expect(try Self.resolve(["--size", "64KiB"])[Self.size] == 65536)
        #expect(try Self.resolve(["--wait", "20s"])[Self.wait] == 20_000)
        #expect(ByteCount.parse("9223372036854775807GiB") == nil)
        #expect(ByteCount.parse("-1") == nil)
        #expect(Duration.parse("2h") == 7_200_000)
    }

    @Test(arguments: [
        (["--port", "70000"], [:], ["--port", "'70000'", "0 to 65535"]),
        (["--size", "2GiB"], [:], ["--size", "'2GiB'", "1GiB"]),
        (["--mode", "slow"], [:], ["--mode", "'slow'", "fast, safe"]),
        ([], ["B_PORT": "many"], ["environment variable B_PORT", "'many'", "0 to 65535"]),
        (["--port", "1"], ["A_PORT": "x"], ["A_PORT", "'x'"]),
    ])
    func aWrongValueStopsTheStart(line: [String], environment: [String: String], words: [String]) {
        let error = #expect(throws: UsageError.self) { try Self.resolve(line, environment: environment) }
        for word in words { #expect(error?.message.contains(word) == true, "\(error?.message ?? "") lacks \(word)") }
    }

    @Test func aSecretIsNeverShown() {
        let error = #expect(throws: UsageError.self) { try Self.resolve(environment: ["A_SECRET": "abc"]) }
        #expect(error?.message.contains("abc") == false)
        #expect(error?.message.contains("A_SECRET") == true)
    }

    @Test(arguments: [
        (["--prot", "1"], "Did you mean --port?"), (["--no-quite"], "Did you mean --quiet?"),
        (["--wholly-unknown"], "`slipway trial --help` lists the flags"),
    ])
    func anUnknownFlagSuggestsTheNearest(line: [String], hint: String) {
        let error = #expect(throws: UsageError.self) { try Self.resolve(line) }
        #expect(error?.hint == hint)
    }

    @Test func aFlagWithoutItsValueAndAWordTooManyAreNamed() {
        #expect(throws: UsageError.self) { try Self.resolve(["--port"]) }
        let error = #expect(throws: UsageError.self) { try Self.resolve(["extra"]) }
        #expect(error?.message == "unexpected word 'extra'")
    }
}
