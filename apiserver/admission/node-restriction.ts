// A kubelet changes its own node and the pods on it, asks for the tokens of those, and nothing else (admission plug-in
// NodeRestriction).

import { isDeepStrictEqual } from 'node:util';
import { type Node, nodes, type Pod, pods, serviceAccounts } from '../../api/core.ts';
import { groupResourceOf } from '../../api/kind.ts';
import { notFoundError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { nodeNameOf } from '../authz/node-authorizer.ts';
import { referencesOfPod } from '../authz/pod-references.ts';
import { type AdmissionAttributes, type AdmissionPlugin, refusal } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';
import { ownedProblems } from './node-owned.ts';

const mirrorAnnotation = 'kubernetes.io/config.mirror';
const guarded = new Set([nodes, pods, serviceAccounts].map(groupResourceOf));

export function nodeRestriction(view: ClusterView): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    operations: ['CREATE', 'UPDATE', 'DELETE'],
    handles: ({ kind, user }) =>
      nodeNameOf(user) !== undefined && (guarded.has(groupResourceOf(kind)) || ownedProblems.has(groupResourceOf(kind))),
    async validate(write) {
      const node = nodeNameOf(write.user) ?? '';
      const unknown = `could not determine node from user ${JSON.stringify(write.user.name)}`;
      const problem = node ? await problemOf(node, write, view) : unknown;
      if (problem) throw refusal(write, problem);
    },
  };
}

function problemOf(node: string, write: AdmissionAttributes, view: ClusterView): string | undefined | Promise<string | undefined> {
  const { kind, subresource } = write;
  const owned = ownedProblems.get(groupResourceOf(kind));
  if (owned) return owned(node, write);
  if (kind.plural === nodes.plural) return nodeProblem(node, write);
  if (kind.plural === pods.plural) return podProblem(node, write, view);
  return subresource === 'token' ? tokenProblem(write, node, view) : undefined;
}

function nodeProblem(node: string, { operation, name, object, old, subresource }: AdmissionAttributes): string | undefined {
  const own = JSON.stringify(node);
  if (name !== node) return `node ${own} is not allowed to modify node ${JSON.stringify(name)}`;
  const labels = (of: KubeObject | undefined) => of?.metadata?.labels ?? {};
  if (operation === 'CREATE') {
    const set = forbiddenLabels(labels(object), {});
    return set.length > 0 ? `node ${own} is not allowed to set the following labels: ${set.join(', ')}` : undefined;
  }
  if (operation !== 'UPDATE') return undefined;
  const [after, before] = [object as Node, old as Node];
  if (!isDeepStrictEqual(after.spec?.taints ?? [], before.spec?.taints ?? [])) return `node ${own} is not allowed to modify taints`;
  const changed = forbiddenLabels(labels(after), labels(before));
  if (changed.length > 0) return `is not allowed to modify labels: ${changed.join(', ')}`;
  if (subresource !== '') return undefined;
  if (!isDeepStrictEqual(after.metadata?.ownerReferences ?? [], before.metadata?.ownerReferences ?? []))
    return `node ${own} is not allowed to modify ownerReferences`;
  return undefined;
}

/** Labels of Kubernetes' own names that say what a kubelet may know of its machine. */
const kubeletLabels = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);
const isIn = (namespace: string, domain: string) => namespace === domain || namespace.endsWith(`.${domain}`);

/** Those that differ and by which a node could draw workloads to itself, in order. */
function forbiddenLabels(after: Readonly<Record<string, string>>, before: Readonly<Record<string, string>>): string[] {
  const changed = [...new Set([...Object.keys(after), ...Object.keys(before)])].filter((key) => after[key] !== before[key]);
  return changed
    .filter((key) => {
      const namespace = key.includes('/') ? (key.split('/')[0] as string) : '';
      if (isIn(namespace, 'node-restriction.kubernetes.io')) return true;
      if (!isIn(namespace, 'kubernetes.io') && !isIn(namespace, 'k8s.io')) return false;
      return !kubeletLabels.has(key) && !isIn(namespace, 'kubelet.kubernetes.io') && !isIn(namespace, 'node.kubernetes.io');
    })
    .sort();
}

