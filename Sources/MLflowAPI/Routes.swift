// The route table. Every call of the protocol is served below /api (clients) and /ajax-api (the web interface), and under
// both major versions, because clients and interfaces of different ages disagree about which one a call lives in.

import Formats
import HTTP
import Metrics
import Server

/// One call: what it reads and answers.
typealias Endpoint = @Sendable (MLflowService, RequestMessage) async throws -> Response

extension MLflowService {
    private static let prefixes = ["/api/2.0", "/ajax-api/2.0", "/api/3.0", "/ajax-api/3.0"]

    /// Body bytes of most calls, and of log-batch, whose bound is the protocol's.
    private static let bodyBytesMax = 32 * 1024 * 1024
    private static let batchBytesMax = 1_000_000

    func routes() -> Router {
        var router = Router()
        let hosts = HostGuard(allowedHosts: configuration.allowedHosts)
        router.use { request, next in
            if let refusal = hosts.refusal(of: request) { return refusal.response }
            return try await next(request)
        }
        router.notFound = { throw MLflowError.unknownEndpoint($0) }
        router.methodNotAllowed = { throw MLflowError.unknownEndpoint($0, allowed: $1) }
        for prefix in Self.prefixes {
            addExperiments(router, prefix + "/mlflow")
            addRuns(router, prefix + "/mlflow")
            addRegistry(router, prefix + "/mlflow")
            addLoggedModels(router, prefix + "/mlflow")
            addArtifacts(router, prefix)
            addUnsupported(router, prefix)
            router.get(prefix + "/mlflow/server-info") { _ in Self.serverInformation() }
        }
        // Clients of the 1.x series reach the registry here.
        for prefix in ["/api/2.0/preview/mlflow", "/ajax-api/2.0/preview/mlflow"] { addRegistry(router, prefix) }
        addServer(router)
        return router
    }

    /// Serves `endpoint` as POST, PATCH or DELETE with a JSON body, or as GET with a query.
    private func serve(
        _ router: Router, _ method: HTTPMethod, _ path: String, bytesMax: Int = bodyBytesMax,
        _ endpoint: @escaping Endpoint
    ) {
        router.add(method, path) { request in
            try await endpoint(self, try await RequestMessage.read(request, bytesMax: bytesMax))
        }
    }

    private func addExperiments(_ router: Router, _ base: String) {
        serve(router, .post, "\(base)/experiments/create") { try await $0.createExperiment($1) }
        serve(router, .get, "\(base)/experiments/get") { try await $0.getExperiment($1) }
        serve(router, .get, "\(base)/experiments/get-by-name") { try await $0.getExperimentByName($1) }
        serve(router, .post, "\(base)/experiments/delete") { try await $0.deleteExperiment($1) }
        serve(router, .post, "\(base)/experiments/restore") { try await $0.restoreExperiment($1) }
        serve(router, .post, "\(base)/experiments/update") { try await $0.updateExperiment($1) }
        serve(router, .post, "\(base)/experiments/set-experiment-tag") { try await $0.setExperimentTag($1) }
        serve(router, .post, "\(base)/experiments/delete-experiment-tag") { try await $0.deleteExperimentTag($1) }
        serve(router, .post, "\(base)/experiments/search-datasets") { try await $0.searchDatasets($1) }
        for method in [HTTPMethod.get, .post] {
            serve(router, method, "\(base)/experiments/search") { try await $0.searchExperiments($1) }
        }
        serve(router, .get, "\(base)/experiments/list") { try await $0.searchExperiments($1) }
    }

    private func addRuns(_ router: Router, _ base: String) {
        serve(router, .post, "\(base)/runs/create") { try await $0.createRun($1) }
        serve(router, .get, "\(base)/runs/get") { try await $0.getRun($1) }
        serve(router, .post, "\(base)/runs/update") { try await $0.updateRun($1) }
        serve(router, .post, "\(base)/runs/delete") { try await $0.deleteRun($1) }
        serve(router, .post, "\(base)/runs/restore") { try await $0.restoreRun($1) }
        serve(router, .post, "\(base)/runs/search") { try await $0.searchRuns($1) }
        serve(router, .post, "\(base)/runs/set-tag") { try await $0.setTag($1) }
        serve(router, .post, "\(base)/runs/delete-tag") { try await $0.deleteTag($1) }
        serve(router, .post, "\(base)/runs/log-metric") { try await $0.logMetric($1) }
        serve(router, .post, "\(base)/runs/log-parameter") { try await $0.logParameter($1) }
        serve(router, .post, "\(base)/runs/log-batch", bytesMax: Self.batchBytesMax) { try await $0.logBatch($1) }
        serve(router, .post, "\(base)/runs/log-model") { try await $0.logModel($1) }
        serve(router, .post, "\(base)/runs/log-inputs") { try await $0.logInputs($1) }
        serve(router, .post, "\(base)/runs/outputs") { try await $0.logOutputs($1) }
        serve(router, .get, "\(base)/metrics/get-history") { try await $0.metricHistory($1) }
        serve(router, .get, "\(base)/metrics/get-history-bulk") { try await $0.metricHistories($1) }
        serve(router, .get, "\(base)/metrics/get-history-bulk-interval") { try await $0.sampledHistories($1) }
    }

