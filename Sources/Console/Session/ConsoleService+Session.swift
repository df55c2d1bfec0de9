// Logging in and out. Whether a name and secret are right is the store's to say: the console asks it with a signed call
// and reads no file.

import Bytes
import Formats
import HTTP
import Log
import Metrics
import Server
import Signatures

extension ConsoleService {
    /// What the pages ask first: what there is to show, and whether somebody is logged in.
    func describeSession(_ request: Request) -> Response {
        let session = session(of: request)
        var answer: JSON = [
            "scope": .string(configuration.scope.rawValue), "loggedIn": .bool(session != nil),
            "needsLogIn": .bool(true),
        ]
        var parts: [JSON] = ["objects"]
        if configuration.trackURL != nil { parts.append("tracking") }
        if configuration.inferURL != nil { parts.append("inference") }
        if configuration.kubeconfigPath != nil { parts.append("cluster") }
        answer["parts"] = .array(configuration.scope == .objects ? ["objects"] : parts)
        if let session {
            answer["user"] = .string(session.credential.accessKey)
            answer["storeURL"] = .string(objects.publicBase(request.fields["Host"]))
            answer["forgeryToken"] = .string(session.forgeryToken)
        }
        return Response(contentType: "application/json", answer.encoded)
    }

    func logIn(_ request: Request) async throws -> Response {
        try guardOrigin(of: request)
        let body = try await json(of: request)
        guard let user = body["user"]?.stringValue, let password = body["password"]?.stringValue, !user.isEmpty,
            !password.isEmpty, user.utf8.count <= 128, password.utf8.count <= 128, !user.holds("/"),
            HTTPFields.isValidValue(user.utf8)
        else { throw ConsoleError(.wrongCredentials, "Give the user name and the password.") }
        let address = Self.address(of: request)
        try throttle.admit(address)
        let credential = SigningCredential(accessKey: user, secretKey: password)
        guard try await objects.accepts(credential) else {
            metrics?.refusedLogIns.add()
            log.warning("log-in refused", [("id", request.id), ("peer", address)])
            throw ConsoleError(.wrongCredentials, "The user name or the password is wrong.")
        }
        throttle.succeed(address)
        metrics?.logIns.add()
        let (token, session) = sessions.open(credential)
        log.info("logged in", [("id", request.id), ("user", user), ("peer", address)])
        let answer: JSON = ["user": .string(user), "forgeryToken": .string(session.forgeryToken)]
        var response = Response(contentType: "application/json", answer.encoded)
        response.fields.append(
            "Set-Cookie", cookie(token, lifeSeconds: configuration.limits.sessionLifeSeconds, request))
        return response
    }

    func logOut(_ request: Request) throws -> Response {
        _ = try authorize(request)
        if let token = token(of: request) { sessions.close(token) }
        var response = Response(.noContent)
        response.fields.append("Set-Cookie", cookie("", lifeSeconds: 0, request))
        return response
    }

    /// The session that `request` belongs to. A request that changes something must also carry the session's token in
    /// `X-CSRF-Token`, which no other site knows.
    ///
    /// Throws `notLoggedIn` or `forgeryGuard`.
    func authorize(_ request: Request) throws(ConsoleError) -> Session {
        guard let session = session(of: request) else { throw .notLoggedIn }
        guard request.method != .get, request.method != .head else { return session }
        try guardOrigin(of: request)
        let given = request.fields["X-CSRF-Token"] ?? ""
        guard ConstantTime.equal(given.utf8, session.forgeryToken.utf8) else {
            throw ConsoleError(.forgeryGuard, "The request does not come from a page of this console; reload it.")
        }
        return session
    }

    /// Refuses a request that a page of another site makes.
    private func guardOrigin(of request: Request) throws(ConsoleError) {
        guard CrossOriginGuard(.ownHost).refusedOrigin(of: request) == nil else {
            throw ConsoleError(.forgeryGuard, "A page of another site may not use this console.")
        }
    }

    private func session(of request: Request) -> Session? { token(of: request).flatMap { sessions.find($0) } }

    private var cookieName: String { "slipway-session-\(configuration.port)" }

    private func token(of request: Request) -> String? {
        for pair in request.fields.values("Cookie").flatMap({ $0.pieces(by: ";") }) {
            let parts = pair.drop { $0 == " " }.pieces(by: "=", maxSplits: 1)
            if parts.count == 2, parts[0] == cookieName, parts[1].utf8.count == 64 { return String(parts[1]) }
        }
        return nil
    }

    private func cookie(_ token: String, lifeSeconds: UInt64, _ request: Request) -> String {
        "\(cookieName)=\(token); Path=/; Max-Age=\(lifeSeconds); HttpOnly; SameSite=Strict"
            + (request.isTLS ? "; Secure" : "")
    }

    /// The peer's address without its port.
    private static func address(of request: Request) -> String {
        guard let colon = request.peer.lastIndex(of: ":") else { return request.peer }
        return String(request.peer[..<colon])
    }
}
