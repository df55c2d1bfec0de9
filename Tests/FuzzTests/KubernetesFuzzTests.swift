import Bytes
import Cluster
import Formats
import Testing

@testable import KubernetesAPI

@Suite struct KubernetesFuzzTests {
    /// Whatever comes in ends in an object or an error, and what is decoded survives being written and checked.
    @Test func protobuf() throws {
        try Fuzzing.run("kubernetes-protobuf") { input, _ in
            guard let object = try? ProtobufDecoder().decode(input) else { return }
            #expect((try? JSON.parse(object.encoded, depthMax: 512)) == object)
            var validator = FieldValidator()
            _ = validator.prune(object, as: object["kind"]?.stringValue ?? "Pod")
            #expect(validator.unknown.isEmpty && validator.mismatch == nil, "decoded what its own kind refuses")
        }
    }

    /// What a client sends after an upgrade to SPDY ends in frames or an error, never in more than was sent.
    @Test func spdyFrames() throws {
        let encoder = SPDYEncoder()
        let good = encoder.reply(stream: 1) + encoder.data(stream: 3, [1, 2, 3]) + encoder.ping(1)
        let samples = [String(utf8: good), "\u{80}\u{3}\u{0}\u{1}"]
        try Fuzzing.run("spdy-frames", samples: samples) { input, _ in
            let decoder = SPDYDecoder()
            decoder.append(input)
            var bytes = 0
            while let frame = try? decoder.next() {
                if case .data(_, let part, _) = frame { bytes += part.count }
            }
            #expect(bytes <= input.count)
        }
    }

    @Test func patches() throws {
        let target: JSON = [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p", "finalizers": ["a"]],
            "spec": ["containers": [["name": "a", "image": "x", "env": [["name": "E", "value": "1"]]]]],
        ]
        let samples = [
            #"{"spec":{"containers":[{"name":"a","$patch":"delete"}],"$setElementOrder/containers":[{"name":"a"}]}}"#,
            #"[{"op":"add","path":"/spec/containers/-","value":{}},{"op":"move","from":"/spec","path":"/x"}]"#,
            #"{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"labels":null},"spec":{"$retainKeys":["containers"]}}"#,
        ]
        try Fuzzing.run("kubernetes-patches", samples: samples) { input, _ in
            guard let patch = try? JSON.parse(input) else { return }
            _ = MergePatch.apply(patch, to: target)
            _ = try? JSONPatch.apply(patch, to: target)
            _ = try? StrategicMergePatch().apply(patch, to: target, message: "Pod")
            var validator = FieldValidator()
            let pruned = validator.prune(patch, as: "Pod")
            if patch.objectValue != nil {
                let owned = OwnedFields(of: pruned, as: "Pod", mergesLists: true)
                #expect(OwnedFields(fieldsV1: owned.fieldsV1) == owned)
                _ = owned.removed(from: target, keeping: [])
                _ = owned.conflicts(
                    with: OwnedFields(of: target, as: "Pod", mergesLists: true), applied: pruned, live: target)
            }
        }
    }

    @Test func selectors() throws {
        let samples = [
            "a=b,c!=d,e in (x, y),f notin (z),!g,h", "example.com/a==b", "metadata.name=x,status.phase!=Running",
        ]
        try Fuzzing.run("kubernetes-selectors", samples: samples) { input, _ in
            let text = String(decoding: input, as: UTF8.self)
            _ = try? LabelSelector(parsing: text).matches(["a": "b"])
            _ = try? FieldSelector(parsing: text, for: .pod).matches(["metadata": ["name": "x"]])
            _ = Quantity(text)
            _ = ResourcePath(text.split(separator: "/").map(String.init))
            _ = Presentation(accept: text)
        }
    }
}
