import Glibc
import Runtimes
import Testing

private let provider = LibraryProvider<OnnxLibrary>(
    explicitPath: getenv("SLIPWAY_ONNXRUNTIME").map { String(cString: $0) }, folder: RuntimeFolder(explicit: nil))
private let library = try? provider.library()

/// Needs ONNX Runtime, which `make setup` installs.
@Suite(.enabled(if: library != nil, "ONNX Runtime is not installed: run `make setup`")) struct OnnxSessionTests {
    private func session(_ elementType: Int, _ shape: [Int?], operation: String = "Identity") throws -> OnnxSession {
        let library = try provider.library()
        return try OnnxSession(
            library: library, bytes: OnnxModel.unary(operation, elementType: elementType, shape: shape),
            options: .init())
    }

    @Test func describesPorts() throws {
        let session = try session(1, [nil, 4])
        #expect(session.inputs == [TensorSpecification(name: "x", type: .fp32, shape: [-1, 4])])
        #expect(session.outputs == [TensorSpecification(name: "y", type: .fp32, shape: [-1, 4])])
    }

    @Test(arguments: [0, 1, 3]) func runsWhereverTheBytesStand(offset: Int) throws {
        let session = try session(1, [nil, 2], operation: "Neg")
        var bytes = [UInt8](repeating: 0, count: offset)
        for value in [1.5, -2] as [Float] { withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) } }
        let input = Tensor(type: .fp32, shape: [1, 2], data: bytes[offset...])
        let output = try session.run([("x", input)], outputNames: ["y"])[0]
        var expected: [UInt8] = []
        for value in [-1.5, 2] as [Float] { withUnsafeBytes(of: value) { expected.append(contentsOf: $0) } }
        #expect(Array(output.data) == expected)
        #expect(output.shape == [1, 2])
    }

    @Test func stringsKeepEveryByte() throws {
        let data: [UInt8] = [3, 0, 0, 0, 0x61, 0, 0xff, 0, 0, 0, 0]
        let input = Tensor(type: .bytes, shape: [2], data: data[...])
        let output = try session(8, [nil]).run([("x", input)], outputNames: ["y"])[0]
        #expect(Array(output.data) == data)
        #expect(output.type == .bytes)
    }

    @Test func runsWithoutElements() throws {
        let input = Tensor(type: .int64, shape: [0, 4], data: [])
        let output = try session(7, [nil, 4]).run([("x", input)], outputNames: ["y"])[0]
        #expect(output.shape == [0, 4])
        #expect(output.data.isEmpty)
    }

    @Test func refusesWhatDoesNotFit() throws {
        let session = try session(1, [nil, 4])
        let input = Tensor(type: .fp32, shape: [1, 1], data: [0, 0, 0, 0])
        #expect { try session.run([("x", input)], outputNames: ["y"]) } throws: { error in
            (error as? RuntimeError)?.code == .inputInvalid
        }
        #expect { try session.run([("z", input)], outputNames: ["y"]) } throws: { $0 is RuntimeError }
    }

    @Test func refusesWhatIsNoModel() throws {
        let library = try provider.library()
        #expect { try OnnxSession(library: library, bytes: Array("nonsense".utf8), options: .init()) } throws: {
            error in
            (error as? RuntimeError)?.code == .modelInvalid
        }
    }

    @Test func reloadsWithoutLeaking() throws {
        func load() throws { _ = try session(1, [nil, 4]) }
        for _ in 0..<50 { try load() }
        let before = Memory.residentBytes
        for _ in 0..<200 { try load() }
        // Alone it is below 8 MiB; other suites run at the same time. A leaked session holds more than 300 KiB.
        #expect(Memory.residentBytes - before < 48 << 20)
    }
}

@Suite struct TensorTests {
    @Test(
        arguments: [
            ([], 1), ([2, 3], 6), ([4, 0], 0), ([-1], nil), ([1 << 40, 1 << 40], nil), ([1 << 62, 4, 0], nil),
        ] as [([Int], Int?)])
    func countsElements(shape: [Int], count: Int?) { #expect(Tensor.elementCount(shape) == count) }

    @Test(
        arguments: [
            ([], 0), ([0, 0, 0, 0], 1), ([1, 0, 0, 0, 9], 1), ([1, 0, 0, 0], nil), ([1, 0, 0], nil),
            ([0xff, 0xff, 0xff, 0xff, 1], nil),
        ] as [([UInt8], Int?)])
    func countsStrings(data: [UInt8], count: Int?) { #expect(Tensor.stringCount(data[...]) == count) }
}
