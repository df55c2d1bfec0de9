// Field table of KServe's kinds. Numbers are not used: custom resources always come as JSON. Facts as in the struct tags
// of kserve/kserve `pkg/apis/serving/v1beta1` and `v1alpha1`.

extension SchemaTables {
    static let kserve = """
        InferenceService: 1 metadata ObjectMeta, 2 spec InferenceServiceSpec, 3 status InferenceServiceStatus
        InferenceServiceSpec: 1 predictor PredictorSpec, 2 transformer any, 3 explainer any
        PredictorSpec: 1 sklearn PredictorExtension?, 2 xgboost PredictorExtension?, 3 tensorflow PredictorExtension?,
            4 pytorch PredictorExtension?, 5 triton PredictorExtension?, 6 onnx PredictorExtension?,
            7 huggingface PredictorExtension?, 8 pmml PredictorExtension?, 9 lightgbm PredictorExtension?,
            10 paddle PredictorExtension?, 11 model ModelSpec?, 12 workerSpec any, 13 ...PodSpec,
            14 minReplicas int?, 15 maxReplicas int, 16 scaleTarget int?, 17 scaleMetric string,
            18 containerConcurrency int?, 19 timeout int?, 20 canaryTrafficPercent int?, 21 logger any, 22 batcher any,
            23 labels {string}, 24 annotations {string}, 25 deploymentStrategy any, 26 autoScaling any
        PredictorExtension: 1 storageUri string?, 2 runtimeVersion string?, 3 protocolVersion string?, 4 storage any,
            5 ...Container
        ModelSpec: 1 modelFormat ModelFormat, 2 runtime string?, 3 ...PredictorExtension
        ModelFormat: 1 name string, 2 version string?
        InferenceServiceStatus: 1 observedGeneration int, 2 conditions [KnativeCondition], 3 annotations {string},
            4 address Addressable?, 5 url string, 6 components {ComponentStatus}, 7 modelStatus any,
            8 deploymentMode string, 9 servingRuntimeName string
        ComponentStatus: 1 latestReadyRevision string, 2 latestCreatedRevision string, 3 previousRolledoutRevision string,
            4 latestRolledoutRevision string, 5 traffic [any], 6 url string, 7 restUrl string, 8 grpcUrl string,
            9 address Addressable?
        KnativeCondition: 1 type string, 2 status string, 3 severity string, 4 lastTransitionTime time, 5 reason string,
            6 message string
        Addressable: 1 url string, 2 name string
        TrainedModel: 1 metadata ObjectMeta, 2 spec TrainedModelSpec, 3 status TrainedModelStatus
        TrainedModelSpec: 1 inferenceService string, 2 model TrainedModelSource
        TrainedModelSource: 1 storageUri string, 2 framework string, 3 memory quantity
        TrainedModelStatus: 1 observedGeneration int, 2 conditions [KnativeCondition], 3 annotations {string},
            4 url string, 5 address Addressable?
        """
}
