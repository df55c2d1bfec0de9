// Values on their way to PostgreSQL, in its binary format (the send and recv functions of each type).

import CPostgres

/// The bound values of one statement, laid out behind one another.
struct PostgresParameters {
    /// `pg_type.oid` of each; 0 leaves a null's type to the server.
    private(set) var types: [UInt32] = []
    private var bytes: [UInt8] = []
    // Offset of each value, -1 for null.
    private var offsets: [Int] = []
    private var lengths: [Int32] = []

    /// Throws `.valueRefused` for a text with a NUL, which PostgreSQL has no room for.
    init(_ values: [DatabaseValue]) throws(DatabaseError) {
        for value in values {
            let start = bytes.count
            types.append(try Self.append(value, to: &bytes))
            close(start, isNull: value == .null)
        }
    }

    /// One array for each of `columns` of `rows`.
    init(columns: [Int], of rows: [[DatabaseValue]]) throws(DatabaseError) {
        for column in columns {
            let start = bytes.count
            types.append(try appendArray(column, rows))
            close(start, isNull: false)
        }
    }

    private mutating func close(_ start: Int, isNull: Bool) {
        offsets.append(isNull ? -1 : start)
        lengths.append(Int32(clamping: bytes.count - start))
    }

    /// Appends `value` and returns its type.
    private static func append(_ value: DatabaseValue, to bytes: inout [UInt8]) throws(DatabaseError) -> UInt32 {
        switch value {
        case .null: return 0
        case .int(let number):
            append(UInt64(bitPattern: Int64(number)), to: &bytes)
            return PostgresType.int8
        case .double(let number):
            append(number.bitPattern, to: &bytes)
            return PostgresType.float8
        case .text(let text):
            guard !text.utf8.contains(0) else {
                throw DatabaseError(.valueRefused, "a text holds the character NUL, which PostgreSQL cannot keep")
            }
            bytes.append(contentsOf: text.utf8)
            return PostgresType.text
        case .blob(let blob):
            bytes.append(contentsOf: blob)
            return PostgresType.bytes
        }
    }

    /// Appends an array of one dimension (`array_recv`): dimensions, whether nulls occur, element type, count, lower
    /// bound, then each element behind its length. Returns the array's type.
    private mutating func appendArray(_ column: Int, _ rows: [[DatabaseValue]]) throws(DatabaseError) -> UInt32 {
        let (element, array): (UInt32, UInt32) =
            switch rows.first(where: { $0[column] != .null })?[column] {
            case .int: (PostgresType.int8, 1016)
            case .double: (PostgresType.float8, 1022)
            case .blob: (PostgresType.bytes, 1001)
            case .text, .null, nil: (PostgresType.text, 1009)
            }
        Self.append(UInt32(1), to: &bytes)
        Self.append(UInt32(rows.contains { $0[column] == .null } ? 1 : 0), to: &bytes)
        Self.append(element, to: &bytes)
        Self.append(UInt32(rows.count), to: &bytes)
        Self.append(UInt32(1), to: &bytes)
        for row in rows {
            let place = bytes.count
            Self.append(UInt32.max, to: &bytes)
            if row[column] == .null { continue }
            let type = try Self.append(row[column], to: &bytes)
            guard type == element else { throw DatabaseError(.statement, "a column's values are of two kinds") }
            let length = UInt32(bytes.count - place - 4)
            for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
        }
        return array
    }

    private static func append(_ number: some FixedWidthInteger & UnsignedInteger, to bytes: inout [UInt8]) {
        var shift = number.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    var count: Int32 { Int32(types.count) }

    /// Calls `body` with what libpq wants: a pointer to each value (NULL for null), its length, and format 1 for each.
    func withPointers<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Result
    ) -> Result {
        // An empty text needs a pointer that is not NULL, so the buffer is never empty.
        (bytes + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { characters in
                let pointers = offsets.map { offset in offset < 0 ? nil : characters.baseAddress.map { $0 + offset } }
                let formats = [Int32](repeating: 1, count: offsets.count)
                return pointers.withUnsafeBufferPointer { pointers in
                    lengths.withUnsafeBufferPointer { lengths in
                        formats.withUnsafeBufferPointer { formats in
                            body(pointers.baseAddress, lengths.baseAddress, formats.baseAddress)
                        }
                    }
                }
            }
        }
    }
}
