// Every built-in resource, in the order discovery shows them within their group.

import { apiServiceResource } from './apiservices.ts';
import { certificateSigningRequestResource } from './certificatesigningrequests.ts';
import { bindingResource, componentStatusResource } from './component-statuses.ts';
import { configMapResource } from './configmaps.ts';
import { controllerRevisionResource } from './controllerrevisions.ts';
import { cronJobResource } from './cronjobs.ts';
import {
  csiDriverResource,
  csiNodeResource,
  csiStorageCapacityResource,
  volumeAttachmentResource,
  volumeAttributesClassResource,
} from './csi.ts';
import { customResourceDefinitionResource } from './customresourcedefinitions.ts';
import { daemonSetResource } from './daemonsets.ts';
import { deploymentResource } from './deployments.ts';
import { endpointsResource } from './endpoints.ts';
import { endpointSliceResource } from './endpointslices.ts';
import { eventResource } from './events.ts';
import { eventV1Resource } from './events-v1.ts';
import { flowSchemaResource } from './flowschemas.ts';
import { horizontalPodAutoscalerResource, horizontalPodAutoscalerV1Resource } from './horizontalpodautoscalers.ts';
import { ingressClassResource } from './ingressclasses.ts';
import { ingressResource } from './ingresses.ts';
import { jobResource } from './jobs.ts';
import { leaseResource } from './leases.ts';
import { limitRangeResource } from './limitranges.ts';
import { mutatingAdmissionPolicyBindingResource, mutatingAdmissionPolicyResource } from './mutatingadmissionpolicies.ts';
import { namespaceResource } from './namespaces.ts';
import { networkPolicyResource } from './networkpolicies.ts';
import { nodeResource } from './nodes.ts';
import { persistentVolumeClaimResource } from './persistentvolumeclaims.ts';
import { persistentVolumeResource } from './persistentvolumes.ts';
import { podDisruptionBudgetResource } from './poddisruptionbudgets.ts';
import { podResource } from './pods.ts';
import { podTemplateResource } from './podtemplates.ts';
import { priorityClassResource } from './priorityclasses.ts';
import { priorityLevelConfigurationResource } from './prioritylevelconfigurations.ts';
import { clusterRoleBindingResource, clusterRoleResource, roleBindingResource, roleResource } from './rbac.ts';
import { replicaSetResource } from './replicasets.ts';
import { replicationControllerResource } from './replicationcontrollers.ts';
import type { ResourceDeclaration } from './resource.ts';
import { deviceClassResource, resourceClaimResource, resourceClaimTemplateResource } from './resourceclaims.ts';
import { resourceQuotaResource } from './resourcequotas.ts';
import { resourceSliceResource } from './resourceslices.ts';
import { reviewResources } from './reviews.ts';
import { runtimeClassResource } from './runtimeclasses.ts';
import { secretResource } from './secrets.ts';
import { ipAddressResource, serviceCidrResource } from './service-cidrs.ts';
import { serviceAccountResource } from './serviceaccounts.ts';
import { serviceResource } from './services.ts';
import { statefulSetResource } from './statefulsets.ts';
import { storageClassResource } from './storageclasses.ts';
import { validatingAdmissionPolicyBindingResource, validatingAdmissionPolicyResource } from './validatingadmissionpolicies.ts';
import { mutatingWebhookConfigurationResource, validatingWebhookConfigurationResource } from './webhookconfigurations.ts';

// A declaration handles only objects of its own kind, which the registry sees to; the list holds them as declarations of any object.
export const allResources: ResourceDeclaration[] = [
  configMapResource,
  endpointsResource,
  eventResource,
  namespaceResource,
  nodeResource,
  podResource,
  replicationControllerResource,
  secretResource,
  serviceAccountResource,
  serviceResource,
  controllerRevisionResource,
  daemonSetResource,
  deploymentResource,
  replicaSetResource,
  statefulSetResource,
  cronJobResource,
  jobResource,
  podTemplateResource,
  limitRangeResource,
  resourceQuotaResource,
  podDisruptionBudgetResource,
  roleResource,
  roleBindingResource,
  clusterRoleResource,
  clusterRoleBindingResource,
  priorityClassResource,
  runtimeClassResource,
  persistentVolumeClaimResource,
  persistentVolumeResource,
  storageClassResource,
  ingressResource,
  ingressClassResource,
  networkPolicyResource,
  csiDriverResource,
  csiNodeResource,
  csiStorageCapacityResource,
  volumeAttachmentResource,
  volumeAttributesClassResource,
  serviceCidrResource,
  ipAddressResource,
  mutatingWebhookConfigurationResource,
  validatingWebhookConfigurationResource,
  validatingAdmissionPolicyResource,
  validatingAdmissionPolicyBindingResource,
  mutatingAdmissionPolicyResource,
  mutatingAdmissionPolicyBindingResource,
  leaseResource,
  endpointSliceResource,
  ...reviewResources,
  customResourceDefinitionResource,
  bindingResource,
  componentStatusResource,
  eventV1Resource,
  horizontalPodAutoscalerResource,
  horizontalPodAutoscalerV1Resource,
  certificateSigningRequestResource,
  flowSchemaResource,
  priorityLevelConfigurationResource,
  apiServiceResource,
  deviceClassResource,
  resourceClaimResource,
  resourceClaimTemplateResource,
  resourceSliceResource,
] as ResourceDeclaration[];
