// What client-node's model declarations do not say about Kubernetes 1.36's API: which definitions there are, in which
// package and group, and per field its list type, list-map keys, patch strategy, merge key and default. Read only by
// tools/generate.ts, which joins it with the declarations. One table, a line for each fact: hence its length.

/** The packages of definitions: their OpenAPI prefix, their API group, and the definitions' names. */
export const packages: readonly { prefix: string; group: string; names: string }[] = [
  {
    prefix: 'io.k8s.api.admissionregistration.v1',
    group: 'admissionregistration.k8s.io',
    names: `
      ApplyConfiguration AuditAnnotation ExpressionWarning JSONPatch MatchCondition MatchResources MutatingAdmissionPolicy
      MutatingAdmissionPolicyBinding MutatingAdmissionPolicyBindingList MutatingAdmissionPolicyBindingSpec MutatingAdmissionPolicyList
      MutatingAdmissionPolicySpec MutatingWebhook MutatingWebhookConfiguration MutatingWebhookConfigurationList Mutation
      NamedRuleWithOperations ParamKind ParamRef RuleWithOperations ServiceReference TypeChecking ValidatingAdmissionPolicy
      ValidatingAdmissionPolicyBinding ValidatingAdmissionPolicyBindingList ValidatingAdmissionPolicyBindingSpec
      ValidatingAdmissionPolicyList ValidatingAdmissionPolicySpec ValidatingAdmissionPolicyStatus ValidatingWebhook
      ValidatingWebhookConfiguration ValidatingWebhookConfigurationList Validation Variable WebhookClientConfig
    `,
  },
  {
    prefix: 'io.k8s.api.admissionregistration.v1alpha1',
    group: 'admissionregistration.k8s.io',
    names: `
      ApplyConfiguration JSONPatch MatchCondition MatchResources MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
      MutatingAdmissionPolicyBindingList MutatingAdmissionPolicyBindingSpec MutatingAdmissionPolicyList MutatingAdmissionPolicySpec
      Mutation NamedRuleWithOperations ParamKind ParamRef Variable
    `,
  },
  {
    prefix: 'io.k8s.api.admissionregistration.v1beta1',
    group: 'admissionregistration.k8s.io',
    names: `
      ApplyConfiguration JSONPatch MatchCondition MatchResources MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
      MutatingAdmissionPolicyBindingList MutatingAdmissionPolicyBindingSpec MutatingAdmissionPolicyList MutatingAdmissionPolicySpec
      Mutation NamedRuleWithOperations ParamKind ParamRef Variable
    `,
  },
  {
    prefix: 'io.k8s.api.apiserverinternal.v1alpha1',
    group: 'internal.apiserver.k8s.io',
    names: `
      ServerStorageVersion StorageVersion StorageVersionCondition StorageVersionList StorageVersionSpec StorageVersionStatus
    `,
  },
  {
    prefix: 'io.k8s.api.apps.v1',
    group: 'apps',
    names: `
      ControllerRevision ControllerRevisionList DaemonSet DaemonSetCondition DaemonSetList DaemonSetSpec DaemonSetStatus
      DaemonSetUpdateStrategy Deployment DeploymentCondition DeploymentList DeploymentSpec DeploymentStatus DeploymentStrategy
      ReplicaSet ReplicaSetCondition ReplicaSetList ReplicaSetSpec ReplicaSetStatus RollingUpdateDaemonSet RollingUpdateDeployment
      RollingUpdateStatefulSetStrategy StatefulSet StatefulSetCondition StatefulSetList StatefulSetOrdinals
      StatefulSetPersistentVolumeClaimRetentionPolicy StatefulSetSpec StatefulSetStatus StatefulSetUpdateStrategy
    `,
  },
  {
    prefix: 'io.k8s.api.authentication.v1',
    group: 'authentication.k8s.io',
    names: `
      BoundObjectReference SelfSubjectReview SelfSubjectReviewStatus TokenRequest TokenRequestSpec TokenRequestStatus TokenReview
      TokenReviewSpec TokenReviewStatus UserInfo
    `,
  },
  {
    prefix: 'io.k8s.api.authorization.v1',
    group: 'authorization.k8s.io',
    names: `
      FieldSelectorAttributes LabelSelectorAttributes LocalSubjectAccessReview NonResourceAttributes NonResourceRule
      ResourceAttributes ResourceRule SelfSubjectAccessReview SelfSubjectAccessReviewSpec SelfSubjectRulesReview
      SelfSubjectRulesReviewSpec SubjectAccessReview SubjectAccessReviewSpec SubjectAccessReviewStatus SubjectRulesReviewStatus
    `,
  },
  {
    prefix: 'io.k8s.api.autoscaling.v1',
    group: 'autoscaling',
    names: `
      CrossVersionObjectReference HorizontalPodAutoscaler HorizontalPodAutoscalerList HorizontalPodAutoscalerSpec
      HorizontalPodAutoscalerStatus Scale ScaleSpec ScaleStatus
    `,
  },
  {
    prefix: 'io.k8s.api.autoscaling.v2',
    group: 'autoscaling',
    names: `
      ContainerResourceMetricSource ContainerResourceMetricStatus CrossVersionObjectReference ExternalMetricSource
      ExternalMetricStatus HPAScalingPolicy HPAScalingRules HorizontalPodAutoscaler HorizontalPodAutoscalerBehavior
      HorizontalPodAutoscalerCondition HorizontalPodAutoscalerList HorizontalPodAutoscalerSpec HorizontalPodAutoscalerStatus
      MetricIdentifier MetricSpec MetricStatus MetricTarget MetricValueStatus ObjectMetricSource ObjectMetricStatus PodsMetricSource
      PodsMetricStatus ResourceMetricSource ResourceMetricStatus
    `,
  },
  {
    prefix: 'io.k8s.api.batch.v1',
    group: 'batch',
    names: `
      CronJob CronJobList CronJobSpec CronJobStatus Job JobCondition JobList JobSpec JobStatus JobTemplateSpec PodFailurePolicy
      PodFailurePolicyOnExitCodesRequirement PodFailurePolicyOnPodConditionsPattern PodFailurePolicyRule SuccessPolicy
      SuccessPolicyRule UncountedTerminatedPods
    `,
  },
  {
    prefix: 'io.k8s.api.certificates.v1',
    group: 'certificates.k8s.io',
    names: `
      CertificateSigningRequest CertificateSigningRequestCondition CertificateSigningRequestList CertificateSigningRequestSpec
      CertificateSigningRequestStatus
    `,
  },
  {
    prefix: 'io.k8s.api.certificates.v1alpha1',
    group: 'certificates.k8s.io',
    names: `
      ClusterTrustBundle ClusterTrustBundleList ClusterTrustBundleSpec
    `,
  },
  {
    prefix: 'io.k8s.api.certificates.v1beta1',
    group: 'certificates.k8s.io',
    names: `
      ClusterTrustBundle ClusterTrustBundleList ClusterTrustBundleSpec PodCertificateRequest PodCertificateRequestList
      PodCertificateRequestSpec PodCertificateRequestStatus
    `,
  },
  {
    prefix: 'io.k8s.api.coordination.v1',
    group: 'coordination.k8s.io',
    names: `
      Lease LeaseList LeaseSpec
    `,
  },
  {
    prefix: 'io.k8s.api.coordination.v1alpha2',
    group: 'coordination.k8s.io',
    names: `
      LeaseCandidate LeaseCandidateList LeaseCandidateSpec
    `,
  },
  {
    prefix: 'io.k8s.api.coordination.v1beta1',
    group: 'coordination.k8s.io',
    names: `
      LeaseCandidate LeaseCandidateList LeaseCandidateSpec
    `,
  },
  {
    prefix: 'io.k8s.api.core.v1',
    group: '',
    names: `
      AWSElasticBlockStoreVolumeSource Affinity AppArmorProfile AttachedVolume AzureDiskVolumeSource AzureFilePersistentVolumeSource
      AzureFileVolumeSource Binding CSIPersistentVolumeSource CSIVolumeSource Capabilities CephFSPersistentVolumeSource
      CephFSVolumeSource CinderPersistentVolumeSource CinderVolumeSource ClientIPConfig ClusterTrustBundleProjection
      ComponentCondition ComponentStatus ComponentStatusList ConfigMap ConfigMapEnvSource ConfigMapKeySelector ConfigMapList
      ConfigMapNodeConfigSource ConfigMapProjection ConfigMapVolumeSource Container ContainerExtendedResourceRequest ContainerImage
      ContainerPort ContainerResizePolicy ContainerRestartRule ContainerRestartRuleOnExitCodes ContainerState ContainerStateRunning
      ContainerStateTerminated ContainerStateWaiting ContainerStatus ContainerUser DaemonEndpoint DownwardAPIProjection
      DownwardAPIVolumeFile DownwardAPIVolumeSource EmptyDirVolumeSource EndpointAddress EndpointPort EndpointSubset Endpoints
      EndpointsList EnvFromSource EnvVar EnvVarSource EphemeralContainer EphemeralVolumeSource Event EventList EventSeries EventSource
      ExecAction FCVolumeSource FileKeySelector FlexPersistentVolumeSource FlexVolumeSource FlockerVolumeSource
      GCEPersistentDiskVolumeSource GRPCAction GitRepoVolumeSource GlusterfsPersistentVolumeSource GlusterfsVolumeSource HTTPGetAction
      HTTPHeader HostAlias HostIP HostPathVolumeSource ISCSIPersistentVolumeSource ISCSIVolumeSource ImageVolumeSource
      ImageVolumeStatus KeyToPath Lifecycle LifecycleHandler LimitRange LimitRangeItem LimitRangeList LimitRangeSpec
      LinuxContainerUser LoadBalancerIngress LoadBalancerStatus LocalObjectReference LocalVolumeSource ModifyVolumeStatus
      NFSVolumeSource Namespace NamespaceCondition NamespaceList NamespaceSpec NamespaceStatus Node NodeAddress NodeAffinity
      NodeAllocatableResourceClaimStatus NodeCondition NodeConfigSource NodeConfigStatus NodeDaemonEndpoints NodeFeatures NodeList
      NodeRuntimeHandler NodeRuntimeHandlerFeatures NodeSelector NodeSelectorRequirement NodeSelectorTerm NodeSpec NodeStatus
      NodeSwapStatus NodeSystemInfo ObjectFieldSelector ObjectReference PersistentVolume PersistentVolumeClaim
      PersistentVolumeClaimCondition PersistentVolumeClaimList PersistentVolumeClaimSpec PersistentVolumeClaimStatus
      PersistentVolumeClaimTemplate PersistentVolumeClaimVolumeSource PersistentVolumeList PersistentVolumeSpec PersistentVolumeStatus
      PhotonPersistentDiskVolumeSource Pod PodAffinity PodAffinityTerm PodAntiAffinity PodCertificateProjection PodCondition
      PodDNSConfig PodDNSConfigOption PodExtendedResourceClaimStatus PodIP PodList PodOS PodReadinessGate PodResourceClaim
      PodResourceClaimStatus PodSchedulingGate PodSchedulingGroup PodSecurityContext PodSpec PodStatus PodTemplate PodTemplateList
      PodTemplateSpec PortStatus PortworxVolumeSource PreferredSchedulingTerm Probe ProjectedVolumeSource QuobyteVolumeSource
      RBDPersistentVolumeSource RBDVolumeSource ReplicationController ReplicationControllerCondition ReplicationControllerList
      ReplicationControllerSpec ReplicationControllerStatus ResourceClaim ResourceFieldSelector ResourceHealth ResourceQuota
      ResourceQuotaList ResourceQuotaSpec ResourceQuotaStatus ResourceRequirements ResourceStatus SELinuxOptions
      ScaleIOPersistentVolumeSource ScaleIOVolumeSource ScopeSelector ScopedResourceSelectorRequirement SeccompProfile Secret
      SecretEnvSource SecretKeySelector SecretList SecretProjection SecretReference SecretVolumeSource SecurityContext Service
      ServiceAccount ServiceAccountList ServiceAccountTokenProjection ServiceList ServicePort ServiceSpec ServiceStatus
      SessionAffinityConfig SleepAction StorageOSPersistentVolumeSource StorageOSVolumeSource Sysctl TCPSocketAction Taint Toleration
      TopologySelectorLabelRequirement TopologySelectorTerm TopologySpreadConstraint TypedLocalObjectReference TypedObjectReference
      Volume VolumeDevice VolumeMount VolumeMountStatus VolumeNodeAffinity VolumeProjection VolumeResourceRequirements VolumeStatus
      VsphereVirtualDiskVolumeSource WeightedPodAffinityTerm WindowsSecurityContextOptions
    `,
  },
  {
    prefix: 'io.k8s.api.discovery.v1',
    group: 'discovery.k8s.io',
    names: `
      Endpoint EndpointConditions EndpointHints EndpointPort EndpointSlice EndpointSliceList ForNode ForZone
    `,
  },
  {
    prefix: 'io.k8s.api.events.v1',
    group: 'events.k8s.io',
    names: `
      Event EventList EventSeries
    `,
  },
  {
    prefix: 'io.k8s.api.flowcontrol.v1',
    group: 'flowcontrol.apiserver.k8s.io',
    names: `
      ExemptPriorityLevelConfiguration FlowDistinguisherMethod FlowSchema FlowSchemaCondition FlowSchemaList FlowSchemaSpec
      FlowSchemaStatus GroupSubject LimitResponse LimitedPriorityLevelConfiguration NonResourcePolicyRule PolicyRulesWithSubjects
      PriorityLevelConfiguration PriorityLevelConfigurationCondition PriorityLevelConfigurationList
      PriorityLevelConfigurationReference PriorityLevelConfigurationSpec PriorityLevelConfigurationStatus QueuingConfiguration
      ResourcePolicyRule ServiceAccountSubject Subject UserSubject
    `,
  },
  {
    prefix: 'io.k8s.api.networking.v1',
    group: 'networking.k8s.io',
    names: `
      HTTPIngressPath HTTPIngressRuleValue IPAddress IPAddressList IPAddressSpec IPBlock Ingress IngressBackend IngressClass
      IngressClassList IngressClassParametersReference IngressClassSpec IngressList IngressLoadBalancerIngress
      IngressLoadBalancerStatus IngressPortStatus IngressRule IngressServiceBackend IngressSpec IngressStatus IngressTLS NetworkPolicy
      NetworkPolicyEgressRule NetworkPolicyIngressRule NetworkPolicyList NetworkPolicyPeer NetworkPolicyPort NetworkPolicySpec
      ParentReference ServiceBackendPort ServiceCIDR ServiceCIDRList ServiceCIDRSpec ServiceCIDRStatus
    `,
  },
  {
    prefix: 'io.k8s.api.networking.v1beta1',
    group: 'networking.k8s.io',
    names: `
      IPAddress IPAddressList IPAddressSpec ParentReference ServiceCIDR ServiceCIDRList ServiceCIDRSpec ServiceCIDRStatus
    `,
  },
  {
    prefix: 'io.k8s.api.node.v1',
    group: 'node.k8s.io',
    names: `
      Overhead RuntimeClass RuntimeClassList Scheduling
    `,
  },
  {
    prefix: 'io.k8s.api.policy.v1',
    group: 'policy',
    names: `
      Eviction PodDisruptionBudget PodDisruptionBudgetList PodDisruptionBudgetSpec PodDisruptionBudgetStatus
    `,
  },
  {
    prefix: 'io.k8s.api.rbac.v1',
    group: 'rbac.authorization.k8s.io',
    names: `
      AggregationRule ClusterRole ClusterRoleBinding ClusterRoleBindingList ClusterRoleList PolicyRule Role RoleBinding
      RoleBindingList RoleList RoleRef Subject
    `,
  },
  {
    prefix: 'io.k8s.api.resource.v1',
    group: 'resource.k8s.io',
    names: `
      AllocatedDeviceStatus AllocationResult CELDeviceSelector CapacityRequestPolicy CapacityRequestPolicyRange CapacityRequirements
      Counter CounterSet Device DeviceAllocationConfiguration DeviceAllocationResult DeviceAttribute DeviceCapacity DeviceClaim
      DeviceClaimConfiguration DeviceClass DeviceClassConfiguration DeviceClassList DeviceClassSpec DeviceConstraint
      DeviceCounterConsumption DeviceRequest DeviceRequestAllocationResult DeviceSelector DeviceSubRequest DeviceTaint
      DeviceToleration ExactDeviceRequest NetworkDeviceData NodeAllocatableResourceMapping OpaqueDeviceConfiguration ResourceClaim
      ResourceClaimConsumerReference ResourceClaimList ResourceClaimSpec ResourceClaimStatus ResourceClaimTemplate
      ResourceClaimTemplateList ResourceClaimTemplateSpec ResourcePool ResourceSlice ResourceSliceList ResourceSliceSpec
    `,
  },
  {
    prefix: 'io.k8s.api.resource.v1alpha3',
    group: 'resource.k8s.io',
    names: `
      DeviceTaint DeviceTaintRule DeviceTaintRuleList DeviceTaintRuleSpec DeviceTaintRuleStatus DeviceTaintSelector PoolStatus
      ResourcePoolStatusRequest ResourcePoolStatusRequestList ResourcePoolStatusRequestSpec ResourcePoolStatusRequestStatus
    `,
  },
  {
    prefix: 'io.k8s.api.resource.v1beta1',
    group: 'resource.k8s.io',
    names: `
      AllocatedDeviceStatus AllocationResult BasicDevice CELDeviceSelector CapacityRequestPolicy CapacityRequestPolicyRange
      CapacityRequirements Counter CounterSet Device DeviceAllocationConfiguration DeviceAllocationResult DeviceAttribute
      DeviceCapacity DeviceClaim DeviceClaimConfiguration DeviceClass DeviceClassConfiguration DeviceClassList DeviceClassSpec
      DeviceConstraint DeviceCounterConsumption DeviceRequest DeviceRequestAllocationResult DeviceSelector DeviceSubRequest
      DeviceTaint DeviceToleration NetworkDeviceData NodeAllocatableResourceMapping OpaqueDeviceConfiguration ResourceClaim
      ResourceClaimConsumerReference ResourceClaimList ResourceClaimSpec ResourceClaimStatus ResourceClaimTemplate
      ResourceClaimTemplateList ResourceClaimTemplateSpec ResourcePool ResourceSlice ResourceSliceList ResourceSliceSpec
    `,
  },
  {
    prefix: 'io.k8s.api.resource.v1beta2',
    group: 'resource.k8s.io',
    names: `
      AllocatedDeviceStatus AllocationResult CELDeviceSelector CapacityRequestPolicy CapacityRequestPolicyRange CapacityRequirements
      Counter CounterSet Device DeviceAllocationConfiguration DeviceAllocationResult DeviceAttribute DeviceCapacity DeviceClaim
      DeviceClaimConfiguration DeviceClass DeviceClassConfiguration DeviceClassList DeviceClassSpec DeviceConstraint
      DeviceCounterConsumption DeviceRequest DeviceRequestAllocationResult DeviceSelector DeviceSubRequest DeviceTaint DeviceTaintRule
      DeviceTaintRuleList DeviceTaintRuleSpec DeviceTaintRuleStatus DeviceTaintSelector DeviceToleration ExactDeviceRequest
      NetworkDeviceData NodeAllocatableResourceMapping OpaqueDeviceConfiguration ResourceClaim ResourceClaimConsumerReference
      ResourceClaimList ResourceClaimSpec ResourceClaimStatus ResourceClaimTemplate ResourceClaimTemplateList
      ResourceClaimTemplateSpec ResourcePool ResourceSlice ResourceSliceList ResourceSliceSpec
    `,
  },
  {
    prefix: 'io.k8s.api.scheduling.v1',
    group: 'scheduling.k8s.io',
    names: `
      PriorityClass PriorityClassList
    `,
  },
  {
    prefix: 'io.k8s.api.scheduling.v1alpha2',
    group: 'scheduling.k8s.io',
    names: `
      BasicSchedulingPolicy GangSchedulingPolicy PodGroup PodGroupList PodGroupResourceClaim PodGroupResourceClaimStatus
      PodGroupSchedulingConstraints PodGroupSchedulingPolicy PodGroupSpec PodGroupStatus PodGroupTemplate PodGroupTemplateReference
      TopologyConstraint TypedLocalObjectReference Workload WorkloadList WorkloadPodGroupTemplateReference WorkloadSpec
    `,
  },
  {
    prefix: 'io.k8s.api.storage.v1',
    group: 'storage.k8s.io',
    names: `
      CSIDriver CSIDriverList CSIDriverSpec CSINode CSINodeDriver CSINodeList CSINodeSpec CSIStorageCapacity CSIStorageCapacityList
      StorageClass StorageClassList TokenRequest VolumeAttachment VolumeAttachmentList VolumeAttachmentSource VolumeAttachmentSpec
      VolumeAttachmentStatus VolumeAttributesClass VolumeAttributesClassList VolumeError VolumeNodeResources
    `,
  },
  {
    prefix: 'io.k8s.api.storage.v1beta1',
    group: 'storage.k8s.io',
    names: `
      VolumeAttributesClass VolumeAttributesClassList
    `,
  },
  {
    prefix: 'io.k8s.api.storagemigration.v1beta1',
    group: 'storagemigration.k8s.io',
    names: `
      StorageVersionMigration StorageVersionMigrationList StorageVersionMigrationSpec StorageVersionMigrationStatus
    `,
  },
  {
    prefix: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
    group: 'apiextensions.k8s.io',
    names: `
      CustomResourceColumnDefinition CustomResourceConversion CustomResourceDefinition CustomResourceDefinitionCondition
      CustomResourceDefinitionList CustomResourceDefinitionNames CustomResourceDefinitionSpec CustomResourceDefinitionStatus
      CustomResourceDefinitionVersion CustomResourceSubresourceScale CustomResourceSubresourceStatus CustomResourceSubresources
      CustomResourceValidation ExternalDocumentation JSON JSONSchemaProps JSONSchemaPropsOrArray JSONSchemaPropsOrBool
      JSONSchemaPropsOrStringArray SelectableField ServiceReference ValidationRule WebhookClientConfig WebhookConversion
    `,
  },
  {
    prefix: 'io.k8s.apimachinery.pkg.api.resource',
    group: '',
    names: `
      Quantity
    `,
  },
  {
    prefix: 'io.k8s.apimachinery.pkg.apis.meta.v1',
    group: '',
    names: `
      APIGroup APIGroupList APIResource APIResourceList APIVersions Condition DeleteOptions FieldSelectorRequirement FieldsV1
      GroupResource GroupVersionForDiscovery LabelSelector LabelSelectorRequirement ListMeta ManagedFieldsEntry MicroTime ObjectMeta
      OwnerReference Patch Preconditions ServerAddressByClientCIDR ShardInfo Status StatusCause StatusDetails Time WatchEvent
    `,
  },
  {
    prefix: 'io.k8s.apimachinery.pkg.runtime',
    group: '',
    names: `
      RawExtension
    `,
  },
  {
    prefix: 'io.k8s.apimachinery.pkg.util.intstr',
    group: '',
    names: `
      IntOrString
    `,
  },
  {
    prefix: 'io.k8s.apimachinery.pkg.version',
    group: '',
    names: `
      Info
    `,
  },
  {
    prefix: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
    group: 'apiregistration.k8s.io',
    names: `
      APIService APIServiceCondition APIServiceList APIServiceSpec APIServiceStatus ServiceReference
    `,
  },
];

