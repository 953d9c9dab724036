// CRI runtime.v1 messages as TypeScript sees them: camelCase fields, enums by name, 64-bit integers as numbers.
// Every field may be left out of a request (the zero value is sent); answers carry all scalars. Mirrors cri.proto.

export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET';
export type SupplementalGroupsPolicy = 'Merge' | 'Strict';
export type Protocol = 'TCP' | 'UDP' | 'SCTP';
export type MountPropagation = 'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER' | 'PROPAGATION_BIDIRECTIONAL';
export type ContainerState = 'CONTAINER_CREATED' | 'CONTAINER_RUNNING' | 'CONTAINER_EXITED' | 'CONTAINER_UNKNOWN';
export type Signal =
  | 'SIGNAL_RUNTIME_DEFAULT'
  | 'SIGNAL_SIGABRT'
  | 'SIGNAL_SIGALRM'
  | 'SIGNAL_SIGBUS'
  | 'SIGNAL_SIGCHLD'
  | 'SIGNAL_SIGCLD'
  | 'SIGNAL_SIGCONT'
  | 'SIGNAL_SIGFPE'
  | 'SIGNAL_SIGHUP'
  | 'SIGNAL_SIGILL'
  | 'SIGNAL_SIGINT'
  | 'SIGNAL_SIGIO'
  | 'SIGNAL_SIGIOT'
  | 'SIGNAL_SIGKILL'
  | 'SIGNAL_SIGPIPE'
  | 'SIGNAL_SIGPOLL'
  | 'SIGNAL_SIGPROF'
  | 'SIGNAL_SIGPWR'
  | 'SIGNAL_SIGQUIT'
  | 'SIGNAL_SIGSEGV'
  | 'SIGNAL_SIGSTKFLT'
  | 'SIGNAL_SIGSTOP'
  | 'SIGNAL_SIGSYS'
  | 'SIGNAL_SIGTERM'
  | 'SIGNAL_SIGTRAP'
  | 'SIGNAL_SIGTSTP'
  | 'SIGNAL_SIGTTIN'
  | 'SIGNAL_SIGTTOU'
  | 'SIGNAL_SIGURG'
  | 'SIGNAL_SIGUSR1'
  | 'SIGNAL_SIGUSR2'
  | 'SIGNAL_SIGVTALRM'
  | 'SIGNAL_SIGWINCH'
  | 'SIGNAL_SIGXCPU'
  | 'SIGNAL_SIGXFSZ'
  | 'SIGNAL_SIGRTMIN'
  | 'SIGNAL_SIGRTMINPLUS1'
  | 'SIGNAL_SIGRTMINPLUS2'
  | 'SIGNAL_SIGRTMINPLUS3'
  | 'SIGNAL_SIGRTMINPLUS4'
  | 'SIGNAL_SIGRTMINPLUS5'
  | 'SIGNAL_SIGRTMINPLUS6'
  | 'SIGNAL_SIGRTMINPLUS7'
  | 'SIGNAL_SIGRTMINPLUS8'
  | 'SIGNAL_SIGRTMINPLUS9'
  | 'SIGNAL_SIGRTMINPLUS10'
  | 'SIGNAL_SIGRTMINPLUS11'
  | 'SIGNAL_SIGRTMINPLUS12'
  | 'SIGNAL_SIGRTMINPLUS13'
  | 'SIGNAL_SIGRTMINPLUS14'
  | 'SIGNAL_SIGRTMINPLUS15'
  | 'SIGNAL_SIGRTMAXMINUS14'
  | 'SIGNAL_SIGRTMAXMINUS13'
  | 'SIGNAL_SIGRTMAXMINUS12'
  | 'SIGNAL_SIGRTMAXMINUS11'
  | 'SIGNAL_SIGRTMAXMINUS10'
  | 'SIGNAL_SIGRTMAXMINUS9'
  | 'SIGNAL_SIGRTMAXMINUS8'
  | 'SIGNAL_SIGRTMAXMINUS7'
  | 'SIGNAL_SIGRTMAXMINUS6'
  | 'SIGNAL_SIGRTMAXMINUS5'
  | 'SIGNAL_SIGRTMAXMINUS4'
  | 'SIGNAL_SIGRTMAXMINUS3'
  | 'SIGNAL_SIGRTMAXMINUS2'
  | 'SIGNAL_SIGRTMAXMINUS1'
  | 'SIGNAL_SIGRTMAX';
