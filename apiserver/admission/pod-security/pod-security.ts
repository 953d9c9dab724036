// Namespaces' pod security levels (admission plug-in PodSecurity): pods that break the enforced one are refused; those
// that break the others are noted or told, as are workloads whose template does. Whoever raises a namespace's level is
// told which of its pods would not be let in again.

import { isDeepStrictEqual } from 'node:util';
import { type Namespace, namespaces, type Pod, pods } from '../../../api/core.ts';
import { controllerOf } from '../../../api/owners.ts';
import { forbiddenError, invalidError } from '../../../api/status.ts';
import type { KubeObject } from '../../../api/wire.ts';
import { type AdmissionAttributes, type AdmissionPlugin, isWriteOf } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Violation } from './check.ts';
import { type PodSecurityConfiguration, readPodSecurityConfiguration } from './configuration.ts';
import { podSecurityViolations } from './evaluate.ts';
import { PodSecurityMetrics } from './pod-security-metrics.ts';
import {
  compareLevels,
  isEquivalent,
  isPrivileged,
  isSameLevel,
  type LevelVersion,
  labelledPolicyText,
  levelText,
  type Policy,
  policyOf,
  privilegedPolicy,
} from './policy.ts';

const templated = new Set([
  'deployments',
  'replicasets',
  'statefulsets',
  'daemonsets',
  'replicationcontrollers',
  'jobs',
  'cronjobs',
  'podtemplates',
]);
const ignoredSubresources = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status']);
const auditPrefix = 'pod-security.kubernetes.io/';
/** How many of a namespace's pods are looked at when its level is raised. */
const podsMax = 3000;

const isPod = ({ kind, subresource }: AdmissionAttributes) =>
  kind.group === '' && kind.plural === 'pods' && !ignoredSubresources.has(subresource);
const isTemplated = ({ kind, subresource }: AdmissionAttributes) =>
  templated.has(kind.plural) && ['', 'apps', 'batch'].includes(kind.group) && subresource === '';
const isNamespace = isWriteOf(namespaces);
const { enforce: defaultLevel } = privilegedPolicy;

export function podSecurity(view: ClusterView, configuration = readPodSecurityConfiguration()): AdmissionPlugin {
  const metrics = view.measures && new PodSecurityMetrics(view.measures.registry);
  return {
    name: 'PodSecurity',
    operations: ['CREATE', 'UPDATE'],
    handles: (attributes) => isPod(attributes) || isTemplated(attributes) || isNamespace(attributes),
    validate: (attributes) =>
      isNamespace(attributes) ? checkNamespace(attributes, view, configuration) : checkPod(attributes, { view, configuration, metrics }),
  };
}

interface Surroundings {
  view: ClusterView;
  configuration: PodSecurityConfiguration;
  metrics: PodSecurityMetrics | undefined;
}

async function checkPod(attributes: AdmissionAttributes, { view, configuration, metrics }: Surroundings): Promise<void> {
  const { namespace, user, annotate } = attributes;
  const { defaults, exemptions } = configuration;
  const exempt = (why: string) => {
    metrics?.exemption(attributes);
    annotate(`${auditPrefix}exempt`, why);
  };
  if (exemptions.namespaces.includes(namespace)) return exempt('namespace');
  if (exemptions.usernames.includes(user.name)) return exempt('user');
  const found = view.get(namespaces, '', namespace);
  const labels = (found instanceof Promise ? await found : found)?.metadata?.labels;
  const { policy, errors } = policyOf(labels, defaults);
  const { enforce, audit, warn } = policy;
  const isEnforced = isPod(attributes);
  if (errors.length === 0 && isPrivileged(isEnforced ? policy : { ...policy, enforce: defaultLevel })) {
    if (isEnforced) {
      metrics?.evaluation(true, enforce, 'enforce', attributes);
      annotate(`${auditPrefix}enforce-policy`, levelText(defaultLevel));
    }
    return;
  }
  const pod = isEnforced ? (attributes.object as Pod) : templateOf(attributes.object);
  if (!pod || (isEnforced && attributes.old && !hasOtherImages(pod, attributes.old as Pod))) return;
  if (isExemptByClass(pod, configuration)) return exempt('runtimeClass');
  if (errors.length) {
    metrics?.error(attributes);
    const why = errors.map(({ field, message }) => `${field}: ${message}`).join(', ');
    annotate(`${auditPrefix}error`, `Failed to parse policy: ${errors.length > 1 ? `[${why}]` : why}`);
  }
  if (isEnforced) annotate(`${auditPrefix}enforce-policy`, levelText(enforce));
  const refused = isEnforced ? problemOf(enforce, pod) : '';
  if (isEnforced) metrics?.evaluation(refused === '', enforce, 'enforce', attributes);
  const noted = problemOf(audit, pod);
  if (noted) {
    metrics?.evaluation(false, audit, 'audit', attributes);
    annotate(`${auditPrefix}audit-violations`, `would violate PodSecurity ${noted}`);
  }
  if (refused) throw forbiddenError(attributes.kind, attributes.name, `violates PodSecurity ${refused}`);
  const told = problemOf(warn, pod);
  if (!told) return;
  metrics?.evaluation(false, warn, 'warn', attributes);
  attributes.warn(`would violate PodSecurity ${told}`);
}