/** Definitions without properties: their OpenAPI type, `object` when only that is said, '' when anything goes. */
export const schemaless: Readonly<Record<string, string>> = {
  'io.k8s.api.apiserverinternal.v1alpha1.StorageVersionSpec': 'object',
  'io.k8s.api.scheduling.v1alpha2.BasicSchedulingPolicy': 'object',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus': 'object',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': '',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': '',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': '',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': '',
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'string',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': 'object',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'string:date-time',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': 'object',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'string:date-time',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'object',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'string:int-or-string',
};

/** Objects that one applier owns whole (x-kubernetes-map-type: atomic). */
export const atomicObjects = `
  admissionregistration.v1.MatchResources admissionregistration.v1.NamedRuleWithOperations admissionregistration.v1.ParamKind
  admissionregistration.v1.ParamRef admissionregistration.v1.Variable admissionregistration.v1alpha1.MatchResources
  admissionregistration.v1alpha1.NamedRuleWithOperations admissionregistration.v1alpha1.ParamKind admissionregistration.v1alpha1.ParamRef
  admissionregistration.v1beta1.MatchResources admissionregistration.v1beta1.NamedRuleWithOperations
  admissionregistration.v1beta1.ParamKind admissionregistration.v1beta1.ParamRef admissionregistration.v1beta1.Variable
  autoscaling.v1.CrossVersionObjectReference core.v1.ConfigMapKeySelector core.v1.EndpointAddress core.v1.EndpointPort
  core.v1.FileKeySelector core.v1.LocalObjectReference core.v1.NodeSelector core.v1.NodeSelectorTerm core.v1.ObjectFieldSelector
  core.v1.ObjectReference core.v1.ResourceFieldSelector core.v1.ScopeSelector core.v1.SecretKeySelector core.v1.SecretReference
  core.v1.TopologySelectorTerm core.v1.TypedLocalObjectReference discovery.v1.EndpointPort networking.v1.ServiceBackendPort
  rbac.v1.RoleRef rbac.v1.Subject meta.v1.LabelSelector meta.v1.OwnerReference
`;

