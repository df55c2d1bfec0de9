// The V2 inference protocol over gRPC: service inference.GRPCInferenceService and the standard health service.

import Formats
package import HTTP
import Inference
import Runtimes
import Server

extension InferenceService {
    /// The handler of the gRPC port; what is no gRPC call goes to `fallback`.
    package func grpcHandler(fallback: @escaping Handler) -> Handler {
        var router = GRPCRouter(role: "infer", messageBytesMax: configuration.bodyBytesMax)
        router.mapError = { error in
            switch error {
            case let error as InferenceError: error.grpcError
            case let error as ProtobufError:
                GRPCError(.invalidArgument, "the request is not readable: \(error.message)")
            default: nil
            }
        }
        GRPCHealth().register(on: &router)
        addServerMethods(&router)
        addModelMethods(&router)
        addRepositoryMethods(&router)
        addUnsupportedMethods(&router)
        return router.handler(fallback: fallback)
    }

    private static func path(_ method: String) -> String { "/inference.GRPCInferenceService/\(method)" }

    private func addServerMethods(_ router: inout GRPCRouter) {
        router.unary(Self.path("ServerLive")) { _, _ in Self.flag(true) }
        router.unary(Self.path("ServerReady")) { _, _ in Self.flag(self.repository.isReady) }
        router.unary(Self.path("ServerMetadata")) { _, _ in
            var writer = ProtobufWriter()
            writer.string(1, self.configuration.serverName)
            writer.string(2, self.configuration.serverVersion)
            for name in Self.extensions { writer.string(3, name) }
            return writer.bytes
        }
    }

    private func addModelMethods(_ router: inout GRPCRouter) {
        router.unary(Self.path("ModelReady")) { _, message in Self.flag(try self.isReady(message)) }
        router.unary(Self.path("ModelMetadata")) { _, message in try self.metadata(message) }
        router.unary(Self.path("ModelConfig")) { _, message in try self.configuration(of: message) }
        router.unary(Self.path("ModelStatistics")) { _, message in try self.statistics(message) }
        router.unary(Self.path("ModelInfer")) { _, message in try await self.infer(message) }
        router.streaming(Self.path("ModelStreamInfer")) { call in
            while let message = try await call.receive() {
                try await call.send(await self.streamedAnswer(message))
            }
        }
    }

    private func isReady(_ message: [UInt8]) throws -> Bool {
        let (name, version) = try Self.nameAndVersion(message)
        let number = try Self.version(version)
        return (try? repository.model(name, version: number)) != nil
    }

    private func metadata(_ message: [UInt8]) throws -> [UInt8] {
        let model = try named(message)
        let versions = try repository.versions(model.configuration.name).map(\.number)
        return ModelMessages.metadata(model, versions: versions)
    }

    private func configuration(of message: [UInt8]) throws -> [UInt8] {
        let model = try named(message)
        return ModelMessages.configuration(model.configuration)
    }

    private func statistics(_ message: [UInt8]) throws -> [UInt8] {
        let (name, version) = try Self.nameAndVersion(message)
        if name.isEmpty { return ModelMessages.statistics(repository.loaded) }
        if version.isEmpty { return ModelMessages.statistics(try repository.versions(name)) }
        return ModelMessages.statistics([try named(message)])
    }

    /// One answer of a stream, which goes on after an error: the answer carries it.
    private func streamedAnswer(_ message: [UInt8]) async -> [UInt8] {
        var writer = ProtobufWriter(reserving: 256)
        do throws(InferenceError) {
            writer.data(2, try await infer(message))
        } catch {
            writer.presentString(1, error.message)
            writer.message(2) { _ in }
        }
        return writer.bytes
    }

    private func infer(_ message: [UInt8]) async throws(InferenceError) -> [UInt8] {
        let read = try InferGRPCRequest(message)
        let model = try repository.model(read.model, version: try Self.version(read.version))
        return try InferGRPCResponse.write(try await model.infer(read.request), to: read, from: model)
    }

    private func addRepositoryMethods(_ router: inout GRPCRouter) {
        router.unary(Self.path("RepositoryIndex")) { _, message in
            var reader = ProtobufReader(message)
            var onlyReady = false
            while let field = try reader.next() { if field.number == 2 { onlyReady = try field.bool() } }
            var writer = ProtobufWriter()
            for line in try await self.repository.index(onlyReady: onlyReady) {
                writer.message(1) { entry in
                    entry.string(1, line.name)
                    if let version = line.version { entry.string(2, "\(version)") }
                    if let state = line.state { entry.string(3, state.rawValue) }
                    entry.string(4, line.reason)
                }
            }
            return writer.bytes
        }
        router.unary(Self.path("RepositoryModelLoad")) { _, message in
            let (name, parameters) = try Self.control(message)
            if let file = parameters.keys.first(where: { $0.hasPrefix("file:") }) {
                throw InferenceError(
                    .unsupported,
                    "failed to load '\(name)', parameter '\(file.prefix(80))' is not supported: put the file into the repository"
                )
            }
            try await self.repository.load(name, configurationJSON: parameters["config"]?.text.map { Array($0.utf8) })
            return []
        }
        router.unary(Self.path("RepositoryModelUnload")) { _, message in
            try await self.repository.unload(try Self.control(message).name)
            return []
        }
    }

    /// Clients probe shared memory: its status is empty, unregistering does nothing, all else names what is missing.
    private func addUnsupportedMethods(_ router: inout GRPCRouter) {
        for kind in ["SystemSharedMemory", "CudaSharedMemory"] {
            router.unary(Self.path("\(kind)Status")) { _, _ in [] }
            router.unary(Self.path("\(kind)Unregister")) { _, _ in [] }
            router.unary(Self.path("\(kind)Register")) { _, _ in
                throw InferenceError(.unsupported, "shared memory is not supported; send tensors in the request")
            }
        }
        for (method, feature) in [("TraceSetting", "trace"), ("LogSettings", "logging")] {
            router.unary(Self.path(method)) { _, _ in
                throw InferenceError(.unsupported, "the \(feature) extension is not supported")
            }
        }
    }

    // MARK: Helpers

    private static func flag(_ value: Bool) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.bool(1, value)
        return writer.bytes
    }

    /// Fields 1 and 2 of the requests that name a model.
    private static func nameAndVersion(_ message: [UInt8]) throws -> (name: String, version: String) {
        var reader = ProtobufReader(message)
        var name = ""
        var version = ""
        while let field = try reader.next() {
            if field.number == 1 { name = try field.string() }
            if field.number == 2 { version = try field.string() }
        }
        return (name, version)
    }

    private func named(_ message: [UInt8]) throws -> ModelVersion {
        let (name, version) = try Self.nameAndVersion(message)
        return try repository.model(name, version: try Self.version(version))
    }

    /// Fields 2 and 3 of the load and unload requests; field 1 names a repository and there is only one.
    private static func control(_ message: [UInt8]) throws -> (name: String, parameters: [String: InferParameter]) {
        var reader = ProtobufReader(message)
        var name = ""
        var parameters: [String: InferParameter] = [:]
        while let field = try reader.next() {
            if field.number == 2 { name = try field.string() }
            if field.number == 3 {
                let (key, value) = try InferParameter.entry(try field.message())
                parameters[key] = value
            }
        }
        return (name, parameters)
    }
}
