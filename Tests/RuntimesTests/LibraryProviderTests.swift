import Runtimes
import Testing

@Suite struct LibraryProviderTests {
    @Test func saysWhatToDoWhenTheLibraryIsMissing() {
        expectAdvice(of: OnnxLibrary.self)
        expectAdvice(of: OpenVINOLibrary.self)
    }

    private func expectAdvice<Library: RuntimeLibrary>(of library: Library.Type) {
        let provider = LibraryProvider<Library>(explicitPath: nil, folder: RuntimeFolder(explicit: "/nonexistent"))
        #expect { try provider.library() } throws: { error in
            (error as? RuntimeError)?.code == .libraryMissing
                && (error as? RuntimeError)?.message.contains("make setup") == true
        }
    }

    @Test func refusesALibraryThatIsAnother() {
        expectRefusal(by: OnnxLibrary.self, "is not ONNX Runtime")
        expectRefusal(by: OpenVINOLibrary.self, "is not OpenVINO's C library")
    }

    private func expectRefusal<Library: RuntimeLibrary>(by library: Library.Type, _ reason: String) {
        let provider = LibraryProvider<Library>(explicitPath: "libc.so.6", folder: RuntimeFolder(explicit: nil))
        #expect { try provider.library() } throws: {
            ($0 as? RuntimeError)?.message.contains(reason) == true
        }
    }
}
