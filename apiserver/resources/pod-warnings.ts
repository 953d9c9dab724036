// What the author of a pod, or of a template of pods, is warned of: what is valid, and will not do what it seems to say
// (pkg/api/pod/warnings.go).

import type { Pod } from '../../api/core.ts';
import { canonicalQuantity, quantityMilliValue } from '../../api/quantity.ts';
import { dns1123LabelProblems } from '../../api/validation/formats.ts';
import { addressWarnings } from './address-warnings.ts';
import { nodeLabelWarning, nodeSelectorTermWarnings } from './node-label-warnings.ts';
import { overlapWarnings } from './volume-path-warnings.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];
type Metadata = { annotations?: Record<string, string> | undefined } | undefined;
type AffinityTerm = { labelSelector?: unknown };

const deprecatedAnnotations: Record<string, string> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
};

/** Kinds of volumes that work no more, or soon will not. */
export const deprecatedVolumes = {
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  gitRepo: 'deprecated in v1.11, and disabled by default in v1.33+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  flocker: 'deprecated in v1.22, non-functional in v1.25+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  quobyte: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
};

/** As Kubernetes spells the field in these warnings. */
export const volumeFieldName = (field: string) => (field === 'storageos' ? 'storageOS' : field);

const seccompPodAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainerAnnotation = 'container.seccomp.security.alpha.kubernetes.io/';
const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';

