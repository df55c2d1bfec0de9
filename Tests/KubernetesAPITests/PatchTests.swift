import Formats
import Testing

@testable import KubernetesAPI

@Suite struct PatchTests {
    private func json(_ text: String) throws -> JSON { try JSON.parse(Array(text.utf8)) }

    /// Cases of RFC 7386, appendix A.
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
        (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
        (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#), ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
    func merge(_ target: String, _ patch: String, _ result: String) throws {
        #expect(MergePatch.apply(try json(patch), to: try json(target)) == (try json(result)))
    }

    @Test(arguments: [
        (#"{"a":1}"#, #"[{"op":"add","path":"/b","value":2}]"#, #"{"a":1,"b":2}"#),
        (#"{"a":[1,3]}"#, #"[{"op":"add","path":"/a/1","value":2}]"#, #"{"a":[1,2,3]}"#),
        (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/-","value":2}]"#, #"{"a":[1,2]}"#),
        (#"{"a":{"b":1,"c":2}}"#, #"[{"op":"remove","path":"/a/b"}]"#, #"{"a":{"c":2}}"#),
        (#"{"a":[1,2]}"#, #"[{"op":"remove","path":"/a/0"}]"#, #"{"a":[2]}"#),
        (#"{"a":1}"#, #"[{"op":"replace","path":"/a","value":[]}]"#, #"{"a":[]}"#),
        (#"{"a":1,"b":{}}"#, #"[{"op":"move","from":"/a","path":"/b/c"}]"#, #"{"b":{"c":1}}"#),
        (#"{"a":{"x":1}}"#, #"[{"op":"copy","from":"/a","path":"/b"}]"#, #"{"a":{"x":1},"b":{"x":1}}"#),
        (
            #"{"a/b":1,"m~n":2}"#, #"[{"op":"test","path":"/a~1b","value":1},{"op":"remove","path":"/m~0n"}]"#,
            #"{"a/b":1}"#
        ),
    ])
    func jsonPatch(_ target: String, _ patch: String, _ result: String) throws {
        #expect(try JSONPatch.apply(try json(patch), to: try json(target)) == (try json(result)))
    }

    @Test(arguments: [
        #"{}"#, #"[{"op":"add"}]"#, #"[{"op":"add","path":"a","value":1}]"#, #"[{"op":"jump","path":"/a"}]"#,
        #"[{"op":"remove","path":"/none"}]"#, #"[{"op":"test","path":"/a","value":2}]"#,
        #"[{"op":"add","path":"/l/5","value":1}]"#, #"[{"op":"add","path":"/l/01","value":1}]"#,
        #"[{"op":"add","path":"/a/b","value":1}]"#, #"[{"op":"move","from":"/o","path":"/o/x"}]"#,
        #"[{"op":"replace","path":"/none/x","value":1}]"#, "[1]",
    ])
    func badJSONPatch(_ patch: String) throws {
        let target: JSON = ["a": 1, "l": [1], "o": [:]]
        #expect(throws: PatchError.self) { try JSONPatch.apply(try json(patch), to: target) }
    }

    private func pod(_ containers: String) throws -> JSON { try json(#"{"spec":{"containers":\#(containers)}}"#) }

    @Test func strategicMergesListsByKey() throws {
        let target = try pod(#"[{"name":"a","image":"1","env":[{"name":"X","value":"1"}]},{"name":"b","image":"2"}]"#)
        let patch = try pod(
            #"[{"name":"b","image":"3"},{"name":"a","env":[{"name":"Y","value":"2"}]},{"name":"c","image":"4"}]"#)
        let merged = try StrategicMergePatch().apply(patch, to: target, message: "Pod")
        #expect(
            merged
                == (try pod(
                    #"""
                    [{"name":"a","image":"1","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]},
                     {"name":"b","image":"3"},{"name":"c","image":"4"}]
                    """#)))
    }

    @Test func strategicDirectives() throws {
        let target = try pod(#"[{"name":"a","image":"1"},{"name":"b","image":"2"}]"#)
        let delete = try pod(#"[{"name":"a","$patch":"delete"}]"#)
        #expect(
            try StrategicMergePatch().apply(delete, to: target, message: "Pod") == pod(#"[{"name":"b","image":"2"}]"#))
        let replace = try pod(#"[{"$patch":"replace"},{"name":"z","image":"9"}]"#)
        #expect(
            try StrategicMergePatch().apply(replace, to: target, message: "Pod") == pod(#"[{"name":"z","image":"9"}]"#))
        let order = try json(
            #"{"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"c"},{"name":"a"}],"#
                + #""containers":[{"name":"c"}]}}"#
        )
        let ordered = try StrategicMergePatch().apply(order, to: target, message: "Pod")
        let names = ordered["spec"]?["containers"]?.arrayValue?.compactMap { $0["name"]?.stringValue }
        #expect(names == ["b", "c", "a"])
        let volumes = try json(#"{"spec":{"volumes":[{"name":"v","emptyDir":{}}]}}"#)
        let retain = try json(
            #"{"spec":{"volumes":[{"name":"v","$retainKeys":["name","hostPath"],"hostPath":{"path":"/x"}}]}}"#)
        #expect(
            try StrategicMergePatch().apply(retain, to: volumes, message: "Pod")
                == json(#"{"spec":{"volumes":[{"name":"v","hostPath":{"path":"/x"}}]}}"#))
        let finalizers = try json(#"{"metadata":{"finalizers":["a","b"]}}"#)
        let less = try json(#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"]}}"#)
        #expect(
            try StrategicMergePatch().apply(less, to: finalizers, message: "Pod")
                == json(#"{"metadata":{"finalizers":["b","c"]}}"#))
        #expect(throws: PatchError.self) {
            try StrategicMergePatch().apply(try pod(#"[{"image":"1"}]"#), to: target, message: "Pod")
        }
    }

    @Test func ownedFieldsTellWhatToRemoveAndWhoConflicts() throws {
        let before = try json(#"{"data":{"a":"1","b":"2"},"metadata":{"labels":{"x":"y"},"name":"n"}}"#)
        let after = try json(#"{"data":{"a":"1"}}"#)
        let owned = OwnedFields(of: before, as: "ConfigMap", mergesLists: true)
        #expect(OwnedFields(fieldsV1: owned.fieldsV1) == owned)
        let rest = owned.removed(from: before, keeping: [OwnedFields(of: after, as: "ConfigMap", mergesLists: true)])
        #expect(rest == (try json(#"{"data":{"a":"1"},"metadata":{"name":"n"}}"#)))
        let wish = try json(#"{"data":{"a":"3","b":"2"}}"#)
        let wanted = OwnedFields(of: wish, as: "ConfigMap", mergesLists: true)
        #expect(wanted.conflicts(with: owned, applied: wish, live: before) == [".data.a"])
        let pods = try pod(#"[{"name":"a","image":"1"},{"name":"b","image":"2"}]"#)
        let fewer = try pod(#"[{"name":"a","image":"1"}]"#)
        let removed = OwnedFields(of: pods, as: "Pod", mergesLists: true)
            .removed(from: pods, keeping: [OwnedFields(of: fewer, as: "Pod", mergesLists: true)])
        #expect(removed == fewer)
    }
}
