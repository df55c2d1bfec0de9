// `slipway infer`: Triton's flags where there are any, so that its command lines work.

import Bytes
import EventLoop
import Glibc
import HTTP
import Inference
import InferenceAPI
import Log
import Metrics
import ObjectClient
import Runtimes
import Server
import Signatures

extension Command {
    /// `slipway infer`: the inference server.
    static let infer = Command(
        name: "infer", summary: "inference server (V2, KServe V1)",
        details: """
            Serves ONNX and TensorFlow models over HTTP and gRPC. A repository is a folder, or s3://bucket/prefix, that
            holds NAME/1/model.onnx or NAME/1/model.savedmodel/ and, where the defaults do not fit, NAME/config.pbtxt.
            """,
        settings: CommonSettings.ofRole + InferSettings.all,
        examples: [
            ("slipway infer --model-repository ./models", "Every model of a folder"),
            (
                "slipway infer --model-repository s3://models --model-control-mode explicit --load-model mnist",
                "One model from an object store; others are loaded through the repository API"
            ),
        ],
        run: runInfer)
}

enum InferSettings {
    static let repository = Setting<String?>.optional(
        "model-repository", aliases: ["--model-store"], environment: ["SLIPWAY_MODEL_REPOSITORY"],
        placeholder: "PLACE[,PLACE]",
        allowed: "folders or s3:// locations with commas",
        help: "Where the models are; <data>/infer/models when unset. The first place that holds a model counts.",
        isList: true)

    static let mode = Setting<String>.choice(
        "model-control-mode", environment: ["SLIPWAY_MODEL_CONTROL_MODE"], placeholder: "MODE", default: "none",
        of: ModelControlMode.allCases.map(\.rawValue),
        help: "none loads all at start, explicit leaves it to clients, poll looks again and again.")

    static let load = Setting<String?>.optional(
        "load-model", environment: ["SLIPWAY_LOAD_MODEL"], placeholder: "NAME[,NAME]",
        allowed: "model names with commas, or *",
        help: "Models to load at start in explicit mode.", isList: true)

    static let pollSeconds = Setting<Int>.integer(
        "repository-poll-secs", placeholder: "SECONDS", default: 15, range: 1...86_400,
        help: "Time between two looks at the repository in poll mode.")

    static let strictReadiness = Setting<Bool>.toggle(
        "strict-readiness", default: true, help: "Ready only when every model that is in the repository is loaded.")

    static let httpAddress = Setting<String?>.optional(
        "http-address", placeholder: "ADDRESS", allowed: "a numeric address",
        help: "Address of the HTTP port; --bind when unset.")
    static let grpcAddress = Setting<String?>.optional(
        "grpc-address", placeholder: "ADDRESS", allowed: "a numeric address",
        help: "Address of the gRPC port; --bind when unset.")
    static let metricsAddress = Setting<String?>.optional(
        "metrics-address", placeholder: "ADDRESS", allowed: "a numeric address",
        help: "Address of the metrics port; --bind when unset.")
    static let httpPort = Setting<Int>.port("http-port", default: 8000, help: "Port of V2 and V1 over HTTP.")
    static let grpcPort = Setting<Int>.port("grpc-port", default: 8001, help: "Port of V2 over gRPC.")
    static let metricsPort = Setting<Int>.port("metrics-port", default: 8002, help: "Port of the Prometheus metrics.")

