// Who is logged in. A session lives in memory only: it holds the secret that signs the person's calls, and that secret
// is nowhere written. The token is 256 random bits; the table knows its SHA-256, so that the time of a look-up says
// nothing about the token itself.

import Bytes
import Clock
import Digests
import Signatures
import Synchronization

/// One person's log-in.
struct Session: Sendable {
    let credential: SigningCredential
    /// Sent back by our own pages with every write, and known to no other site.
    let forgeryToken: String
}

/// The open sessions.
final class SessionStore: Sendable {
    private struct Entry {
        let digest: [UInt8]
        let session: Session
        let openedAt: MonotonicTime
        var usedAt: MonotonicTime
    }

    private let limits: ConsoleLimits
    private let entries = Mutex<[[UInt8]: Entry]>([:])

    init(limits: ConsoleLimits) { self.limits = limits }

    /// Opens a session and returns its token: 64 hexadecimal digits.
    func open(_ credential: SigningCredential, now: MonotonicTime = .now) -> (token: String, session: Session) {
        let token = Hex.encode(Randomness.bytes(32))
        let session = Session(credential: credential, forgeryToken: Hex.encode(Randomness.bytes(32)))
        let digest = SHA256.hash(Array(token.utf8))
        entries.withLock { entries in
            entries = entries.filter { isAlive($0.value, now) }
            if entries.count >= limits.sessionCountMax,
                let oldest = entries.min(by: { $0.value.usedAt < $1.value.usedAt })
            {
                entries[oldest.key] = nil
            }
            entries[digest] = Entry(digest: digest, session: session, openedAt: now, usedAt: now)
        }
        return (token, session)
    }

    /// The session of `token`, kept alive by this; nil when there is none or it has ended.
    func find(_ token: String, now: MonotonicTime = .now) -> Session? {
        let digest = SHA256.hash(Array(token.utf8))
        return entries.withLock { entries in
            guard var entry = entries[digest], ConstantTime.equal(entry.digest, digest) else { return nil }
            guard isAlive(entry, now) else {
                entries[digest] = nil
                return nil
            }
            entry.usedAt = now
            entries[digest] = entry
            return entry.session
        }
    }

    /// Ends the session of `token`, if there is one.
    func close(_ token: String) {
        let digest = SHA256.hash(Array(token.utf8))
        entries.withLock { $0[digest] = nil }
    }

    var count: Int { entries.withLock { $0.count } }

    private func isAlive(_ entry: Entry, _ now: MonotonicTime) -> Bool {
        now < entry.usedAt.advanced(milliseconds: limits.sessionIdleSeconds * 1000)
            && now < entry.openedAt.advanced(milliseconds: limits.sessionLifeSeconds * 1000)
    }
}
