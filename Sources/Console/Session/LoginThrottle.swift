import Clock
import Synchronization

/// Bounds how often one address may try to log in. An attempt is counted before it is checked, so that many at once do
/// not slip through together.
final class LoginThrottle: Sendable {
    private struct Attempts {
        var count: Int
        let since: MonotonicTime
    }

    private let limits: ConsoleLimits
    private let table = Mutex<[String: Attempts]>([:])

    init(limits: ConsoleLimits) { self.limits = limits }

    /// Counts an attempt from `address`. Throws `tooManyAttempts` over the bound.
    func admit(_ address: String, now: MonotonicTime = .now) throws(ConsoleError) {
        let windowMilliseconds = limits.attemptWindowSeconds * 1000
        let isAdmitted = table.withLock { table in
            if table[address] == nil, table.count >= limits.attemptAddressCountMax {
                table = table.filter { now < $0.value.since.advanced(milliseconds: windowMilliseconds) }
                guard table.count < limits.attemptAddressCountMax else { return false }
            }
            var attempts = table[address] ?? Attempts(count: 0, since: now)
            if now >= attempts.since.advanced(milliseconds: windowMilliseconds) {
                attempts = Attempts(count: 0, since: now)
            }
            attempts.count += 1
            table[address] = attempts
            return attempts.count <= limits.attemptCountMax
        }
        guard isAdmitted else {
            throw ConsoleError(
                .tooManyAttempts,
                "Too many attempts to log in; try again in \(limits.attemptWindowSeconds) seconds.")
        }
    }

    /// Forgets the attempts of `address`: it has logged in.
    func succeed(_ address: String) {
        table.withLock { $0[address] = nil }
    }
}
