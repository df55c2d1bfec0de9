import EventLoop
import Foundation
import HTTP
import Log
import Packs
import PythonWorkers
import Testing

@testable import PackAPI

/// What the service answers when nothing is loaded, and which bodies it lets through to a worker.
struct PackServiceTests {
    private let root = FileManager.default.temporaryDirectory.appendingPathComponent("packapi-\(UUID().uuidString)")
        .path

    private func handler() throws -> Handler {
        let layout = try #require(PackLayout(name: "iris"))
        let interpreter = try #require(PythonInterpreter(explicit: "/bin/sh", runtimes: [], names: []))
        let configuration = PackConfiguration(layout: layout, type: .sklearn, folder: root, interpreter: interpreter)
        let folder = try PackFolder(root, layout: layout)
        let pack = Pack(
            configuration: configuration, folder: folder, pool: BlockingPool(name: "test", threadCount: 1),
            events: RotatingFile("\(root)/logs/my.log"), output: RotatingFile("\(root)/logs/out.log"))
        return PackService(pack: pack, configuration: PackService.Configuration()).handler
    }

    private func ask(_ method: HTTPMethod, _ target: String, _ body: String = "") async throws -> (Int, String) {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let head = RequestHead(method: method, target: target)
        let response = try await handler()(Request(head: head, body: RequestBody(Array(body.utf8))))
        guard case .bytes(let bytes) = response.body else { return (response.status.code, "") }
        return (response.status.code, String(decoding: bytes, as: UTF8.self))
    }

    @Test(arguments: [
        ("POST", "/", "", 503, "is not loaded"), ("GET", "/", "", 200, #""model_type":"sklearn""#),
        ("POST", "/result", #"{"test":1}"#, 503, "is not loaded"),
        ("POST", "/post", #"{"test":1}"#, 503, "is not loaded"),
        ("POST", "/result", "[]", 400, "no JSON object"), ("GET", "/src_download", "", 400, "no storage is configured"),
        ("POST", "/model_download", "", 409, "call /src_download before"),
        ("GET", "/model_download?date=1", "", 400, "is not a day"), ("POST", "/model_load", "", 503, "/model_download"),
        ("GET", "/health/live", "", 200, ""), ("GET", "/health/ready", "", 503, "is not loaded"),
        ("PUT", "/result", "", 405, "allowed: POST"), ("GET", "/nothing", "", 404, "a pack answers at"),
        ("GET", "/v2/health/ready", "", 501, "V2 is not served for packs"),
    ])
    func anAnswerWithoutAModel(_ method: String, _ target: String, _ body: String, _ status: Int, _ text: String)
        async throws
    {
        let (code, answer) = try await ask(HTTPMethod(method), target, body)
        #expect(code == status && (text.isEmpty || answer.contains(text)), "\(code) \(answer)")
    }

    @Test func everyRefusalHasAStatus() {
        let expected: [PackError.Code: Int] = [
            .invalid: 400, .notLoaded: 503, .sourcesMissing: 409, .notFound: 404, .packInvalid: 422,
            .storageFailed: 502,
            .unconfigured: 400, .overloaded: 503, .timedOut: 504, .unavailable: 503, .failed: 500,
        ]
        for code in PackError.Code.allCases {
            let response = PackError(code, "reason").response
            #expect(response.status.code == expected[code])
            #expect(response.fields.contains("Retry-After") == (response.status.code == 503))
        }
    }
}
