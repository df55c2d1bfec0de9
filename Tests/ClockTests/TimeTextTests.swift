import Clock
import Testing

@Suite struct TimeTextTests {
    private let moment = WallTime(nanoseconds: 1_795_232_711_123_456_789)

    @Test func formats() {
        #expect(moment.iso8601() == "2026-11-21T03:45:11Z")
        #expect(moment.iso8601(fractionDigits: 3) == "2026-11-21T03:45:11.123Z")
        #expect(moment.iso8601Basic == "20261121T034511Z")
        #expect(moment.httpDate == "Sat, 21 Nov 2026 03:45:11 GMT")
        #expect(WallTime(seconds: -1).iso8601() == "1969-12-31T23:59:59Z")
        #expect(WallTime(seconds: 951_782_400).iso8601() == "2000-02-29T00:00:00Z")
    }

    @Test func parsesWhatItFormats() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let time = WallTime(seconds: .random(in: -8_000_000_000...8_000_000_000, using: &random))
            #expect(WallTime(iso8601: time.iso8601()) == time)
            #expect(WallTime(iso8601: time.iso8601Basic) == time)
            #expect(WallTime(httpDate: time.httpDate) == time)
        }
        #expect(
            WallTime(iso8601: "2026-11-21T04:45:11.5+01:00")?.iso8601(fractionDigits: 1) == "2026-11-21T03:45:11.5Z")
    }

    @Test(arguments: [
        "", "2026", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx", "26-01-01T00:00:00Z", "2026-01-0aT00:00:00Z",
    ])
    func refuses(_ text: String) { #expect(WallTime(iso8601: text) == nil) }
}
