import Bytes

/// The media type of a file by its name, for the few that artifact viewers show.
enum MediaType {
    private static let byExtension = [
        "txt": "text/plain", "log": "text/plain", "py": "text/plain", "md": "text/plain", "yaml": "text/plain",
        "yml": "text/plain", "toml": "text/plain", "cfg": "text/plain", "ini": "text/plain", "csv": "text/csv",
        "tsv": "text/tab-separated-values", "json": "application/json", "jsonl": "text/plain", "html": "text/html",
        "htm": "text/html", "xml": "application/xml", "pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg",
        "jpeg": "image/jpeg", "gif": "image/gif", "svg": "image/svg+xml", "webp": "image/webp", "mp4": "video/mp4",
        "zip": "application/zip", "gz": "application/gzip",
    ]

    static func of(_ path: String) -> String {
        let name = path.pieces(by: "/").last ?? ""
        if name == "MLmodel" || name == "conda.yaml" { return "text/plain; charset=utf-8" }
        guard let dot = name.lastIndex(of: ".") else { return "application/octet-stream" }
        let type = byExtension[name[name.index(after: dot)...].lowercased()] ?? "application/octet-stream"
        return type.hasPrefix("text/") ? type + "; charset=utf-8" : type
    }
}
