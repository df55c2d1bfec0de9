import Formats
import Processes
import Testing

@testable import Cluster

struct HostPortTests {
    private func pod(
        _ name: String, _ ports: JSON, node: String? = nil, phase: String = "Pending", hostNetwork: Bool = false
    )
        -> Resource
    {
        var spec: JSON = ["containers": [["name": "main", "image": "busybox", "ports": ports]]]
        if let node { spec["nodeName"] = .string(node) }
        if hostNetwork { spec["hostNetwork"] = true }
        return Resource(
            key: ResourceKey(.pod, namespace: "ns", name: name),
            json: [
                "metadata": ["name": .string(name), "namespace": "ns", "uid": .string(name)], "spec": spec,
                "status": ["phase": .string(phase)],
            ], version: 1)
    }

    private func ports(_ number: Int, address: String = "") -> JSON {
        [["containerPort": 8000, "hostPort": JSON(number), "hostIP": .string(address)]]
    }

    @Test func readsWhatContainersAskFor() {
        #expect(HostPort.list(of: pod("a", ports(80))) == [HostPort(address: "", port: 80, target: 8000)])
        #expect(HostPort.list(of: pod("a", ports(80, address: "0.0.0.0"))).first?.address == "")
        #expect(HostPort.list(of: pod("a", ports(80, address: "127.0.0.9"))).first?.address == "127.0.0.9")
        #expect(HostPort.list(of: pod("a", [["containerPort": 8000]])).isEmpty)
        #expect(HostPort.list(of: pod("a", [["containerPort": 53, "hostPort": 53, "protocol": "UDP"]])).isEmpty)
        #expect(HostPort.list(of: pod("a", ports(80), hostNetwork: true)).isEmpty)
    }

    @Test func oneAddressAndEveryAddressConflict() {
        let every = HostPort(address: "", port: 80, target: 1)
        let one = HostPort(address: "127.0.0.1", port: 80, target: 1)
        #expect(every.conflicts(with: one) && one.conflicts(with: every) && one.conflicts(with: one))
        #expect(!one.conflicts(with: HostPort(address: "127.0.0.2", port: 80, target: 1)))
        #expect(!one.conflicts(with: HostPort(address: "127.0.0.1", port: 81, target: 1)))
    }

    @Test func theFirstPodKeepsAPortUntilItsEnd() {
        let hostPorts = HostPorts(bindAddress: "127.0.0.1")
        let first = pod("first", ports(80))
        let second = pod("second", ports(80))
        let wanted = HostPort.list(of: first)
        #expect(hostPorts.claim(wanted, for: first, others: []) == nil)
        #expect(hostPorts.claim(wanted, for: first, others: []) == nil)
        #expect(hostPorts.claim(wanted, for: second, others: [])?.holder == "ns/first")
        #expect(!hostPorts.release(uid: "second") && hostPorts.release(uid: "first"))
        #expect(hostPorts.claim(wanted, for: second, others: []) == nil)
    }

    /// After a restart nobody has claimed yet: who has its place goes before who waits.
    @Test func aPlacedPodGoesBeforeOneThatWaits() {
        let hostPorts = HostPorts(bindAddress: "127.0.0.1")
        let placed = pod("placed", ports(80), node: "slipway", phase: "Running")
        let over = pod("over", ports(81), node: "slipway", phase: "Succeeded")
        let waiting = pod("waiting", ports(80))
        let others = [placed, over, waiting]
        #expect(hostPorts.claim(HostPort.list(of: waiting), for: waiting, others: others)?.holder == "ns/placed")
        #expect(hostPorts.claim(HostPort.list(of: placed), for: placed, others: others) == nil)
        let late = pod("late", ports(81))
        #expect(hostPorts.claim(HostPort.list(of: late), for: late, others: others) == nil)
    }

    @Test func everyAddressIsThoseOfTheMachine() {
        #expect(HostPorts.addresses("127.0.0.1") == ["127.0.0.1"])
        let all = HostPorts.addresses("0.0.0.0")
        #expect(all.first == "127.0.0.1" && all.filter { $0.hasPrefix("127.") }.count == 1)
    }

    @Test func aHostIPMustBeLocal() {
        let hostPorts = HostPorts(bindAddress: "127.0.0.1")
        let fault = hostPorts.fault(of: HostPort(address: "192.0.2.1", port: 40_123, target: 1))
        #expect(fault == "hostIP 192.0.2.1 is not an address of this machine")
        #expect(
            hostPorts.fault(of: HostPort(address: "name", port: 1, target: 1)) == "hostIP name is not a numeric address"
        )
    }
}

struct ListeningSocketTests {
    private let head =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

    @Test func readsListeningSockets() {
        let table =
            head + """
                   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0000 100
                   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17 1 0000 100
                   2: 0100007F:1F91 0100007F:1234 01 00000000:00000000 00:00000000 00000000     0        0 18 1 0000 100

                """
        let found = ListeningSocket.parse(Array(table.utf8))
        #expect(found.map(\.address) == ["127.0.0.1", "0.0.0.0"] && found.map(\.port) == [8080, 80])
        #expect(found.first?.inode == "4242")
        #expect(found[0].answers("127.0.0.1", 8080) && !found[0].answers("127.0.0.2", 8080))
        #expect(found[1].answers("127.0.0.2", 80) && !found[1].answers("127.0.0.2", 81))
    }

    @Test func readsAddressesOfIPv6() {
        let rest = " 0:0 0A 0:0 00:0 0 0 0 9 1\n"
        let table =
            head + "0: 00000000000000000000000000000000:1F40" + rest + "1: 0000000000000000FFFF00000100007F:1F41" + rest
        let found = ListeningSocket.parse(Array(table.utf8))
        #expect(found.map(\.address) == ["::", "127.0.0.1"])
        #expect(found[0].answers("127.64.0.1", 8000))
    }

    @Test func anyBytesAreRead() {
        var generator = SystemRandomNumberGenerator()
        let letters = Array("0123456789ABCDEF: \n\u{0}x".utf8)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...300, using: &generator)).map { _ in letters.randomElement() ?? 0 }
            for socket in ListeningSocket.parse(Array(head.utf8) + bytes) { #expect(!socket.inode.isEmpty) }
        }
    }
}
