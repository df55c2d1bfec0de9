import Foundation
import Testing

@testable import Commands

struct ProgramTextTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func theConfigurationPageSaysWhatTheCodeSays() throws {
        let page = try String(contentsOf: Self.root.appendingPathComponent("docs/CONFIGURATION.md"), encoding: .utf8)
        #expect(page == ConfigurationDocument.text(Program.commands) + "\n", "run `make docs`")
    }

    @Test func everySettingIsDescribedAndUnique() {
        for command in Program.commands {
            let names = command.settings.map(\.name)
            #expect(Set(names).count == names.count, "slipway \(command.name) has a flag twice")
            for setting in command.settings {
                #expect(setting.help.hasSuffix("."), "--\(setting.name) of \(command.name): help is one sentence")
                #expect(setting.name.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" }, "--\(setting.name)")
                if let text = setting.defaultText {
                    #expect(setting.accepts(text), "--\(setting.name): its own default")
                }
            }
        }
    }

    @Test func anEnvironmentVariableMeansOneThingInACommand() {
        for command in Program.commands {
            let names = command.settings.flatMap(\.environment)
            #expect(Set(names).count == names.count, "\(command.name): \(names.sorted())")
        }
    }

    @Test func helpFitsTheTerminalAndShowsEveryFlag() {
        for command in Program.commands {
            let text = HelpText.of(command, terminal: Terminal(hasColour: false, width: 100))
            for setting in command.settings { #expect(text.contains("--\(setting.name)")) }
            #expect(!text.contains("\u{1b}"))
            #expect(HelpText.of(command, terminal: Terminal(hasColour: true, width: 100)).contains("\u{1b}[1m"))
        }
    }

    @Test func completionKnowsEveryCommandAndFlag() {
        let bash = Completion.bash(Program.commands), fish = Completion.fish(Program.commands)
        for command in Program.commands {
            #expect(bash.contains("\(command.name))") && fish.contains(command.name))
            for setting in command.settings {
                #expect(bash.contains("--\(setting.name)") && fish.contains(setting.name))
            }
        }
    }

    @Test func tablesLineUp() {
        var table = TextTable(["ROLE", "ADDRESS"])
        table.add("store", "127.0.0.1:9000")
        table.add("", "b")
        #expect(table.lines == ["ROLE   ADDRESS", "store  127.0.0.1:9000", "       b"])
    }

    @Test func suggestionsStayClose() {
        #expect(Suggestion.nearest(to: "stroe", in: ["store", "track"]) == "store")
        #expect(Suggestion.nearest(to: "zzz", in: ["store", "track"]) == nil)
        #expect(Suggestion.distance("", "abc") == 3)
        #expect(Suggestion.distance("ab", "ba") == 1)
    }

    @Test func backOffDoublesAndForgetsAfterAHealthyLife() {
        var backOff = RestartBackOff()
        let delays = (0..<9).map { _ in backOff.delay(afterSeconds: 0.1) }
        #expect(delays == [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
        #expect(backOff.delay(afterSeconds: 31) == 100)
    }
}
