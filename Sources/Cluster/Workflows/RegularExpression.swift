import Glibc

/// POSIX extended regular expressions of the C library.
enum RegularExpression {
    /// True when `pattern` is found in `text`; nil when it is no regular expression or longer than 1,024 bytes.
    static func find(_ pattern: String, in text: String) -> Bool? {
        guard pattern.utf8.count <= 1024 else { return nil }
        var compiled = regex_t()
        guard regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0 else { return nil }
        defer { regfree(&compiled) }
        return regexec(&compiled, text, 0, nil, 0) == 0
    }
}
