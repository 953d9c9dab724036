// Every plug-in by its name, and those of them that a server runs with, in Kubernetes' order.

import { namespaces } from '../../api/core.ts';
import { systemClock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import type { AdmissionPlugin } from './admission.ts';
import { alwaysAdmit, alwaysDeny } from './always.ts';
import { alwaysPullImages } from './always-pull-images.ts';
import { limitPodHardAntiAffinityTopology } from './anti-affinity.ts';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts';
import type { ClusterView } from './cluster-view.ts';
import { type AdmissionSettings, defaultSettings } from './configuration/settings.ts';
import { defaultIngressClass, defaultStorageClass, persistentVolumeClaimResize } from './default-classes.ts';
import { eventRateLimit } from './event-rate-limit.ts';
import { denyServiceExternalIPs } from './external-ips.ts';
import { imagePolicyWebhook } from './image-policy.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceAutoProvision, namespaceExists } from './namespace-existence.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { ownerReferencesPermissionEnforcement } from './owner-references.ts';
import type { PluginName } from './plugin-order.ts';
import { podNodeSelector } from './pod-node-selector.ts';
import { podSecurity } from './pod-security/pod-security.ts';
import { podTolerationRestriction } from './pod-toleration-restriction.ts';
import { defaultTolerationSeconds, extendedResourceToleration } from './pod-tolerations.ts';
import { podTopologyLabels } from './pod-topology-labels.ts';
import { mutatingPolicies } from './policies/mutating.ts';
import { policyParamAccess } from './policies/param-access.ts';
import { validatingPolicies } from './policies/validating.ts';
import { priority } from './priority.ts';
import { storageObjectInUseProtection, taintNodesByCondition } from './protection.ts';
import { resourceQuota } from './resource-quota.ts';
import { runtimeClass } from './runtime-class.ts';
import type { WebhookCredentials } from './webhooks/credentials.ts';
import { mutatingWebhooks, type WebhookOptions } from './webhooks/mutating.ts';
import { validatingWebhooks } from './webhooks/validating.ts';
import { WebhookClient } from './webhooks/webhook-client.ts';
import { WebhookMetrics } from './webhooks/webhook-metrics.ts';

export interface BuiltInOptions {
  /** Plug-ins made elsewhere, which take the place of their names: ServiceAccount depends on how callers are authenticated. */
  identity?: readonly AdmissionPlugin[];
  /** Names questions to webhooks; without it none are asked. */
  random?: Random;
  /** Asked who may approve and sign certificate requests, and by admission policies; without it everybody may who may write them. */
  authorizer?: Authorizer;
  /** Default: the default plug-ins, none of them configured. */
  settings?: AdmissionSettings;
}

type Maker = () => AdmissionPlugin | undefined;

/** All that a server runs, namespace lifecycle included. */
export function builtInAdmission(view: ClusterView, options: BuiltInOptions = {}): AdmissionPlugin[] {
  const { identity = [], authorizer, settings = defaultSettings } = options;
  const makers = makersOf(view, options, settings);
  const chosen = settings.plugins.flatMap((name) => identity.find((each) => each.name === name) ?? makers[name]?.() ?? []);
  return [...(authorizer ? [policyParamAccess(view, authorizer)] : []), ...chosen];
}

/** A name without a maker is of a plug-in that Kubernetes 1.36 leaves idle unless a feature gate is opened. */
function makersOf(
  view: ClusterView,
  { random, authorizer }: BuiltInOptions,
  settings: AdmissionSettings,
): Partial<Record<PluginName, Maker>> {
  const { podSecurity: levels, eventLimits = [], nodeSelectors = {}, tolerations, imagePolicy, limitedResources = [] } = settings;
  const { clock = systemClock, registry } = view.measures ?? {};
  // Both kinds of webhooks count into the same series.
  const metrics = registry && new WebhookMetrics(registry);
  const webhooks = (make: (options: WebhookOptions) => AdmissionPlugin, credentials: WebhookCredentials | undefined) => () =>
    random && make({ view, random, client: new WebhookClient({ view, clock, random, credentials }), authorizer, metrics });
  const authorized = (make: (authorizer: Authorizer) => AdmissionPlugin) => () => authorizer && make(authorizer);
  return {
    AlwaysAdmit: () => alwaysAdmit,
    NamespaceAutoProvision: () => namespaceAutoProvision(view),
    NamespaceLifecycle: () => namespaceLifecycle((name) => view.get(namespaces, '', name)),
    NamespaceExists: () => namespaceExists(view),
    LimitPodHardAntiAffinityTopology: () => limitPodHardAntiAffinityTopology,
    LimitRanger: () => limitRanger(view),
    NodeRestriction: () => nodeRestriction(view),
    TaintNodesByCondition: () => taintNodesByCondition,
    AlwaysPullImages: () => alwaysPullImages,
    ImagePolicyWebhook: () => imagePolicy && imagePolicyWebhook(imagePolicy, imagePolicy.ask, clock),
    PodSecurity: () => podSecurity(view, levels),
    PodNodeSelector: () => podNodeSelector(view, nodeSelectors),
    Priority: () => priority(view),
    DefaultTolerationSeconds: () => defaultTolerationSeconds(settings.lostNodeSeconds),
    PodTolerationRestriction: () => tolerations && podTolerationRestriction(view, tolerations),
    EventRateLimit: () => eventRateLimit(eventLimits, clock),
    ExtendedResourceToleration: () => extendedResourceToleration,
    DefaultStorageClass: () => defaultStorageClass(view),
    StorageObjectInUseProtection: () => storageObjectInUseProtection,
    OwnerReferencesPermissionEnforcement: authorized((each) => ownerReferencesPermissionEnforcement(view, each)),
    PersistentVolumeClaimResize: () => persistentVolumeClaimResize(view),
    RuntimeClass: () => runtimeClass(view),
    CertificateApproval: authorized(certificateApproval),
    CertificateSigning: authorized(certificateSigning),
    CertificateSubjectRestriction: () => certificateSubjectRestriction,
    DefaultIngressClass: () => defaultIngressClass(view),
    DenyServiceExternalIPs: () => denyServiceExternalIPs,
    PodTopologyLabels: () => podTopologyLabels(view),
    MutatingAdmissionPolicy: () => mutatingPolicies(view, authorizer),
    MutatingAdmissionWebhook: webhooks(mutatingWebhooks, settings.mutatingCredentials),
    ValidatingAdmissionPolicy: () => validatingPolicies(view, authorizer),
    ValidatingAdmissionWebhook: webhooks(validatingWebhooks, settings.validatingCredentials),
    ResourceQuota: () => resourceQuota(view, { nowMs: () => clock.nowMs(), limited: limitedResources }),
    AlwaysDeny: () => alwaysDeny,
  };
}
