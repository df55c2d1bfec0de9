import Foundation
import Testing

/// The manifest is the architecture diagram; these hold the sources to it.
struct LayerTests {
    static let apis: Set<String> = ["S3API", "MLflowAPI", "InferenceAPI", "PackAPI", "KubernetesAPI", "Console"]
    static let domains: Set<String> = ["Objects", "Tracking", "Inference", "Packs", "Cluster"]

    /// `import X`, with whatever stands before it on its line.
    private static func imports(_ file: Tree.File) -> [String] {
        file.lines.compactMap { line in
            line.firstMatch(of: /^(?:@\w+ |package |internal |private )*import (?:struct |enum |func |class )?(\w+)/)
                .map { String($0.1) }
        }
    }

    @Test func aTargetImportsOnlyWhatItsManifestLineLists() throws {
        let manifest = try Manifest()
        #expect(manifest.dependencies.count > 30)
        for file in try Tree.files("Sources", ["swift"]) {
            let allowed = try #require(manifest.dependencies[file.target], "\(file.path) is in no target")
            for name in Self.imports(file) where manifest.dependencies[name] != nil {
                #expect(allowed.contains(name), "\(file.path) imports \(name), which \(file.target) does not list")
            }
        }
    }

    @Test func everyListedTargetIsImported() throws {
        let used = Dictionary(grouping: try Tree.files("Sources", ["swift"]), by: \.target)
            .mapValues { Set($0.flatMap(Self.imports)) }
        for (target, listed) in try Manifest().dependencies where !listed.isEmpty && target != "netfixture" {
            // What is linked and not imported: versions are asked by name at run time.
            let unused = listed.subtracting(used[target] ?? [])
            #expect(unused.isEmpty, "\(target) lists \(unused.sorted().joined(separator: ", ")) and imports it nowhere")
        }
    }

    @Test func protocolsNeverKnowOneAnotherAndDomainsKnowNoProtocol() throws {
        let dependencies = try Manifest().dependencies
        for api in Self.apis { #expect(dependencies[api]?.isDisjoint(with: Self.apis) == true, "\(api)") }
        for domain in Self.domains {
            let above = Self.apis.union(["Server", "HTTP", "Commands"])
            #expect(dependencies[domain]?.isDisjoint(with: above) == true, "\(domain)")
        }
    }

    @Test func oneTargetImportsEachLibraryOfC() throws {
        let shared: Set<String> = ["CLinux", "CVersion"]
        var importers: [String: Set<String>] = [:]
        for file in try Tree.files("Sources", ["swift"]) {
            for name in Self.imports(file) where name.wholeMatch(of: /C[A-Z]\w+/) != nil {
                importers[name, default: []].insert(file.target)
            }
        }
        // OpenSSL has two faces: TLS in EventLoop, digests in Digests.
        for (library, targets) in importers where !shared.contains(library) && library != "COpenSSL" {
            #expect(targets.count == 1, "\(library) is imported by \(targets.sorted())")
        }
    }

    @Test func noSourceImportsFoundation() throws {
        for file in try Tree.files("Sources", ["swift"]) {
            let heavy = Self.imports(file).filter { $0.hasPrefix("Foundation") || $0 == "Dispatch" }
            #expect(heavy.isEmpty, "\(file.path) imports \(heavy)")
        }
    }
}
