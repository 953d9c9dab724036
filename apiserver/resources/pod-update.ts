// What may change in a pod once it exists: through the pod itself, its status, ephemeralcontainers and resize.

import type { Container, ContainerStatus, Pod, PodSpec } from '../../api/core.ts';
import { duplicate, type FieldError, forbidden, invalid, required } from '../../api/field-error.ts';
import type { Toleration } from '../../api/pod-parts.ts';
import { qosClassOf } from '../../api/pods.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123SubdomainProblems, rangeProblem } from '../../api/validation/formats.ts';
import { isIpv6, legacyIpErrors } from '../../api/validation/ip.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { differenceText } from './difference.ts';
import { labelNameErrors, nodeAffinityMutationErrors, tolerationsErrors } from './pod-scheduling.ts';
import { appArmorPrefix } from './pod-security.ts';
import { podAnnotationsErrors, podSpecErrors } from './pod-spec.ts';

const updatableFields = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

/** Every problem of a pod that do not depend on what it was before. */
export function podErrors(pod: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata = {}, spec = { containers: [] } } = pod;
  podAnnotationsErrors(metadata.annotations, spec, 'metadata.annotations', errors);
  podSpecErrors(spec, 'spec', errors, { isPod: true, ...(metadata.name ? { podName: metadata.name } : {}) });
  if (!spec.serviceAccountName)
    eachAt(spec.volumes, 'spec.volumes', ({ projected }, at) => {
      eachAt(projected?.sources, `${at}.projected.sources`, ({ serviceAccountToken }, each) => {
        if (serviceAccountToken)
          errors.push(forbidden(`${each}.serviceAccountToken`, 'must not be specified when serviceAccountName is not set'));
      });
    });
  return errors;
}

/** Problems of an update of the pod itself. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = podErrors(pod);
  annotationUpdateErrors(pod, old, errors);
  const spec = pod.spec ?? { containers: [] };
  const oldSpec = old.spec ?? { containers: [] };
  for (const field of ['containers', 'initContainers'] as const) {
    if ((spec[field] ?? []).length === (oldSpec[field] ?? []).length) continue;
    errors.push(forbidden(`spec.${field}`, 'pod updates may not add or remove containers'));
    return errors;
  }
  if (!deadlineErrors(spec, oldSpec, errors)) return errors;
  tolerationUpdateErrors(spec.tolerations, oldSpec.tolerations, errors);
  eachAt(spec.schedulingGates, 'spec.schedulingGates', ({ name }, at) => {
    if (!oldSpec.schedulingGates?.some((gate) => gate.name === name))
      errors.push(forbidden(`${at}.name`, `only deletion is allowed, but found new scheduling gate '${name}'`));
  });
  if (semanticEqual(spec, oldSpec)) return errors;
  const munged = mungedSpec(spec, oldSpec, errors);
  if (!semanticEqual(munged, oldSpec)) {
    const difference = differenceText('core.PodSpec', oldSpec, munged);
    errors.push(forbidden('spec', `pod updates may not change fields other than ${updatableFields}\n${difference}`));
  }
  return errors;
}

/** False when nothing after it is to be checked, as in Kubernetes. */
function deadlineErrors(spec: PodSpec, oldSpec: PodSpec, errors: FieldError[]): boolean {
  const at = 'spec.activeDeadlineSeconds';
  const seconds = spec.activeDeadlineSeconds;
  const oldSeconds = oldSpec.activeDeadlineSeconds;
  if (seconds === undefined) {
    if (oldSeconds !== undefined) errors.push(invalid(at, null, 'must not update from a positive integer to nil value'));
    return true;
  }
  if (seconds < 0 || seconds > 2147483647) {
    errors.push(invalid(at, seconds, rangeProblem(0, 2147483647)));
    return false;
  }
  if (oldSeconds === undefined || oldSeconds >= seconds) return true;
  errors.push(invalid(at, seconds, 'must be less than or equal to previous value'));
  return false;
}

function tolerationUpdateErrors(
  tolerations: readonly Toleration[] | undefined,
  old: readonly Toleration[] | undefined,
  errors: FieldError[],
): void {
  const isKept = (toleration: Toleration) =>
    tolerations?.some((candidate) => {
      const { tolerationSeconds: _, ...rest } = candidate;
      const { tolerationSeconds: __, ...oldRest } = toleration;
      return semanticEqual(rest, oldRest);
    });
  if (!(old ?? []).every(isKept))
    errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  else tolerationsErrors(tolerations, 'spec.tolerations', errors);
}

