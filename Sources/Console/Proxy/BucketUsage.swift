// Reads the two families of the store's metrics that count each bucket's objects and bytes (Prometheus text format).

import Bytes

enum BucketUsage {
    /// Objects and bytes by bucket. Lines of other families, and lines that are not understood, are passed over.
    static func parse(_ text: String) -> [String: (objects: Int64, bytes: Int64)] {
        var usage: [String: (objects: Int64, bytes: Int64)] = [:]
        for line in text.pieces(by: "\n") where !line.hasPrefix("#") {
            guard let open = line.firstIndex(of: "{"), let close = line.lastIndex(of: "}"), open < close else {
                continue
            }
            let family = line[..<open]
            guard let start = line[open..<close].firstRange(of: "bucket=\"")?.upperBound,
                let end = line[start..<close].firstIndex(of: "\"")
            else { continue }
            let value = line[line.index(after: close)...].drop { $0 == " " }.prefix { $0 != " " }
            guard let count = Double(value).flatMap({ Int64(exactly: $0.rounded()) }) else { continue }
            let name = String(line[start..<end])
            var entry = usage[name] ?? (0, 0)
            switch family {
            case "minio_bucket_usage_object_total": entry.objects = count
            case "minio_bucket_usage_total_bytes": entry.bytes = count
            default: continue
            }
            usage[name] = entry
        }
        return usage
    }
}
