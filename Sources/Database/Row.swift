import CSQLite

/// One result row, valid only inside the closure that it is given to. Columns count from 0.
///
/// A NULL reads as 0, 0.0, an empty text or no bytes through the plain accessors, and as nil through `optional…`.
@safe
package struct Row: ~Copyable {
    private enum Source {
        case sqlite(OpaquePointer)
        case postgres(PostgresRow)
    }

    private let source: Source

    init(sqlite statement: OpaquePointer) { source = .sqlite(statement) }
    init(postgres row: PostgresRow) { source = .postgres(row) }

    package func isNull(_ column: Int) -> Bool {
        switch source {
        case .sqlite(let statement): sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL
        case .postgres(let row): row.isNull(column)
        }
    }

    package func int(_ column: Int) -> Int {
        switch source {
        case .sqlite(let statement): Int(sqlite3_column_int64(statement, Int32(column)))
        case .postgres(let row): row.int(column)
        }
    }

    package func double(_ column: Int) -> Double {
        switch source {
        case .sqlite(let statement): sqlite3_column_double(statement, Int32(column))
        case .postgres(let row): row.double(column)
        }
    }

    package func bool(_ column: Int) -> Bool { int(column) != 0 }

    package func text(_ column: Int) -> String {
        switch source {
        case .sqlite(let statement):
            guard let start = sqlite3_column_text(statement, Int32(column)) else { return "" }
            let count = Int(sqlite3_column_bytes(statement, Int32(column)))
            return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        case .postgres(let row): return row.text(column)
        }
    }

    package func blob(_ column: Int) -> [UInt8] {
        switch source {
        case .sqlite(let statement):
            guard let start = sqlite3_column_blob(statement, Int32(column)) else { return [] }
            let count = Int(sqlite3_column_bytes(statement, Int32(column)))
            return Array(UnsafeRawBufferPointer(start: start, count: count))
        case .postgres(let row): return row.blob(column)
        }
    }

    package func optionalInt(_ column: Int) -> Int? { isNull(column) ? nil : int(column) }
    package func optionalDouble(_ column: Int) -> Double? { isNull(column) ? nil : double(column) }
    package func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }
    package func optionalBlob(_ column: Int) -> [UInt8]? { isNull(column) ? nil : blob(column) }

    /// The value as it is stored.
    package func value(_ column: Int) -> DatabaseValue {
        switch source {
        case .sqlite(let statement):
            switch sqlite3_column_type(statement, Int32(column)) {
            case SQLITE_INTEGER: .int(int(column))
            case SQLITE_FLOAT: .double(double(column))
            case SQLITE_TEXT: .text(text(column))
            case SQLITE_BLOB: .blob(blob(column))
            default: .null
            }
        case .postgres(let row): row.value(column)
        }
    }
}
