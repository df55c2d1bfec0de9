// The service of the document: `/`, `/result` (and `/post`, its older name), `/src_download`, `/model_download` and
// `/model_load`, with health and metrics beside them.

import Formats
package import HTTP
package import Log
package import Metrics
package import Packs
import Server

package final class PackService: Sendable {
    package struct Configuration: Sendable {
        /// Bytes of a request body.
        package var bodyBytesMax = 64 << 20
        /// Where requests are counted; nil counts nowhere.
        package var metrics: MetricsRegistry?
        /// Where requests are noted; nil notes none.
        package var accessLog: RotatingFile?

        package init() {}
    }

    private let pack: Pack
    private let configuration: Configuration

    package init(pack: Pack, configuration: Configuration) {
        self.pack = pack
        self.configuration = configuration
        if let metrics = configuration.metrics { PackMetrics.register(pack, on: metrics) }
    }

    package var handler: Handler {
        let routes = router
        let log = configuration.accessLog.map { RequestLog(file: $0) }
        return { request in
            let response = try await Self.answer(request, routes)
            log?.append(request, response.status, bytes: response.byteCount)
            return response
        }
    }

    private static func answer(_ request: Request, _ routes: Router) async throws -> Response {
        do {
            return try await routes.respond(to: request)
        } catch let error as PackError {
            return error.response
        }
    }

    private var router: Router {
        var router = Router()
        router.notFound = { request in
            let path = request.path.prefix(200)
            guard !path.hasPrefix("/v2") else {
                return ErrorBody.response(
                    .notImplemented, "V2 is not served for packs: POST /result with {\"test\": input}")
            }
            return ErrorBody.response(
                .notFound,
                "nothing is served at \(path); a pack answers at /, /result, /src_download, /model_download, /model_load"
            )
        }
        router.use(CrossOriginGuard.middleware { ErrorBody.response(.forbidden, $0) })
        // GET changes something here, as the document has it, so a page of another site must not be able to cause one.
        router.use { request, next in
            guard request.fields["Sec-Fetch-Site"] != "cross-site" else {
                return ErrorBody.response(.forbidden, "a page of another site may not call this server")
            }
            return try await next(request)
        }
        router.methodNotAllowed = { _, allowed in
            let names = allowed.map(\.name).sorted().joined(separator: ", ")
            var response = ErrorBody.response(.methodNotAllowed, "the method is not allowed here; allowed: \(names)")
            response.fields.append("Allow", names)
            return response
        }
        router.post("/") { _ in self.state() }
        router.get("/") { _ in self.description() }
        for path in ["/result", "/post"] { router.post(path) { try await self.result($0) } }
        for add in [router.get, router.post] {
            add("/src_download") { _ in try await self.downloadSources() }
            add("/model_download") { try await self.downloadModel($0) }
        }
        router.post("/model_load") { _ in Self.json(Self.text(try await self.pack.reload())) }
        router.get("/health/live") { _ in Response(.ok) }
        router.get("/health/ready") { _ in self.state() }
        if let metrics = configuration.metrics {
            router.get("/metrics") { _ in
                Response(contentType: "text/plain; version=0.0.4; charset=utf-8", metrics.render())
            }
        }
        return router
    }

    // MARK: Requests

    private func result(_ request: Request) async throws -> Response {
        let body = try await request.body.collect(bytesMax: configuration.bodyBytesMax)
        try Self.check(body)
        return Response(contentType: "application/json", try await pack.result(body))
    }

    /// The worker reads the body again; here it is only made sure that it is what a worker understands.
    package static func check(_ body: [UInt8]) throws(PackError) {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(body)
        } catch {
            throw PackError(.invalid, "the body is not {\"test\": input}: \(error.message)")
        }
        guard document.root.isObject else {
            throw PackError(.invalid, "the body is not {\"test\": input}: it is no JSON object")
        }
        guard document.root["test"] != nil else {
            throw PackError(.invalid, "the body has no member \"test\"; send {\"test\": input}")
        }
    }

    private func downloadSources() async throws -> Response {
        var text = Self.text(try await pack.downloadSources())
        if pack.current.model != nil {
            text["next"] = "the loaded model goes on with its own sources; /model_download or /model_load takes these"
        }
        return Self.json(text)
    }

    private func downloadModel(_ request: Request) async throws -> Response {
        var date: PackDate?
        if let text = request.queryValue("date") {
            date = PackDate(text)
            guard date != nil else {
                throw PackError(
                    .invalid, "date=\(text.prefix(20)) is not a day; give one as YYYYMMDD, such as 20201104")
            }
        }
        return Self.json(Self.text(try await pack.downloadModel(date)))
    }

    // MARK: Answers

    /// Exactly what the document says when the model is loaded, else why it is not.
    private func state() -> Response {
        let state = pack.current
        if state.isServing { return Response(contentType: "application/json", Array("{\"state\": \"done\"}\n".utf8)) }
        let reason = state.failure ?? "its worker process died and is being started again"
        let text: JSON = [
            "state": "failed", "error": .string("model \"\(pack.name)\" is not loaded: \(reason)"),
        ]
        var response = Response(
            .serviceUnavailable, contentType: "application/json",
            text.line)
        response.fields.append("Retry-After", "1")
        return response
    }

    private func description() -> Response {
        let state = pack.current
        var text: JSON = [
            "model_name": .string(pack.name), "model_type": .string(pack.configuration.type.rawValue),
            "state": .string(state.isServing ? "done" : "failed"),
        ]
        if let model = state.model { text["model"] = .string(model) }
        if let python = state.python { text["python"] = .string(python) }
        if let storage = pack.configuration.storage { text["storage"] = .string(storage.name) }
        if let failure = state.failure { text["error"] = .string(failure) }
        if !state.warnings.isEmpty { text["warnings"] = .array(state.warnings.map { .string($0) }) }
        return Self.json(text)
    }

    private static func text(_ report: PackReport) -> JSON {
        var text: JSON = ["state": "done"]
        if let model = report.model { text["model"] = .string(model) }
        if let replaced = report.replaced { text["replaced"] = .string(replaced) }
        if let file = report.file {
            text["file"] = .string(file.name)
            text["bytes"] = .int(file.bytes)
            text["sha256"] = .string(file.sha256)
        }
        if let storage = report.storage { text["storage"] = .string(storage) }
        text["seconds"] = .double((report.seconds * 1000).rounded() / 1000)
        if !report.warnings.isEmpty { text["warnings"] = .array(report.warnings.map { .string($0) }) }
        return text
    }

    private static func json(_ value: JSON) -> Response {
        Response(contentType: "application/json", value.line)
    }
}

extension JSON {
    /// The text with a line end, for those who read it in a terminal.
    var line: [UInt8] { encoded + [UInt8(ascii: "\n")] }
}

extension Response {
    /// Bytes of a body held in memory.
    fileprivate var byteCount: Int { if case .bytes(let bytes) = body { bytes.count } else { 0 } }
}