    private func addRegistry(_ router: Router, _ base: String) {
        let models = "\(base)/registered-models"
        serve(router, .post, "\(models)/create") { try await $0.createRegisteredModel($1) }
        serve(router, .get, "\(models)/get") { try await $0.getRegisteredModel($1) }
        serve(router, .post, "\(models)/rename") { try await $0.renameRegisteredModel($1) }
        serve(router, .patch, "\(models)/update") { try await $0.updateRegisteredModel($1) }
        serve(router, .delete, "\(models)/delete") { try await $0.deleteRegisteredModel($1) }
        serve(router, .get, "\(models)/search") { try await $0.searchRegisteredModels($1) }
        serve(router, .get, "\(models)/list") { try await $0.searchRegisteredModels($1) }
        for method in [HTTPMethod.get, .post] {
            serve(router, method, "\(models)/get-latest-versions") { try await $0.latestVersions($1) }
        }
        serve(router, .post, "\(models)/set-tag") { try await $0.setRegisteredModelTag($1) }
        serve(router, .delete, "\(models)/delete-tag") { try await $0.deleteRegisteredModelTag($1) }
        serve(router, .post, "\(models)/alias") { try await $0.setAlias($1) }
        serve(router, .delete, "\(models)/alias") { try await $0.deleteAlias($1) }
        serve(router, .get, "\(models)/alias") { try await $0.modelVersionByAlias($1) }
        let versions = "\(base)/model-versions"
        serve(router, .post, "\(versions)/create") { try await $0.createModelVersion($1) }
        serve(router, .get, "\(versions)/get") { try await $0.getModelVersion($1) }
        serve(router, .patch, "\(versions)/update") { try await $0.updateModelVersion($1) }
        serve(router, .post, "\(versions)/transition-stage") { try await $0.transitionModelVersion($1) }
        serve(router, .delete, "\(versions)/delete") { try await $0.deleteModelVersion($1) }
        serve(router, .get, "\(versions)/search") { try await $0.searchModelVersions($1) }
        serve(router, .get, "\(versions)/get-download-uri") { try await $0.downloadLocation($1) }
        serve(router, .post, "\(versions)/set-tag") { try await $0.setModelVersionTag($1) }
        serve(router, .delete, "\(versions)/delete-tag") { try await $0.deleteModelVersionTag($1) }
    }

    private func addLoggedModels(_ router: Router, _ base: String) {
        let models = "\(base)/logged-models"
        serve(router, .post, models) { try await $0.createLoggedModel($1) }
        serve(router, .post, "\(models)/search") { try await $0.searchLoggedModels($1) }
        func named(
            _ method: HTTPMethod, _ suffix: String,
            _ endpoint: @escaping @Sendable (MLflowService, RequestMessage, Request) async throws -> Response
        ) {
            router.add(method, "\(models)/{model_id}\(suffix)") { request in
                try await endpoint(self, try await RequestMessage.read(request, bytesMax: Self.bodyBytesMax), request)
            }
        }
        named(.get, "") { try await $0.getLoggedModel($2.parameter("model_id"), $1) }
        named(.patch, "") { try await $0.finalizeLoggedModel($2.parameter("model_id"), $1) }
        named(.delete, "") { service, _, request in try await service.deleteLoggedModel(request.parameter("model_id")) }
        named(.patch, "/tags") { try await $0.setLoggedModelTags($2.parameter("model_id"), $1) }
        named(.delete, "/tags/{tag_key}") { service, _, request in
            try await service.deleteLoggedModelTag(request.parameter("model_id"), request.parameter("tag_key"))
        }
        named(.post, "/params") { try await $0.logLoggedModelParameters($2.parameter("model_id"), $1) }
        named(.get, "/artifacts/directories") { try await $0.listLoggedModelArtifacts($2.parameter("model_id"), $1) }
        named(.get, "/artifacts/files") { service, message, request in
            try await service.loggedModelFile(request.parameter("model_id"), message, request)
        }
    }