    static let morePorts = Setting<String?>.optional(
        "more-ports", placeholder: "PORT[,PORT]", allowed: "ports from 1 to 65535 with commas, at most 8",
        help: "More ports on the address of --bind that speak HTTP and gRPC.",
        where: { text in
            let ports = text.pieces(by: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
            return ports.count <= 8 && ports.allSatisfy { (1...65_535).contains($0) }
        })

    static let identifier = Setting<String>.text(
        "id", placeholder: "NAME", default: "slipway", help: "The server's name in its metadata.")

    static let batchSize = Setting<Int>.integer(
        "default-max-batch-size", default: 64, range: 0...65_536,
        help: "max_batch_size of models that can batch and whose configuration does not say; 0 for none.")

    static let instances = Setting<Int>.integer(
        "default-instance-count", default: 0, range: 0...256,
        help:
            "Requests of one model that run at once when its configuration has no instance_group; 0 is one for each core."
    )

    static let computeThreads = Setting<Int>.integer(
        "compute-threads", default: 0, range: 0...512,
        help: "Threads that models run on, shared by all; 0 is two for each core and at least four.")

    static let bodyBytes = Setting<Int>.bytes(
        "http-max-input-size", environment: ["SLIPWAY_INFER_BODY_MAX"], default: 256 << 20, range: 1024...(8 << 30),
        help: "Largest request body, also after decompression, and largest gRPC message.")

    static let library = Setting<String?>.optional(
        "onnxruntime", environment: ["SLIPWAY_ONNXRUNTIME"], placeholder: "FILE",
        allowed: "the path of a shared library",
        help: "ONNX Runtime's library; found in the runtime folder when unset.")

    static let openvino = Setting<String?>.optional(
        "openvino", environment: ["SLIPWAY_OPENVINO"], placeholder: "FILE", allowed: "the path of a shared library",
        help: "OpenVINO's C library, for TensorFlow models; found in the runtime folder when unset.")

    static let all =
        [
            repository.declaration, mode.declaration, load.declaration, pollSeconds.declaration,
            strictReadiness.declaration,
            httpAddress.declaration, httpPort.declaration, grpcAddress.declaration, grpcPort.declaration,
            metricsAddress.declaration, metricsPort.declaration, morePorts.declaration, identifier.declaration,
            batchSize.declaration, instances.declaration, computeThreads.declaration, bodyBytes.declaration,
            CommonSettings.runtime.declaration, library.declaration, openvino.declaration,
        ] + ObjectStoreSettings.all
}

private func runInfer(_ invocation: Invocation) async throws -> Int32 {
    let settings = invocation.settings
    let folder = "\(settings[CommonSettings.data])/infer"
    var repository = RepositoryConfiguration()
    repository.locations = words(settings[InferSettings.repository])
    if repository.locations.isEmpty {
        repository.locations = ["\(folder)/models"]
        try Folder.make("\(folder)/models")
    }
    repository.mode = ModelControlMode(rawValue: settings[InferSettings.mode]) ?? .none
    repository.startupModels = words(settings[InferSettings.load])
    guard repository.startupModels.isEmpty || repository.mode == .explicit else {
        throw UsageError(
            "--load-model needs --model-control-mode explicit", hint: "In the other modes every model is loaded.")
    }
    repository.pollSeconds = settings[InferSettings.pollSeconds]
    repository.isReadinessStrict = settings[InferSettings.strictReadiness]
    repository.batchSizeDefault = settings[InferSettings.batchSize]
    let coreCount = max(1, min(64, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    let instances = settings[InferSettings.instances]
    repository.instanceCountDefault = instances > 0 ? instances : min(16, coreCount)
    repository.loadedModelsFile = "\(folder)/loaded-models.json"
    repository.cacheFolder = "\(folder)/cache"
    repository.objectEndpoint = ObjectStoreSettings.store(of: settings)
    let address = settings[CommonSettings.address]
    var role = InferRole(repository: repository)
    role.http = .init(address: settings[InferSettings.httpAddress] ?? address, port: settings[InferSettings.httpPort])
    role.grpc = .init(address: settings[InferSettings.grpcAddress] ?? address, port: settings[InferSettings.grpcPort])
    role.metrics = .init(
        address: settings[InferSettings.metricsAddress] ?? address, port: settings[InferSettings.metricsPort])
    role.more = words(settings[InferSettings.morePorts]).compactMap { Int($0) }.map {
        .init(address: address, port: $0)
    }
    role.libraryPath = settings[InferSettings.library]
    role.openvinoPath = settings[InferSettings.openvino]
    role.runtimeFolder = settings[CommonSettings.runtime]
    let threads = settings[InferSettings.computeThreads]
    role.computeThreadCount = threads > 0 ? threads : max(4, 2 * coreCount)
    role.service.serverName = settings[InferSettings.identifier]
    role.service.bodyBytesMax = settings[InferSettings.bodyBytes]
    let configured = role
    return try await RoleRunner.run("infer") {
        do {
            let running = try await configured.start()
            describeStore(configured.repository, endpointIsGiven: settings[ObjectStoreSettings.endpoint] != nil)
            return RunningRole(
                servers: [("http", running.http), ("grpc", running.grpc), ("metrics", running.metrics)]
                    + running.more.map { ("more", $0) },
                finish: running.finish)
        } catch let error as InferenceError {
            throw UsageError(error.message)
        }
    }
}

/// Logs which object store an `s3://` repository is read from, and what nobody has set.
private func describeStore(_ repository: RepositoryConfiguration, endpointIsGiven: Bool) {
    let locations = repository.locations.filter { $0.hasPrefix("s3://") }
    guard let store = repository.objectEndpoint, !locations.isEmpty else { return }
    let logger = Logger(role: "infer")
    // Triton's s3://http://host:port/bucket names an endpoint by itself.
    let named = locations.compactMap { ObjectLocation($0)?.endpoint }
    let places = named + (named.count < locations.count ? [store.url] : [])
    logger.info(
        "models come from an object store",
        [
            ("repository", locations.joined(separator: ",")), ("endpoint", places.joined(separator: ",")),
            ("access_key", store.credential?.accessKey ?? "none"),
        ])
    if !endpointIsGiven, named.count < locations.count {
        logger.warning("no endpoint is set, so the local store is asked; another is named with AWS_ENDPOINT_URL")
    }
    if store.credential == nil {
        logger.warning(
            "requests to the object store are not signed, and most stores refuse that; "
                + "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    }
}

private func words(_ text: String?) -> [String] { (text ?? "").pieces(by: ",").map(String.init) }