export type PodSandboxState = 'SANDBOX_READY' | 'SANDBOX_NOTREADY';
export type ContainerEventType =
  | 'CONTAINER_CREATED_EVENT'
  | 'CONTAINER_STARTED_EVENT'
  | 'CONTAINER_STOPPED_EVENT'
  | 'CONTAINER_DELETED_EVENT';
export type CgroupDriver = 'SYSTEMD' | 'CGROUPFS';

export interface AttachRequest {
  containerId?: string;
  stdin?: boolean;
  tty?: boolean;
  stdout?: boolean;
  stderr?: boolean;
}
export interface AttachResponse {
  url?: string;
}
export interface AuthConfig {
  username?: string;
  password?: string;
  auth?: string;
  serverAddress?: string;
  identityToken?: string;
  registryToken?: string;
}
export interface CDIDevice {
  name?: string;
}
export interface Capability {
  addCapabilities?: string[];
  dropCapabilities?: string[];
  addAmbientCapabilities?: string[];
}
export interface Container {
  id?: string;
  podSandboxId?: string;
  metadata?: ContainerMetadata;
  image?: ImageSpec;
  imageRef?: string;
  state?: ContainerState;
  createdAt?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  imageId?: string;
}
export interface ContainerAttributes {
  id?: string;
  metadata?: ContainerMetadata;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}
