import Clock

/// Ages as kubectl writes them: two units while young, one later.
enum Ages {
    /// The time from `moment` (RFC 3339) to `now`; `<unknown>` when there is none.
    static func text(since moment: String?, _ now: WallTime) -> String {
        guard let moment, let time = WallTime(iso8601: moment) else { return "<unknown>" }
        return text(seconds: max(0, now.seconds - time.seconds))
    }

    static func text(seconds: Int64) -> String {
        let minutes = seconds / 60
        let hours = minutes / 60
        let days = hours / 24
        if seconds < 120 { return "\(seconds)s" }
        if minutes < 10 { return seconds % 60 == 0 ? "\(minutes)m" : "\(minutes)m\(seconds % 60)s" }
        if minutes < 180 { return "\(minutes)m" }
        if hours < 8 { return minutes % 60 == 0 ? "\(hours)h" : "\(hours)h\(minutes % 60)m" }
        if hours < 48 { return "\(hours)h" }
        if days < 8 { return hours % 24 == 0 ? "\(days)d" : "\(days)d\(hours % 24)h" }
        if days < 730 { return "\(days)d" }
        let years = days / 365
        return days < 2920 && days % 365 != 0 ? "\(years)y\(days % 365)d" : "\(years)y"
    }
}
