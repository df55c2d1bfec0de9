import Testing

@testable import RegistryAPI

@Suite struct RegistryEndpointTests {
    @Test(arguments: [
        ("/v2/", "version"), ("/v2/_catalog", "catalog"), ("/v2/a/b/tags/list", "tags"),
        ("/v2/a/manifests/v1", "manifest"), ("/v2/blobs/uploads/manifests/v1", "manifest"),
        ("/v2/a/blobs/uploads/", "uploads"), ("/v2/a/blobs/uploads", "uploads"), ("/v2/a/blobs/uploads/1-2", "upload"),
    ])
    func takesPathsApartFromTheirEnd(_ path: String, _ kind: String) throws {
        #expect("\(try RegistryEndpoint(path: path[...]))".hasPrefix(kind))
    }

    @Test func aCollectionWaitsForNoPushAndAPushForTheCollection() async {
        let gate = CollectionGate()
        await gate.enter()
        #expect(!gate.beginCollecting())
        gate.leave()
        #expect(gate.beginCollecting() && !gate.beginCollecting())
        async let push: Void = gate.enter()
        try? await Task.sleep(nanoseconds: 20_000_000)
        gate.endCollecting()
        await push
        #expect(!gate.beginCollecting())
        gate.leave()
    }
}
