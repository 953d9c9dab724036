// Pods: the declaration, and what the server itself sets in one as it is created and changed.

import { type Pod, type PodSpec, pods } from '../../api/core.ts';
import type { PodAffinityTerm } from '../../api/pod-parts.ts';
import { isPodTerminal, qosClassOf } from '../../api/pods.ts';
import { timestamp } from '../../base/clock.ts';
import { addressWarnings } from './address-warnings.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { podColumns } from './pod-columns.ts';
import { defaultPod } from './pod-defaults.ts';
import {
  validateEphemeralContainersUpdate,
  validatePodCreate,
  validatePodResize,
  validatePodStatusUpdate,
  validatePodUpdate,
} from './pod-update.ts';
import { podWarnings } from './pod-warnings.ts';
import { serve, type WriteContext } from './resource.ts';

function beforeCreate(pod: Pod, { clock }: WriteContext): void {
  startGeneration(pod);
  pod.status = { phase: 'Pending', qosClass: qosClassOf(pod) };
  if (pod.spec?.schedulingGates?.length)
    pod.status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
        lastTransitionTime: timestamp(clock),
      },
    ];
  if (pod.spec) mergeLabelKeys(pod.spec, pod.metadata?.labels ?? {});
}

/** matchLabelKeys and mismatchLabelKeys become requirements of their term's selector, with the pod's own values (KEP-3633). */
function mergeLabelKeys(spec: PodSpec, labels: Readonly<Record<string, string>>): void {
  for (const which of ['podAffinity', 'podAntiAffinity'] as const) {
    const terms = spec.affinity?.[which];
    for (const term of terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []) mergeTerm(term, labels);
    for (const { podAffinityTerm } of terms?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
      if (podAffinityTerm) mergeTerm(podAffinityTerm, labels);
  }
  for (const { labelSelector, matchLabelKeys } of spec.topologySpreadConstraints ?? [])
    if (labelSelector) addRequirements(labelSelector, 'In', matchLabelKeys, labels);
}

function mergeTerm(term: PodAffinityTerm, labels: Readonly<Record<string, string>>): void {
  if (!term.labelSelector) return;
  addRequirements(term.labelSelector, 'In', term.matchLabelKeys, labels);
  addRequirements(term.labelSelector, 'NotIn', term.mismatchLabelKeys, labels);
}

type Selector = NonNullable<PodAffinityTerm['labelSelector']>;

function addRequirements(
  selector: Selector,
  operator: string,
  keys: readonly string[] | undefined,
  labels: Readonly<Record<string, string>>,
): void {
  for (const key of keys ?? []) {
    const value = labels[key];
    if (value === undefined) continue;
    selector.matchExpressions ??= [];
    selector.matchExpressions.push({ key, operator, values: [value] });
  }
}

function beforeUpdate(pod: Pod, old: Pod): void {
  keep(pod, old, 'status');
  bumpGeneration(pod, old);
}

/** The status subresource changes nothing but the status, and metadata only as far as any update may. */
function beforeStatusUpdate(pod: Pod, old: Pod): void {
  keep(pod, old, 'spec');
  if (pod.metadata && old.metadata) keep(pod.metadata, old.metadata, 'deletionTimestamp');
  if (pod.status && !pod.status.qosClass && old.status?.qosClass) pod.status.qosClass = old.status.qosClass;
}

/** Only the ephemeral containers of the new pod are taken. */
function beforeEphemeralContainersUpdate(pod: Pod, old: Pod): void {
  const wanted = pod.spec?.ephemeralContainers;
  if (old.spec) pod.spec = { ...old.spec, ...(wanted ? { ephemeralContainers: wanted } : {}) };
  keep(pod, old, 'status');
  bumpGeneration(pod, old);
}

/** A pod that no node has, or that has ended, goes at once. */
function gracePeriodSeconds(pod: Pod, requested: number | undefined): number {
  const seconds = requested ?? pod.spec?.terminationGracePeriodSeconds ?? 0;
  if (!pod.spec?.nodeName || isPodTerminal(pod)) return 0;
  return seconds < 0 ? 1 : seconds;
}

const proxyVerbs = ['create', 'delete', 'get', 'patch', 'update'] as const;

export const podResource = serve(pods, {
  fields: {
    'spec.nodeName': (pod) => pod.spec?.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec?.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIP ?? '',
    'status.podIPs': (pod) => (pod.status?.podIPs ?? []).map(({ ip }) => ip).join(','),
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
  defaults: defaultPod,
  beforeCreate,
  beforeUpdate,
  validate: validatePodCreate,
  warningsOf: podWarnings,
  validateUpdate: validatePodUpdate,
  status: {
    warningsOf: ({ status = {} }) =>
      (['podIPs', 'hostIPs'] as const).flatMap((field) =>
        (status[field] ?? []).flatMap(({ ip }, i) => addressWarnings(ip ?? '', `status.${field}[${i}].ip`)),
      ),
    resets: ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'],
    beforeUpdate: beforeStatusUpdate,
    validateUpdate: validatePodStatusUpdate,
  },
  subresources: {
    attach: { kind: 'PodAttachOptions', verbs: ['create', 'get'], handler: 'pod-attach' },
    binding: { kind: 'Binding', verbs: ['create'], handler: 'pod-binding' },
    ephemeralcontainers: {
      kind: 'Pod',
      verbs: ['get', 'patch', 'update'],
      handler: 'pod-ephemeralcontainers',
      resets: { allBut: ['spec.ephemeralContainers'] },
      beforeUpdate: beforeEphemeralContainersUpdate,
      validateUpdate: validateEphemeralContainersUpdate,
    },
    eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'], handler: 'pod-eviction' },
    exec: { kind: 'PodExecOptions', verbs: ['create', 'get'], handler: 'pod-exec' },
    log: { kind: 'Pod', verbs: ['get'], handler: 'pod-log' },
    portforward: { kind: 'PodPortForwardOptions', verbs: ['create', 'get'], handler: 'pod-portforward' },
    proxy: { kind: 'PodProxyOptions', verbs: proxyVerbs, handler: 'pod-proxy' },
    resize: {
      kind: 'Pod',
      verbs: ['get', 'patch', 'update'],
      handler: 'pod-resize',
      resets: {
        allBut: ['containers', 'initContainers'].flatMap((list) => ['resources', 'resizePolicy'].map((field) => `spec.${list}.*.${field}`)),
      },
      beforeUpdate,
      validateUpdate: validatePodResize,
    },
  },
  returnsDeletedObject: true,
  gracePeriodSeconds,
  columns: podColumns,
});
