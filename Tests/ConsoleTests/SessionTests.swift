import Clock
import HTTP
import ServerTesting
import Signatures
import Testing

@testable import Console

@Suite struct SessionTests {
    private let credential = SigningCredential(accessKey: "a", secretKey: "b")

    @Test func aTokenIs256RandomBitsAndFindsItsSession() {
        let store = SessionStore(limits: ConsoleLimits())
        let (first, session) = store.open(credential)
        let (second, other) = store.open(credential)
        #expect(first.utf8.count == 64 && first != second && session.forgeryToken != other.forgeryToken)
        #expect(store.find(first)?.forgeryToken == session.forgeryToken)
        #expect(store.find(String(repeating: "0", count: 64)) == nil)
        store.close(first)
        #expect(store.find(first) == nil && store.find(second) != nil)
    }

    @Test func aSessionEndsWhenIdleOrOld() {
        var limits = ConsoleLimits()
        limits.sessionIdleSeconds = 10
        limits.sessionLifeSeconds = 25
        let store = SessionStore(limits: limits)
        let start = MonotonicTime.now
        func later(_ seconds: UInt64) -> MonotonicTime { start.advanced(milliseconds: seconds * 1000) }
        let idle = store.open(credential, now: start).token
        #expect(store.find(idle, now: later(9)) != nil)
        #expect(store.find(idle, now: later(19)) == nil)
        let busy = store.open(credential, now: start).token
        for seconds: UInt64 in [8, 16, 24] { #expect(store.find(busy, now: later(seconds)) != nil) }
        #expect(store.find(busy, now: later(26)) == nil)
    }

    @Test func overTheBoundTheLongestIdleSessionEnds() {
        var limits = ConsoleLimits()
        limits.sessionCountMax = 2
        let store = SessionStore(limits: limits)
        let start = MonotonicTime.now
        let first = store.open(credential, now: start).token
        let second = store.open(credential, now: start.advanced(milliseconds: 1)).token
        _ = store.find(first, now: start.advanced(milliseconds: 2))
        let third = store.open(credential, now: start.advanced(milliseconds: 3)).token
        let now = start.advanced(milliseconds: 4)
        #expect(store.count == 2)
        #expect(store.find(first, now: now) != nil && store.find(third, now: now) != nil)
        #expect(store.find(second, now: now) == nil)
    }

    @Test func attemptsAreBoundedByAddressAndTime() throws {
        var limits = ConsoleLimits()
        limits.attemptCountMax = 2
        limits.attemptAddressCountMax = 2
        let throttle = LoginThrottle(limits: limits)
        let start = MonotonicTime.now
        func refuses(_ address: String, _ now: MonotonicTime) -> Bool {
            do {
                try throttle.admit(address, now: now)
                return false
            } catch { return error.code == .tooManyAttempts }
        }
        #expect(!refuses("a", start) && !refuses("a", start) && refuses("a", start))
        #expect(!refuses("b", start))
        #expect(refuses("c", start), "the table is full of addresses that still count")
        throttle.succeed("b")
        #expect(!refuses("c", start))
        let later = start.advanced(milliseconds: (limits.attemptWindowSeconds + 1) * 1000)
        #expect(!refuses("a", later))
    }
}

@Suite struct LogInTests {
    @Test(arguments: TestMode.allCases)
    func theStoreDecidesWhoMayLogIn(mode: TestMode) async throws {
        try await withConsole(mode) { console in
            let body = { (password: String) in Array(#"{"user":"root","password":"\#(password)"}"#.utf8) }
            let wrong = try await console.client.execute(.post, "/console/session", body: body("wrong"))
            #expect(wrong.status == 401 && wrong.text.contains("The user name or the password is wrong."))
            #expect(wrong.fields["Set-Cookie"] == nil)
            let right = try await console.client.execute(.post, "/console/session", body: body("root-secret"))
            #expect(right.status == 200)
            let cookie = try #require(right.fields["Set-Cookie"])
            for part in ["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age="] { #expect(cookie.contains(part)) }
            #expect(!cookie.contains("Secure"), "plain HTTP: a browser would drop it")
            #expect(!right.text.contains("root-secret"))
        }
    }

    @Test func withoutASessionNothingIsServedButFiles() async throws {
        try await withConsole { console in
            for target in ["/s3/data", "/console/buckets", "/console/overview", "/api/2.0/mlflow/experiments/search"] {
                let answer = try await console.client.execute(.get, target)
                #expect(answer.status == 401, "\(target)")
                #expect(answer.text.contains("NotLoggedIn"))
            }
            let session = try await console.client.execute(.get, "/console/session")
            #expect(session.status == 200 && session.text.contains(#""loggedIn":false"#))
        }
    }

    @Test func attemptsAreLimited() async throws {
        var limits = ConsoleLimits()
        limits.attemptCountMax = 3
        try await withConsole(limits: limits) { console in
            var statuses: [Int] = []
            for _ in 0..<4 {
                let body = Array(#"{"user":"root","password":"guess"}"#.utf8)
                statuses.append(try await console.client.execute(.post, "/console/session", body: body).status)
            }
            #expect(statuses == [401, 401, 401, 429])
        }
    }

    @Test func loggingOutEndsTheSession() async throws {
        try await withConsole { console in
            let fields = try await console.logIn()
            let before = try await console.client.execute(.get, "/console/buckets", fields: fields, body: [])
            #expect(before.status == 200)
            let out = try await console.client.execute(.delete, "/console/session", fields: fields, body: [])
            #expect(out.status == 204 && out.fields["Set-Cookie"]?.contains("Max-Age=0") == true)
            let after = try await console.client.execute(.get, "/console/buckets", fields: fields, body: [])
            #expect(after.status == 401)
        }
    }

    @Test func aStoreThatIsDownIsNamedWithTheCommandThatStartsIt() async throws {
        let console = ConsoleService(configuration: ConsoleConfiguration(storeURL: "http://127.0.0.1:1"))
        try await withTestClient(.inProcess, handler: console.handler) { client in
            let body = Array(#"{"user":"root","password":"root-secret"}"#.utf8)
            let answer = try await client.execute(.post, "/console/session", body: body)
            #expect(answer.status == 502)
            #expect(answer.text.contains("the object store does not answer") && answer.text.contains("slipway store"))
        }
    }
}