async function podProblem(node: string, write: AdmissionAttributes, view: ClusterView): Promise<string | undefined> {
  const { operation, object, old, subresource } = write;
  const own = JSON.stringify(node);
  if (subresource === 'eviction') return evictionProblem(node, write, view);
  if (subresource !== '' && subresource !== 'status')
    return `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`;
  if (operation === 'CREATE') return mirrorPodProblem(node, object as Pod, view);
  const isOwn = (old as Pod).spec?.nodeName === node;
  if (operation === 'DELETE') return isOwn ? undefined : `node ${own} can only delete pods with spec.nodeName set to itself`;
  if (subresource === '') return `unexpected operation "${operation}", node ${own} can only create and delete mirror pods`;
  if (!isOwn) return `node ${own} can only update pod status for pods with spec.nodeName set to itself`;
  const [after, before] = [object as Pod, old as Pod];
  if (!isDeepStrictEqual(after.metadata?.labels ?? {}, before.metadata?.labels ?? {}))
    return `node ${own} cannot update labels through pod status`;
  if (!isDeepStrictEqual(after.status?.resourceClaimStatuses ?? [], before.status?.resourceClaimStatuses ?? []))
    return `node ${own} cannot update resource claim statues`;
  return undefined;
}

async function evictionProblem(node: string, { namespace, name }: AdmissionAttributes, view: ClusterView): Promise<string | undefined> {
  const pod = await view.get(pods, namespace, name);
  if (!pod) throw notFoundError(pods, name);
  return pod.spec?.nodeName === node ? undefined : `node ${node} can only evict pods with spec.nodeName set to itself`;
}

async function mirrorPodProblem(node: string, pod: Pod, view: ClusterView): Promise<string | undefined> {
  const { metadata, spec } = pod;
  const own = JSON.stringify(node);
  if (metadata?.annotations?.[mirrorAnnotation] === undefined)
    return `pod does not have ${JSON.stringify(mirrorAnnotation)} annotation, node ${own} can only create mirror pods`;
  if (spec?.nodeName !== node) return `node ${own} can only create pods with spec.nodeName set to itself`;
  const [owner, ...others] = metadata.ownerReferences ?? [];
  if (others.length > 0) return `node ${own} can only create pods with a single owner reference set to itself`;
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return `node ${own} can only create pods with an owner reference set to itself`;
  if (!owner.controller) return `node ${own} can only create pods with a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion) return `node ${own} must not set blockOwnerDeletion on an owner reference`;
  const found = await view.get(nodes, '', node);
  if (!found) throw notFoundError(nodes, node);
  if (found.metadata?.uid !== owner.uid) return `node ${node} UID mismatch: expected ${owner.uid} got ${found.metadata?.uid}`;
  if (spec.serviceAccountName) return `node ${own} can not create pods that reference a service account`;
  const references = [...referencesOfPod(pod)].map((reference) => reference.split('/')[0]);
  const referred = ['secrets', 'configmaps', 'persistentvolumeclaims'].find((resource) => references.includes(resource));
  return referred && `node ${own} can not create pods that reference ${referred}`;
}

interface TokenRequest extends KubeObject {
  spec?: { boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string } };
}

async function tokenProblem({ object, namespace }: AdmissionAttributes, node: string, view: ClusterView): Promise<string | undefined> {
  const { kind, apiVersion, name, uid } = (object as TokenRequest).spec?.boundObjectRef ?? {};
  if (apiVersion !== 'v1' || kind !== 'Pod' || !name) return 'node requested token not bound to a pod';
  if (!uid) return 'node requested token with a pod binding without a uid';
  const pod = await view.get(pods, namespace, name);
  if (!pod) throw notFoundError(pods, name);
  if (pod.metadata?.uid !== uid)
    return `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  return pod.spec?.nodeName === node ? undefined : 'node requested token bound to a pod scheduled on a different node';
}
