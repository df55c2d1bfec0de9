// Field table of workloads and of what stands behind Services.
// Each field: its Protobuf number, its JSON name, its type, and how a strategic merge treats it (`Schema` explains the
// notation). Facts as in the struct tags of kubernetes/api `apps/v1`, `autoscaling/v1`, `batch/v1`, `discovery/v1`,
// `storage/v1`, `core/v1`. The sources of a volume stand in a message of their own there; kubectl sends volumes as JSON only.

extension SchemaTables {
    static let workloads = """
        CustomResourceDefinition: 1 metadata ObjectMeta, 2 spec any, 3 status any
        Deployment: 1 metadata ObjectMeta, 2 spec DeploymentSpec, 3 status DeploymentStatus
        DeploymentCondition: 1 type string, 2 status string, 6 lastUpdateTime time, 7 lastTransitionTime time,
            4 reason string, 5 message string
        DeploymentSpec: 1 replicas int?, 2 selector LabelSelector?, 3 template PodTemplateSpec,
            4 strategy DeploymentStrategy, 5 minReadySeconds int, 6 revisionHistoryLimit int?, 7 paused bool,
            9 progressDeadlineSeconds int?
        DeploymentStatus: 1 observedGeneration int, 2 replicas int, 3 updatedReplicas int, 7 readyReplicas int,
            4 availableReplicas int, 5 unavailableReplicas int, 9 terminatingReplicas int?,
            6 conditions [DeploymentCondition] by type, 8 collisionCount int?
        DeploymentStrategy: 1 type string, 2 rollingUpdate RollingUpdateDeployment?
        Endpoint: 1 addresses [string], 2 conditions EndpointConditions, 3 hostname string?,
            4 targetRef ObjectReference?, 5 deprecatedTopology {string}, 6 nodeName string?, 7 zone string?, 8 hints any
        EndpointAddress: 1 ip string, 3 hostname string, 4 nodeName string?, 2 targetRef ObjectReference?
        EndpointConditions: 1 ready bool?, 2 serving bool?, 3 terminating bool?
        EndpointPort: 1 name string, 2 port int, 3 protocol string, 4 appProtocol string?
        EndpointSlice: 1 metadata ObjectMeta, 4 addressType string, 2 endpoints [Endpoint], 3 ports [EndpointSlicePort]
        EndpointSlicePort: 1 name string?, 2 protocol string?, 3 port int?, 4 appProtocol string?
        EndpointSubset: 1 addresses [EndpointAddress], 2 notReadyAddresses [EndpointAddress], 3 ports [EndpointPort]
        Endpoints: 1 metadata ObjectMeta, 2 subsets [EndpointSubset]
        Job: 1 metadata ObjectMeta, 2 spec JobSpec, 3 status JobStatus
        JobCondition: 1 type string, 2 status string, 3 lastProbeTime time, 4 lastTransitionTime time, 5 reason string,
            6 message string
        JobSpec: 1 parallelism int?, 2 completions int?, 3 activeDeadlineSeconds int?, 11 podFailurePolicy any,
            16 successPolicy any, 7 backoffLimit int?, 12 backoffLimitPerIndex int?, 13 maxFailedIndexes int?,
            4 selector LabelSelector?, 5 manualSelector bool?, 6 template PodTemplateSpec,
            8 ttlSecondsAfterFinished int?, 9 completionMode string?, 10 suspend bool?,
            14 podReplacementPolicy string?, 15 managedBy string?
        JobStatus: 1 conditions [JobCondition] by type, 2 startTime time, 3 completionTime time, 4 active int,
            5 succeeded int, 6 failed int, 11 terminating int?, 7 completedIndexes string, 10 failedIndexes string?,
            8 uncountedTerminatedPods UncountedTerminatedPods?, 9 ready int?
        PersistentVolume: 1 metadata ObjectMeta, 2 spec PersistentVolumeSpec, 3 status PersistentVolumeStatus
        PersistentVolumeSpec: 1 capacity {quantity}, 31 hostPath HostPathVolumeSource?, 32 local any, 33 nfs any,
            34 csi any, 35 iscsi any, 36 fc any, 37 rbd any, 38 cephfs any, 39 awsElasticBlockStore any,
            40 gcePersistentDisk any, 41 azureDisk any, 42 azureFile any, 3 accessModes [string],
            4 claimRef ObjectReference?, 5 persistentVolumeReclaimPolicy string, 6 storageClassName string,
            7 mountOptions [string], 8 volumeMode string?, 9 nodeAffinity any, 10 volumeAttributesClassName string?
        PersistentVolumeStatus: 1 phase string, 2 message string, 3 reason string, 4 lastPhaseTransitionTime time
        PodTemplateSpec: 1 metadata ObjectMeta, 2 spec PodSpec
        ReplicaSet: 1 metadata ObjectMeta, 2 spec ReplicaSetSpec, 3 status ReplicaSetStatus
        ReplicaSetCondition: 1 type string, 2 status string, 3 lastTransitionTime time, 4 reason string,
            5 message string
        ReplicaSetSpec: 1 replicas int?, 4 minReadySeconds int, 2 selector LabelSelector?, 3 template PodTemplateSpec
        ReplicaSetStatus: 1 replicas int, 2 fullyLabeledReplicas int, 4 readyReplicas int, 5 availableReplicas int,
            7 terminatingReplicas int?, 3 observedGeneration int, 6 conditions [ReplicaSetCondition] by type
        RollingUpdateDeployment: 1 maxUnavailable intstr?, 2 maxSurge intstr?
        Scale: 1 metadata ObjectMeta, 2 spec ScaleSpec, 3 status ScaleStatus
        ScaleSpec: 1 replicas int
        ScaleStatus: 1 replicas int, 2 selector string
        StorageClass: 1 metadata ObjectMeta, 2 provisioner string, 3 parameters {string}, 4 reclaimPolicy string?,
            5 mountOptions [string], 6 allowVolumeExpansion bool?, 7 volumeBindingMode string?,
            8 allowedTopologies [any]
        UncountedTerminatedPods: 1 succeeded [string] merged, 2 failed [string] merged
        """
}
