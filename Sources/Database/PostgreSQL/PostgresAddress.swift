import Bytes

/// Where and as whom to connect to PostgreSQL. Its description leaves the password out.
package struct PostgresAddress: Sendable, Equatable, CustomStringConvertible {
    /// A name, an address, or a folder with the server's socket; nil for libpq's default, a socket of this machine.
    package var host: String?
    package var port: Int?
    package var user: String?
    package var password: String?
    package var database: String?
    /// Further options of libpq, such as `sslmode`, by name.
    package var parameters: [String: String] = [:]

    package init(
        host: String? = nil, port: Int? = nil, user: String? = nil, password: String? = nil, database: String? = nil
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.database = database
    }

    /// Reads what stands behind `postgresql://`.
    init(uriRest rest: Substring) throws(DatabaseError) {
        let question = rest.firstIndex(of: "?")
        let main = rest[..<(question ?? rest.endIndex)]
        let slash = main.firstIndex(of: "/")
        let authority = main[..<(slash ?? main.endIndex)]
        if let slash { database = try Self.decoded(main[main.index(after: slash)...], "database") }
        // A password may hold a plain @ in clients' eyes: the last one divides.
        let at = authority.lastIndex(of: "@")
        if let at {
            let credential = authority[..<at].pieces(by: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = try Self.decoded(credential[0], "user")
            if credential.count > 1 { password = try Self.decoded(credential[1], "password") }
        }
        try readHost(at.map { authority[authority.index(after: $0)...] } ?? authority)
        if let question { try readParameters(rest[rest.index(after: question)...]) }
    }

    private mutating func readHost(_ text: Substring) throws(DatabaseError) {
        var name = text
        var number: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else {
                throw DatabaseLocation.refusal("opens a bracket in its host and does not close it")
            }
            name = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else {
                throw DatabaseLocation.refusal("has something between the host's bracket and the port")
            }
            number = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            guard text.firstIndex(of: ":") == colon else {
                throw DatabaseLocation.refusal("has an IPv6 host without brackets: write [ADDRESS]:PORT")
            }
            name = text[..<colon]
            number = text[text.index(after: colon)...]
        }
        host = try Self.decoded(name, "host")
        if let number, !number.isEmpty { port = try Self.portNumber(number) }
    }

    private static func portNumber(_ text: some StringProtocol) throws(DatabaseError) -> Int {
        guard text.utf8.count <= 5, let port = Int(text), (1...65535).contains(port), "\(port)" == text else {
            throw DatabaseLocation.refusal(
                "has the port \(DatabaseLocation.shown(String(text))): give a number from 1 to 65535")
        }
        return port
    }

    private mutating func readParameters(_ text: Substring) throws(DatabaseError) {
        for pair in text.pieces(by: "&") {
            let parts = pair.pieces(by: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = try Self.decoded(parts[0], "option") else {
                throw DatabaseLocation.refusal("has an option that is not NAME=VALUE")
            }
            let value = try Self.decoded(parts[1], "option")
            switch name {
            case "host": host = value
            case "port": port = try value.map(Self.portNumber)
            case "user": user = value
            case "password": password = value
            case "dbname": database = value
            default: parameters[name] = value
            }
        }
    }

    /// `text` without escapes; nil when it is empty.
    private static func decoded(_ text: some StringProtocol, _ part: String) throws(DatabaseError) -> String? {
        guard let plain = PercentCoding.decode(text), !plain.utf8.contains(0) else {
            throw DatabaseLocation.refusal("has a broken percent escape in its \(part)")
        }
        return plain.isEmpty ? nil : plain
    }

    /// As messages name it: everything but the password.
    package var description: String {
        let place = host.map { "\($0) port \(port ?? 5432)" } ?? "the local socket"
        return "\(place), database \(database ?? user ?? "(the user's)"), user \(user ?? "(this system's)")"
    }

    /// The options for `PQconnectdbParams`; what the URI says comes before our defaults.
    var options: [(name: String, value: String)] {
        var all = [
            "application_name": "slipway", "connect_timeout": "10", "keepalives_idle": "10",
            "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "20000",
        ]
        all.merge(parameters) { $1 }
        all["client_encoding"] = "UTF8"
        all["host"] = host
        all["port"] = port.map { "\($0)" }
        all["user"] = user
        all["password"] = password
        all["dbname"] = database
        return all.map { ($0.key, $0.value) }
    }
}
