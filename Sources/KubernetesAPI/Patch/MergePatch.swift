import Formats

/// JSON Merge Patch (RFC 7386): objects merge, null removes, everything else replaces.
enum MergePatch {
    static func apply(_ patch: JSON, to target: JSON?) -> JSON {
        guard let members = patch.objectValue else { return patch }
        var merged = target?.objectValue ?? JSONObject()
        for (key, value) in members { merged[key] = value == .null ? nil : apply(value, to: merged[key]) }
        return .object(merged)
    }
}
