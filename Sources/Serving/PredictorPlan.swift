// What an InferenceService asks for, as a pod: one inference server of its own whose models are loaded by name. Pure.

package import Cluster
import Formats

/// Names that the serving controllers and the ingress share.
package enum ServingNames {
    /// Domain of the names that services are reached by through the ingress, as KServe's default.
    package static let domain = "example.com"
    /// Label of a predictor's pods: the name of the InferenceService.
    package static let serviceLabel = "serving.kserve.io/inferenceservice"
    /// Annotation: the port of V2 over HTTP on the pod's address.
    package static let portAnnotation = "slipway.dev/serving-port"
    /// Label of the pod whose turn it is: the Services of an InferenceService choose by it.
    static let activeLabel = "slipway.dev/serving-active"
    /// Annotation: the revision that the pod belongs to.
    package static let revisionAnnotation = "slipway.dev/serving-revision"
    /// Where a pod sees its models.
    static let modelFolder = "/mnt/models"
    static let finalizer = "trainedmodel.finalizer"

    /// Where the server of a predictor's pod is reached, `http://ADDRESS:PORT`; nil before the pod has an address.
    package static func origin(of pod: Resource) -> String? {
        guard let address = pod.status["podIP"]?.stringValue, !address.isEmpty,
            let port = pod.annotations[portAnnotation].flatMap({ Int($0) }), (1...65_535).contains(port)
        else { return nil }
        return "http://\(address):\(port)"
    }

    /// Value of the label `app` of a service's pods.
    static func app(_ service: String) -> String { "isvc.\(service.prefix(40))-predictor-default" }
}

/// One predictor, worked out from its InferenceService.
struct PredictorPlan: Sendable {
    /// Why a predictor cannot be made.
    struct Fault: Error, Equatable {
        let message: String
    }

    /// `triton`, `tensorflow`, `onnx`, `openvino`.
    let format: String
    /// The model that the service itself names; nil for one that TrainedModels fill.
    let storageURI: String?
    let serviceAccount: String
    /// Bytes that TrainedModels may ask for together; nil is any number.
    let memoryBytes: Int64?
    /// Changes when the pod has to be another.
    let revision: String

    private let service: Resource
    private let container: JSON
    private let arguments: [String]

    /// Triton's flags that are for its own logging and memory, or state what holds here anyway.
    private static let idleArguments: Set<String> = [
        "log-verbose", "log-info", "log-warning", "log-error", "log-file", "log-format", "allow-http", "allow-grpc",
        "allow-metrics", "allow-gpu-metrics", "strict-model-config", "disable-auto-complete-config", "exit-on-error",
        "backend-config", "backend-directory", "pinned-memory-pool-byte-size", "cuda-memory-pool-byte-size",
        "min-supported-compute-capability", "model-repository", "model-store", "model-control-mode", "http-port",
        "grpc-port", "metrics-port", "http-address", "grpc-address", "metrics-address", "allow-cpu-metrics",
        "http-thread-count",
    ]

    /// Changes when this program makes other pods of the same service, so that those of an earlier version are replaced.
    private static let layout = "pod-address"

    /// Reads a service that its rules have accepted. Throws `Fault` for arguments that the server would not take.
    init(_ service: Resource) throws(Fault) {
        self.service = service
        let predictor = service.spec["predictor"] ?? [:]
        let name = ["model", "triton", "tensorflow", "onnx"].first { predictor[$0] != nil } ?? "triton"
        let entry = predictor[name] ?? [:]
        container = entry
        format = name == "model" ? entry[path: "modelFormat", "name"]?.stringValue ?? "triton" : name
        let uri = entry["storageUri"]?.stringValue ?? ""
        storageURI = uri.isEmpty ? nil : uri
        serviceAccount =
            predictor["serviceAccountName"]?.stringValue ?? predictor["serviceAccount"]?.stringValue ?? "default"
        memoryBytes = entry[path: "resources", "limits", "memory"].flatMap(Self.quantity)?.units
        arguments = try Self.arguments((entry["args"]?.arrayValue ?? []).compactMap(\.stringValue))
        // Only what becomes part of the pod makes another revision: a new model is loaded into the same one.
        var relevant = predictor
        relevant[path: name, "storageUri"] = nil
        for field in ["minReplicas", "maxReplicas"] { relevant[field] = nil }
        revision = Self.digest(relevant.encoded + Array(Self.layout.utf8))
    }

