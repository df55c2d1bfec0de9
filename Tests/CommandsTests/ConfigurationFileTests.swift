import Formats
import Testing

@testable import Commands

struct ConfigurationFileTests {
    private static func data(_ root: JSON, section: String = "store", environment: [String: String] = [:]) throws
        -> String
    {
        let file = try ConfigurationFile(path: "trial.yaml", root: root)
        return try Settings(
            CommonSettings.ofRole, flags: [:], environment: environment, file: file, section: section)[
                CommonSettings.data]
    }

    @Test func sharedSettingsStandAtTheTopAndASectionGoesBefore() throws {
        #expect(try Self.data(["data": "/a"]) == "/a")
        #expect(try Self.data(["data": "/a", "store": ["data": "/b"]]) == "/b")
        #expect(try Self.data(["data": "/a", "track": ["data": "/b"]]) == "/a")
        #expect(try Self.data(["data": "/a"], environment: ["SLIPWAY_DATA": "/c"]) == "/c")
        #expect(try Self.data(.null) == "./slipway-data")
    }

    @Test func anUnknownKeyIsNamedWithTheNearest() throws {
        let top = #expect(throws: UsageError.self) { try Self.data(["stoer": [:]]) }
        #expect(top?.message == "trial.yaml: unknown key 'stoer'")
        #expect(top?.hint == "Did you mean 'store'?")
        let inner = #expect(throws: UsageError.self) { try Self.data(["store": ["dta": "/a"]]) }
        #expect(inner?.hint == "Did you mean 'store.data'?")
    }

    @Test func aValueOfTheWrongShapeOrRangeIsNamed() throws {
        let shape = #expect(throws: UsageError.self) { try Self.data(["data": ["a": 1]]) }
        #expect(shape?.message.contains("'data' must be a single value") == true)
        let range = #expect(throws: UsageError.self) { try Self.data(["store": ["log-level": "loud"]]) }
        #expect(range?.message.contains("store.log-level in trial.yaml: 'loud' is not allowed") == true)
        #expect(throws: UsageError.self) { try Self.data(["a", "b"]) }
        #expect(throws: UsageError.self) { try Self.data(["store": 3]) }
    }
}
