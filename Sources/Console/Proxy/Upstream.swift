// What every proxy does once its rules have let a request through: send it on with a few named fields, and pass the
// answer back with a few named fields. Bodies stream in both directions.

import Bytes
import HTTP
import HTTPClient

/// One server behind the console.
struct Upstream: Sendable {
    /// What a person calls it, as in "the object store".
    let name: String
    /// The command that starts it.
    let command: String
    let client: HTTPClient

    init(name: String, command: String, client: HTTPClient = .shared) {
        self.name = name
        self.command = command
        self.client = client
    }

    /// Fields of an answer that pages may see, beside `x-amz-meta-*`.
    private static let returned = [
        "Content-Type", "Content-Disposition", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified", "Retry-After",
    ]

    /// Sends `request` and returns its answer with the body to be streamed.
    func forward(_ request: ClientRequest) async throws -> Response {
        let answer = try await execute(request)
        var response = Response(answer.status)
        for (name, value) in answer.fields.all {
            let isReturned =
                name.lowercased().hasPrefix("x-amz-meta-")
                || Self.returned.contains { $0.lowercased() == name.lowercased() }
            if isReturned, HTTPFields.isValidValue(value.utf8) { response.fields.append(name, value) }
        }
        let length = answer.fields["Content-Length"].flatMap { ASCII.decimal($0.utf8) }
        if answer.status.forbidsBody { return response }
        if request.method == .head {
            response.body = .stream(length: length ?? 0) { _ in }
        } else {
            let body = answer.body
            response.body = .stream(length: length) { writer in try await Self.copy(body, to: writer) }
        }
        return response
    }

    private static func copy(_ body: RequestBody, to writer: any BodyWriter) async throws {
        while let piece = try await body.next() { try await writer.write(piece) }
    }

    /// Sends `request`; a server that does not answer becomes `unreachable`, with the command that starts it.
    func execute(_ request: ClientRequest) async throws -> ClientResponse {
        do {
            return try await client.execute(request)
        } catch let error as HTTPClientError {
            throw ConsoleError(
                .unreachable, "\(name) does not answer (\(error.message)). Start it with `\(command)`.")
        }
    }
}

/// The path of a request, taken apart and checked once for every proxy.
enum ProxyPath {
    /// The decoded path. Throws `invalid` for broken escapes and control characters.
    static func decode(_ path: some StringProtocol) throws(ConsoleError) -> String {
        guard let decoded = PercentCoding.decode(path), !decoded.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f })
        else { throw ConsoleError(.invalid, "The path holds a broken escape or a control character.") }
        return decoded
    }

    /// The decoded path, which must not climb: no `.` or `..` segment, no backslash. Throws `notOffered` otherwise.
    static func decodeSegments(_ path: some StringProtocol) throws(ConsoleError) -> [String] {
        let segments = try decode(path).pieces(by: "/", omittingEmptySubsequences: false).map(String.init)
        guard !segments.contains(where: { $0 == "." || $0 == ".." || $0.holds("\\") }) else {
            throw ConsoleError(.notOffered, "The path climbs out of what the console offers.")
        }
        return segments
    }
}
