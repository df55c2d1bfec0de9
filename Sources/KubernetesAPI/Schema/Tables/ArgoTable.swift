// Field table of workflows. Numbers are not used: workflows always come as JSON.
// Each field: its Protobuf number, its JSON name, its type, and how a strategic merge treats it (`Schema` explains the
// notation). Facts as in the struct tags of argoproj/argo-workflows `pkg/apis/workflow/v1alpha1`.

extension SchemaTables {
    static let argo = """
        ArchiveStrategy: 1 tar TarStrategy?, 2 none any, 3 zip any
        ArgoCondition: 1 type string, 2 status string, 3 message string
        ArgoHTTPHeader: 1 name string, 2 value string, 3 valueFrom HTTPHeaderSource?
        ArgoNodeStatus: 1 id string, 2 name string, 3 displayName string, 4 type string, 5 templateName string,
            6 templateRef TemplateRef?, 20 templateScope string, 7 phase string, 8 boundaryID string, 9 message string,
            10 startedAt time, 11 finishedAt time, 24 estimatedDuration int, 26 progress string,
            21 resourcesDuration {int}, 12 podIP string, 13 daemoned bool?, 27 nodeFlag NodeFlag?, 14 inputs Inputs?,
            15 outputs Outputs?, 16 children [string], 17 outboundNodes [string], 22 hostNodeName string,
            23 memoizationStatus MemoizationStatus?, 25 synchronizationStatus NodeSynchronizationStatus?,
            28 taskResultSynced bool?, 29 failedPodRestarts int, 30 restartingPodUID string
        Arguments: 1 parameters [Parameter] by name, 2 artifacts [Artifact] by name
        ArtGCStatus: 1 strategiesProcessed {bool}, 2 podsRecouped {bool}, 3 notSpecified bool
        Artifact: 1 name string, 2 path string, 3 mode int?, 4 from string, 5 ...ArtifactLocation, 6 globalName string,
            7 archive ArchiveStrategy?, 8 optional bool, 9 subPath string, 10 recurseMode bool,
            11 fromExpression string, 12 artifactGC ArtifactGC?, 13 deleted bool
        ArtifactGC: 1 strategy string, 2 podMetadata Metadata?, 3 serviceAccountName string
        ArtifactLocation: 1 archiveLogs bool?, 2 s3 S3Artifact?, 3 git GitArtifact?, 4 http HTTPArtifact?,
            5 artifactory ArtifactoryArtifact?, 6 hdfs HDFSArtifact?, 7 raw RawArtifact?, 8 oss OSSArtifact?,
            9 gcs GCSArtifact?, 10 azure AzureArtifact?, 11 plugin PluginArtifact?
        ArtifactPaths: 1 ...Artifact
        ArtifactRepository: 1 archiveLogs bool?, 2 s3 S3ArtifactRepository?,
            3 artifactory ArtifactoryArtifactRepository?, 4 hdfs HDFSArtifactRepository?, 5 oss OSSArtifactRepository?,
            6 gcs GCSArtifactRepository?, 7 azure AzureArtifactRepository?, 8 plugin PluginArtifactRepository?
        ArtifactRepositoryRef: 1 configMap string, 2 key string
        ArtifactRepositoryRefStatus: 1 ...ArtifactRepositoryRef, 2 namespace string, 3 default bool,
            4 artifactRepository ArtifactRepository?
        ArtifactoryArtifact: 1 url string, 2 ...ArtifactoryAuth
        ArtifactoryArtifactRepository: 1 ...ArtifactoryAuth, 2 repoURL string, 3 keyFormat string
        ArtifactoryAuth: 1 usernameSecret SecretKeySelector?, 2 passwordSecret SecretKeySelector?
        AzureArtifact: 1 ...AzureBlobContainer, 2 blob string
        AzureArtifactRepository: 1 ...AzureBlobContainer, 2 blobNameFormat string
        AzureBlobContainer: 1 endpoint string, 2 container string, 3 accountKeySecret SecretKeySelector?,
            4 useSDKCreds bool
        Backoff: 1 duration string, 2 factor intstr?, 3 maxDuration string, 4 cap string
        BasicAuth: 1 usernameSecret SecretKeySelector?, 2 passwordSecret SecretKeySelector?
        Cache: 1 configMap LocalObjectReference?
        ClientCertAuth: 1 clientCertSecret SecretKeySelector?, 2 clientKeySecret SecretKeySelector?
        ContainerNode: 1 ...Container, 2 dependencies [string]
        ContainerSetRetryStrategy: 1 duration string, 2 retries intstr?
        ContainerSetTemplate: 4 containers [ContainerNode], 3 volumeMounts [VolumeMount],
            5 retryStrategy ContainerSetRetryStrategy?
        ContinueOn: 1 error bool, 2 failed bool
        Counter: 1 value string
        CreateS3BucketOptions: 3 objectLocking bool
        DAGTask: 1 name string, 2 template string, 14 inline Template?, 3 arguments Arguments,
            4 templateRef TemplateRef?, 5 dependencies [string], 6 withItems [any], 7 withParam string,
            8 withSequence Sequence?, 9 when string, 10 continueOn ContinueOn?, 11 onExit string, 12 depends string,
            13 hooks {LifecycleHook}
        DAGTemplate: 1 target string, 2 tasks [DAGTask] by name, 3 failFast bool?
        Data: 1 source DataSource, 2 transformation [TransformationStep]
        DataSource: 1 artifactPaths ArtifactPaths?
        ExecutorConfig: 1 serviceAccountName string
        ExecutorPlugin: 2 metadata ObjectMeta, 1 spec ExecutorPluginSpec
        ExecutorPluginSidecar: 1 automountServiceAccountToken bool, 2 container Container
        ExecutorPluginSpec: 1 sidecar ExecutorPluginSidecar
        GCSArtifact: 1 ...GCSBucket, 2 key string
        GCSArtifactRepository: 1 ...GCSBucket, 2 keyFormat string
        GCSBucket: 1 bucket string, 2 serviceAccountKeySecret SecretKeySelector?
        Gauge: 1 value string, 2 realtime bool?, 3 operation string
        GitArtifact: 1 repo string, 2 revision string, 3 depth int?, 4 fetch [string],
            5 usernameSecret SecretKeySelector?, 6 passwordSecret SecretKeySelector?,
            7 sshPrivateKeySecret SecretKeySelector?, 8 insecureIgnoreHostKey bool, 9 disableSubmodules bool,
            10 singleBranch bool, 11 branch string, 12 insecureSkipTLS bool
        HDFSArtifact: 1 ...HDFSConfig, 2 path string, 3 force bool
        HDFSArtifactRepository: 1 ...HDFSConfig, 2 pathFormat string, 3 force bool
        HDFSConfig: 1 ...HDFSKrbConfig, 2 addresses [string], 3 hdfsUser string, 4 dataTransferProtection string
        HDFSKrbConfig: 1 krbCCacheSecret SecretKeySelector?, 2 krbKeytabSecret SecretKeySelector?, 3 krbUsername string,
            4 krbRealm string, 5 krbConfigConfigMap ConfigMapKeySelector?, 6 krbServicePrincipalName string
        HTTP: 1 method string, 2 url string, 3 headers [ArgoHTTPHeader], 4 timeoutSeconds int?,
            6 successCondition string, 5 body string, 8 bodyFrom HTTPBodySource?, 7 insecureSkipVerify bool
        HTTPArtifact: 1 url string, 2 headers [Header], 3 auth HTTPAuth?, 4 saveStreamViaFile bool
        HTTPAuth: 1 clientCert ClientCertAuth, 2 oauth2 OAuth2Auth, 3 basicAuth BasicAuth
        HTTPBodySource: 1 bytes bytes
        HTTPHeaderSource: 1 secretKeyRef SecretKeySelector?
        Header: 1 name string, 2 value string
        Histogram: 3 value string, 4 buckets [any]
        Inputs: 1 parameters [Parameter] by name, 2 artifacts [Artifact] by name
        LabelValueFrom: 1 expression string
        LifecycleHook: 1 template string, 2 arguments Arguments, 3 templateRef TemplateRef?, 4 expression string
        ManifestFrom: 1 artifact Artifact?
        MemoizationStatus: 1 hit bool, 2 key string, 3 cacheName string
        Memoize: 1 key string, 2 cache Cache?, 3 maxAge string
        Metadata: 1 annotations {string}, 2 labels {string}
        MetricLabel: 1 key string, 2 value string
        Metrics: 1 prometheus [Prometheus]
        Mutex: 1 name string, 2 namespace string, 3 database bool
        MutexHolding: 1 mutex string, 2 holder string
        MutexStatus: 1 holding [MutexHolding], 2 waiting [MutexHolding]
        NodeFlag: 1 hooked bool, 2 retried bool
        NodeSynchronizationStatus: 1 waiting string
        OAuth2Auth: 1 clientIDSecret SecretKeySelector?, 2 clientSecretSecret SecretKeySelector?,
            3 tokenURLSecret SecretKeySelector?, 5 scopes [string], 6 endpointParams [OAuth2EndpointParam]
        OAuth2EndpointParam: 1 key string, 2 value string
        OSSArtifact: 1 ...OSSBucket, 2 key string
        OSSArtifactRepository: 1 ...OSSBucket, 2 keyFormat string
        OSSBucket: 1 endpoint string, 2 bucket string, 3 accessKeySecret SecretKeySelector?,
            4 secretKeySecret SecretKeySelector?, 5 createBucketIfNotPresent bool, 6 securityToken string,
            7 lifecycleRule OSSLifecycleRule?, 8 useSDKCreds bool
        OSSLifecycleRule: 1 markInfrequentAccessAfterDays int, 2 markDeletionAfterDays int
        Outputs: 1 parameters [Parameter] by name, 2 artifacts [Artifact] by name, 3 result string?, 4 exitCode string?
        Parameter: 1 name string, 2 default scalar?, 3 value scalar?, 4 valueFrom ValueFrom?, 5 globalName string,
            6 enum [scalar], 7 description scalar?
        PluginArtifact: 1 name string, 2 configuration string, 3 connectionTimeoutSeconds int, 4 key string
        PluginArtifactRepository: 1 name string, 2 keyFormat string, 3 configuration string
        PodGC: 1 strategy string, 2 labelSelector LabelSelector?, 3 deleteDelayDuration string
        Prometheus: 1 name string, 2 labels [MetricLabel], 3 help string, 4 when string, 5 gauge Gauge?,
            6 histogram Histogram?, 7 counter Counter?
        RawArtifact: 1 data string
        ResourceTemplate: 1 action string, 2 mergeStrategy string, 3 manifest string, 8 manifestFrom ManifestFrom?,
            4 setOwnerReference bool, 5 successCondition string, 6 failureCondition string, 7 flags [string]
        RetryAffinity: 1 nodeAntiAffinity any
        RetryStrategy: 1 limit intstr?, 2 retryPolicy string, 3 backoff Backoff?, 4 affinity RetryAffinity?,
            5 expression string
        S3Artifact: 1 ...S3Bucket, 2 key string
        S3ArtifactRepository: 1 ...S3Bucket, 2 keyFormat string, 3 keyPrefix string
        S3Bucket: 1 endpoint string, 2 bucket string, 3 region string, 4 insecure bool?,
            5 accessKeySecret SecretKeySelector?, 6 secretKeySecret SecretKeySelector?,
            12 sessionTokenSecret SecretKeySelector?, 7 roleARN string, 8 useSDKCreds bool,
            9 createBucketIfNotPresent CreateS3BucketOptions?, 10 encryptionOptions S3EncryptionOptions?,
            11 caSecret SecretKeySelector?, 13 addressingStyle string
        S3EncryptionOptions: 1 kmsKeyId string, 2 kmsEncryptionContext string, 3 enableEncryption bool,
            4 serverSideCustomerKeySecret SecretKeySelector?
        ScriptTemplate: 1 ...Container, 2 source string
        SemaphoreHolding: 1 semaphore string, 2 holders [string]
        SemaphoreRef: 1 configMapKeyRef ConfigMapKeySelector?, 2 namespace string, 3 database SyncDatabaseRef?
        SemaphoreStatus: 1 holding [SemaphoreHolding], 2 waiting [SemaphoreHolding]
        Sequence: 1 count intstr?, 2 start intstr?, 3 end intstr?, 4 format string
        SuspendTemplate: 1 duration string
        SyncDatabaseRef: 1 key string
        Synchronization: 3 semaphores [SemaphoreRef], 4 mutexes [Mutex]
        SynchronizationStatus: 1 semaphore SemaphoreStatus?, 2 mutex MutexStatus?
        TTLStrategy: 1 secondsAfterCompletion int?, 2 secondsAfterSuccess int?, 3 secondsAfterFailure int?
        TarStrategy: 1 compressionLevel int?
        Template: 1 name string, 5 inputs Inputs, 6 outputs Outputs, 7 nodeSelector {string}, 8 affinity Affinity?,
            9 metadata Metadata, 10 daemon bool?, 11 steps [[WorkflowStep]], 12 container Container?,
            40 containerSet ContainerSetTemplate?, 13 script ScriptTemplate?, 14 resource ResourceTemplate?,
            15 dag DAGTemplate?, 16 suspend SuspendTemplate?, 39 data Data?, 42 http HTTP?, 43 plugin any,
            17 volumes [Volume] by name, 18 initContainers [UserContainer] by name, 19 sidecars [UserContainer] by name,
            20 archiveLocation ArtifactLocation?, 21 activeDeadlineSeconds intstr?, 22 retryStrategy RetryStrategy?,
            23 parallelism int?, 41 failFast bool?, 24 tolerations [Toleration] by key, 25 schedulerName string,
            26 priorityClassName string, 28 serviceAccountName string, 32 automountServiceAccountToken bool?,
            33 executor ExecutorConfig?, 29 hostAliases [HostAlias] by ip, 30 securityContext PodSecurityContext?,
            31 podSpecPatch string, 35 metrics Metrics?, 36 synchronization Synchronization?, 37 memoize Memoize?,
            38 timeout string, 44 annotations {string}, 45 pendingTimeout string, 46 podResources ResourceRequirements?,
            47 resourceClaims [PodResourceClaim]
        TemplateRef: 1 name string, 2 template string, 4 clusterScope bool
        TransformationStep: 1 expression string
        UserContainer: 1 ...Container, 2 mirrorVolumeMounts bool?
        ValueFrom: 1 path string, 2 jsonPath string, 3 jqFilter string, 7 event string, 4 parameter string,
            6 supplied any, 9 configMapKeyRef ConfigMapKeySelector?, 5 default scalar?, 8 expression string
        VolumeClaimGC: 1 strategy string
        Workflow: 1 metadata ObjectMeta, 2 spec WorkflowSpec, 3 status WorkflowStatus
        WorkflowLevelArtifactGC: 1 ...ArtifactGC, 2 forceFinalizerRemoval bool, 3 podSpecPatch string
        WorkflowMetadata: 1 labels {string}, 2 annotations {string}, 3 labelsFrom {LabelValueFrom}
        WorkflowSpec: 1 templates [Template] by name, 2 entrypoint string, 3 arguments Arguments,
            4 serviceAccountName string, 28 automountServiceAccountToken bool?, 29 executor ExecutorConfig?,
            5 volumes [Volume] by name, 6 volumeClaimTemplates [PersistentVolumeClaim], 7 parallelism int?,
            8 artifactRepositoryRef ArtifactRepositoryRef?, 9 suspend bool?, 10 nodeSelector {string},
            11 affinity Affinity?, 12 tolerations [Toleration] by key,
            13 imagePullSecrets [LocalObjectReference] by name, 14 hostNetwork bool?, 15 dnsPolicy string?,
            16 dnsConfig PodDNSConfig?, 17 onExit string, 30 ttlStrategy TTLStrategy?, 19 activeDeadlineSeconds int?,
            20 priority int?, 21 schedulerName string, 22 podGC PodGC?, 23 podPriorityClassName string,
            25 hostAliases [HostAlias] by ip, 26 securityContext PodSecurityContext?, 27 podSpecPatch string,
            31 podDisruptionBudget any, 32 metrics Metrics?, 33 shutdown string,
            34 workflowTemplateRef WorkflowTemplateRef?, 35 synchronization Synchronization?,
            36 volumeClaimGC VolumeClaimGC?, 37 retryStrategy RetryStrategy?, 38 podMetadata Metadata?,
            39 templateDefaults Template?, 40 archiveLogs bool?, 41 hooks {LifecycleHook},
            42 workflowMetadata WorkflowMetadata?, 43 artifactGC WorkflowLevelArtifactGC?,
            44 executorPlugins [ExecutorPlugin], 45 podResources ResourceRequirements?,
            47 resourceClaims [PodResourceClaim]
        WorkflowStatus: 1 phase string, 2 startedAt time, 3 finishedAt time, 16 estimatedDuration int,
            17 progress string, 4 message string, 5 compressedNodes string, 6 nodes {ArgoNodeStatus},
            10 offloadNodeStatusVersion string, 9 storedTemplates {Template}, 7 persistentVolumeClaims [Volume],
            8 outputs Outputs?, 13 conditions [ArgoCondition], 12 resourcesDuration {int},
            14 storedWorkflowTemplateSpec WorkflowSpec?, 15 synchronization SynchronizationStatus?,
            18 artifactRepositoryRef ArtifactRepositoryRefStatus?, 19 artifactGCStatus ArtGCStatus?,
            20 taskResultsCompletionStatus {bool}
        WorkflowStep: 1 name string, 2 template string, 13 inline Template?, 3 arguments Arguments,
            4 templateRef TemplateRef?, 5 withItems [any], 6 withParam string, 7 withSequence Sequence?, 8 when string,
            9 continueOn ContinueOn?, 11 onExit string, 12 hooks {LifecycleHook}
        WorkflowTemplateRef: 1 name string, 2 clusterScope bool
        ClusterWorkflowTemplate: 1 metadata ObjectMeta, 2 spec any
        CronWorkflow: 1 metadata ObjectMeta, 2 spec any, 3 status any
        WorkflowArtifactGCTask: 1 metadata ObjectMeta, 2 spec any, 3 status any
        WorkflowEventBinding: 1 metadata ObjectMeta, 2 spec any
        WorkflowTaskResult: 1 metadata ObjectMeta, 2 phase string, 3 message string, 4 outputs any, 5 progress string
        WorkflowTaskSet: 1 metadata ObjectMeta, 2 spec any, 3 status any
        WorkflowTemplate: 1 metadata ObjectMeta, 2 spec any
        """
}