/** `whose`: `the Pod's hostname` or `Pod names and hostnames`. */
export function nameWarnings(name: string | undefined, whose: string): string[] {
  const problems = dns1123LabelProblems(name ?? '');
  if (problems.length === 0) return [];
  return [
    `metadata.name: this is used in ${whose}, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
  ];
}

/** Of a new pod; changes of pods are made by programs, and warn nobody. */
export function podWarnings({ metadata, spec }: Pod, old: Pod | undefined): string[] {
  if (old || !spec) return [];
  return [...nameWarnings(metadata?.name, "the Pod's hostname"), ...specWarnings(spec, metadata, '')];
}

/** `at`: the template's path. */
export function templateWarnings(template: { metadata?: Metadata; spec?: PodSpec | undefined } | undefined, at: string): string[] {
  return template?.spec ? specWarnings(template.spec, template.metadata, `${at}.`) : [];
}

interface Workload {
  metadata?: { name?: string | undefined; generation?: number | undefined } | undefined;
}

/** Of a kind that makes pods: on creation also of its name, on a change only when what is wanted changes. */
export function workloadWarnings<T extends Workload>(warningsOf: (object: T) => string[], { ofName = true } = {}) {
  return (object: T, old: T | undefined): string[] => {
    if (old && old.metadata?.generation === object.metadata?.generation) return [];
    return [...(!old && ofName ? nameWarnings(object.metadata?.name, 'Pod names and hostnames') : []), ...warningsOf(object)];
  };
}

export const indexedJobWarning =
  'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail';

/** Of a job's spec, and of its template. */
export function jobWarnings(
  spec:
    | { completionMode?: string; completions?: number; parallelism?: number; template?: Parameters<typeof templateWarnings>[0] }
    | undefined,
  at: string,
): string[] {
  const isLarge = spec?.completionMode === 'Indexed' && (spec.completions ?? 0) > 100_000 && (spec.parallelism ?? 0) > 10_000;
  return [...(isLarge ? [`${at}: ${indexedJobWarning}`] : []), ...templateWarnings(spec?.template, `${at}.template`)];
}

export function fractionalBytesWarnings(
  amounts: Readonly<Record<string, string>> | undefined,
  names: readonly string[],
  at: string,
): string[] {
  return names.flatMap((name) => {
    const value = amounts?.[name];
    if (value === undefined || quantityMilliValue(value) % 1000 === 0) return [];
    return [`${at}[${name}]: fractional byte value ${JSON.stringify(canonicalQuantity(value))} is invalid, must be an integer`];
  });
}

function specWarnings(spec: PodSpec, metadata: Metadata, prefix: string): string[] {
  const annotations = metadata?.annotations ?? {};
  const at = `${prefix}spec`;
  const annotationAt = (key: string) => `${prefix}metadata.annotations[${key}]`;
  const warnings = nodeWarnings(spec, at);
  for (const [key, text] of Object.entries(deprecatedAnnotations)) if (key in annotations) warnings.push(`${annotationAt(key)}: ${text}`);
  warnings.push(...volumeWarnings(spec, at), ...duplicateWarnings(spec, at));
  const sizes = ['memory', 'ephemeral-storage'];
  warnings.push(...fractionalBytesWarnings(spec.overhead, sizes, `${at}.overhead`));
  if (!spec.securityContext?.seccompProfile && seccompPodAnnotation in annotations)
    warnings.push(`${annotationAt(seccompPodAnnotation)}: non-functional in v1.27+; use the "seccompProfile" field instead`);
  const containers = containersAt(spec, at);
  for (const { container, path } of containers) {
    const { name, securityContext, resources } = container;
    if (!securityContext?.seccompProfile && `${seccompContainerAnnotation}${name}` in annotations)
      warnings.push(
        `${annotationAt(`${seccompContainerAnnotation}${name}`)}: non-functional in v1.27+; use the "seccompProfile" field instead`,
      );
    const hasAppArmor = spec.securityContext?.appArmorProfile ?? securityContext?.appArmorProfile;
    if (!hasAppArmor && `${appArmorAnnotation}${name}` in annotations)
      warnings.push(`${annotationAt(`${appArmorAnnotation}${name}`)}: deprecated since v1.30; use the "appArmorProfile" field instead`);
    for (const size of sizes) {
      warnings.push(...fractionalBytesWarnings(resources?.limits, [size], `${path}.resources.limits`));
      warnings.push(...fractionalBytesWarnings(resources?.requests, [size], `${path}.resources.requests`));
    }
    warnings.push(...environmentWarnings(container, path));
  }
  warnings.push(...portWarnings(containers), ...portNameWarnings(containers));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    warnings.push(`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`);
  warnings.push(...affinityWarnings(spec, `${at}.affinity`));
  for (const [i, address] of (spec.dnsConfig?.nameservers ?? []).entries())
    warnings.push(...addressWarnings(address, `${at}.dnsConfig.nameservers[${i}]`));
  for (const [i, { ip }] of (spec.hostAliases ?? []).entries()) warnings.push(...addressWarnings(ip, `${at}.hostAliases[${i}].ip`));
  return warnings;
}

function nodeWarnings(spec: PodSpec, at: string): string[] {
  const warnings: string[] = [];
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    const text = nodeLabelWarning(key);
    if (text) warnings.push(`${at}.nodeSelector[${key}]: ${text}`);
  }
  const { requiredDuringSchedulingIgnoredDuringExecution: required, preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } =
    spec.affinity?.nodeAffinity ?? {};
  const nodeAffinity = `${at}.affinity.nodeAffinity`;
  required?.nodeSelectorTerms.forEach((term, index) => {
    warnings.push(
      ...nodeSelectorTermWarnings(term, `${nodeAffinity}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`),
    );
  });
  preferred.forEach(({ preference }, index) => {
    warnings.push(
      ...nodeSelectorTermWarnings(preference, `${nodeAffinity}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`, true),
    );
  });
  spec.topologySpreadConstraints?.forEach(({ topologyKey, labelSelector }, index) => {
    const path = `${at}.topologySpreadConstraints[${index}]`;
    const text = nodeLabelWarning(topologyKey);
    if (text) warnings.push(`${path}.topologyKey: ${topologyKey} is ${text}`);
    if (!labelSelector) warnings.push(`${path}.labelSelector: a null labelSelector results in matching no pod`);
  });
  return warnings;
}

function volumeWarnings({ volumes = [] }: PodSpec, at: string): string[] {
  const warnings: string[] = [];
  volumes.forEach((volume, index) => {
    const path = `${at}.volumes[${index}]`;
    for (const [field, text] of Object.entries(deprecatedVolumes))
      if (volume[field as keyof typeof volume]) warnings.push(`${path}.${volumeFieldName(field)}: ${text}`);
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
    if (claim) warnings.push(...claimSpecWarnings(claim, `${path}.ephemeral.volumeClaimTemplate.spec`));
  });
  return [...warnings, ...overlapWarnings(volumes)];
}

/** Of a claim's spec, wherever it stands. */
export function claimSpecWarnings(
  spec: { resources?: { requests?: Record<string, string>; limits?: Record<string, string> } } | undefined,
  at: string,
): string[] {
  return [
    ...fractionalBytesWarnings(spec?.resources?.requests, ['storage'], `${at}.resources.requests`),
    ...fractionalBytesWarnings(spec?.resources?.limits, ['storage'], `${at}.resources.limits`),
  ];
}

function duplicateWarnings({ hostAliases = [], imagePullSecrets = [] }: PodSpec, at: string): string[] {
  const warnings: string[] = [];
  const repeated = (values: (string | undefined)[], path: (index: number) => string, what: string) => {
    values.forEach((value, index) => {
      if (values.indexOf(value) < index) warnings.push(`${path(index)}: duplicate ${what} ${JSON.stringify(value ?? '')}`);
    });
  };
  repeated(
    hostAliases.map(({ ip }) => ip),
    (index) => `${at}.hostAliases[${index}].ip`,
    'ip',
  );
  repeated(
    imagePullSecrets.map(({ name }) => name),
    (index) => `${at}.imagePullSecrets[${index}].name`,
    'name',
  );
  imagePullSecrets.forEach(({ name }, index) => {
    if (!name) warnings.push(`${at}.imagePullSecrets[${index}].name: invalid empty name ""`);
  });
  return warnings;
}

function environmentWarnings({ env = [] }: Container, path: string): string[] {
  const seen = new Set<string>();
  return env.flatMap(({ name, value = '', valueFrom }, index) => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    const reference = `$(${name})`;
    const isHidden = valueFrom || value === reference || !value.includes(reference);
    return isHidden
      ? [`${path}.env[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`]
      : [];
  });
}

function containersAt(spec: PodSpec, at: string): { container: Container; path: string }[] {
  const list = (containers: readonly Container[] | undefined, field: string) =>
    (containers ?? []).map((container, index) => ({ container, path: `${at}.${field}[${index}]` }));
  return [
    ...list(spec.initContainers, 'initContainers'),
    ...list(spec.containers, 'containers'),
    ...list(spec.ephemeralContainers as Container[] | undefined, 'ephemeralContainers'),
  ];
}

type Port = NonNullable<Container['ports']>[number];

function portWarnings(containers: readonly { container: Container; path: string }[]): string[] {
  const warnings: string[] = [];
  const known = new Map<string, { field: string; port: Port }[]>();
  for (const { container, path } of containers) {
    (container.ports ?? []).forEach((port, index) => {
      const field = `${path}.ports[${index}]`;
      const { hostIP = '', hostPort = 0, containerPort, protocol = 'TCP', name = '' } = port;
      if (hostIP && !hostPort) {
        const written = `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
        warnings.push(`${field}: hostIP set without hostPort: ${written}`);
      }
      const key = `${containerPort}/${protocol}`;
      const others = known.get(key) ?? [];
      for (const other of others) {
        const how = clashOf(port, other.port);
        if (how) warnings.push(`${field}: ${how} port definition with ${other.field}`);
      }
      known.set(key, [...others, { field, port }]);
    });
  }
  return warnings;
}