/** x-kubernetes-unions: the discriminator (`-`: none), then field=value pairs. */
export const unions: Readonly<Record<string, string>> = {
  'core.v1.AppArmorProfile': 'type localhostProfile=LocalhostProfile',
  'core.v1.PodSchedulingGroup': '- podGroupName=PodGroupName',
  'core.v1.SeccompProfile': 'type localhostProfile=LocalhostProfile',
  'flowcontrol.v1.LimitResponse': 'type queuing=Queuing',
  'flowcontrol.v1.PriorityLevelConfigurationSpec': 'type exempt=Exempt limited=Limited',
  'flowcontrol.v1.Subject': 'kind group=Group serviceAccount=ServiceAccount user=User',
  'scheduling.v1alpha2.PodGroupSchedulingPolicy': '- basic=Basic gang=Gang',
  'scheduling.v1alpha2.PodGroupTemplateReference': '- workload=Workload',
};

/** The group/versions for which DeleteOptions and WatchEvent are registered, served here or not. */
export const optionGroupVersions = `
  v1 admission.k8s.io/v1 admission.k8s.io/v1beta1 admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1alpha1
  admissionregistration.k8s.io/v1beta1 apiextensions.k8s.io/v1 apiextensions.k8s.io/v1beta1 apiregistration.k8s.io/v1
  apiregistration.k8s.io/v1beta1 apps/v1 apps/v1beta1 apps/v1beta2 authentication.k8s.io/v1 authentication.k8s.io/v1alpha1
  authentication.k8s.io/v1beta1 authorization.k8s.io/v1 authorization.k8s.io/v1beta1 autoscaling/v1 autoscaling/v2 batch/v1 batch/v1beta1
  certificates.k8s.io/v1 certificates.k8s.io/v1alpha1 certificates.k8s.io/v1beta1 coordination.k8s.io/v1 coordination.k8s.io/v1alpha2
  coordination.k8s.io/v1beta1 discovery.k8s.io/v1 discovery.k8s.io/v1beta1 events.k8s.io/v1 events.k8s.io/v1beta1 extensions/v1beta1
  flowcontrol.apiserver.k8s.io/v1 flowcontrol.apiserver.k8s.io/v1beta1 flowcontrol.apiserver.k8s.io/v1beta2
  flowcontrol.apiserver.k8s.io/v1beta3 imagepolicy.k8s.io/v1alpha1 internal.apiserver.k8s.io/v1alpha1 networking.k8s.io/v1
  networking.k8s.io/v1beta1 node.k8s.io/v1 node.k8s.io/v1alpha1 node.k8s.io/v1beta1 policy/v1 policy/v1beta1 rbac.authorization.k8s.io/v1
  rbac.authorization.k8s.io/v1alpha1 rbac.authorization.k8s.io/v1beta1 resource.k8s.io/v1 resource.k8s.io/v1alpha3 resource.k8s.io/v1beta1
  resource.k8s.io/v1beta2 scheduling.k8s.io/v1 scheduling.k8s.io/v1alpha2 scheduling.k8s.io/v1beta1 storage.k8s.io/v1
  storage.k8s.io/v1alpha1 storage.k8s.io/v1beta1 storagemigration.k8s.io/v1beta1
`;

