import Formats
import Glibc

/// What a cluster has before anybody makes anything: its namespaces, its one node, the built-in roles.
package enum ClusterFurniture {
    /// The name of the one node, and of `spec.nodeName` of every pod that runs.
    package static let nodeName = "slipway"
    /// The class of claims that name none: a folder of the data folder for each.
    static let storageClass = "standard"

    /// Creates what is missing.
    package static func install(in store: ResourceStore, version: String) async throws {
        for name in ["default", "kube-system", "kube-public"] {
            try await ensure(store, ResourceKey(.namespace, name: name), [:])
        }
        let rules: [(String, JSON)] = [
            (
                "cluster-admin",
                [
                    ["apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]],
                    ["nonResourceURLs": ["*"], "verbs": ["*"]],
                ]
            ),
            (
                "view",
                [
                    [
                        "apiGroups": ["", "argoproj.io", "serving.kserve.io"], "resources": ["*"],
                        "verbs": ["get", "list", "watch"],
                    ]
                ]
            ),
            ("edit", [["apiGroups": ["", "argoproj.io", "serving.kserve.io"], "resources": ["*"], "verbs": ["*"]]]),
        ]
        for (name, rule) in rules {
            try await ensure(store, ResourceKey(.clusterRole, name: name), ["rules": rule])
        }
        try await ensure(
            store, ResourceKey(.storageClass, name: storageClass), ["provisioner": .string(RuleChecker.provisioner)])
        try await ensure(store, ResourceKey(.node, name: nodeName), ["spec": [:]])
        try await store.updateStatus(ResourceKey(.node, name: nodeName)) { _ in nodeStatus(version: version) }
    }

    /// Gives the ingress an address as a cloud's load balancer would: Services `ingressgateway` and `istio-ingressgateway`
    /// in `istio-system`, whose port 80 leads to `address` and `port`.
    package static func installIngress(in store: ResourceStore, address: String, port: Int) async throws {
        try await ensure(store, ResourceKey(.namespace, name: ingressNamespace), [:])
        let subsets: JSON = [
            [
                "addresses": [["ip": .string(address)]],
                "ports": [["name": "http2", "port": JSON(port), "protocol": "TCP"]],
            ]
        ]
        for name in ["ingressgateway", "istio-ingressgateway"] {
            let endpoints = ResourceKey(.endpoints, namespace: ingressNamespace, name: name)
            try await ensure(store, endpoints, ["subsets": subsets])
            try await store.update(endpoints) { current in
                var object = current.json
                object["subsets"] = subsets
                return object
            }
            let ports: JSON = [["name": "http2", "port": 80, "protocol": "TCP", "targetPort": JSON(port)]]
            let service = ResourceKey(.service, namespace: ingressNamespace, name: name)
            try await ensure(store, service, ["spec": ["type": "LoadBalancer", "ports": ports]])
        }
    }

    private static let ingressNamespace = "istio-system"

    private static func ensure(_ store: ResourceStore, _ key: ResourceKey, _ content: JSON) async throws {
        guard store.find(key) == nil else { return }
        var object = content
        object[path: "metadata", "name"] = .string(key.name)
        if key.kind == .node {
            object[path: "metadata", "labels"] = [
                "kubernetes.io/hostname": .string(key.name), "kubernetes.io/os": "linux",
                "node-role.kubernetes.io/control-plane": "",
            ]
        }
        if key.kind == .storageClass {
            object[path: "metadata", "annotations", "storageclass.kubernetes.io/is-default-class"] = "true"
        }
        try await store.create(key.kind, namespace: key.namespace, object)
    }

    private static func nodeStatus(version: String) -> JSON {
        let cores = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let kibibytes = max(0, sysconf(Int32(_SC_PHYS_PAGES))) * max(1, sysconf(Int32(_SC_PAGESIZE))) / 1024
        let amounts: JSON = ["cpu": .string("\(cores)"), "memory": .string("\(kibibytes)Ki"), "pods": "1000"]
        return [
            "capacity": amounts, "allocatable": amounts,
            "addresses": [
                ["type": "InternalIP", "address": "127.0.0.1"], ["type": "Hostname", "address": .string(nodeName)],
            ],
            "conditions": [
                [
                    "type": "Ready", "status": "True", "reason": "KubeletReady",
                    "message": "processes of this machine run here",
                ]
            ],
            "nodeInfo": [
                "kubeletVersion": .string(version), "operatingSystem": "linux", "architecture": .string(architecture),
                "containerRuntimeVersion": "process://slipway", "osImage": "Linux", "kernelVersion": "",
                "machineID": "", "systemUUID": "", "bootID": "", "kubeProxyVersion": "",
            ],
        ]
    }

    private static var architecture: String {
        #if arch(arm64)
            "arm64"
        #else
            "amd64"
        #endif
    }
}
