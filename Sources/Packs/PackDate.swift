// Models are kept as YYYYMMDD.zip and the newest date counts. A name that means to be a date and is none must not win, or
// be passed over in silence: it is named in the answer.

import Bytes

/// A day of the calendar, written `20201104`.
package struct PackDate: Sendable, Hashable, Comparable {
    package let year: Int
    package let month: Int
    package let day: Int

    /// Exactly eight digits that are a day between 1900 and 9999; nil otherwise.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 8, let number = ASCII.decimal(text.utf8) else { return nil }
        year = number / 10_000
        month = number / 100 % 100
        day = number % 100
        guard year >= 1900, (1...12).contains(month), (1...Self.dayCount(year: year, month: month)).contains(day) else {
            return nil
        }
    }

    package var text: String {
        var bytes: [UInt8] = []
        bytes.append(decimal: year, width: 4)
        bytes.append(decimal: month, width: 2)
        bytes.append(decimal: day, width: 2)
        return String(utf8: bytes)
    }

    package static func < (left: PackDate, right: PackDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }

    private static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// What stands in a folder of models.
package struct ModelListing: Sendable, Equatable {
    /// The dates, newest first.
    package private(set) var dates: [PackDate] = []
    /// Zips whose name is no date, sorted; at most 20.
    package private(set) var ignored: [String] = []

    package init(_ names: [String]) {
        for name in names {
            guard name.hasSuffix(".zip") else { continue }
            if let date = PackDate(name.dropLast(4)) { dates.append(date) } else { ignored.append(name) }
        }
        dates.sort(by: >)
        ignored = Array(ignored.sorted().prefix(20))
    }

    /// The newest, or the one asked for. Throws `notFound` or `packInvalid` with what is there instead.
    package func pick(_ wanted: PackDate?, place: String) throws(PackError) -> PackDate {
        if let wanted {
            guard dates.contains(wanted) else {
                let newest = dates.first.map { "the newest is \($0.text).zip" } ?? "there is none at all"
                throw PackError(.notFound, "\(wanted.text).zip is not in \(place); \(newest)")
            }
            return wanted
        }
        if let newest = dates.first { return newest }
        if let name = ignored.first {
            throw PackError(
                .packInvalid,
                "\(place) holds \(ignored.joined(separator: ", ")), and \(name) is not named after a day; a model is "
                    + "YYYYMMDD.zip, such as 20201104.zip")
        }
        throw PackError(.notFound, "\(place) holds no model; put one there as YYYYMMDD.zip, such as 20201104.zip")
    }
}
