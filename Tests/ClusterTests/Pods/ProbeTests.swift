import Formats
import Testing

@testable import Cluster

struct ProbeTests {
    private let container: JSON = ["name": "c", "ports": [["name": "http", "containerPort": 8000]]]

    private func probe(_ json: JSON) throws -> Probe {
        try Probe(json, container: container, podAddress: "127.64.0.1", field: "readinessProbe")
    }

    @Test func actionsAndDefaults() throws {
        let http = try probe(["httpGet": ["path": "ready", "port": "http"], "periodSeconds": 3])
        #expect(http.action == .http(host: "127.64.0.1", port: 8000, path: "/ready", fields: []))
        #expect(http.periodSeconds == 3 && http.failureThreshold == 3 && http.timeoutSeconds == 1)
        let socket = try probe(["tcpSocket": ["port": 81, "host": "127.0.0.1"]])
        #expect(socket.action == .connection(host: "127.0.0.1", port: 81))
        #expect(try probe(["exec": ["command": ["true"]]]).action == .command(["true"]))
    }

    @Test(
        arguments: [
            ["httpGet": ["port": "none"]], ["httpGet": ["port": 80, "scheme": "HTTPS"]], ["grpc": ["port": 1]], [:],
            ["httpGet": ["port": 80, "path": "/a\r\nX: y"]],
            ["httpGet": ["port": 80, "httpHeaders": [["name": "a", "value": "b\r\nc"]]]],
        ] as [JSON])
    func whatIsNotCarriedOutIsRefused(_ json: JSON) {
        let fault = #expect(throws: PodFault.self) { try probe(json) }
        guard case .rejected(let reason, _)? = fault else {
            Issue.record("expected a refusal, got \(String(describing: fault))")
            return
        }
        #expect(reason == "UnsupportedProbe")
    }
}
