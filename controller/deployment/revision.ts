// How a deployment's replica sets are told apart: the template's hash, the revision, and what is written into
// annotations to remember them by.

import { isDeepStrictEqual } from 'node:util';
import { type Deployment, deployments, type ReplicaSet } from '../../api/apps.ts';
import type { PodTemplateSpec } from '../../api/core.ts';
import { controllerReference } from '../../api/owners.ts';

export const hashLabel = 'pod-template-hash';
export const revisionAnnotation = 'deployment.kubernetes.io/revision';
export const desiredReplicasAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const maxReplicasAnnotation = 'deployment.kubernetes.io/max-replicas';
const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history';

/** These are the deployment's own, or the replica set's own. */
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
]);

export function revisionOf(object: Deployment | ReplicaSet): number {
  const text = object.metadata?.annotations?.[revisionAnnotation];
  return text && /^\d+$/.test(text) ? Number(text) : 0;
}

/** Oldest first; of those of one second, by name. */
export function byCreation(replicaSets: readonly ReplicaSet[]): ReplicaSet[] {
  const order = (rs: ReplicaSet) => `${rs.metadata?.creationTimestamp ?? ''} ${rs.metadata?.name ?? ''}`;
  return [...replicaSets].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** The replica set of the deployment's present template; the oldest, should there be several. */
export function findNew(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = comparable(deployment.spec?.template);
  return byCreation(replicaSets).find((rs) => isDeepStrictEqual(comparable(rs.spec?.template), wanted));
}

function comparable(template: PodTemplateSpec | undefined): unknown {
  const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
  const { creationTimestamp: __, ...metadata } = template?.metadata ?? {};
  return { ...template, metadata: { ...metadata, labels } };
}

const safeAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** The same template gives the same hash; `collisionCount` gives another where two do not. */
export function templateHash(template: PodTemplateSpec | undefined, collisionCount: number): string {
  const text = `${canonical(template)}${collisionCount || ''}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return [...String(hash)].map((digit) => safeAlphabet[digit.charCodeAt(0) % safeAlphabet.length]).join('');
}

/** JSON with sorted fields: equal templates are the same text. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}

/** The replica set for the deployment's present template. */
export function newReplicaSet(deployment: Deployment, replicas: number, options: { revision: number; maxReplicas: number }): ReplicaSet {
  const { metadata, spec, status } = deployment;
  const template = spec?.template;
  const hash = templateHash(template, status?.collisionCount ?? 0);
  const labels = { ...template?.metadata?.labels, [hashLabel]: hash };
  const selector = { ...spec?.selector, matchLabels: { ...spec?.selector?.matchLabels, [hashLabel]: hash } };
  const annotations = annotationsFor(deployment, undefined, options);
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${metadata?.name}-${hash}`,
      namespace: metadata?.namespace ?? '',
      labels,
      annotations,
      ownerReferences: [controllerReference(deployments, deployment)],
    },
    spec: {
      replicas,
      ...(spec?.minReadySeconds ? { minReadySeconds: spec.minReadySeconds } : {}),
      selector,
      template: { ...template, metadata: { ...template?.metadata, labels } },
    },
  };
}

/** The annotations that the new replica set should have: the deployment's, its revision, and the counts scaled by. */
export function annotationsFor(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  { revision, maxReplicas }: { revision: number; maxReplicas: number },
): Record<string, string> {
  const annotations: Record<string, string> = { ...current?.metadata?.annotations };
  for (const [name, value] of Object.entries(deployment.metadata?.annotations ?? {})) if (!notCopied.has(name)) annotations[name] = value;
  const before = current ? revisionOf(current) : 0;
  if (before < revision) {
    annotations[revisionAnnotation] = String(revision);
    if (before > 0) {
      const history = annotations[revisionHistoryAnnotation];
      annotations[revisionHistoryAnnotation] = history ? `${history},${before}` : String(before);
    }
  }
  return { ...annotations, ...scaleAnnotations(deployment.spec?.replicas ?? 1, maxReplicas) };
}

export function scaleAnnotations(desired: number, maxReplicas: number): Record<string, string> {
  return { [desiredReplicasAnnotation]: String(desired), [maxReplicasAnnotation]: String(maxReplicas) };
}
