import Formats
import TestFolders
import Testing

@testable import Cluster

struct ClusterNetworkTests {
    private let first = TemporaryFolder()
    private let second = TemporaryFolder()

    @Test func twoClustersHaveTwoRangesAndKeepThem() throws {
        let one = try ClusterNetwork.open(folder: first.path, bindAddress: "127.0.0.1")
        let two = try ClusterNetwork.open(folder: second.path, bindAddress: "127.0.0.1")
        #expect(one.number != two.number && ClusterNetwork.numbers.contains(one.number))
        // The same folder twice at once: the second gets a range of its own, so that no address means two things.
        let copy = try ClusterNetwork.open(folder: first.path, bindAddress: "127.0.0.1")
        #expect(copy.number != one.number && copy.number != two.number)
    }

    @Test func aRangeIsKeptOverRestarts() throws {
        let folder = TemporaryFolder()
        func number() throws -> Int { try ClusterNetwork.open(folder: folder.path, bindAddress: "127.0.0.1").number }
        #expect(try number() == number())
    }

    @Test func podsKeepTheirAddressAndGiveItBack() throws {
        let network = try ClusterNetwork.open(folder: first.path, bindAddress: "127.0.0.1")
        let address = network.podAddress(uid: "a", previous: nil)
        #expect(address.hasPrefix("127.\(network.number)."))
        #expect(network.podAddress(uid: "a", previous: nil) == address)
        #expect(network.podAddress(uid: "b", previous: address) != address)
        network.releasePod(uid: "a")
        #expect(network.podAddress(uid: "c", previous: address) == address)
        // What is not of this cluster's pods is never taken over.
        #expect(network.podAddress(uid: "d", previous: "127.0.0.1") != "127.0.0.1")
        #expect(network.podAddress(uid: "e", previous: "10.0.0.1").hasPrefix("127."))
    }

    private func service(_ spec: JSON) -> JSON { ["metadata": ["name": "s"], "spec": spec] }

    @Test func servicesGetAddressesAndPorts() throws {
        let network = try ClusterNetwork.open(folder: first.path, bindAddress: "127.0.0.1")
        var plain = service(["type": "ClusterIP", "ports": [["port": 80]]])
        try network.prepare(service: &plain, dryRun: false)
        let address = try #require(plain[path: "spec", "clusterIP"]?.stringValue)
        #expect(network.isOfServices(address) && plain[path: "spec", "ports"]?[0]?["nodePort"] == nil)
        var headless = service(["clusterIP": "None", "ports": [["port": 80]]])
        try network.prepare(service: &headless, dryRun: false)
        #expect(headless[path: "spec", "clusterIP"] == "None")
        var node = service(["type": "NodePort", "ports": [["port": 80], ["port": 81, "nodePort": 30123]]])
        try network.prepare(service: &node, dryRun: false)
        #expect(node[path: "spec", "ports"]?[1]?["nodePort"] == 30123)
        let chosen = try #require(node[path: "spec", "ports"]?[0]?["nodePort"]?.intValue)
        #expect((30000...32767).contains(chosen) && chosen != 30123)
    }

    @Test(
        arguments: [
            (["clusterIP": "10.96.0.10", "ports": [["port": 80]]], "not in the valid range"),
            (["type": "NodePort", "ports": [["port": 80, "nodePort": 80]]], "30000-32767"),
        ] as [(JSON, String)])
    func whatCannotBeHadIsRefused(_ spec: JSON, _ reason: String) throws {
        let network = try ClusterNetwork.open(folder: first.path, bindAddress: "127.0.0.1")
        var object = service(spec)
        let error = #expect(throws: ClusterError.self) { try network.prepare(service: &object, dryRun: false) }
        #expect(error?.code == .invalid && error?.message.contains(reason) == true)
    }

    @Test func anAddressIsGivenOnce() throws {
        let network = try ClusterNetwork.open(folder: first.path, bindAddress: "127.0.0.1")
        var one = service(["clusterIP": .string("127.\(network.number).200.7"), "ports": [["port": 80]]])
        var two = one
        try network.prepare(service: &one, dryRun: true)
        try network.prepare(service: &one, dryRun: false)
        #expect(throws: ClusterError.self) { try network.prepare(service: &two, dryRun: false) }
        network.release(
            service: Resource(key: ResourceKey(.service, namespace: "n", name: "s"), json: one, version: 1))
        try network.prepare(service: &two, dryRun: false)
    }
}
