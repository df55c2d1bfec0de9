extension ResourceKind {
    package static let inferenceService = ResourceKind(
        group: "serving.kserve.io", version: "v1beta1", kind: "InferenceService", plural: "inferenceservices",
        shortNames: ["isvc"], categories: ["all"], hasStatusSubresource: true, countsGenerations: true,
        nameRule: .label)
    package static let trainedModel = ResourceKind(
        group: "serving.kserve.io", version: "v1alpha1", kind: "TrainedModel", plural: "trainedmodels",
        shortNames: ["tm"], categories: ["all"], hasStatusSubresource: true, countsGenerations: true, nameRule: .label)

    static let kserve = [inferenceService, trainedModel]
}
