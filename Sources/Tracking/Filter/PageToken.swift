// A page token holds where the next page begins and the greatest row number that existed when the first page was read:
// rows that arrive while a client pages are left out, so no row is seen twice or skipped because of them.

import Bytes

struct PageToken: Sendable, Equatable {
    var offset: Int
    /// Rows numbered above it are not part of the listing; nil where rows have no number.
    var ceiling: Int?

    init(offset: Int, ceiling: Int?) {
        self.offset = offset
        self.ceiling = ceiling
    }

    /// Reads what `text` wrote. Throws `.invalidParameterValue` for anything else.
    init(_ text: String) throws(TrackingError) {
        guard text.utf8.count <= 128, let bytes = Base64.decode(text.utf8) else { throw Self.invalid }
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual("p1".utf8), let offset = ASCII.decimal(parts[1]) else {
            throw Self.invalid
        }
        self.offset = offset
        ceiling = ASCII.decimal(parts[2])
    }

    var text: String {
        Base64.encodeURLSafe(Array("p1:\(offset):\(ceiling.map { "\($0)" } ?? "")".utf8))
    }

    private static var invalid: TrackingError {
        .invalid("Invalid page token: pass the next_page_token of the previous answer, unchanged.")
    }
}
