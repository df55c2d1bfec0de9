/// What `mc --help` says.
enum Help {
    private static let lines: [(operation: String, usage: String, purpose: String)] = [
        ("alias", "alias set NAME URL [KEY SECRET] | list | remove NAME", "names for stores (also: config host add)"),
        ("mb", "mb [--ignore-existing] ALIAS/BUCKET...", "make buckets"),
        ("rb", "rb [--force] ALIAS/BUCKET...", "remove buckets"),
        ("ls", "ls [--recursive] [--summarize] TARGET...", "list buckets and objects"),
        ("tree", "tree [--files] [--depth N] TARGET...", "the folders of a store as a tree"),
        ("cp", "cp [--recursive] SOURCE... TARGET", "copy files and objects, in any direction"),
        ("mirror", "mirror [--overwrite] [--remove] SOURCE TARGET", "make a target like its source"),
        ("cat", "cat TARGET...", "write objects to standard output"),
        ("pipe", "pipe TARGET", "make an object of standard input"),
        ("stat", "stat [--recursive] TARGET...", "size, time, ETag and metadata"),
        ("rm", "rm [--recursive --force] TARGET...", "remove objects"),
        ("du", "du TARGET...", "count and size of what lies below"),
        ("find", "find TARGET [--name PATTERN]", "objects by name"),
        ("share", "share download [--expire 168h] TARGET", "a link that anybody may open for a time"),
    ]

    static var operations: [String] { lines.map(\.operation) }

    static func text(of operation: String?) -> String {
        if let line = lines.first(where: { $0.operation == operation }) {
            return "mc \(line.usage)\n  \(line.purpose)"
        }
        let width = lines.map(\.operation.count).max() ?? 0
        let list = lines.map { line in
            "  \(line.operation)\(String(repeating: " ", count: width - line.operation.count))  \(line.purpose)"
        }
        return """
            mc OPERATION [--json] [--quiet] [--insecure] [--config-dir FOLDER]

            \(list.joined(separator: "\n"))

            TARGET is ALIAS/BUCKET/KEY. Aliases are kept in ~/.mc/config.json; MC_HOST_NAME=http://KEY:SECRET@HOST:PORT gives one
            for a single command. Certificate authorities in ~/.mc/certs/CAs are trusted; --insecure trusts any certificate.
            `mc --version` prints the version.

              mc alias set local http://127.0.0.1:9000 minio miniostorage
              mc mb local/models
              mc cp --recursive models/ local/models
            """
    }
}
