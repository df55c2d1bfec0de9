import Bytes
package import Formats

/// A user's name and password at one registry.
package struct RegistryCredential: Sendable, Hashable {
    package let host: String
    package let user: String
    package let password: String

    package init(host: String, user: String, password: String) {
        self.host = host
        self.user = user
        self.password = password
    }

    /// `USER:PASSWORD` for HTTP Basic.
    var basic: String { Base64.encode(Array("\(user):\(password)".utf8)) }

    /// Reads `.dockerconfigjson`: `{"auths": {"HOST": {"auth": "..."}}}`, with `username` and `password` as another form.
    /// Entries that hold no pair are left out.
    package static func list(dockerConfiguration json: JSON) -> [RegistryCredential] {
        var credentials: [RegistryCredential] = []
        for (key, entry) in json["auths"]?.objectValue ?? JSONObject() {
            var pair: (String, String)?
            if let user = entry["username"]?.stringValue, let password = entry["password"]?.stringValue {
                pair = (user, password)
            } else if let auth = entry["auth"]?.stringValue, let bytes = Base64.decode(Array(auth.utf8)),
                let text = String(validUTF8: bytes), let colon = text.firstIndex(of: ":")
            {
                pair = (String(text[..<colon]), String(text[text.index(after: colon)...]))
            }
            guard let (user, password) = pair else { continue }
            credentials.append(RegistryCredential(host: host(key), user: user, password: password))
        }
        return credentials
    }

    /// The host of a key, which may be a URL: Docker Hub's is `https://index.docker.io/v1/`.
    private static func host(_ key: String) -> String {
        var text = key[...]
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) { text = text.dropFirst(scheme.count) }
        let host = String(text.prefix { $0 != "/" })
        return host == "index.docker.io" || host == "registry-1.docker.io" ? "docker.io" : host
    }
}
