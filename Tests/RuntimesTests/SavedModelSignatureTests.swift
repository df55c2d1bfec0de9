import Formats
import Runtimes
import Testing

@Suite struct SavedModelSignatureTests {
    /// A saved_model.pb without a graph: tags, and signatures with one input `in` and the given outputs.
    private func model(tags: [String], signatures: [(name: String, outputs: [String])]) -> [UInt8] {
        var model = ProtobufWriter()
        model.int(1, 1)
        model.message(2) { graph in
            graph.message(1) { for tag in tags { $0.string(4, tag) } }
            graph.message(2) { $0.string(1, "the graph is skipped") }
            for (name, outputs) in signatures {
                graph.message(5) { entry in
                    entry.string(1, name)
                    entry.message(2) { signature in
                        signature.message(1) { $0.string(1, "in") }
                        for output in outputs { signature.message(2) { $0.string(1, output) } }
                    }
                }
            }
        }
        return model.bytes
    }

    @Test func readsTheDefaultSignature() throws {
        let bytes = model(
            tags: ["serve"], signatures: [("other", ["z"]), ("serving_default", ["OUTPUT_1", "OUTPUT_0"])])
        let signature = try SavedModelSignature.read(bytes)
        #expect(signature.inputs == ["in"])
        #expect(signature.outputs == ["OUTPUT_0", "OUTPUT_1"])
    }

    @Test func namesTheSignaturesThereAre() {
        let bytes = model(tags: ["serve"], signatures: [("classify", ["y"]), ("__saved_model_init_op", ["n"])])
        #expect { try SavedModelSignature.read(bytes) } throws: { error in
            let message = (error as? RuntimeError)?.message ?? ""
            return message.contains("no signature \"serving_default\" (its signatures: \"classify\")")
                && message.contains("signatures={\"serving_default\": ...}")
        }
    }

    @Test(
        arguments: [
            (["train"], [("serving_default", ["y"])], "no graph with the tag \"serve\"; its tags are \"train\""),
            (["serve"], [("serving_default", [])], "has no outputs"),
        ] as [([String], [(name: String, outputs: [String])], String)])
    func refuses(tags: [String], signatures: [(name: String, outputs: [String])], message: String) {
        #expect { try SavedModelSignature.read(model(tags: tags, signatures: signatures)) } throws: {
            ($0 as? RuntimeError)?.code == .modelInvalid && ($0 as? RuntimeError)?.message.contains(message) == true
        }
    }

    @Test(arguments: [("not a model", "is not a SavedModel"), ("", "holds no graph")])
    func refusesOtherFiles(text: String, message: String) {
        #expect { try SavedModelSignature.read(Array(text.utf8)) } throws: {
            ($0 as? RuntimeError)?.message.contains(message) == true
        }
    }

    @Test func saysThatTheFileIsMissing() {
        #expect { try SavedModelSignature.read(folder: "/nonexistent") } throws: {
            ($0 as? RuntimeError)?.message == "the SavedModel folder holds no readable saved_model.pb"
        }
    }
}
