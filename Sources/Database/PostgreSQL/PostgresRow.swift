import CPostgres

/// The types of PostgreSQL's catalogue that values have here (`pg_type.oid`; fixed for ever).
enum PostgresType {
    static let boolean: UInt32 = 16
    static let bytes: UInt32 = 17
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
}

/// A row of a result in the binary format: numbers are big-endian, texts and byte strings as they are.
@safe
struct PostgresRow {
    let library: UnsafePointer<slipway_libpq>
    let result: OpaquePointer
    let index: Int32

    func isNull(_ column: Int) -> Bool { library.pointee.getisnull(result, index, Int32(column)) != 0 }

    func bytes(_ column: Int) -> UnsafeRawBufferPointer {
        let count = Int(library.pointee.getlength(result, index, Int32(column)))
        return UnsafeRawBufferPointer(start: library.pointee.getvalue(result, index, Int32(column)), count: count)
    }

    private func type(_ column: Int) -> UInt32 { library.pointee.ftype(result, Int32(column)) }

    /// The bits of a number of 1 to 8 bytes, its sign carried on.
    private func integer(_ column: Int) -> Int {
        let bytes = bytes(column)
        guard let first = bytes.first, bytes.count <= 8 else { return 0 }
        return bytes.dropFirst().reduce(Int(Int8(bitPattern: first))) { $0 << 8 | Int($1) }
    }

    func int(_ column: Int) -> Int {
        switch type(column) {
        case PostgresType.int8, PostgresType.int4, PostgresType.int2, PostgresType.boolean: integer(column)
        case PostgresType.float8, PostgresType.float4: Int(exactly: double(column).rounded(.towardZero)) ?? 0
        default: Int(text(column)) ?? 0
        }
    }

    func double(_ column: Int) -> Double {
        switch type(column) {
        case PostgresType.float8: Double(bitPattern: UInt64(bitPattern: Int64(integer(column))))
        case PostgresType.float4:
            Double(Float(bitPattern: UInt32(bitPattern: Int32(truncatingIfNeeded: integer(column)))))
        case PostgresType.int8, PostgresType.int4, PostgresType.int2, PostgresType.boolean: Double(integer(column))
        default: Double(text(column)) ?? 0
        }
    }

    func text(_ column: Int) -> String {
        switch type(column) {
        case PostgresType.int8, PostgresType.int4, PostgresType.int2, PostgresType.boolean:
            isNull(column) ? "" : "\(integer(column))"
        case PostgresType.float8, PostgresType.float4: isNull(column) ? "" : "\(double(column))"
        default: String(decoding: bytes(column), as: UTF8.self)
        }
    }

    func blob(_ column: Int) -> [UInt8] { Array(bytes(column)) }

    func value(_ column: Int) -> DatabaseValue {
        if isNull(column) { return .null }
        return switch type(column) {
        case PostgresType.int8, PostgresType.int4, PostgresType.int2, PostgresType.boolean: .int(integer(column))
        case PostgresType.float8, PostgresType.float4: .double(double(column))
        case PostgresType.bytes: .blob(blob(column))
        default: .text(text(column))
        }
    }
}