/**
 * What fields have beside their type. A list is atomic unless it says `set`, `map=keys` or `untyped`; `items` of a
 * List kind is untyped of itself. `merge`, `replace`, `retainKeys` are patch strategies, with the merge key after `=`. `type=` names the
 * definition of a field that the declarations show as a string or as anything.
 */
export const fieldFacts = `
admissionregistration.v1.MutatingAdmissionPolicySpec.matchConditions map=name merge=name
admissionregistration.v1.MutatingWebhook.matchConditions map=name merge=name
admissionregistration.v1.MutatingWebhookConfiguration.webhooks map=name merge=name
admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.validationActions set
admissionregistration.v1.ValidatingAdmissionPolicySpec.matchConditions map=name merge=name
admissionregistration.v1.ValidatingAdmissionPolicySpec.variables map=name merge=name
admissionregistration.v1.ValidatingAdmissionPolicyStatus.conditions map=type
admissionregistration.v1.ValidatingWebhook.matchConditions map=name merge=name
admissionregistration.v1.ValidatingWebhookConfiguration.webhooks map=name merge=name
admissionregistration.v1alpha1.MutatingAdmissionPolicySpec.matchConditions map=name merge=name
admissionregistration.v1beta1.MutatingAdmissionPolicySpec.matchConditions map=name merge=name
apiserverinternal.v1alpha1.ServerStorageVersion.decodableVersions set
apiserverinternal.v1alpha1.ServerStorageVersion.servedVersions set
apiserverinternal.v1alpha1.StorageVersion.spec type=StorageVersionSpec
apiserverinternal.v1alpha1.StorageVersionStatus.conditions map=type
apiserverinternal.v1alpha1.StorageVersionStatus.storageVersions map=apiServerID
apps.v1.ControllerRevision.data type=RawExtension
apps.v1.DaemonSetStatus.conditions map=type merge=type
apps.v1.DeploymentSpec.strategy retainKeys
apps.v1.DeploymentStatus.conditions map=type merge=type
apps.v1.ReplicaSetStatus.conditions map=type merge=type
apps.v1.StatefulSetStatus.conditions map=type merge=type
autoscaling.v1.ScaleSpec.replicas default=0
autoscaling.v2.HPAScalingRules.tolerance type=Quantity
autoscaling.v2.HorizontalPodAutoscalerStatus.conditions map=type merge=type
autoscaling.v2.MetricTarget.averageValue type=Quantity
autoscaling.v2.MetricTarget.value type=Quantity
autoscaling.v2.MetricValueStatus.averageValue type=Quantity
autoscaling.v2.MetricValueStatus.value type=Quantity
batch.v1.JobStatus.conditions merge=type
batch.v1.PodFailurePolicyOnExitCodesRequirement.values set
batch.v1.UncountedTerminatedPods.failed set
batch.v1.UncountedTerminatedPods.succeeded set
certificates.v1.CertificateSigningRequestStatus.conditions map=type
certificates.v1beta1.PodCertificateRequestSpec.maxExpirationSeconds default=86400
certificates.v1beta1.PodCertificateRequestStatus.conditions map=type merge=type
core.v1.AzureDiskVolumeSource.cachingMode default="ReadWrite"
core.v1.AzureDiskVolumeSource.fsType default="ext4"
core.v1.AzureDiskVolumeSource.kind default="Shared"
core.v1.AzureDiskVolumeSource.readOnly default=false
core.v1.ComponentStatus.conditions map=type merge=type
core.v1.Container.env map=name merge=name
core.v1.Container.ports map=containerPort,protocol merge=containerPort
core.v1.Container.volumeDevices map=devicePath merge=devicePath
core.v1.Container.volumeMounts map=mountPath merge=mountPath
core.v1.ContainerPort.protocol default="TCP"
core.v1.ContainerRestartRuleOnExitCodes.values set
core.v1.ContainerStatus.allocatedResources type=Quantity
core.v1.ContainerStatus.allocatedResourcesStatus map=name merge=name
core.v1.ContainerStatus.volumeMounts map=mountPath merge=mountPath
core.v1.EmptyDirVolumeSource.sizeLimit type=Quantity
core.v1.EphemeralContainer.env map=name merge=name
core.v1.EphemeralContainer.ports map=containerPort,protocol merge=containerPort
core.v1.EphemeralContainer.volumeDevices map=devicePath merge=devicePath
core.v1.EphemeralContainer.volumeMounts map=mountPath merge=mountPath
core.v1.FileKeySelector.optional default=false
core.v1.GRPCAction.service default=""
core.v1.ISCSIPersistentVolumeSource.iscsiInterface default="default"
core.v1.ISCSIVolumeSource.iscsiInterface default="default"
core.v1.LimitRangeItem.default type=Quantity
core.v1.LimitRangeItem.defaultRequest type=Quantity
core.v1.LimitRangeItem.max type=Quantity
core.v1.LimitRangeItem.maxLimitRequestRatio type=Quantity
core.v1.LimitRangeItem.min type=Quantity
core.v1.LocalObjectReference.name default=""
core.v1.NamespaceStatus.conditions map=type merge=type
core.v1.NodeAllocatableResourceClaimStatus.containers set
core.v1.NodeAllocatableResourceClaimStatus.resources type=Quantity
core.v1.NodeSpec.podCIDRs set merge
core.v1.NodeStatus.addresses map=type merge=type
core.v1.NodeStatus.allocatable type=Quantity
core.v1.NodeStatus.capacity type=Quantity
core.v1.NodeStatus.conditions map=type merge=type
core.v1.PersistentVolumeClaimStatus.allocatedResourceStatuses granular
core.v1.PersistentVolumeClaimStatus.allocatedResources type=Quantity
core.v1.PersistentVolumeClaimStatus.capacity type=Quantity
core.v1.PersistentVolumeClaimStatus.conditions map=type merge=type
core.v1.PersistentVolumeSpec.capacity type=Quantity
core.v1.PersistentVolumeSpec.claimRef granular
core.v1.PodSpec.containers map=name merge=name
core.v1.PodSpec.ephemeralContainers map=name merge=name
core.v1.PodSpec.hostAliases map=ip merge=ip
core.v1.PodSpec.imagePullSecrets map=name merge=name
core.v1.PodSpec.initContainers map=name merge=name
core.v1.PodSpec.nodeSelector atomic
core.v1.PodSpec.overhead type=Quantity
core.v1.PodSpec.resourceClaims map=name merge,retainKeys=name
core.v1.PodSpec.schedulingGates map=name merge=name
core.v1.PodSpec.topologySpreadConstraints map=topologyKey,whenUnsatisfiable merge=topologyKey
core.v1.PodSpec.volumes map=name merge,retainKeys=name
core.v1.PodStatus.allocatedResources type=Quantity
core.v1.PodStatus.conditions map=type merge=type
core.v1.PodStatus.hostIPs merge=ip
core.v1.PodStatus.podIPs map=ip merge=ip
core.v1.PodStatus.resourceClaimStatuses map=name merge,retainKeys=name
core.v1.RBDPersistentVolumeSource.keyring default="/etc/ceph/keyring"
core.v1.RBDPersistentVolumeSource.pool default="rbd"
core.v1.RBDPersistentVolumeSource.user default="admin"
core.v1.RBDVolumeSource.keyring default="/etc/ceph/keyring"
core.v1.RBDVolumeSource.pool default="rbd"
core.v1.RBDVolumeSource.user default="admin"
core.v1.ReplicationControllerSpec.minReadySeconds default=0
core.v1.ReplicationControllerSpec.replicas default=1
core.v1.ReplicationControllerSpec.selector atomic
core.v1.ReplicationControllerStatus.conditions map=type merge=type
core.v1.ResourceFieldSelector.divisor type=Quantity
core.v1.ResourceQuotaSpec.hard type=Quantity
core.v1.ResourceQuotaStatus.hard type=Quantity
core.v1.ResourceQuotaStatus.used type=Quantity
core.v1.ResourceRequirements.claims map=name
core.v1.ResourceRequirements.limits type=Quantity
core.v1.ResourceRequirements.requests type=Quantity
core.v1.ResourceStatus.resources map=resourceID
core.v1.ScaleIOPersistentVolumeSource.fsType default="xfs"
core.v1.ScaleIOPersistentVolumeSource.storageMode default="ThinProvisioned"
core.v1.ScaleIOVolumeSource.fsType default="xfs"
core.v1.ScaleIOVolumeSource.storageMode default="ThinProvisioned"
core.v1.ServiceAccount.secrets map=name merge=name
core.v1.ServicePort.protocol default="TCP"
core.v1.ServiceSpec.ports map=port,protocol merge=port
core.v1.ServiceSpec.selector atomic
core.v1.ServiceStatus.conditions map=type merge=type
core.v1.VolumeResourceRequirements.limits type=Quantity
core.v1.VolumeResourceRequirements.requests type=Quantity
discovery.v1.Endpoint.addresses set
flowcontrol.v1.FlowSchemaStatus.conditions map=type merge=type
flowcontrol.v1.NonResourcePolicyRule.nonResourceURLs set
flowcontrol.v1.NonResourcePolicyRule.verbs set
flowcontrol.v1.PriorityLevelConfigurationStatus.conditions map=type merge=type
flowcontrol.v1.ResourcePolicyRule.apiGroups set
flowcontrol.v1.ResourcePolicyRule.namespaces set
flowcontrol.v1.ResourcePolicyRule.resources set
flowcontrol.v1.ResourcePolicyRule.verbs set
networking.v1.ServiceCIDRStatus.conditions map=type merge=type
networking.v1beta1.ServiceCIDRStatus.conditions map=type merge=type
node.v1.Overhead.podFixed type=Quantity
node.v1.Scheduling.nodeSelector atomic
policy.v1.PodDisruptionBudgetSpec.selector replace
policy.v1.PodDisruptionBudgetStatus.conditions map=type merge=type
resource.v1.AllocatedDeviceStatus.conditions map=type
resource.v1.AllocatedDeviceStatus.data type=RawExtension
resource.v1.CapacityRequestPolicy.default type=Quantity
resource.v1.CapacityRequestPolicy.validValues type=Quantity
resource.v1.CapacityRequestPolicyRange.max type=Quantity
resource.v1.CapacityRequestPolicyRange.min type=Quantity
resource.v1.CapacityRequestPolicyRange.step type=Quantity
resource.v1.CapacityRequirements.requests type=Quantity
resource.v1.Counter.value type=Quantity
resource.v1.DeviceCapacity.value type=Quantity
resource.v1.DeviceRequestAllocationResult.consumedCapacity type=Quantity
resource.v1.DeviceToleration.operator default="Equal"
resource.v1.NodeAllocatableResourceMapping.allocationMultiplier type=Quantity
resource.v1.OpaqueDeviceConfiguration.parameters type=RawExtension
resource.v1.ResourceClaimStatus.devices map=driver,device,pool,shareID
resource.v1.ResourceClaimStatus.reservedFor map=uid merge=uid
resource.v1alpha3.DeviceTaintRuleStatus.conditions map=type merge=type
resource.v1alpha3.ResourcePoolStatusRequestSpec.limit default=100
resource.v1alpha3.ResourcePoolStatusRequestStatus.conditions map=type merge=type
resource.v1beta1.AllocatedDeviceStatus.conditions map=type
resource.v1beta1.AllocatedDeviceStatus.data type=RawExtension
resource.v1beta1.CapacityRequestPolicy.default type=Quantity
resource.v1beta1.CapacityRequestPolicy.validValues type=Quantity
resource.v1beta1.CapacityRequestPolicyRange.max type=Quantity
resource.v1beta1.CapacityRequestPolicyRange.min type=Quantity
resource.v1beta1.CapacityRequestPolicyRange.step type=Quantity
resource.v1beta1.CapacityRequirements.requests type=Quantity
resource.v1beta1.Counter.value type=Quantity
resource.v1beta1.DeviceCapacity.value type=Quantity
resource.v1beta1.DeviceRequestAllocationResult.consumedCapacity type=Quantity
resource.v1beta1.DeviceToleration.operator default="Equal"
resource.v1beta1.NodeAllocatableResourceMapping.allocationMultiplier type=Quantity
resource.v1beta1.OpaqueDeviceConfiguration.parameters type=RawExtension
resource.v1beta1.ResourceClaimStatus.devices map=driver,device,pool,shareID
resource.v1beta1.ResourceClaimStatus.reservedFor map=uid merge=uid
resource.v1beta2.AllocatedDeviceStatus.conditions map=type
resource.v1beta2.AllocatedDeviceStatus.data type=RawExtension
resource.v1beta2.CapacityRequestPolicy.default type=Quantity
resource.v1beta2.CapacityRequestPolicy.validValues type=Quantity
resource.v1beta2.CapacityRequestPolicyRange.max type=Quantity
resource.v1beta2.CapacityRequestPolicyRange.min type=Quantity
resource.v1beta2.CapacityRequestPolicyRange.step type=Quantity
resource.v1beta2.CapacityRequirements.requests type=Quantity
resource.v1beta2.Counter.value type=Quantity
resource.v1beta2.DeviceCapacity.value type=Quantity
resource.v1beta2.DeviceRequestAllocationResult.consumedCapacity type=Quantity
resource.v1beta2.DeviceTaintRuleStatus.conditions map=type merge=type
resource.v1beta2.DeviceToleration.operator default="Equal"
resource.v1beta2.NodeAllocatableResourceMapping.allocationMultiplier type=Quantity
resource.v1beta2.OpaqueDeviceConfiguration.parameters type=RawExtension
resource.v1beta2.ResourceClaimStatus.devices map=driver,device,pool,shareID
resource.v1beta2.ResourceClaimStatus.reservedFor map=uid merge=uid
scheduling.v1alpha2.PodGroupSchedulingPolicy.basic type=BasicSchedulingPolicy
scheduling.v1alpha2.PodGroupSpec.resourceClaims map=name merge,retainKeys=name
scheduling.v1alpha2.PodGroupStatus.conditions map=type merge=type
scheduling.v1alpha2.PodGroupStatus.resourceClaimStatuses map=name merge,retainKeys=name
scheduling.v1alpha2.PodGroupTemplate.resourceClaims map=name merge,retainKeys=name
scheduling.v1alpha2.WorkloadSpec.podGroupTemplates map=name
storage.v1.CSIDriverSpec.volumeLifecycleModes set
storage.v1.CSINodeSpec.drivers map=name merge=name
storage.v1.CSIStorageCapacity.capacity type=Quantity
storage.v1.CSIStorageCapacity.maximumVolumeSize type=Quantity
storagemigration.v1beta1.StorageVersionMigrationStatus.conditions map=type merge=type
apiextensions.v1.CustomResourceDefinitionStatus.conditions map=type
apiextensions.v1.CustomResourceSubresources.status type=CustomResourceSubresourceStatus
apiextensions.v1.JSONSchemaProps.additionalItems type=JSONSchemaPropsOrBool
apiextensions.v1.JSONSchemaProps.additionalProperties type=JSONSchemaPropsOrBool
apiextensions.v1.JSONSchemaProps.default type=JSON
apiextensions.v1.JSONSchemaProps.dependencies type=JSONSchemaPropsOrStringArray
apiextensions.v1.JSONSchemaProps.enum type=JSON
apiextensions.v1.JSONSchemaProps.example type=JSON
apiextensions.v1.JSONSchemaProps.items type=JSONSchemaPropsOrArray
apiextensions.v1.JSONSchemaProps.x-kubernetes-validations map=rule merge=rule
meta.v1.APIResource.verbs untyped
meta.v1.ManagedFieldsEntry.fieldsV1 type=FieldsV1
meta.v1.ObjectMeta.finalizers set merge
meta.v1.ObjectMeta.ownerReferences map=uid merge=uid
meta.v1.WatchEvent.object type=RawExtension
apiregistration.v1.APIServiceSpec.caBundle listType=atomic
apiregistration.v1.APIServiceStatus.conditions map=type merge=type
`;

