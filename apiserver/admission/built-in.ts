// The plug-ins that every cluster runs with, in Kubernetes' order.

import { systemClock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import type { AdmissionPlugin } from './admission.ts';
import { certificateAdmission } from './certificates.ts';
import type { ClusterView } from './cluster-view.ts';
import { defaultIngressClass, defaultStorageClass, persistentVolumeClaimResize } from './default-classes.ts';
import { limitRanger } from './limit-ranger.ts';
import { podSecurity } from './pod-security/pod-security.ts';
import { defaultTolerationSeconds, extendedResourceToleration } from './pod-tolerations.ts';
import { mutatingPolicies } from './policies/mutating.ts';
import { policyParamAccess } from './policies/param-access.ts';
import { validatingPolicies } from './policies/validating.ts';
import { priority } from './priority.ts';
import { storageObjectInUseProtection, taintNodesByCondition } from './protection.ts';
import { resourceQuota } from './resource-quota.ts';
import { runtimeClass } from './runtime-class.ts';
import { mutatingWebhooks, type WebhookOptions } from './webhooks/mutating.ts';
import { validatingWebhooks } from './webhooks/validating.ts';
import { WebhookClient } from './webhooks/webhook-client.ts';
import { WebhookMetrics } from './webhooks/webhook-metrics.ts';

export interface BuiltInOptions {
  /** ServiceAccount and NodeRestriction, which depend on how callers are authenticated. */
  identity?: readonly AdmissionPlugin[];
  /** Names questions to webhooks; without it none are asked. */
  random?: Random;
  /** Asked who may approve and sign certificate requests, and by admission policies; without it everybody may who may write them. */
  authorizer?: Authorizer;
}

/** Namespace lifecycle is not among them: the server always runs it, first. */
export function builtInAdmission(view: ClusterView, { identity = [], random, authorizer }: BuiltInOptions = {}): AdmissionPlugin[] {
  const webhooks = random && webhookOptions(view, random, authorizer);
  return [
    limitRanger(view),
    ...identity,
    taintNodesByCondition,
    podSecurity(view),
    priority(view),
    defaultTolerationSeconds,
    extendedResourceToleration,
    defaultStorageClass(view),
    storageObjectInUseProtection,
    persistentVolumeClaimResize(view),
    runtimeClass(view),
    ...(authorizer ? [...certificateAdmission(authorizer), policyParamAccess(view, authorizer)] : []),
    defaultIngressClass(view),
    mutatingPolicies(view, authorizer),
    ...(webhooks ? [mutatingWebhooks(webhooks)] : []),
    validatingPolicies(view, authorizer),
    ...(webhooks ? [validatingWebhooks(webhooks)] : []),
    resourceQuota(view),
  ];
}

function webhookOptions(view: ClusterView, random: Random, authorizer: Authorizer | undefined): WebhookOptions {
  const { clock = systemClock, registry } = view.measures ?? {};
  const client = new WebhookClient({ view, clock, random });
  return { view, random, client, authorizer, metrics: registry && new WebhookMetrics(registry) };
}