    private func addArtifacts(_ router: Router, _ prefix: String) {
        serve(router, .get, "\(prefix)/mlflow/artifacts/list") { try await $0.listArtifacts($1) }
        router.get("\(prefix)/mlflow/get-artifact") { try await self.getArtifact($0) }
        router.post("\(prefix)/mlflow/upload-artifact") { try await self.uploadArtifact($0) }
        addProxy(router, "\(prefix)/mlflow-artifacts/artifacts")
    }

    private func addProxy(_ router: Router, _ proxy: String) {
        guard configuration.servesArtifacts else {
            let refuse: Handler = { _ in
                throw MLflowError.unsupported(
                    "Artifacts through a server that was started with --no-serve-artifacts are")
            }
            for method in [HTTPMethod.get, .put, .delete] {
                router.add(method, proxy, refuse)
                router.add(method, "\(proxy)/{path*}", refuse)
            }
            return
        }
        router.get(proxy) { try await self.listProxied($0) }
        router.get("\(proxy)/{path*}") { try await self.getProxied($0) }
        router.put("\(proxy)/{path*}") { try await self.putProxied($0) }
        router.delete("\(proxy)/{path*}") { try await self.deleteProxied($0) }
    }

    /// Parts of the protocol that this release answers by name instead of leaving clients to guess.
    private func addUnsupported(_ router: Router, _ prefix: String) {
        let features = [
            "traces": "Traces are", "unified-traces": "Traces are", "get-online-trace-details": "Traces are",
            "webhooks": "Webhooks are", "datasets": "Evaluation datasets are", "workspaces": "Workspaces are",
            "scorers": "Scorers are", "gateway": "The AI gateway is", "issues": "Issues are",
            "label-schemas": "Label schemas are", "review-queues": "Review queues are",
            "prompt-optimization": "Prompt optimization is",
        ]
        for (name, feature) in features {
            let refuse: Handler = { _ in throw MLflowError.unsupported(feature) }
            for method in [HTTPMethod.get, .post, .patch, .put, .delete] {
                router.add(method, "\(prefix)/mlflow/\(name)", refuse)
                router.add(method, "\(prefix)/mlflow/\(name)/{rest*}", refuse)
            }
        }
        for part in ["mlflow-artifacts/mpu", "mlflow-artifacts/presigned"] {
            let feature =
                part.hasSuffix("mpu")
                ? "Multipart uploads through the artifact proxy are" : "Presigned artifact URLs are"
            let refuse: Handler = { _ in throw MLflowError.unsupported(feature) }
            for method in [HTTPMethod.get, .post] { router.add(method, "\(prefix)/\(part)/{rest*}", refuse) }
        }
    }

    private func addServer(_ router: Router) {
        router.get("/health") { _ in Response(text: "OK") }
        router.get("/version") { _ in Response(text: Self.compatibleVersion) }
        router.get("/get-artifact") { try await self.getArtifact($0) }
        router.get("/model-versions/get-artifact") { try await self.getModelVersionArtifact($0) }
        router.post("/v1/traces") { _ in throw MLflowError.unsupported("Traces are") }
        router.post("/graphql") { _ in throw MLflowError.unsupported("GraphQL is") }
        router.get("/") { _ in
            Response(
                text:
                    "Slipway tracking server: set MLFLOW_TRACKING_URI to this address. The API is below /api/2.0/mlflow.\n"
            )
        }
        if let metrics = configuration.metrics {
            router.get("/metrics") { _ in
                Response(contentType: "text/plain; version=0.0.4; charset=utf-8", metrics.render())
            }
        }
    }

    private static func serverInformation() -> Response {
        .message {
            $0.member("store_type", "SqlStore")
            for name in [
                "workspaces_enabled", "trace_archival_enabled", "multipart_uploads_enabled",
                "multipart_downloads_enabled",
                "presigned_upload_run_id_supported", "presigned_upload_model_id_supported",
            ] { $0.member(name, false) }
            $0.object("features_enabled") { $0.member("gateway", false) }
        }
    }
}
