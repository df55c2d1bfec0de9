/// Byte counts as people write them. Units are binary: 1 KiB is 1024 bytes.
package enum ByteCount {
    private static let units: [(suffix: String, factor: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ]

    /// The number of bytes of `65536`, `64KiB`, `1 MiB`; nil for anything else or what overflows.
    package static func parse(_ text: String) -> Int? {
        for unit in units where text.hasSuffix(unit.suffix) {
            let digits = text.dropLast(unit.suffix.count)
            guard let count = Int(digits.hasSuffix(" ") ? digits.dropLast() : digits), count >= 0 else { return nil }
            let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.factor)
            return overflow ? nil : bytes
        }
        return Int(text).flatMap { $0 >= 0 ? $0 : nil }
    }

    /// The shortest exact text: `64KiB` for 65536, `1000` for 1000.
    package static func text(_ count: Int) -> String {
        for unit in units where count >= unit.factor && count.isMultiple(of: unit.factor) {
            return "\(count / unit.factor)\(unit.suffix)"
        }
        return "\(count)"
    }
}

/// Durations as people write them; the number inside is milliseconds.
package enum Duration {
    private static let units: [(suffix: String, factor: Int)] = [
        ("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
    ]

    /// The milliseconds of `1500`, `1500ms`, `20s`, `5m`, `2h`; nil for anything else or what overflows.
    package static func parse(_ text: String) -> Int? {
        for unit in units where text.hasSuffix(unit.suffix) {
            guard let count = Int(text.dropLast(unit.suffix.count)), count >= 0 else { return nil }
            let (milliseconds, overflow) = count.multipliedReportingOverflow(by: unit.factor)
            return overflow ? nil : milliseconds
        }
        return Int(text).flatMap { $0 >= 0 ? $0 : nil }
    }

    /// The shortest exact text: `20s` for 20000, `1500ms` for 1500.
    package static func text(_ milliseconds: Int) -> String {
        for unit in units.dropFirst() where milliseconds >= unit.factor && milliseconds.isMultiple(of: unit.factor) {
            return "\(milliseconds / unit.factor)\(unit.suffix)"
        }
        return "\(milliseconds)ms"
    }
}
