import Bytes
import Formats
import Testing

@testable import Cluster

struct ServiceEndpointsTests {
    private func pod(
        _ name: String, _ address: String, isReady: Bool = true, phase: String = "Running", port: Int64 = 8000
    ) -> Resource {
        let json: JSON = [
            "metadata": ["name": .string(name), "uid": .string(name), "labels": ["app": "web"]],
            "spec": ["containers": [["name": "c", "ports": [["name": "http", "containerPort": .int(port)]]]]],
            "status": [
                "phase": .string(phase), "podIP": .string(address),
                "conditions": [["type": "Ready", "status": isReady ? "True" : "False"]],
            ],
        ]
        return Resource(key: ResourceKey(.pod, namespace: "n", name: name), json: json, version: 1)
    }

    private func service(_ spec: JSON, name: String = "web", namespace: String = "n") -> Resource {
        Resource(
            key: ResourceKey(.service, namespace: namespace, name: name),
            json: ["metadata": ["name": .string(name), "uid": "s"], "spec": spec], version: 1)
    }

    @Test func readyPodsAreBackendsAndNamedPortsAreFound() {
        let port: JSON = ["name": "web", "port": 80, "targetPort": "http"]
        let service = service(["selector": ["app": "web"], "ports": [port]])
        let pods = [
            pod("a", "127.64.0.1"), pod("b", "127.64.0.2", isReady: false), pod("c", "127.64.0.3", phase: "Failed"),
            pod("d", "127.64.0.4", port: 9000),
        ]
        let subsets = ServiceEndpoints(of: service, pods: pods).subsets(namespace: "n")
        #expect(subsets.arrayValue?.count == 2)
        #expect(subsets[0]?["notReadyAddresses"]?[0]?["ip"] == "127.64.0.2")
        let backends = ServiceEndpoints.backends(subsets, servicePort: port)
        #expect(
            backends == [Backend(address: "127.64.0.1", port: 8000), Backend(address: "127.64.0.4", port: 9000)])
        let slice = ServiceEndpoints.slice(ofSubset: subsets[0] ?? [:])
        #expect(slice.endpoints[0]?["conditions"]?["ready"] == true)
        #expect(slice.endpoints[1]?["conditions"]?["ready"] == false)
    }

    @Test func handWrittenEndpointsNeedNoPortName() {
        let subsets: JSON = [["addresses": [["ip": "127.0.0.1"]], "ports": [["port": 8080]]]]
        #expect(
            ServiceEndpoints.backends(subsets, servicePort: ["port": 80])
                == [Backend(address: "127.0.0.1", port: 8080)])
        #expect(ServiceEndpoints.backends(subsets, servicePort: ["name": "other", "port": 80]).isEmpty)
    }

    @Test func hostsFileHoldsEveryNameAndTheHostsOwn() {
        let services = [
            service(["clusterIP": "127.64.128.1"]),
            service(["clusterIP": "127.64.128.2"], name: "other", namespace: "far"),
            service(["clusterIP": "None"], name: "headless"),
        ]
        let endpoints = Resource(
            key: ResourceKey(.endpoints, namespace: "n", name: "headless"),
            json: ["subsets": [["addresses": [["ip": "127.64.0.9"]]]]], version: 1)
        let text = String(
            utf8: HostNames.text(
                namespace: "n", services: services, endpoints: [endpoints], base: Array("127.0.0.1 localhost".utf8)))
        #expect(text.contains("127.64.128.1\tweb.n.svc.cluster.local web.n.svc web.n web\n"))
        #expect(text.contains("127.64.128.2\tother.far.svc.cluster.local other.far.svc other.far\n"))
        #expect(text.contains("127.64.0.9\theadless.n.svc.cluster.local"))
        #expect(text.hasSuffix("127.0.0.1 localhost\n"))
    }

    @Test func variablesOfServices() {
        let variables = Dictionary(
            uniqueKeysWithValues: ServiceVariables.variables(of: [
                service(["clusterIP": "127.64.128.1", "ports": [["name": "http-api", "port": 80]]], name: "my-web"),
                service(["clusterIP": "None", "ports": [["port": 1]]], name: "headless"),
            ]).map { ($0.name, $0.value) })
        #expect(variables["MY_WEB_SERVICE_HOST"] == "127.64.128.1" && variables["MY_WEB_SERVICE_PORT"] == "80")
        #expect(variables["MY_WEB_SERVICE_PORT_HTTP_API"] == "80")
        #expect(variables["MY_WEB_PORT_80_TCP_ADDR"] == "127.64.128.1")
        #expect(variables["MY_WEB_PORT"] == "tcp://127.64.128.1:80" && variables["HEADLESS_SERVICE_HOST"] == nil)
    }
}
