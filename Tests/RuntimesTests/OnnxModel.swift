import Formats

/// Small ONNX models as bytes, written field by field after onnx.proto, so that no test needs a file.
enum OnnxModel {
    /// A model of one operator with one input `x` and one output `y`. A dimension of nil may be any size.
    static func unary(_ operation: String, elementType: Int, shape: [Int?]) -> [UInt8] {
        var model = ProtobufWriter()
        model.int(1, 8)
        model.message(7) { graph in
            graph.message(1) { node in
                node.string(1, "x")
                node.string(2, "y")
                node.string(4, operation)
            }
            graph.string(2, "test")
            for (field, name) in [(11, "x"), (12, "y")] {
                graph.message(field) { port in
                    port.string(1, name)
                    port.message(2) { $0.message(1) { write(elementType, shape, &$0) } }
                }
            }
        }
        model.message(8) { $0.int(2, 17) }
        return model.bytes
    }

    private static func write(_ elementType: Int, _ shape: [Int?], _ tensor: inout ProtobufWriter) {
        tensor.int(1, Int64(elementType))
        tensor.message(2) { dimensions in
            for dimension in shape {
                dimensions.message(1) { if let dimension { $0.int(1, Int64(dimension)) } else { $0.string(2, "n") } }
            }
        }
    }
}
