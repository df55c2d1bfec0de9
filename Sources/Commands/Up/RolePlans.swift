/// The roles of `slipway up` and how they find one another: through the public protocols, with the root credential.
enum RolePlans {
    static func all(
        _ settings: Settings, data: String, root: RootCredential, environment: [String: String]
    ) -> [RolePlan] {
        let host = LocalHost.reaching(settings[CommonSettings.address])
        let url = { (port: Int) in "http://\(LocalHost.authority(host, port))" }
        let store = url(settings[UpSettings.storePort])
        var shared = environment
        shared["SLIPWAY_CONFIG"] = settings[CommonSettings.config]
        shared["SLIPWAY_DATA"] = data
        shared["SLIPWAY_LOG_LEVEL"] = settings[CommonSettings.logLevel]
        shared["SLIPWAY_BIND"] = settings[CommonSettings.address]
        shared["MINIO_ROOT_USER"] = root.user
        shared["MINIO_ROOT_PASSWORD"] = root.password
        var objects = shared
        objects["MLFLOW_S3_ENDPOINT_URL"] = store
        objects["AWS_ACCESS_KEY_ID"] = root.user
        objects["AWS_SECRET_ACCESS_KEY"] = root.password
        // People log in to the console; it needs no secret of its own.
        var console = shared
        console["MINIO_ROOT_USER"] = nil
        console["MINIO_ROOT_PASSWORD"] = nil
        return [
            RolePlan(
                name: "store", arguments: ["store", "--address", ":\(settings[UpSettings.storePort])"],
                environment: shared,
                host: host, ports: [(settings[UpSettings.storePort], "S3")]),
            RolePlan(
                name: "track",
                arguments: [
                    "track", "--port", "\(settings[UpSettings.trackPort])", "--artifacts-destination", "s3://mlflow",
                ],
                environment: objects, host: host,
                ports: [(settings[UpSettings.trackPort], "MLflow REST, artifact proxy")]),
            RolePlan(
                name: "infer",
                arguments: [
                    "infer", "--model-repository", "s3://models", "--model-control-mode", "explicit",
                    "--s3-endpoint", store,
                    "--http-port", "\(settings[UpSettings.inferPort])",
                    "--grpc-port", "\(settings[UpSettings.inferGRPCPort])",
                    "--metrics-port", "\(settings[UpSettings.inferMetricsPort])",
                ],
                environment: objects,
                host: host,
                ports: [
                    (settings[UpSettings.inferPort], "V2 inference over HTTP"),
                    (settings[UpSettings.inferGRPCPort], "V2 inference over gRPC"),
                    (settings[UpSettings.inferMetricsPort], "inference metrics"),
                ]),
            RolePlan(
                name: "cluster",
                arguments: [
                    "cluster", "--port", "\(settings[UpSettings.clusterPort])",
                    "--s3-endpoint", store,
                    "--registry",
                    LocalHost.authority(host == "127.0.0.1" ? "localhost" : host, settings[UpSettings.registryPort]),
                ],
                environment: shared, host: host, ports: [(settings[UpSettings.clusterPort], "Kubernetes API over TLS")]),
            RolePlan(
                name: "registry", arguments: ["registry", "--port", "\(settings[UpSettings.registryPort])"],
                environment: shared, host: host, ports: [(settings[UpSettings.registryPort], "container images")]),
            RolePlan(
                name: "console",
                arguments: [
                    "console", "--port", "\(settings[UpSettings.consolePort])",
                    "--store-url", store,
                    "--track-url", url(settings[UpSettings.trackPort]),
                    "--infer-url", url(settings[UpSettings.inferPort]),
                    "--registry-url", url(settings[UpSettings.registryPort]),
                    "--kubeconfig", "\(data)/kubeconfig",
                ],
                environment: console, host: host, ports: [(settings[UpSettings.consolePort], "web console")]),
        ]
    }
}