    static func quantity(_ value: JSON) -> Quantity? {
        switch value {
        case .string(let text): Quantity(text)
        case .int(let number): Quantity("\(number)")
        default: nil
        }
    }

    private static func arguments(_ given: [String]) throws(Fault) -> [String] {
        var kept: [String] = []
        for text in given where text != "tritonserver" {
            guard text.hasPrefix("--") else {
                throw Fault(message: "the predictor's argument \"\(text)\" is not understood: write --name=value")
            }
            let name = String(text.dropFirst(2).prefix { $0 != "=" })
            if idleArguments.contains(name) { continue }
            kept.append(text)
        }
        return kept
    }

    /// FNV-1a: short, and the same on every start.
    private static func digest(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return String(hash, radix: 36)
    }

    /// The pod of this predictor.
    ///
    /// - Parameters:
    ///   - ports: what the server listens on at the pod's own address.
    ///   - repository: the folder of the service's models on this machine.
    ///   - hasPrivateView: false where pods see the machine as it is and nothing can be mounted.
    func pod(suffix: String, ports: PredictorPorts, repository: String, hasPrivateView: Bool) -> JSON {
        let folder = hasPrivateView ? ServingNames.modelFolder : repository
        var line = [
            "--model-repository", folder, "--model-control-mode", "explicit", "--id", "triton",
            "--bind", "$(POD_IP)", "--http-port", "\(ports.http)", "--grpc-port", "\(ports.grpc)",
            "--metrics-port", "\(ports.metrics)", "--data", "/tmp/slipway",
        ]
        if !ports.more.isEmpty {
            line += ["--more-ports", ports.more.map { String($0.number) }.joined(separator: ",")]
        }
        line += arguments
        var main: JSON = [
            "name": "kserve-container", "image": .string(image), "args": .array(line.map(JSON.string)),
            "ports": .array(
                ports.named.map {
                    ["containerPort": JSON($0.number), "name": .string($0.name), "protocol": "TCP"]
                }),
        ]
        for field in ["env", "resources"] { main[field] = container[field] }
        var spec: JSON = [
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 5,
            "serviceAccountName": .string(serviceAccount),
        ]
        if hasPrivateView {
            main["volumeMounts"] = [
                ["name": "models", "mountPath": .string(ServingNames.modelFolder), "readOnly": true]
            ]
            spec["volumes"] = [
                ["name": "models", "hostPath": ["path": .string(repository), "type": "DirectoryOrCreate"]]
            ]
        }
        spec["containers"] = [main]
        let metadata: JSON = [
            "name": .string("\(service.name.prefix(30))-predictor-default-\(suffix)"),
            "labels": [
                ServingNames.serviceLabel: .string(service.name), "component": "predictor",
                "app": .string(ServingNames.app(service.name)),
            ],
            "annotations": [
                ServingNames.portAnnotation: .string("\(ports.http)"),
                ServingNames.revisionAnnotation: .string(revision),
                "kubectl.kubernetes.io/default-container": "kserve-container",
            ],
            "ownerReferences": [service.ownerReference],
        ]
        return ["metadata": metadata, "spec": spec]
    }

    /// The image that KServe would run, for people who look; the image table makes it this program.
    private var image: String {
        if let image = container["image"]?.stringValue, !image.isEmpty { return image }
        let version = container["runtimeVersion"]?.stringValue ?? "23.05-py3"
        return "nvcr.io/nvidia/tritonserver:\(version)"
    }
}
