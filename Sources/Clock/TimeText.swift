// The text forms of time: ISO 8601 (S3 XML, Kubernetes), its basic form (Signature Version 4) and the HTTP date
// (RFC 9110 section 5.6.7).

import Bytes

extension WallTime {
    /// `2026-11-21T03:45:11Z`, or with `fractionDigits` (0-9) digits after the second.
    package func iso8601(fractionDigits: Int = 0) -> String {
        let civil = CivilTime(self)
        var out: [UInt8] = []
        out.reserveCapacity(32)
        out.append(decimal: civil.year, width: 4)
        out.append(UInt8(ascii: "-"))
        out.append(decimal: civil.month, width: 2)
        out.append(UInt8(ascii: "-"))
        out.append(decimal: civil.day, width: 2)
        out.append(UInt8(ascii: "T"))
        out.append(decimal: civil.hour, width: 2)
        out.append(UInt8(ascii: ":"))
        out.append(decimal: civil.minute, width: 2)
        out.append(UInt8(ascii: ":"))
        out.append(decimal: civil.second, width: 2)
        if fractionDigits > 0 {
            out.append(UInt8(ascii: "."))
            var digits: [UInt8] = []
            digits.append(decimal: civil.nanosecond, width: 9)
            out.append(contentsOf: digits.prefix(min(fractionDigits, 9)))
        }
        out.append(UInt8(ascii: "Z"))
        return String(utf8: out)
    }

    /// `20261121T034511Z`: the form of `x-amz-date`.
    package var iso8601Basic: String {
        String(
            iso8601().utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ":") }.map {
                Character(UnicodeScalar($0))
            })
    }

    /// `Sat, 21 Nov 2026 03:45:11 GMT`.
    package var httpDate: String {
        let civil = CivilTime(self)
        var out: [UInt8] = []
        out.reserveCapacity(29)
        out.append(Self.weekdays[civil.weekday])
        out.append(", ")
        out.append(decimal: civil.day, width: 2)
        out.append(UInt8(ascii: " "))
        out.append(Self.months[civil.month - 1])
        out.append(UInt8(ascii: " "))
        out.append(decimal: civil.year, width: 4)
        out.append(UInt8(ascii: " "))
        out.append(decimal: civil.hour, width: 2)
        out.append(UInt8(ascii: ":"))
        out.append(decimal: civil.minute, width: 2)
        out.append(UInt8(ascii: ":"))
        out.append(decimal: civil.second, width: 2)
        out.append(" GMT")
        return String(utf8: out)
    }

    /// Parses ISO 8601, extended or basic, with optional fraction and `Z`, `±hh:mm` or `±hhmm`; nil otherwise.
    package init?(iso8601 text: some StringProtocol) {
        var cursor = TextCursor(text)
        guard let year = cursor.number(4) else { return nil }
        let extended = cursor.skip("-")
        guard let month = cursor.number(2) else { return nil }
        if extended, !cursor.skip("-") { return nil }
        guard let day = cursor.number(2) else { return nil }
        guard cursor.skip("T") || cursor.skip("t") || cursor.skip(" ") else { return nil }
        guard let hour = cursor.number(2) else { return nil }
        if extended, !cursor.skip(":") { return nil }
        guard let minute = cursor.number(2) else { return nil }
        if extended, !cursor.skip(":") { return nil }
        guard let second = cursor.number(2) else { return nil }
        guard let nanosecond = cursor.skip(".") ? cursor.fraction() : 0, let offsetSeconds = cursor.zone(),
            cursor.atEnd,
            let moment = CivilTime.moment(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second, nanosecond: nanosecond)
        else { return nil }
        self.init(nanoseconds: moment.nanoseconds - Int64(offsetSeconds) * 1_000_000_000)
    }

    /// Parses the preferred HTTP date form, `Sat, 21 Nov 2026 03:45:11 GMT`; nil otherwise.
    package init?(httpDate text: some StringProtocol) {
        var cursor = TextCursor(text)
        guard Self.weekdays.contains(where: { cursor.skip($0) }), cursor.skip(", "), let day = cursor.number(2),
            cursor.skip(" "), let month = Self.months.firstIndex(where: { cursor.skip($0) }), cursor.skip(" "),
            let year = cursor.number(4), cursor.skip(" "), let hour = cursor.number(2), cursor.skip(":"),
            let minute = cursor.number(2), cursor.skip(":"), let second = cursor.number(2), cursor.skip(" GMT"),
            cursor.atEnd,
            let moment = CivilTime.moment(
                year: year, month: month + 1, day: day, hour: hour, minute: minute, second: second)
        else { return nil }
        self = moment
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}

/// A cursor over fixed-width text.
private struct TextCursor {
    private let bytes: [UInt8]
    private var index = 0

    init(_ text: some StringProtocol) { bytes = Array(text.utf8.prefix(64)) }

    var atEnd: Bool { index == bytes.count }

    mutating func skip(_ literal: String) -> Bool {
        guard bytes[index...].starts(with: literal.utf8) else { return false }
        index += literal.utf8.count
        return true
    }

    mutating func number(_ digits: Int) -> Int? {
        guard index + digits <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[index..<index + digits] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        index += digits
        return value
    }

    /// The nanoseconds of the digits after a decimal point; digits past the ninth are dropped.
    mutating func fraction() -> Int? {
        var value = 0
        var digits = 0
        while let digit = number(1) {
            if digits < 9 { value = value * 10 + digit }
            digits += 1
        }
        guard digits > 0 else { return nil }
        for _ in min(digits, 9)..<9 { value *= 10 }
        return value
    }

    /// Seconds east of UTC.
    mutating func zone() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = number(2) else { return nil }
        _ = skip(":")
        guard let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