function portNameWarnings(containers: readonly { container: Container; path: string }[]): string[] {
  const firsts = new Map<string, string>();
  const warnings: string[] = [];
  for (const { container, path } of containers) {
    for (const [index, { name }] of (container.ports ?? []).entries()) {
      const field = `${path}.ports[${index}]`;
      const first = name && firsts.get(name);
      if (first)
        warnings.push(
          `${field}: duplicate port name ${JSON.stringify(name)} with ${first}, services and probes that select ports by name will use ${first}`,
        );
      else if (name) firsts.set(name, field);
    }
  }
  return warnings;
}

function clashOf(port: Port, other: Port): string | undefined {
  const [a, b] = [port, other].map(({ hostIP = '', hostPort = 0 }) => ({ hostIP, hostPort })) as [
    { hostIP: string; hostPort: number },
    { hostIP: string; hostPort: number },
  ];
  if (a.hostIP === b.hostIP && a.hostPort === b.hostPort) return 'duplicate';
  if (a.hostPort === 0 || b.hostPort === 0) return 'overlapping';
  return a.hostPort === b.hostPort && (a.hostIP === '') !== (b.hostIP === '') ? 'dangerously ambiguous' : undefined;
}

function affinityWarnings({ affinity }: PodSpec, at: string): string[] {
  const text = 'a null labelSelector results in matching no pod';
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((field) => {
    const {
      requiredDuringSchedulingIgnoredDuringExecution: required = [],
      preferredDuringSchedulingIgnoredDuringExecution: preferred = [],
    } = affinity?.[field] ?? {};
    const isNull = ({ labelSelector }: AffinityTerm) => !labelSelector;
    return [
      ...required.flatMap((term, index) =>
        isNull(term) ? [`${at}.${field}.requiredDuringSchedulingIgnoredDuringExecution[${index}].labelSelector: ${text}`] : [],
      ),
      ...preferred.flatMap(({ podAffinityTerm }, index) =>
        isNull(podAffinityTerm)
          ? [`${at}.${field}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm.labelSelector: ${text}`]
          : [],
      ),
    ];
  });
}
