import Formats
import Glibc
import Runtimes
import Testing

private let provider = LibraryProvider<OpenVINOLibrary>(
    explicitPath: getenv("SLIPWAY_OPENVINO").map { String(cString: $0) }, folder: RuntimeFolder(explicit: nil))
private let library = try? provider.library()

/// The models in Tests/Models, which TensorFlow wrote.
private let models: String = {
    let parts = #filePath.split(separator: "/").dropLast(2)
    return "/" + parts.joined(separator: "/") + "/Models"
}()

/// Needs OpenVINO, which `make setup` installs.
@Suite(.enabled(if: library != nil, "OpenVINO is not installed: run `make setup`")) struct OpenVINOSessionTests {
    private func digits(concurrentRunCount: Int = 1) throws -> any ModelSession {
        var options = SessionOptions()
        options.concurrentRunCount = concurrentRunCount
        let library = try provider.library()
        return try OpenVINOSession(
            library: library, path: models + "/digits", options: options,
            signature: try SavedModelSignature.read(folder: models + "/digits"))
    }

    /// Images as Tests/Models/make.py makes them, behind `offset` bytes of something else.
    private func images(_ count: Int, offset: Int = 0) -> Tensor {
        var bytes = [UInt8](repeating: 0, count: offset)
        for index in 0..<count * 784 {
            withUnsafeBytes(of: Float(Double(index * 37 % 101) / 101)) { bytes.append(contentsOf: $0) }
        }
        return Tensor(type: .fp32, shape: [count, 28, 28, 1], data: bytes[offset...])
    }

    private func floats(_ tensor: Tensor) -> [Float] {
        let bytes = Array(tensor.data)
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start, as: Float.self) }
        }
    }

    private func expected() throws -> [Float] {
        var text: [UInt8] = []
        let file = try #require(fopen(models + "/digits.json", "r"))
        defer { fclose(file) }
        while case let byte = fgetc(file), byte >= 0 { text.append(UInt8(truncatingIfNeeded: byte)) }
        let rows = try #require(try JSON.parse(text)["OUTPUT_0"]?.arrayValue)
        return rows.flatMap { $0.arrayValue ?? [] }.compactMap { $0.doubleValue.map { Float($0) } }
    }

    @Test func describesPortsAsTheSignatureDoes() throws {
        let session = try digits()
        #expect(session.inputs == [TensorSpecification(name: "INPUT_0", type: .fp32, shape: [-1, 28, 28, 1])])
        #expect(session.outputs == [TensorSpecification(name: "OUTPUT_0", type: .fp32, shape: [-1, 10])])
    }

    @Test(arguments: [0, 1, 3]) func answersAsTensorFlowDoes(offset: Int) throws {
        let output = try digits().run([("INPUT_0", images(3, offset: offset))], outputNames: ["OUTPUT_0"])[0]
        let expected = try expected()
        #expect(output.shape == [3, 10] && expected.count == 30)
        let worst = zip(floats(output), expected).map { abs($0 - $1) }.max() ?? 1
        #expect(worst < 1e-6)
    }

    @Test func runsAtOnce() async throws {
        let session = try digits(concurrentRunCount: 4)
        let expected = try expected()
        let tensor = images(3)
        let worst = try await withThrowingTaskGroup(of: Float.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var worst: Float = 0
                    for _ in 0..<25 {
                        let output = try session.run([("INPUT_0", tensor)], outputNames: ["OUTPUT_0"])[0]
                        worst = max(worst, zip(floats(output), expected).map { abs($0 - $1) }.max() ?? 1)
                    }
                    return worst
                }
            }
            return try await group.reduce(0) { max($0, $1) }
        }
        #expect(worst < 1e-6)
    }

    @Test func refusesWhatDoesNotFit() throws {
        let session = try digits()
        let wrong = Tensor(type: .fp32, shape: [1, 2], data: [UInt8](repeating: 0, count: 8)[...])
        #expect { try session.run([("INPUT_0", wrong)], outputNames: ["OUTPUT_0"]) } throws: {
            ($0 as? RuntimeError)?.code == .inputInvalid
        }
        for (input, output) in [("other", "OUTPUT_0"), ("INPUT_0", "other")] {
            #expect { try session.run([(input, images(1))], outputNames: [output]) } throws: {
                ($0 as? RuntimeError)?.code == .inputInvalid && ($0 as? RuntimeError)?.message.contains("other") == true
            }
        }
        // A refused request spoils none that follows.
        #expect(try session.run([("INPUT_0", images(1))], outputNames: ["OUTPUT_0"])[0].shape == [1, 10])
    }

    @Test func refusesWhatIsNoModel() throws {
        let library = try provider.library()
        #expect { try OpenVINOSession(library: library, path: models, options: .init()) } throws: { error in
            let error = error as? RuntimeError
            return error?.code == .modelInvalid && error?.message.contains("Exception from") == false
        }
    }

    @Test func reloadsWithoutLeaking() throws {
        for _ in 0..<20 { _ = try digits() }
        let before = Memory.residentBytes
        for _ in 0..<100 {
            _ = try digits().run([("INPUT_0", images(1))], outputNames: ["OUTPUT_0"])
        }
        // Alone it is below 8 MiB; other suites run at the same time. A leaked model holds more than 600 KiB.
        #expect(Memory.residentBytes - before < 48 << 20)
    }
}