/**
 * Fields whose object is there even when nothing is said (Go structs held by value), besides every `metadata`: appliers
 * cannot add them, only what they hold.
 */
export const valueObjects = `
  admissionregistration.v1.MutatingAdmissionPolicy.spec admissionregistration.v1.MutatingAdmissionPolicyBinding.spec
  admissionregistration.v1.MutatingWebhook.clientConfig admissionregistration.v1.ValidatingAdmissionPolicy.spec
  admissionregistration.v1.ValidatingAdmissionPolicy.status admissionregistration.v1.ValidatingAdmissionPolicyBinding.spec
  admissionregistration.v1.ValidatingWebhook.clientConfig admissionregistration.v1alpha1.MutatingAdmissionPolicy.spec
  admissionregistration.v1alpha1.MutatingAdmissionPolicyBinding.spec admissionregistration.v1beta1.MutatingAdmissionPolicy.spec
  admissionregistration.v1beta1.MutatingAdmissionPolicyBinding.spec apiserverinternal.v1alpha1.StorageVersion.status
  apps.v1.DaemonSet.spec apps.v1.DaemonSet.status apps.v1.DaemonSetSpec.template apps.v1.DaemonSetSpec.updateStrategy
  apps.v1.Deployment.spec apps.v1.Deployment.status apps.v1.DeploymentSpec.strategy apps.v1.DeploymentSpec.template
  apps.v1.ReplicaSet.spec apps.v1.ReplicaSet.status apps.v1.ReplicaSetSpec.template apps.v1.StatefulSet.spec apps.v1.StatefulSet.status
  apps.v1.StatefulSetSpec.template apps.v1.StatefulSetSpec.updateStrategy authentication.v1.SelfSubjectReview.status
  authentication.v1.SelfSubjectReviewStatus.userInfo authentication.v1.TokenRequest.spec authentication.v1.TokenRequest.status
  authentication.v1.TokenReview.spec authentication.v1.TokenReview.status authentication.v1.TokenReviewStatus.user
  authorization.v1.LocalSubjectAccessReview.spec authorization.v1.LocalSubjectAccessReview.status
  authorization.v1.SelfSubjectAccessReview.spec authorization.v1.SelfSubjectAccessReview.status
  authorization.v1.SelfSubjectRulesReview.spec authorization.v1.SelfSubjectRulesReview.status authorization.v1.SubjectAccessReview.spec
  authorization.v1.SubjectAccessReview.status autoscaling.v1.HorizontalPodAutoscaler.spec autoscaling.v1.HorizontalPodAutoscaler.status
  autoscaling.v1.HorizontalPodAutoscalerSpec.scaleTargetRef autoscaling.v1.Scale.spec autoscaling.v1.Scale.status
  autoscaling.v2.ContainerResourceMetricSource.target autoscaling.v2.ContainerResourceMetricStatus.current
  autoscaling.v2.ExternalMetricSource.metric autoscaling.v2.ExternalMetricSource.target autoscaling.v2.ExternalMetricStatus.current
  autoscaling.v2.ExternalMetricStatus.metric autoscaling.v2.HorizontalPodAutoscaler.spec autoscaling.v2.HorizontalPodAutoscaler.status
  autoscaling.v2.HorizontalPodAutoscalerSpec.scaleTargetRef autoscaling.v2.ObjectMetricSource.describedObject
  autoscaling.v2.ObjectMetricSource.metric autoscaling.v2.ObjectMetricSource.target autoscaling.v2.ObjectMetricStatus.current
  autoscaling.v2.ObjectMetricStatus.describedObject autoscaling.v2.ObjectMetricStatus.metric autoscaling.v2.PodsMetricSource.metric
  autoscaling.v2.PodsMetricSource.target autoscaling.v2.PodsMetricStatus.current autoscaling.v2.PodsMetricStatus.metric
  autoscaling.v2.ResourceMetricSource.target autoscaling.v2.ResourceMetricStatus.current batch.v1.CronJob.spec batch.v1.CronJob.status
  batch.v1.CronJobSpec.jobTemplate batch.v1.Job.spec batch.v1.Job.status batch.v1.JobSpec.template batch.v1.JobTemplateSpec.spec
  certificates.v1.CertificateSigningRequest.spec certificates.v1.CertificateSigningRequest.status
  certificates.v1alpha1.ClusterTrustBundle.spec certificates.v1beta1.ClusterTrustBundle.spec
  certificates.v1beta1.PodCertificateRequest.spec certificates.v1beta1.PodCertificateRequest.status coordination.v1.Lease.spec
  coordination.v1alpha2.LeaseCandidate.spec coordination.v1beta1.LeaseCandidate.spec core.v1.Binding.target core.v1.Container.resources
  core.v1.ContainerStatus.lastState core.v1.ContainerStatus.state core.v1.EphemeralContainer.resources core.v1.Event.involvedObject
  core.v1.Event.source core.v1.LimitRange.spec core.v1.Namespace.spec core.v1.Namespace.status core.v1.Node.spec core.v1.Node.status
  core.v1.NodeDaemonEndpoints.kubeletEndpoint core.v1.NodeStatus.daemonEndpoints core.v1.NodeStatus.nodeInfo core.v1.PersistentVolume.spec
  core.v1.PersistentVolume.status core.v1.PersistentVolumeClaim.spec core.v1.PersistentVolumeClaim.status
  core.v1.PersistentVolumeClaimSpec.resources core.v1.PersistentVolumeClaimTemplate.spec core.v1.Pod.spec core.v1.Pod.status
  core.v1.PodTemplate.template core.v1.PodTemplateSpec.spec core.v1.PreferredSchedulingTerm.preference core.v1.ReplicationController.spec
  core.v1.ReplicationController.status core.v1.ResourceQuota.spec core.v1.ResourceQuota.status core.v1.Service.spec core.v1.Service.status
  core.v1.ServiceStatus.loadBalancer core.v1.WeightedPodAffinityTerm.podAffinityTerm discovery.v1.Endpoint.conditions
  events.v1.Event.deprecatedSource events.v1.Event.regarding flowcontrol.v1.FlowSchema.spec flowcontrol.v1.FlowSchema.status
  flowcontrol.v1.FlowSchemaSpec.priorityLevelConfiguration flowcontrol.v1.LimitedPriorityLevelConfiguration.limitResponse
  flowcontrol.v1.PriorityLevelConfiguration.spec flowcontrol.v1.PriorityLevelConfiguration.status networking.v1.HTTPIngressPath.backend
  networking.v1.IPAddress.spec networking.v1.Ingress.spec networking.v1.Ingress.status networking.v1.IngressClass.spec
  networking.v1.IngressServiceBackend.port networking.v1.IngressStatus.loadBalancer networking.v1.NetworkPolicy.spec
  networking.v1.NetworkPolicySpec.podSelector networking.v1.ServiceCIDR.spec networking.v1.ServiceCIDR.status
  networking.v1beta1.IPAddress.spec networking.v1beta1.ServiceCIDR.spec networking.v1beta1.ServiceCIDR.status
  policy.v1.PodDisruptionBudget.spec policy.v1.PodDisruptionBudget.status rbac.v1.ClusterRoleBinding.roleRef rbac.v1.RoleBinding.roleRef
  resource.v1.AllocationResult.devices resource.v1.DeviceClass.spec resource.v1.ResourceClaim.spec resource.v1.ResourceClaim.status
  resource.v1.ResourceClaimSpec.devices resource.v1.ResourceClaimTemplate.spec resource.v1.ResourceClaimTemplateSpec.spec
  resource.v1.ResourceSlice.spec resource.v1.ResourceSliceSpec.pool resource.v1alpha3.DeviceTaintRule.spec
  resource.v1alpha3.DeviceTaintRule.status resource.v1alpha3.DeviceTaintRuleSpec.taint resource.v1alpha3.ResourcePoolStatusRequest.spec
  resource.v1beta1.AllocationResult.devices resource.v1beta1.DeviceClass.spec resource.v1beta1.ResourceClaim.spec
  resource.v1beta1.ResourceClaim.status resource.v1beta1.ResourceClaimSpec.devices resource.v1beta1.ResourceClaimTemplate.spec
  resource.v1beta1.ResourceClaimTemplateSpec.spec resource.v1beta1.ResourceSlice.spec resource.v1beta1.ResourceSliceSpec.pool
  resource.v1beta2.AllocationResult.devices resource.v1beta2.DeviceClass.spec resource.v1beta2.DeviceTaintRule.spec
  resource.v1beta2.DeviceTaintRule.status resource.v1beta2.DeviceTaintRuleSpec.taint resource.v1beta2.ResourceClaim.spec
  resource.v1beta2.ResourceClaim.status resource.v1beta2.ResourceClaimSpec.devices resource.v1beta2.ResourceClaimTemplate.spec
  resource.v1beta2.ResourceClaimTemplateSpec.spec resource.v1beta2.ResourceSlice.spec resource.v1beta2.ResourceSliceSpec.pool
  scheduling.v1alpha2.PodGroup.spec scheduling.v1alpha2.PodGroup.status scheduling.v1alpha2.Workload.spec storage.v1.CSIDriver.spec
  storage.v1.CSINode.spec storage.v1.VolumeAttachment.spec storage.v1.VolumeAttachment.status storage.v1.VolumeAttachmentSpec.source
  storagemigration.v1beta1.StorageVersionMigration.spec storagemigration.v1beta1.StorageVersionMigration.status
  storagemigration.v1beta1.StorageVersionMigrationSpec.resource apiextensions.v1.CustomResourceDefinition.spec
  apiextensions.v1.CustomResourceDefinition.status apiextensions.v1.CustomResourceDefinitionSpec.names
  apiextensions.v1.CustomResourceDefinitionStatus.acceptedNames meta.v1.APIGroup.preferredVersion apiregistration.v1.APIService.spec
  apiregistration.v1.APIService.status
`;