export interface ContainerConfig {
  metadata?: ContainerMetadata;
  image?: ImageSpec;
  command?: string[];
  args?: string[];
  workingDir?: string;
  envs?: KeyValue[];
  mounts?: Mount[];
  devices?: Device[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  logPath?: string;
  stdin?: boolean;
  stdinOnce?: boolean;
  tty?: boolean;
  linux?: LinuxContainerConfig;
  windows?: WindowsContainerConfig;
  CDIDevices?: CDIDevice[];
  stopSignal?: Signal;
}
export interface ContainerEventResponse {
  containerId?: string;
  containerEventType?: ContainerEventType;
  createdAt?: number;
  podSandboxStatus?: PodSandboxStatus;
  containersStatuses?: ContainerStatus[];
}
export interface ContainerFilter {
  id?: string;
  state?: ContainerStateValue;
  podSandboxId?: string;
  labelSelector?: Record<string, string>;
}
export interface ContainerMetadata {
  name?: string;
  attempt?: number;
}
export interface ContainerResources {
  linux?: LinuxContainerResources;
  windows?: WindowsContainerResources;
}
export interface ContainerStateValue {
  state?: ContainerState;
}
export interface ContainerStats {
  attributes?: ContainerAttributes;
  cpu?: CpuUsage;
  memory?: MemoryUsage;
  writableLayer?: FilesystemUsage;
  swap?: SwapUsage;
  io?: IoUsage;
}
export interface ContainerStatsResponse {
  stats?: ContainerStats;
}
export interface ContainerStatus {
  id?: string;
  metadata?: ContainerMetadata;
  state?: ContainerState;
  createdAt?: number;
  startedAt?: number;
  finishedAt?: number;
  exitCode?: number;
  image?: ImageSpec;
  imageRef?: string;
  reason?: string;
  message?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  mounts?: Mount[];
  logPath?: string;
  resources?: ContainerResources;
  imageId?: string;
  user?: ContainerUser;
  stopSignal?: Signal;
}
export interface ContainerStatusRequest {
  containerId?: string;
  verbose?: boolean;
}
export interface ContainerStatusResponse {
  status?: ContainerStatus;
  info?: Record<string, string>;
}
export interface ContainerUser {
  linux?: LinuxContainerUser;
}
export interface CpuUsage {
  timestamp?: number;
  usageCoreNanoSeconds?: UInt64Value;
  usageNanoCores?: UInt64Value;
  psi?: PsiStats;
}
export interface CreateContainerRequest {
  podSandboxId?: string;
  config?: ContainerConfig;
  sandboxConfig?: PodSandboxConfig;
}
export interface CreateContainerResponse {
  containerId?: string;
}
export interface DNSConfig {
  servers?: string[];
  searches?: string[];
  options?: string[];
}
export interface Device {
  containerPath?: string;
  hostPath?: string;
  permissions?: string;
}
export interface ExecRequest {
  containerId?: string;
  cmd?: string[];
  tty?: boolean;
  stdin?: boolean;
  stdout?: boolean;
  stderr?: boolean;
}
export interface ExecResponse {
  url?: string;
}
export interface ExecSyncRequest {
  containerId?: string;
  cmd?: string[];
  timeout?: number;
}
export interface ExecSyncResponse {
  stdout?: Uint8Array;
  stderr?: Uint8Array;
  exitCode?: number;
}
export interface FilesystemUsage {
  timestamp?: number;
  fsId?: FilesystemIdentifier;
  usedBytes?: UInt64Value;
  inodesUsed?: UInt64Value;
}
export type GetEventsRequest = Record<string, never>;
export interface HugepageLimit {
  pageSize?: string;
  limit?: number;
}
export interface IDMapping {
  hostId?: number;
  containerId?: number;
  length?: number;
}
export interface Image {
  id?: string;
  repoTags?: string[];
  repoDigests?: string[];
  size?: number;
  uid?: Int64Value;
  username?: string;
  spec?: ImageSpec;
  pinned?: boolean;
}
export interface ImageFilter {
  image?: ImageSpec;
}
export type ImageFsInfoRequest = Record<string, never>;
export interface ImageFsInfoResponse {
  imageFilesystems?: FilesystemUsage[];
  containerFilesystems?: FilesystemUsage[];
}
export interface ImageSpec {
  image?: string;
  annotations?: Record<string, string>;
  userSpecifiedImage?: string;
  runtimeHandler?: string;
  imageRef?: string;
}
export interface ImageStatusRequest {
  image?: ImageSpec;
  verbose?: boolean;
}
export interface ImageStatusResponse {
  image?: Image;
  info?: Record<string, string>;
}
export interface Int64Value {
  value?: number;
}
export interface IoUsage {
  timestamp?: number;
  psi?: PsiStats;
}
export interface KeyValue {
  key?: string;
  value?: Uint8Array;
}
export interface LinuxContainerConfig {
  resources?: LinuxContainerResources;
  securityContext?: LinuxContainerSecurityContext;
}
export interface LinuxContainerResources {
  cpuPeriod?: number;
  cpuQuota?: number;
  cpuShares?: number;
  memoryLimitInBytes?: number;
  oomScoreAdj?: number;
  cpusetCpus?: string;
  cpusetMems?: string;
  hugepageLimits?: HugepageLimit[];
  unified?: Record<string, string>;
  memorySwapLimitInBytes?: number;
}
export interface LinuxContainerSecurityContext {
  capabilities?: Capability;
  privileged?: boolean;
  namespaceOptions?: NamespaceOption;
  selinuxOptions?: SELinuxOption;
  runAsUser?: Int64Value;
  runAsUsername?: string;
  readonlyRootfs?: boolean;
  supplementalGroups?: number[];
  apparmorProfile?: string;
  seccompProfilePath?: string;
  noNewPrivs?: boolean;
  runAsGroup?: Int64Value;
  maskedPaths?: string[];
  readonlyPaths?: string[];
  seccomp?: SecurityProfile;
  apparmor?: SecurityProfile;
  supplementalGroupsPolicy?: SupplementalGroupsPolicy;
}
export interface LinuxContainerUser {
  uid?: number;
  gid?: number;
  supplementalGroups?: number[];
}
export interface LinuxPodSandboxConfig {
  cgroupParent?: string;
  securityContext?: LinuxSandboxSecurityContext;
  sysctls?: Record<string, string>;
  overhead?: LinuxContainerResources;
  resources?: LinuxContainerResources;
}
export interface LinuxPodSandboxStats {
  cpu?: CpuUsage;
  memory?: MemoryUsage;
  network?: NetworkUsage;
  process?: ProcessUsage;
  containers?: ContainerStats[];
  io?: IoUsage;
}
export interface LinuxPodSandboxStatus {
  namespaces?: Namespace;
}
export interface LinuxRuntimeConfiguration {
  cgroupDriver?: CgroupDriver;
}
export interface LinuxSandboxSecurityContext {
  namespaceOptions?: NamespaceOption;
  selinuxOptions?: SELinuxOption;
  runAsUser?: Int64Value;
  readonlyRootfs?: boolean;
  supplementalGroups?: number[];
  privileged?: boolean;
  seccompProfilePath?: string;
  runAsGroup?: Int64Value;
  seccomp?: SecurityProfile;
  apparmor?: SecurityProfile;
  supplementalGroupsPolicy?: SupplementalGroupsPolicy;
}
export interface ListContainerStatsResponse {
  stats?: ContainerStats[];
}
export interface ListContainersRequest {
  filter?: ContainerFilter;
}
export interface ListContainersResponse {
  containers?: Container[];
}
export interface ListImagesRequest {
  filter?: ImageFilter;
}
export interface ListImagesResponse {
  images?: Image[];
}
export interface ListPodSandboxRequest {
  filter?: PodSandboxFilter;
}
export interface ListPodSandboxResponse {
  items?: PodSandbox[];
}
export interface ListPodSandboxStatsRequest {
  filter?: PodSandboxStatsFilter;
}
export interface ListPodSandboxStatsResponse {
  stats?: PodSandboxStats[];
}
export interface MemoryUsage {
  timestamp?: number;
  workingSetBytes?: UInt64Value;
  availableBytes?: UInt64Value;
  usageBytes?: UInt64Value;
  rssBytes?: UInt64Value;
  pageFaults?: UInt64Value;
  majorPageFaults?: UInt64Value;
  psi?: PsiStats;
}
export interface Mount {
  containerPath?: string;
  hostPath?: string;
  readonly?: boolean;
  selinuxRelabel?: boolean;
  propagation?: MountPropagation;
  uidMappings?: IDMapping[];
  gidMappings?: IDMapping[];
  recursiveReadOnly?: boolean;
  image?: ImageSpec;
  imageSubPath?: string;
  mountOptions?: string[];
}
export interface Namespace {
  options?: NamespaceOption;
}
export interface NamespaceOption {
  network?: NamespaceMode;
  pid?: NamespaceMode;
  ipc?: NamespaceMode;
  targetId?: string;
  usernsOptions?: UserNamespace;
}
export interface NetworkConfig {
  podCidr?: string;
}
export interface NetworkInterfaceUsage {
  name?: string;
  rxBytes?: UInt64Value;
  rxErrors?: UInt64Value;
  txBytes?: UInt64Value;
  txErrors?: UInt64Value;
}
export interface NetworkUsage {
  timestamp?: number;
  defaultInterface?: NetworkInterfaceUsage;
  interfaces?: NetworkInterfaceUsage[];
}
export interface PodSandbox {
  id?: string;
  metadata?: PodSandboxMetadata;
  state?: PodSandboxState;
  createdAt?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  runtimeHandler?: string;
}
export interface PodSandboxAttributes {
  id?: string;
  metadata?: PodSandboxMetadata;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}
export interface PodSandboxConfig {
  metadata?: PodSandboxMetadata;
  hostname?: string;
  logDirectory?: string;
  dnsConfig?: DNSConfig;
  portMappings?: PortMapping[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  linux?: LinuxPodSandboxConfig;
  windows?: WindowsPodSandboxConfig;
}
export interface PodSandboxFilter {
  id?: string;
  state?: PodSandboxStateValue;
  labelSelector?: Record<string, string>;
}
export interface PodSandboxMetadata {
  name?: string;
  uid?: string;
  namespace?: string;
  attempt?: number;
}
export interface PodSandboxNetworkStatus {
  ip?: string;
  additionalIps?: PodIP[];
}
export interface PodSandboxStateValue {
  state?: PodSandboxState;
}
export interface PodSandboxStats {
  attributes?: PodSandboxAttributes;
  linux?: LinuxPodSandboxStats;
  windows?: WindowsPodSandboxStats;
}
export interface PodSandboxStatsFilter {
  id?: string;
  labelSelector?: Record<string, string>;
}
export interface PodSandboxStatsRequest {
  podSandboxId?: string;
}
export interface PodSandboxStatsResponse {
  stats?: PodSandboxStats;
}
export interface PodSandboxStatus {
  id?: string;
  metadata?: PodSandboxMetadata;
  state?: PodSandboxState;
  createdAt?: number;
  network?: PodSandboxNetworkStatus;
  linux?: LinuxPodSandboxStatus;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  runtimeHandler?: string;
}
export interface PodSandboxStatusRequest {
  podSandboxId?: string;
  verbose?: boolean;
}
export interface PodSandboxStatusResponse {
  status?: PodSandboxStatus;
  info?: Record<string, string>;
  containersStatuses?: ContainerStatus[];
  timestamp?: number;
}
export interface PortForwardRequest {
  podSandboxId?: string;
  port?: number[];
}
export interface PortForwardResponse {
  url?: string;
}
export interface PortMapping {
  protocol?: Protocol;
  containerPort?: number;
  hostPort?: number;
  hostIp?: string;
}
export interface ProcessUsage {
  timestamp?: number;
  processCount?: UInt64Value;
}
export interface PsiData {
  Total?: number;
  Avg10?: number;
  Avg60?: number;
  Avg300?: number;
}
export interface PsiStats {
  Full?: PsiData;
  Some?: PsiData;
}
export interface PullImageRequest {
  image?: ImageSpec;
  auth?: AuthConfig;
  sandboxConfig?: PodSandboxConfig;
}
export interface PullImageResponse {
  imageRef?: string;
}
export interface RemoveContainerRequest {
  containerId?: string;
}
export type RemoveContainerResponse = Record<string, never>;
export interface RemoveImageRequest {
  image?: ImageSpec;
}
export type RemoveImageResponse = Record<string, never>;
export interface RemovePodSandboxRequest {
  podSandboxId?: string;
}
export type RemovePodSandboxResponse = Record<string, never>;
export interface ReopenContainerLogRequest {
  containerId?: string;
}
export interface RunPodSandboxRequest {
  config?: PodSandboxConfig;
  runtimeHandler?: string;
}
export interface RunPodSandboxResponse {
  podSandboxId?: string;
}
export interface RuntimeCondition {
  type?: string;
  status?: boolean;
  reason?: string;
  message?: string;
}
export interface RuntimeConfig {
  networkConfig?: NetworkConfig;
}
export type RuntimeConfigRequest = Record<string, never>;
export interface RuntimeConfigResponse {
  linux?: LinuxRuntimeConfiguration;
}
export interface RuntimeFeatures {
  supplementalGroupsPolicy?: boolean;
  userNamespacesHostNetwork?: boolean;
  mountOptions?: boolean;
}
export interface RuntimeHandler {
  name?: string;
  features?: RuntimeHandlerFeatures;
}
export interface RuntimeHandlerFeatures {
  recursiveReadOnlyMounts?: boolean;
  userNamespaces?: boolean;
}
export interface RuntimeStatus {
  conditions?: RuntimeCondition[];
}
export interface SELinuxOption {
  user?: string;
  role?: string;
  type?: string;
  level?: string;
}
export interface SecurityProfile {
  profileType?: ProfileType;
  localhostRef?: string;
}
export interface StartContainerRequest {
  containerId?: string;
}
export type StartContainerResponse = Record<string, never>;
export interface StatusRequest {
  verbose?: boolean;
}
export interface StatusResponse {
  status?: RuntimeStatus;
  info?: Record<string, string>;
  runtimeHandlers?: RuntimeHandler[];
  features?: RuntimeFeatures;
}
export interface StopContainerRequest {
  containerId?: string;
  timeout?: number;
}
export type StopContainerResponse = Record<string, never>;
export interface StopPodSandboxRequest {
  podSandboxId?: string;
}
export type StopPodSandboxResponse = Record<string, never>;
export interface SwapUsage {
  timestamp?: number;
  swapAvailableBytes?: UInt64Value;
  swapUsageBytes?: UInt64Value;
}
export interface UInt64Value {
  value?: number;
}
export interface UpdateContainerResourcesRequest {
  containerId?: string;
  linux?: LinuxContainerResources;
  windows?: WindowsContainerResources;
  annotations?: Record<string, string>;
}
export type UpdateContainerResourcesResponse = Record<string, never>;
export interface UpdateRuntimeConfigRequest {
  runtimeConfig?: RuntimeConfig;
}
export type UpdateRuntimeConfigResponse = Record<string, never>;
export interface UserNamespace {
  mode?: NamespaceMode;
  uids?: IDMapping[];
  gids?: IDMapping[];
}
export interface VersionRequest {
  version?: string;
}
export interface VersionResponse {
  version?: string;
  runtimeName?: string;
  runtimeVersion?: string;
  runtimeApiVersion?: string;
}
export interface WindowsContainerConfig {
  resources?: WindowsContainerResources;
  securityContext?: WindowsContainerSecurityContext;
}
export interface WindowsContainerResources {
  cpuShares?: number;
  cpuCount?: number;
  cpuMaximum?: number;
  memoryLimitInBytes?: number;
  rootfsSizeInBytes?: number;
  affinityCpus?: WindowsCpuGroupAffinity[];
}
export interface WindowsContainerSecurityContext {
  runAsUsername?: string;
  credentialSpec?: string;
  hostProcess?: boolean;
}
export interface WindowsContainerStats {
  attributes?: ContainerAttributes;
  cpu?: WindowsCpuUsage;
  memory?: WindowsMemoryUsage;
  writableLayer?: WindowsFilesystemUsage;
}
export interface WindowsCpuGroupAffinity {
  cpuMask?: number;
  cpuGroup?: number;
}
export interface WindowsCpuUsage {
  timestamp?: number;
  usageCoreNanoSeconds?: UInt64Value;
  usageNanoCores?: UInt64Value;
}
export interface WindowsFilesystemUsage {
  timestamp?: number;
  fsId?: FilesystemIdentifier;
  usedBytes?: UInt64Value;
}
export interface WindowsMemoryUsage {
  timestamp?: number;
  workingSetBytes?: UInt64Value;
  availableBytes?: UInt64Value;
  pageFaults?: UInt64Value;
  commitMemoryBytes?: UInt64Value;
}
export interface WindowsNamespaceOption {
  network?: NamespaceMode;
}
export interface WindowsNetworkInterfaceUsage {
  name?: string;
  rxBytes?: UInt64Value;
  rxPacketsDropped?: UInt64Value;
  txBytes?: UInt64Value;
  txPacketsDropped?: UInt64Value;
}
export interface WindowsNetworkUsage {
  timestamp?: number;
  defaultInterface?: WindowsNetworkInterfaceUsage;
  interfaces?: WindowsNetworkInterfaceUsage[];
}
export interface WindowsPodSandboxConfig {
  securityContext?: WindowsSandboxSecurityContext;
}
export interface WindowsPodSandboxStats {
  cpu?: WindowsCpuUsage;
  memory?: WindowsMemoryUsage;
  network?: WindowsNetworkUsage;
  process?: WindowsProcessUsage;
  containers?: WindowsContainerStats[];
}
export interface WindowsProcessUsage {
  timestamp?: number;
  processCount?: UInt64Value;
}
export interface WindowsSandboxSecurityContext {
  runAsUsername?: string;
  credentialSpec?: string;
  hostProcess?: boolean;
  namespaceOptions?: WindowsNamespaceOption;
}
export type ProfileType = 'RuntimeDefault' | 'Unconfined' | 'Localhost';
export interface FilesystemIdentifier {
  mountpoint?: string;
}
export interface PodIP {
  ip?: string;
}
