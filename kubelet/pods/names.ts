// How a pod's parts are named towards the runtime: the labels and annotations by which any kubelet finds its
// sandboxes and containers again, and the texts that name a pod in messages.

import { createHash } from 'node:crypto';
import type { Container, Pod } from '../../api/core.ts';

export const podNameLabel = 'io.kubernetes.pod.name';
export const podNamespaceLabel = 'io.kubernetes.pod.namespace';
export const podUidLabel = 'io.kubernetes.pod.uid';
export const containerNameLabel = 'io.kubernetes.container.name';
export const containerHashAnnotation = 'io.kubernetes.container.hash';
export const restartCountAnnotation = 'io.kubernetes.container.restartCount';
export const terminationMessagePathAnnotation = 'io.kubernetes.container.terminationMessagePath';
export const terminationMessagePolicyAnnotation = 'io.kubernetes.container.terminationMessagePolicy';
export const terminationGraceAnnotation = 'io.kubernetes.pod.terminationGracePeriod';
export const preStopAnnotation = 'io.kubernetes.container.preStopHandler';

/** What identifies a pod on a node. */
export interface PodIdentity {
  name: string;
  namespace: string;
  uid: string;
}

/**
 * A static pod is known to the runtime by the uid made from its manifest, which its mirror in the API carries as an
 * annotation; every other pod by its uid.
 */
export function identityOf(pod: Pod): PodIdentity {
  const { name = '', namespace = 'default', uid = '' } = pod.metadata ?? {};
  return { name, namespace, uid };
}

/** `name_namespace(uid)`, as messages name a pod. */
export function formatPod(pod: Pod): string {
  const { name, namespace, uid } = identityOf(pod);
  return `${name}_${namespace}(${uid})`;
}

export function podLabels(pod: Pod): Record<string, string> {
  const { name, namespace, uid } = identityOf(pod);
  return { [podNameLabel]: name, [podNamespaceLabel]: namespace, [podUidLabel]: uid };
}

/** Changes when a running container no longer is what the spec asks for: its image is all that may change in place. */
export function containerHash(container: Pick<Container, 'name' | 'image'>): string {
  return createHash('sha256')
    .update(`${container.name}\0${container.image ?? ''}`)
    .digest('hex')
    .slice(0, 8);
}

export type ContainerKind = 'init' | 'regular' | 'ephemeral';

export interface NamedContainer {
  kind: ContainerKind;
  container: Container;
}

/** Every container of the spec, in start-up order. */
export function containersOf(pod: Pod): NamedContainer[] {
  const spec = pod.spec;
  return [
    ...(spec?.initContainers ?? []).map((container) => ({ kind: 'init' as const, container })),
    ...(spec?.containers ?? []).map((container) => ({ kind: 'regular' as const, container })),
    ...(spec?.ephemeralContainers ?? []).map((container) => ({ kind: 'ephemeral' as const, container: container as Container })),
  ];
}

/** The path of a container in events' `involvedObject.fieldPath`. */
export function fieldPathOf(kind: ContainerKind, name: string): string {
  const list = kind === 'init' ? 'initContainers' : kind === 'ephemeral' ? 'ephemeralContainers' : 'containers';
  return `spec.${list}{${name}}`;
}
