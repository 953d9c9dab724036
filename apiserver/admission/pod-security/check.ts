// What a check of the pod security standards is, and the words that checks have in common.

import type { Container, Pod } from '../../../api/core.ts';
import type { Level } from './policy.ts';

export type Spec = NonNullable<Pod['spec']>;
export type SecurityContext = NonNullable<Container['securityContext']> & NonNullable<Spec['securityContext']>;

/** `reason` alone when many pods are spoken of, with `detail` for one. */
export interface Violation {
  reason: string;
  detail: string;
}

export type CheckPod = (spec: Spec, annotations: Readonly<Record<string, string>>) => Violation | undefined;

export interface Check {
  id: string;
  level: Exclude<Level, 'privileged'>;
  /** Oldest first: what is checked since which minor version, and which checks of baseline it stands in for. */
  versions: readonly { since: number; check: CheckPod; overrides?: readonly string[] }[];
}

export const containersOf = ({ initContainers = [], containers = [], ephemeralContainers = [] }: Spec): Container[] => [
  ...initContainers,
  ...containers,
  ...ephemeralContainers,
];

export const quoted = (texts: Iterable<string>): string => [...texts].map((text) => `"${text}"`).join(', ');
export const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].sort();
export const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`);

/** `container "a"`, `containers "a", "b"` */
export const named = (containers: readonly Container[]): string =>
  `${plural('container', containers.length)} ${quoted(containers.map(({ name }) => name))}`;

/** The pod itself and the containers whose security context `isBad`, as the subject of a sentence; '' for none. */
export function setters(spec: Spec, isBad: (context: Partial<SecurityContext>) => boolean): string {
  const own = spec.securityContext && isBad(spec.securityContext) ? ['pod'] : [];
  const bad = containersOf(spec).filter(({ securityContext }) => securityContext && isBad(securityContext));
  return [...own, ...(bad.length ? [named(bad)] : [])].join(' and ');
}

/** The security contexts of the pod and all its containers. */
export const contextsOf = (spec: Spec): Partial<SecurityContext>[] =>
  [spec, ...containersOf(spec)].flatMap(({ securityContext }) => (securityContext ? [securityContext] : []));

/** Pods with users of their own may be root within. */
export const unlessOwnUsers =
  (check: CheckPod): CheckPod =>
  (spec, annotations) =>
    spec.hostUsers === false ? undefined : check(spec, annotations);

/** Windows pods cannot set what is asked for. */
export const unlessWindows =
  (check: CheckPod): CheckPod =>
  (spec, annotations) =>
    spec.os?.name === 'windows' ? undefined : check(spec, annotations);

export const isGoodSeccomp = (type: string | undefined): boolean => type === 'RuntimeDefault' || type === 'Localhost';

export function seccompViolation(spec: Spec): Violation | undefined {
  const isBad = ({ seccompProfile }: Partial<SecurityContext>) => seccompProfile !== undefined && !isGoodSeccomp(seccompProfile.type);
  const who = setters(spec, isBad);
  if (!who) return undefined;
  const types = contextsOf(spec).flatMap((context) => (isBad(context) ? [context.seccompProfile?.type ?? ''] : []));
  return { reason: 'seccompProfile', detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(sorted(types))}` };
}

/** Only what the runtime masks of /proc may be seen. */
export const procMount: CheckPod = (spec) => {
  const bad = containersOf(spec).filter(({ securityContext }) => (securityContext?.procMount ?? 'Default') !== 'Default');
  if (bad.length === 0) return undefined;
  const values = sorted(bad.map(({ securityContext }) => securityContext?.procMount ?? ''));
  return { reason: 'procMount', detail: `${named(bad)} must not set securityContext.procMount to ${quoted(values)}` };
};