/** The new spec with everything that may change as it was; what still differs may not. */
function mungedSpec(spec: PodSpec, oldSpec: PodSpec, errors: FieldError[]): PodSpec {
  const withOldImages = (containers: Container[] | undefined, old: Container[] | undefined) =>
    containers?.map((container, i) => ({ ...container, image: old?.[i]?.image ?? '' })) ?? [];
  const munged: PodSpec = { ...spec, containers: withOldImages(spec.containers, oldSpec.containers) };
  munged.initContainers = withOldImages(spec.initContainers, oldSpec.initContainers);
  for (const field of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations'] as const) keepField(munged, oldSpec, field);
  if ((oldSpec.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1)
    keepField(munged, oldSpec, 'terminationGracePeriodSeconds');
  if (oldSpec.schedulingGates?.length) mungeGated(munged, oldSpec, errors);
  return munged;
}

function mungeGated(munged: PodSpec, oldSpec: PodSpec, errors: FieldError[]): void {
  if (!semanticEqual(munged.nodeSelector, oldSpec.nodeSelector)) {
    const isGrown = Object.entries(oldSpec.nodeSelector ?? {}).every(([key, value]) => munged.nodeSelector?.[key] === value);
    if (!isGrown) {
      const why = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
      errors.push(invalid('spec.nodeSelector', munged.nodeSelector, why));
    }
    keepField(munged, oldSpec, 'nodeSelector');
  }
  const affinity = munged.affinity?.nodeAffinity;
  const oldAffinity = oldSpec.affinity?.nodeAffinity;
  if (semanticEqual(affinity, oldAffinity)) return;
  nodeAffinityMutationErrors(affinity, oldAffinity, 'spec.affinity.nodeAffinity', errors);
  const { nodeAffinity: _, ...rest } = munged.affinity ?? {};
  munged.affinity = oldAffinity ? { ...rest, nodeAffinity: oldAffinity } : rest;
}

function keepField<K extends keyof PodSpec>(spec: PodSpec, old: PodSpec, field: K): void {
  if (old[field] === undefined) delete spec[field];
  else spec[field] = old[field];
}

function annotationUpdateErrors(pod: Pod, old: Pod, errors: FieldError[]): void {
  const annotations = pod.metadata?.annotations ?? {};
  const oldAnnotations = old.metadata?.annotations ?? {};
  const at = 'metadata.annotations';
  const mirror = 'kubernetes.io/config.mirror';
  for (const key in oldAnnotations) {
    if (annotations[key] === oldAnnotations[key]) continue;
    if (key.startsWith(appArmorPrefix)) errors.push(forbidden(`${at}[${key}]`, 'may not remove or update AppArmor annotations'));
    if (key === mirror) errors.push(forbidden(`${at}[${key}]`, 'may not remove or update mirror pod annotation'));
  }
  for (const key in annotations) {
    if (key in oldAnnotations) continue;
    if (key.startsWith(appArmorPrefix)) errors.push(forbidden(`${at}[${key}]`, 'may not add AppArmor annotations'));
    if (key === mirror) errors.push(forbidden(`${at}[${key}]`, 'may not add mirror pod annotation'));
  }
}

const systemConditions = ['PodScheduled', 'Ready', 'Initialized'];

/** Problems of an update of the status. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  annotationUpdateErrors(pod, old, errors);
  const { status = {}, spec } = pod;
  const oldStatus = old.status ?? {};
  eachAt(status.conditions, 'metadata.conditions', ({ type = '' }, at) => {
    if (!systemConditions.includes(type)) labelNameErrors(type, `${at}.Type`, errors);
  });
  const { nominatedNodeName } = status;
  if (nominatedNodeName && nominatedNodeName !== oldStatus.nominatedNodeName)
    for (const problem of dns1123SubdomainProblems(nominatedNodeName))
      errors.push(invalid('status.nominatedNodeName', nominatedNodeName, problem));
  if (oldStatus.qosClass) errors.push(...immutableErrors('status.qosClass', status.qosClass ?? '', oldStatus.qosClass));
  const policy = old.spec?.restartPolicy ?? 'Always';
  transitionErrors(status.containerStatuses, oldStatus.containerStatuses, policy, 'status.containerStatuses', errors, old.spec?.containers);
  transitionErrors(
    status.initContainerStatuses,
    oldStatus.initContainerStatuses,
    policy,
    'status.initContainerStatuses',
    errors,
    old.spec?.initContainers,
  );
  transitionErrors(
    status.ephemeralContainerStatuses,
    oldStatus.ephemeralContainerStatuses,
    'Never',
    'status.ephemeralContainerStatuses',
    errors,
    [],
  );
  eachAt(status.resourceClaimStatuses, 'status.resourceClaimStatuses', ({ name }, at) => {
    if (!spec?.resourceClaims?.some((claim) => claim.name === name))
      errors.push(invalid(`${at}.name`, name, 'must match the name of an entry in `spec.resourceClaims`'));
  });
  addressesErrors(status.podIPs, 'status.podIPs', errors);
  const firstHostIp = status.hostIPs?.[0]?.ip;
  if (firstHostIp !== undefined && firstHostIp !== status.hostIP)
    errors.push(invalid('status.hostIPs[0].ip', firstHostIp, 'must be equal to `hostIP`'));
  addressesErrors(status.hostIPs, 'status.hostIPs', errors);
  return errors;
}

function addressesErrors(addresses: readonly { ip?: string }[] | undefined, at: string, errors: FieldError[]): void {
  if (!addresses?.length) return;
  const seen = new Set<string>();
  eachAt(addresses, at, ({ ip = '' }, each) => {
    errors.push(...legacyIpErrors(each, ip));
    if (seen.has(ip)) errors.push(duplicate(each, { IP: ip }));
    seen.add(ip);
  });
  if (addresses.length === 1) return;
  const families = new Set(addresses.map(({ ip = '' }) => isIpv6(ip)));
  if (families.size < 2 || addresses.length > 2) errors.push(invalid(at, addresses, 'may specify no more than one IP for each IP family'));
}

/** A container that has ended may not run again, unless its restart policy lets it. */
function transitionErrors(
  statuses: readonly ContainerStatus[] | undefined,
  oldStatuses: readonly ContainerStatus[] | undefined,
  podPolicy: string,
  at: string,
  errors: FieldError[],
  containers: readonly Container[] | undefined,
): void {
  eachAt(oldStatuses, at, (old, each) => {
    const ended = old.state?.terminated;
    if (!ended) return;
    const container = containers?.find(({ name }) => name === old.name);
    const policy = container?.restartPolicy ?? podPolicy;
    if (policy === 'Always' || container?.restartPolicyRules?.length || (ended.exitCode !== 0 && policy === 'OnFailure')) return;
    if (statuses?.some((status) => status.name === old.name && !status.state?.terminated))
      errors.push(forbidden(`${each}.state`, 'may not be transitioned to non-terminated state'));
  });
}

/** Problems of a change of the ephemeral containers: they may be added, not changed or removed. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = podErrors(pod);
  const at = 'spec.ephemeralContainers';
  const containers = new Map((pod.spec?.ephemeralContainers ?? []).map((container) => [container.name, container]));
  for (const container of old.spec?.ephemeralContainers ?? []) {
    const now = containers.get(container.name);
    if (!now) errors.push(forbidden(at, `existing ephemeral containers ${JSON.stringify(container.name)} may not be removed\n`));
    else if (!semanticEqual(now, container)) {
      const difference = differenceText('core.EphemeralContainer', container, now);
      errors.push(forbidden(at, `existing ephemeral containers ${JSON.stringify(container.name)} may not be changed\n${difference}`));
    }
  }
  return errors;
}

/** Problems of an in-place resize: only cpu and memory may change, and the class of service may not. */
export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  const errors = podErrors(pod);
  if (old.spec?.os?.name === 'windows') errors.push(forbidden('spec.os.name', 'windows pods cannot be resized'));
  if (qosClassOf(pod) !== (old.status?.qosClass ?? qosClassOf(old)))
    errors.push(invalid('spec', old.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'));
  for (const field of ['containers', 'initContainers'] as const)
    eachAt(pod.spec?.[field], `spec.${field}`, (container, at, i) => {
      for (const which of ['limits', 'requests'] as const)
        for (const name of Object.keys(old.spec?.[field]?.[i]?.resources?.[which] ?? {}))
          if (container.resources?.[which]?.[name] === undefined)
            errors.push(forbidden(`${at}.resources.${which}`, `resource ${which} cannot be removed`));
    });
  const without = (spec: PodSpec | undefined) => {
    const strip = (container: Container): Container => ({
      ...container,
      resources: withoutComputed(container.resources),
      resizePolicy: [],
    });
    return { ...spec, containers: spec?.containers.map(strip) ?? [], initContainers: spec?.initContainers?.map(strip) ?? [] };
  };
  if (!semanticEqual(without(pod.spec), without(old.spec))) {
    const difference = differenceText('core.PodSpec', without(old.spec), without(pod.spec));
    errors.push(forbidden('spec', `only cpu and memory resources are mutable\n${difference}`));
  }
  return errors;
}

function withoutComputed(resources: Container['resources']): NonNullable<Container['resources']> {
  const strip = (list: Readonly<Record<string, string>> | undefined) =>
    Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => name !== 'cpu' && name !== 'memory'));
  return { ...resources, limits: strip(resources?.limits), requests: strip(resources?.requests) };
}

/** Problems that only a new pod can have. */
export function validatePodCreate(pod: Pod): FieldError[] {
  const errors = podErrors(pod);
  if (pod.spec?.ephemeralContainers?.length) errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  if (pod.spec?.nodeName && pod.spec.schedulingGates?.length)
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  if (!pod.spec) errors.push(required('spec.containers'));
  return dedupe(errors);
}

/** The same problem found twice (an empty spec) is told once. */
function dedupe(errors: FieldError[]): FieldError[] {
  const seen = new Set<string>();
  return errors.filter(({ field, message }) => {
    const key = `${field}: ${message}`;
    return !seen.has(key) && seen.add(key);
  });
}
