// Header and trailer fields: one byte buffer for all names and values and one array of ranges, so that a parsed head
// costs two allocations whatever the number of fields, and a lookup makes no string but the one it returns.

import Bytes

/// An ordered list of fields. Names keep their spelling and compare without case (RFC 9110 section 5.1).
package struct HTTPFields: Sendable {
    package struct Entry: Sendable {
        package var name: Range<Int32>
        package var value: Range<Int32>

        package init(name: Range<Int32>, value: Range<Int32>) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var storage: [UInt8]
    package private(set) var entries: [Entry]

    package init() {
        storage = []
        entries = []
    }

    /// Takes over parsed bytes. `entries` are ranges into `storage`; the caller has validated names and values.
    package init(storage: [UInt8], entries: [Entry]) {
        self.storage = storage
        self.entries = entries
    }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// The first value of `name`, or nil. Setting replaces every value of `name`; nil removes them.
    package subscript(_ name: String) -> String? {
        get {
            for entry in entries where matches(entry, name) { return text(entry.value) }
            return nil
        }
        set {
            entries = entries.filter { !matches($0, name) }
            if let newValue { append(name, newValue) }
        }
    }

    /// Every value of `name`, in order.
    package func values(_ name: String) -> [String] {
        entries.filter { matches($0, name) }.map { text($0.value) }
    }

    /// True when the first value of `name` begins with `prefix`, compared without case. Makes no string.
    package func value(of name: String, hasPrefix prefix: String) -> Bool {
        guard let entry = entries.first(where: { matches($0, name) }) else { return false }
        let value = storage[Int(entry.value.lowerBound)..<Int(entry.value.upperBound)]
        return equalsIgnoringCase(value.prefix(prefix.utf8.count), prefix.utf8)
    }

    package func contains(_ name: String) -> Bool {
        entries.contains { matches($0, name) }
    }

    /// True when a comma-separated list in `name` holds `token`, compared without case.
    package func contains(token: String, in name: String) -> Bool {
        values(name).contains { value in
            value.pieces(by: ",").contains { part in
                let trimmed = part.utf8.drop { $0 == 0x20 || $0 == 0x09 }
                var end = trimmed.endIndex
                while end > trimmed.startIndex, [0x20, 0x09].contains(trimmed[trimmed.index(before: end)]) {
                    end = trimmed.index(before: end)
                }
                return equalsIgnoringCase(trimmed[..<end], token.utf8)
            }
        }
    }

    /// Appends a field.
    ///
    /// Traps when `name` is not a token or `value` holds CR, LF or NUL: text that came from a client is checked, or
    /// encoded, before it becomes a field.
    package mutating func append(_ name: String, _ value: String) {
        if entries.isEmpty {
            // One allocation each for the few fields of an ordinary answer, instead of one for every doubling.
            storage.reserveCapacity(128)
            entries.reserveCapacity(4)
        }
        let nameStart = Int32(storage.count)
        storage.append(name)
        let valueStart = Int32(storage.count)
        precondition(Self.isToken(storage[Int(nameStart)...]), "field name is not a token")
        storage.append(value)
        precondition(Self.isValidValue(storage[Int(valueStart)...]), "field value holds a control character")
        entries.append(Entry(name: nameStart..<valueStart, value: valueStart..<Int32(storage.count)))
    }

    /// Every field, in order.
    package var all: [(name: String, value: String)] {
        entries.map { (text($0.name), text($0.value)) }
    }

    @inlinable
    package static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        guard !bytes.isEmpty else { return false }
        for byte in bytes where !ASCII.isToken(byte) { return false }
        return true
    }

    /// True when `bytes` may stand in a field value: no control character but TAB (RFC 9110 section 5.5).
    @inlinable
    package static func isValidValue(_ bytes: some Collection<UInt8>) -> Bool {
        for byte in bytes where byte < 0x20 && byte != 0x09 || byte == 0x7f { return false }
        return true
    }

    private func text(_ range: Range<Int32>) -> String {
        String(utf8: storage[Int(range.lowerBound)..<Int(range.upperBound)])
    }

    private func matches(_ entry: Entry, _ name: String) -> Bool {
        guard entry.name.count == name.utf8.count else { return false }
        return equalsIgnoringCase(storage[Int(entry.name.lowerBound)..<Int(entry.name.upperBound)], name.utf8)
    }

    private func equalsIgnoringCase(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { ASCII.lowercase($0) == ASCII.lowercase($1) }
    }
}

extension HTTPFields: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral pairs: (String, String)...) {
        self.init()
        for (name, value) in pairs { append(name, value) }
    }
}
