// Rules of KServe's kinds, in the words of its own admission where it has them.

import Formats

extension RuleChecker {
    /// Formats that a server here can load, by KServe's names.
    static let modelFormats = ["triton", "onnx", "tensorflow", "openvino"]
    private static let oldPredictors = [
        "sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface", "pmml", "lightgbm", "paddle",
    ]

    mutating func inferenceService() {
        let predictor = object[path: "spec", "predictor"]
        guard let predictor, predictor.objectValue?.isEmpty == false else {
            return causes.append(.required("spec.predictor"))
        }
        let named = Self.oldPredictors.filter { predictor[$0] != nil } + (predictor["model"] != nil ? ["model"] : [])
        guard named.count == 1, let name = named.first else {
            return causes.append(
                .invalid(
                    "spec.predictor", value: .string(named.joined(separator: ", ")),
                    "exactly one of [\((Self.oldPredictors + ["model"]).joined(separator: ", "))] must be specified"))
        }
        let field = "spec.predictor.\(name)"
        var format = name
        if name == "model" {
            format = predictor[path: "model", "modelFormat", "name"]?.stringValue ?? ""
            require(.string(format), "\(field).modelFormat.name")
        }
        if !format.isEmpty, !Self.modelFormats.contains(format) {
            causes.append(
                .unsupported(name == "model" ? "\(field).modelFormat.name" : field, value: format, Self.modelFormats))
        }
        for absent in ["transformer", "explainer"] where object["spec"]?[absent] != nil {
            causes.append(.invalid("spec.\(absent)", value: .string(absent), "\(absent)s are not supported here"))
        }
        for absent in ["canaryTrafficPercent", "logger", "batcher", "workerSpec"] where predictor[absent] != nil {
            causes.append(
                .invalid("spec.predictor.\(absent)", value: predictor[absent] ?? .null, "is not supported here"))
        }
        if let uri = predictor[name]?["storageUri"]?.stringValue { storage(uri, "\(field).storageUri") }
        for amounts in ["limits", "requests"] {
            for (resource, amount) in predictor[name]?[path: "resources", amounts]?.objectValue ?? JSONObject() {
                quantity(amount, "\(field).resources.\(amounts)[\(resource)]")
            }
        }
    }

    mutating func trainedModel() {
        let spec = object["spec"] ?? [:]
        require(spec["inferenceService"], "spec.inferenceService")
        let model = spec["model"] ?? [:]
        for field in ["storageUri", "framework", "memory"] { require(model[field], "spec.model.\(field)") }
        if let uri = model["storageUri"]?.stringValue { storage(uri, "spec.model.storageUri") }
        if let memory = model["memory"] { quantity(memory, "spec.model.memory") }
        if let framework = model["framework"]?.stringValue, !framework.isEmpty,
            !Self.modelFormats.contains(framework)
        {
            causes.append(.unsupported("spec.model.framework", value: framework, Self.modelFormats))
        }
        immutable(["spec", "inferenceService"])
        immutable(
            ["spec", "model", "memory"], "the memory of a TrainedModel cannot be changed; delete it and make it anew")
    }

    private mutating func storage(_ uri: String, _ field: String) {
        guard !uri.isEmpty else { return }
        let bucket = uri.hasPrefix("s3://") ? uri.dropFirst(5).prefix { $0 != "/" } : ""
        guard !bucket.isEmpty else {
            return causes.append(
                .invalid(field, value: .string(uri), "only s3://BUCKET/PATH is supported here as the place of a model"))
        }
    }
}
