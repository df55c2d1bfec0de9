import Bytes
import Cluster
import Formats
import Testing

@testable import KubernetesAPI

@Suite struct SchemaTests {
    /// Every message that a field names exists, so no look-up can trap; and every kind has its message.
    @Test func tablesAreComplete() {
        func messages(in type: SchemaType) -> [String] {
            switch type {
            case .message(let name): [name]
            case .list(let element), .map(let element): messages(in: element)
            default: []
            }
        }
        for name in Schema.shared.names {
            for field in Schema.shared[name].fields {
                for used in messages(in: field.type) {
                    #expect(Schema.shared.contains(used), "\(name).\(field.name) needs \(used)")
                }
                if case .byKey(let key) = field.merge, case .list(.message(let element)) = field.type {
                    #expect(Schema.shared[element].byName[key] != nil, "\(name).\(field.name) merges by \(key)")
                }
            }
        }
        for kind in ResourceKind.all { #expect(Schema.shared.contains(kind.kind), "\(kind)") }
    }

    @Test func unknownFieldsAreFoundAndDropped() throws {
        let text = #"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"any":"key"}},"odd":1,
             "spec":{"containers":[{"name":"a","imagee":"x"}],"volumes":[{"name":"v","emptyDir":{}}],"hostIPC":null}}
            """#
        var validator = FieldValidator()
        let pruned = validator.prune(try JSON.parse(Array(text.utf8)), as: "Pod")
        #expect(Set(validator.unknown) == ["odd", "spec.containers[0].imagee"])
        #expect(pruned["odd"] == nil && pruned["spec"]?["hostIPC"] == nil)
        #expect(pruned["spec"]?["volumes"]?[0]?["emptyDir"] == [:])
    }

    @Test(arguments: [
        (#"{"data":{"a":1}}"#, "ConfigMap", "data.a"), (#"{"spec":{"containers":{}}}"#, "Pod", "spec.containers"),
        (#"{"spec":[]}"#, "Pod", "spec"),
        (#"{"metadata":{"creationTimestamp":"yesterday"}}"#, "Pod", "metadata.creationTimestamp"),
        (#"{"spec":{"hostNetwork":"yes"}}"#, "Pod", "spec.hostNetwork"),
        (#"{"spec":{"terminationGracePeriodSeconds":1.5}}"#, "Pod", "spec.terminationGracePeriodSeconds"),
    ])
    func wrongTypes(_ text: String, _ kind: String, _ field: String) throws {
        var validator = FieldValidator()
        _ = validator.prune(try JSON.parse(Array(text.utf8)), as: kind)
        #expect(validator.mismatch?.contains("field \"\(field)\"") == true, "\(validator.mismatch ?? "none")")
    }

    @Test func workflowsMayHoldNumbersAsParameters() throws {
        let text = #"""
            {"spec":{"arguments":{"parameters":[{"name":"a","value":1},{"name":"b","value":true}]},"templates":[
              {"name":"t","steps":[[{"name":"s","template":"u","withItems":[1,{"x":2}]}]],"inputs":{"artifacts":[
                {"name":"x","path":"/x","archive":{"none":{}}}]}}]}}
            """#
        var validator = FieldValidator()
        let object = try JSON.parse(Array(text.utf8))
        #expect(validator.prune(object, as: "Workflow") == object)
        #expect(validator.unknown.isEmpty && validator.mismatch == nil)
    }
}

@Suite struct ProtobufDecoderTests {
    static func envelope(_ kind: String, _ build: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.message(1) {
            $0.string(1, "v1")
            $0.string(2, kind)
        }
        writer.message(2, build)
        return [0x6b, 0x38, 0x73, 0x00] + writer.bytes
    }

    @Test func pod() throws {
        let body = Self.envelope("Pod") { pod in
            pod.message(1) { metadata in
                metadata.string(1, "p")
                metadata.message(8) { _ in }
                metadata.message(11) {
                    $0.string(1, "app")
                    $0.string(2, "x")
                }
            }
            pod.message(2) { spec in
                spec.message(1) { volume in
                    volume.string(1, "v")
                    volume.message(2) { $0.message(2) { _ in } }
                }
                spec.message(2) { container in
                    container.string(1, "main")
                    container.string(3, "sh")
                    container.string(3, "-c")
                    container.message(6) { $0.present(3, 8080) }
                    container.message(8) { resources in
                        resources.message(1) {
                            $0.string(1, "cpu")
                            $0.message(2) { $0.string(1, "500m") }
                        }
                    }
                }
                spec.present(4, 0)
                spec.present(11, 0)
            }
        }
        let expected = #"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"app":"x"}},"spec":{
              "volumes":[{"name":"v","emptyDir":{}}],"terminationGracePeriodSeconds":0,"containers":[
              {"name":"main","command":["sh","-c"],"ports":[{"containerPort":8080}],
               "resources":{"limits":{"cpu":"500m"}}}]}}
            """#
        #expect(try ProtobufDecoder().decode(body) == JSON.parse(Array(expected.utf8)))
    }

    @Test func secretBytesBecomeBase64() throws {
        let body = Self.envelope("Secret") { secret in
            secret.message(2) {
                $0.string(1, "k")
                $0.data(2, [0, 255])
            }
            secret.string(3, "Opaque")
        }
        #expect(try ProtobufDecoder().decode(body)["data"] == ["k": "AP8="])
    }

    @Test func faults() {
        #expect(throws: KubernetesProtobufError.notAnEnvelope) { try ProtobufDecoder().decode(Array("{}".utf8)) }
        #expect(throws: KubernetesProtobufError.unsupported("v1, Kind=Odd")) {
            try ProtobufDecoder().decode(Self.envelope("Odd") { _ in })
        }
        #expect(throws: KubernetesProtobufError.self) {
            try ProtobufDecoder().decode([0x6b, 0x38, 0x73, 0x00, 0x12, 0xff])
        }
    }
}
