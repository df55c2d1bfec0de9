// saved_model.pb, as far as clients see it: SavedModel { meta_graphs = 2 }, MetaGraphDef { meta_info_def = 1,
// signature_def = 5 }, MetaInfoDef { tags = 4 }, SignatureDef { inputs = 1, outputs = 2 } of TensorFlow's
// saved_model.proto and meta_graph.proto. The graph itself is OpenVINO's business and skipped.

import Formats
import Glibc

/// The inputs and outputs of a SavedModel by the names that clients use, sorted.
package struct SavedModelSignature: Sendable, Equatable {
    package let inputs: [String]
    package let outputs: [String]

    /// The one that TensorFlow Serving and Triton serve unless told otherwise.
    package static let name = "serving_default"
    /// Protobuf's own limit is 2 GiB.
    private static let bytesMax = 2 << 30

    /// Reads `saved_model.pb` in `folder`. Blocks. Throws `RuntimeError.modelInvalid` that says what to save otherwise.
    package static func read(folder: String) throws(RuntimeError) -> SavedModelSignature {
        guard let bytes = file("\(folder)/saved_model.pb") else {
            throw RuntimeError(.modelInvalid, "the SavedModel folder holds no readable saved_model.pb")
        }
        return try read(bytes)
    }

    /// Reads the bytes of a saved_model.pb.
    package static func read(_ bytes: [UInt8]) throws(RuntimeError) -> SavedModelSignature {
        do {
            var tags: [[String]] = []
            var reader = ProtobufReader(bytes)
            while let field = try reader.next() {
                guard field.number == 2 else { continue }
                let graph = try MetaGraph(try field.bytes())
                tags.append(graph.tags)
                if graph.tags.contains("serve") { return try graph.signature() }
            }
            throw RuntimeError(
                .modelInvalid,
                tags.isEmpty
                    ? "saved_model.pb holds no graph; was it written by tf.saved_model.save?"
                    : "the SavedModel has no graph with the tag \"serve\"; its tags are \(list(tags.flatMap { $0 }))")
        } catch let error as ProtobufError {
            throw RuntimeError(.modelInvalid, "saved_model.pb is not a SavedModel: \(error.message)")
        } catch let error as RuntimeError {
            throw error
        } catch {
            throw RuntimeError(.modelInvalid, "saved_model.pb cannot be read")
        }
    }

    fileprivate static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
    }

    private static func file(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            (0...bytesMax).contains(Int(status.st_size))
        else { return nil }
        let size = Int(status.st_size)
        var isWhole = true
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else {
                    isWhole = false
                    return
                }
                count += got
            }
        }
        return isWhole ? bytes : nil
    }
}

/// One MetaGraphDef: tags, and signatures by name.
private struct MetaGraph {
    var tags: [String] = []
    var signatures: [String: SavedModelSignature] = [:]

    init(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            if field.number == 1 {
                var inner = ProtobufReader(try field.bytes())
                while let field = try inner.next() { if field.number == 4 { tags.append(try field.string()) } }
            } else if field.number == 5 {
                let (name, value) = try Self.entry(try field.bytes())
                signatures[name] = try Self.signature(value)
            }
        }
    }

    /// The signature to serve. Throws `RuntimeError.modelInvalid` that lists what there is.
    func signature() throws(RuntimeError) -> SavedModelSignature {
        guard let found = signatures[SavedModelSignature.name] else {
            let others = signatures.keys.filter { !$0.hasPrefix("__") }
            throw RuntimeError(
                .modelInvalid,
                """
                the SavedModel has no signature "\(SavedModelSignature.name)" (its signatures: \
                \(SavedModelSignature.list(Array(others)))); save it with signatures={"\(SavedModelSignature.name)": ...}
                """)
        }
        guard !found.outputs.isEmpty else {
            throw RuntimeError(
                .modelInvalid, "the SavedModel's signature \"\(SavedModelSignature.name)\" has no outputs")
        }
        return found
    }

    /// Key and value of a map's entry.
    private static func entry(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> (String, ArraySlice<UInt8>) {
        var reader = ProtobufReader(bytes)
        var key = ""
        var value: ArraySlice<UInt8> = []
        while let field = try reader.next() {
            if field.number == 1 { key = try field.string() }
            if field.number == 2 { value = try field.bytes() }
        }
        return (key, value)
    }

    private static func signature(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> SavedModelSignature {
        var reader = ProtobufReader(bytes)
        var inputs: [String] = []
        var outputs: [String] = []
        while let field = try reader.next() {
            if field.number == 1 { inputs.append(try entry(try field.bytes()).0) }
            if field.number == 2 { outputs.append(try entry(try field.bytes()).0) }
        }
        return SavedModelSignature(inputs: inputs.sorted(), outputs: outputs.sorted())
    }
}