const isExemptByClass = ({ spec }: Pod, { exemptions }: PodSecurityConfiguration) =>
  Boolean(spec?.runtimeClassName) && exemptions.runtimeClasses.includes(spec?.runtimeClassName ?? '');

/** `"restricted:latest": hostPort (container "a" uses hostPort 80)`; '' when nothing is broken. */
function problemOf(level: LevelVersion, pod: Pod): string {
  const violations = podSecurityViolations(level, pod);
  if (violations.length === 0) return '';
  return `"${levelText(level)}": ${violations.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ')}`;
}

/** Of what may change in a pod, only other images and further containers matter. */
function hasOtherImages({ spec }: Pod, old: Pod): boolean {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = spec ?? {};
  const before = old.spec;
  if (containers.length !== (before?.containers ?? []).length || initContainers.length !== (before?.initContainers ?? []).length)
    return true;
  return (
    containers.some(({ image }, i) => image !== before?.containers?.[i]?.image) ||
    initContainers.some(({ image }, i) => image !== before?.initContainers?.[i]?.image) ||
    ephemeralContainers.some(({ name, image }) => image !== before?.ephemeralContainers?.find((each) => each.name === name)?.image)
  );
}

function checkNamespace(attributes: AdmissionAttributes, view: ClusterView, configuration: PodSecurityConfiguration): void {
  const { operation, kind, name, object, old, warn } = attributes;
  const { defaults, exemptions } = configuration;
  const labels = (object as Namespace).metadata?.labels ?? {};
  const now = policyOf(labels, defaults);
  const before = old ? policyOf((old as Namespace).metadata?.labels, defaults) : undefined;
  if (now.errors.length && !isDeepStrictEqual(now.errors, before?.errors)) throw invalidError(kind, name, now.errors);
  const { enforce } = now.policy;
  if (operation === 'UPDATE' && before) {
    const was = before.policy.enforce;
    if (enforce.level === 'privileged' || isSameLevel(enforce, was)) return;
    if (enforce.minor === was.minor && compareLevels(enforce.level, was.level) <= 0) return;
  }
  if (exemptions.namespaces.includes(name)) {
    const isPointless = !isPrivileged(now.policy) && !isSamePolicy(now.policy, defaults);
    const labelled = `the policy (${labelledPolicyText(now.policy, labels)}) will be ignored`;
    if (isPointless) warn(`namespace ${JSON.stringify(name)} is exempt from Pod Security, and ${labelled}`);
    return;
  }
  if (operation === 'CREATE') return;
  const subject = view.list(pods, name).filter((pod) => !isExemptByClass(pod, configuration));
  for (const text of warningsAbout(subject, name, enforce)) warn(text);
}

const isSamePolicy = (a: Policy, b: Policy) => (['enforce', 'audit', 'warn'] as const).every((mode) => isEquivalent(a[mode], b[mode]));

/** What raising the level means for the pods that are there, those that break it alike in one line. */
function warningsAbout(all: readonly Pod[], namespace: string, enforce: LevelVersion): string[] {
  const looked = onePerControllerFirst(all).slice(0, podsMax);
  const byProblem = new Map<string, string[]>();
  for (const pod of looked) {
    const problem = podSecurityViolations(enforce, pod)
      .map(({ reason }: Violation) => reason)
      .join(', ');
    if (!problem) continue;
    const names = byProblem.get(problem) ?? [];
    byProblem.set(problem, names);
    names.push(pod.metadata?.name ?? '');
  }
  const lines = [...byProblem].map(([problem, names]) => {
    const [first] = names.sort();
    const others = names.length - 1;
    return `${first}${others === 0 ? '' : ` (and ${others} other ${others === 1 ? 'pod' : 'pods'})`}: ${problem}`;
  });
  const count = `new PodSecurity enforce level only checked against the first ${looked.length} of ${all.length} existing pods`;
  return [
    ...(looked.length < all.length ? [count] : []),
    ...(lines.length
      ? [`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${levelText(enforce)}"`]
      : []),
    ...lines.sort(),
  ];
}

/** Pods of one controller are alike, so others come before the second of them. */
function onePerControllerFirst(all: readonly Pod[]): Pod[] {
  const seen = new Set<string>();
  const first: Pod[] = [];
  const rest: Pod[] = [];
  for (const pod of all) {
    const owner = controllerOf(pod)?.uid;
    (owner !== undefined && seen.has(owner) ? rest : first).push(pod);
    if (owner !== undefined) seen.add(owner);
  }
  return [...first, ...rest];
}

interface Templated extends KubeObject {
  template?: Pod;
  spec?: { template?: Pod; jobTemplate?: { spec?: { template?: Pod } } };
}

function templateOf(object: Templated | undefined): Pod | undefined {
  return object?.spec?.template ?? object?.spec?.jobTemplate?.spec?.template ?? object?.template;
}
