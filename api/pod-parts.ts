// The wire types of the parts that pods, pod templates and the rules over them are made of.

import type * as k from '@kubernetes/client-node';
import type { Wire } from './wire.ts';

export type Affinity = Wire<k.V1Affinity>;
export type AppArmorProfile = Wire<k.V1AppArmorProfile>;
export type ContainerPort = Wire<k.V1ContainerPort>;
export type EnvFromSource = Wire<k.V1EnvFromSource>;
export type EnvVar = Wire<k.V1EnvVar>;
export type EphemeralContainer = Wire<k.V1EphemeralContainer>;
export type HttpGetAction = Wire<k.V1HTTPGetAction>;
export type KeyToPath = Wire<k.V1KeyToPath>;
export type Lifecycle = Wire<k.V1Lifecycle>;
export type LifecycleHandler = Wire<k.V1LifecycleHandler>;
export type NodeAffinity = Wire<k.V1NodeAffinity>;
export type NodeSelector = Wire<k.V1NodeSelector>;
export type NodeSelectorRequirement = Wire<k.V1NodeSelectorRequirement>;
export type NodeSelectorTerm = Wire<k.V1NodeSelectorTerm>;
export type ObjectFieldSelector = Wire<k.V1ObjectFieldSelector>;
export type PodAffinityTerm = Wire<k.V1PodAffinityTerm>;
export type PodDnsConfig = Wire<k.V1PodDNSConfig>;
export type PodSecurityContext = Wire<k.V1PodSecurityContext>;
export type Probe = Wire<k.V1Probe>;
export type ProjectedVolumeSource = Wire<k.V1ProjectedVolumeSource>;
export type ResourceFieldSelector = Wire<k.V1ResourceFieldSelector>;
export type ResourceRequirements = Wire<k.V1ResourceRequirements>;
export type SeccompProfile = Wire<k.V1SeccompProfile>;
export type SecurityContext = Wire<k.V1SecurityContext>;
export type Toleration = Wire<k.V1Toleration>;
export type TopologySpreadConstraint = Wire<k.V1TopologySpreadConstraint>;
export type Volume = Wire<k.V1Volume>;
export type VolumeMount = Wire<k.V1VolumeMount>;
export type WindowsOptions = Wire<k.V1WindowsSecurityContextOptions>;
