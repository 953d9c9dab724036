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
import { podSecurityViolations } from './evaluate.ts';
import { compareLevels, isSameLevel, type LevelVersion, levelText, policyOf } from './policy.ts';

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

export function podSecurity(view: ClusterView): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    operations: ['CREATE', 'UPDATE'],
    handles: (attributes) => isPod(attributes) || isTemplated(attributes) || isNamespace(attributes),
    validate: (attributes) => (isNamespace(attributes) ? checkNamespace(attributes, view) : checkPod(attributes, view)),
  };
}

async function checkPod(attributes: AdmissionAttributes, view: ClusterView): Promise<void> {
  const found = view.get(namespaces, '', attributes.namespace);
  const labels = (found instanceof Promise ? await found : found)?.metadata?.labels;
  const { policy, errors } = policyOf(labels);
  const { enforce, audit, warn } = policy;
  const isFree = [...(isPod(attributes) ? [enforce] : []), audit, warn].every(({ level }) => level === 'privileged');
  if (isFree && errors.length === 0) return;
  const pod = isPod(attributes) ? (attributes.object as Pod) : templateOf(attributes.object);
  if (!pod || (isPod(attributes) && attributes.old && !hasOtherImages(pod, attributes.old as Pod))) return;
  if (errors.length) {
    const why = errors.map(({ field, message }) => `${field}: ${message}`).join(', ');
    attributes.annotate(`${auditPrefix}error`, `Failed to parse policy: ${errors.length > 1 ? `[${why}]` : why}`);
  }
  if (isPod(attributes)) attributes.annotate(`${auditPrefix}enforce-policy`, levelText(enforce));
  const noted = problemOf(audit, pod);
  if (noted) attributes.annotate(`${auditPrefix}audit-violations`, `would violate PodSecurity ${noted}`);
  const refused = isPod(attributes) ? problemOf(enforce, pod) : '';
  if (refused) throw forbiddenError(attributes.kind, attributes.name, `violates PodSecurity ${refused}`);
  const told = problemOf(warn, pod);
  if (told) attributes.warn(`would violate PodSecurity ${told}`);
}

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

function checkNamespace({ operation, kind, name, object, old, warn }: AdmissionAttributes, view: ClusterView): void {
  const now = policyOf((object as Namespace).metadata?.labels);
  const before = old ? policyOf((old as Namespace).metadata?.labels) : undefined;
  if (now.errors.length && !isDeepStrictEqual(now.errors, before?.errors)) throw invalidError(kind, name, now.errors);
  if (operation === 'CREATE' || !before) return;
  const { enforce } = now.policy;
  const was = before.policy.enforce;
  if (enforce.level === 'privileged' || isSameLevel(enforce, was)) return;
  if (enforce.minor === was.minor && compareLevels(enforce.level, was.level) <= 0) return;
  for (const text of warningsAbout(view.list(pods, name), name, enforce)) warn(text);
}

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
