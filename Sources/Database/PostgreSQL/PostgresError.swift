extension DatabaseError {
    /// The error behind a failed result, by its SQLSTATE ("PostgreSQL Error Codes").
    init(sqlState state: String, message: String, sql: String?) {
        let code: Code =
            switch state {
            case "22001", "22003", "22021", "22P05", "54000": .valueRefused
            case "25006": .readOnly
            case "42501", "53300": .cannotOpen
            case "53100", "53200": .full
            case "55P03", "40001", "40P01": .busy
            case "57014": .timeout
            default:
                switch state.prefix(2) {
                case "08": .connectionLost
                case "57": .connectionLost
                case "23": .constraint
                case "28", "3D": .cannotOpen
                case "42": .statement
                case "58": .inputOutput
                case "XX": state == "XX001" || state == "XX002" ? .corrupt : .other
                default: .other
                }
            }
        self.init(code, message.isEmpty ? "SQLSTATE \(state)" : message, sql: sql)
    }
}

/// What libpq says of a connection that it could not make.
struct PostgresRefusal {
    /// libpq's sentence without the parts that `PostgresAddress.description` says better.
    let reason: String
    /// What to do; nil when the reason says it all.
    let hint: String?
    /// True when waiting may help: the server is not there, or is still starting.
    let isPassing: Bool

    init(_ message: String) {
        let first = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? "no reason given"
        var reason = first.firstRange(of: "failed: ").map { String(first[$0.upperBound...]) } ?? first
        for level in ["FATAL:  ", "ERROR:  "] where reason.hasPrefix(level) { reason.removeFirst(level.count) }
        self.reason = reason
        let kinds: [(words: String, hint: String?, isPassing: Bool)] = [
            ("password authentication failed", "check the user and the password in the backend store URI", false),
            ("no password supplied", "put the password into the backend store URI, or set PGPASSWORD", false),
            ("does not exist", "create it, or correct the backend store URI", false),
            ("pg_hba.conf", "the server's pg_hba.conf has to let this user in from here", false),
            ("invalid connection option", "take the option out of the backend store URI", false),
            ("could not translate host name", "correct the host name in the backend store URI", true),
            ("Connection refused", "start PostgreSQL, or correct the host and the port in the backend store URI", true),
            ("No such file or directory", "start PostgreSQL, or name its host in the backend store URI", true),
            ("timeout expired", "check the host, the port and the firewall between", true),
            ("too many clients", "raise the server's max_connections, or stop other clients", true),
            ("starting up", nil, true), ("shutting down", nil, true), ("recovery mode", nil, true),
        ]
        let kind = kinds.first { message.contains($0.words) }
        hint = kind?.hint
        isPassing = kind?.isPassing ?? true
    }
}
