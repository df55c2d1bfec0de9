import Bytes
import Clock
import HTTP
import Objects

/// Conditional request fields, of a request itself or of the source of a copy.
enum ConditionFields {
    /// Conditions of a read.
    static func read(_ fields: HTTPFields, prefix: String = "") -> ReadConditions {
        var conditions = ReadConditions()
        conditions.ifMatch = fields["\(prefix)If-Match"].map(tags)
        conditions.ifNoneMatch = fields["\(prefix)If-None-Match"].map(tags)
        // A date that cannot be read is no condition (RFC 9110 section 13.1.3).
        conditions.ifModifiedSince = fields["\(prefix)If-Modified-Since"].flatMap { WallTime(httpDate: $0) }
        conditions.ifUnmodifiedSince = fields["\(prefix)If-Unmodified-Since"].flatMap { WallTime(httpDate: $0) }
        return conditions
    }

    /// Conditions of a write.
    static func write(_ fields: HTTPFields) -> WriteConditions {
        WriteConditions(ifMatch: fields["If-Match"].map(tags), ifNoneMatch: fields["If-None-Match"].map(tags))
    }

    private static func tags(_ text: String) -> EntityTags {
        let items = text.pieces(by: ",").map { item in
            var tag = Substring(item.filter { $0 != " " && $0 != "\"" })
            if tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
            return String(tag)
        }
        return items.contains("*") ? .any : .list(items)
    }
}
