// The node authorizer: a kubelet may do what kubelets do, but reads secrets, configmaps and claims only of pods that are
// bound to its node. Follows https://kubernetes.io/docs/reference/access-authn-authz/node/.

import { type Pod, pods } from '../../api/core.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { ResourceTable } from '../registry/resource-table.ts';
import type { UserInfo } from '../resources/resource.ts';
import type { AuthorizationAttributes, Authorizer, Decision } from './authorizer.ts';
import { nodeRules } from './rbac/bootstrap-roles.ts';
import { ruleAllows } from './rbac/rules.ts';

const nodePrefix = 'system:node:';

/** The name of the node that a kubelet speaks for; undefined for everyone else. */
export function nodeNameOf({ name, groups }: UserInfo): string | undefined {
  return name.startsWith(nodePrefix) && groups.includes('system:nodes') ? name.slice(nodePrefix.length) : undefined;
}

/** What the pods of each node refer to: `resource/namespace/name`, with how many pods do. */
export class NodeGraph {
  readonly #byNode = new Map<string, Map<string, number>>();
  readonly #known = new Map<string, { node: string; references: string[] }>();

  /** Follows the pods from now on. Until then no node has any. */
  attach(resources: ResourceTable): void {
    const cache = resources.ofKind(pods)?.cache;
    if (!cache) return;
    const fill = () => {
      for (const stored of cache.list({ namespace: '', name: '', labels: [], fields: [] })) this.#put(stored);
    };
    cache.listen({
      change: ({ before, after }) => {
        if (after) this.#put(after);
        else if (before) this.#remove(before.key);
      },
      expired: () => {
        this.#byNode.clear();
        this.#known.clear();
        // The cache holds its new content once this call has returned.
        queueMicrotask(fill);
      },
    });
    fill();
  }

  isReferredTo(node: string, resource: string, namespace: string, name: string): boolean {
    return this.#byNode.get(node)?.has(`${resource}/${namespace}/${name}`) ?? false;
  }

  #put(stored: StoredObject): void {
    const pod = stored.parse() as Pod;
    this.#remove(stored.key);
    const node = pod.spec?.nodeName;
    if (!node) return;
    const references = [...new Set(referencesOf(pod))];
    this.#known.set(stored.key, { node, references });
    const counts = this.#byNode.get(node) ?? new Map<string, number>();
    this.#byNode.set(node, counts);
    for (const reference of references) counts.set(reference, (counts.get(reference) ?? 0) + 1);
  }

  #remove(key: string): void {
    const known = this.#known.get(key);
    if (!known) return;
    this.#known.delete(key);
    const counts = this.#byNode.get(known.node);
    for (const reference of known.references) {
      const left = (counts?.get(reference) ?? 0) - 1;
      if (left > 0) counts?.set(reference, left);
      else counts?.delete(reference);
    }
    if (counts?.size === 0) this.#byNode.delete(known.node);
  }
}

/** Everything that a kubelet has to read to run the pod. */
export function* referencesOf({ metadata, spec }: Pod): Generator<string> {
  const namespace = metadata?.namespace ?? '';
  const secret = (name: string | undefined) => `secrets/${namespace}/${name}`;
  const configMap = (name: string | undefined) => `configmaps/${namespace}/${name}`;
  if (spec?.serviceAccountName) yield `serviceaccounts/${namespace}/${spec.serviceAccountName}`;
  for (const { name } of spec?.imagePullSecrets ?? []) yield secret(name);
  for (const container of [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])]) {
    for (const { valueFrom } of container.env ?? []) {
      if (valueFrom?.secretKeyRef) yield secret(valueFrom.secretKeyRef.name);
      if (valueFrom?.configMapKeyRef) yield configMap(valueFrom.configMapKeyRef.name);
    }
    for (const { secretRef, configMapRef } of container.envFrom ?? []) {
      if (secretRef) yield secret(secretRef.name);
      if (configMapRef) yield configMap(configMapRef.name);
    }
  }
  for (const volume of spec?.volumes ?? []) {
    if (volume.secret) yield secret(volume.secret.secretName);
    if (volume.configMap) yield configMap(volume.configMap.name);
    if (volume.persistentVolumeClaim) yield `persistentvolumeclaims/${namespace}/${volume.persistentVolumeClaim.claimName}`;
    if (volume.ephemeral) yield `persistentvolumeclaims/${namespace}/${metadata?.name}-${volume.name}`;
    if (volume.csi?.nodePublishSecretRef) yield secret(volume.csi.nodePublishSecretRef.name);
    for (const source of volume.projected?.sources ?? []) {
      if (source.secret) yield secret(source.secret.name);
      if (source.configMap) yield configMap(source.configMap.name);
    }
  }
}

const noOpinion: Decision = Object.freeze({ decision: 'no opinion' });
const allowed: Decision = Object.freeze({ decision: 'allow' });
const guarded = new Set(['secrets', 'configmaps', 'persistentvolumeclaims', 'serviceaccounts']);
const readVerbs = new Set(['get', 'list', 'watch']);

/** Allows kubelets what is theirs, and has no opinion of anyone else. */
export function nodeAuthorizer(graph: NodeGraph): Authorizer {
  return (asked) => {
    const node = nodeNameOf(asked.user);
    if (node === undefined) return noOpinion;
    const refusal = refusalOf(node, asked, graph);
    if (refusal) return { decision: 'no opinion', reason: refusal };
    return nodeRules.some((rule) => ruleAllows(rule, asked)) ? allowed : noOpinion;
  };
}

/** Why a kubelet may not, although kubelets in general do. */
function refusalOf(node: string, asked: AuthorizationAttributes, graph: NodeGraph): string | undefined {
  const { group, resource, subresource, verb, namespace, name } = asked;
  if (group === 'coordination.k8s.io' && resource === 'leases') {
    if (namespace !== 'kube-node-lease') return 'can only access leases in the "kube-node-lease" system namespace';
    if (verb !== 'create' && name !== node) return 'can only access node lease with the same name as the requesting node';
    return undefined;
  }
  if (group !== '' || !guarded.has(resource)) return undefined;
  if (resource === 'serviceaccounts') {
    if (subresource !== 'token' || verb !== 'create' || name === '') return 'can only create tokens for individual service accounts';
  } else if (subresource === '' && !readVerbs.has(verb)) return 'can only read resources of this type';
  if (name === '') return 'No Object name found';
  return graph.isReferredTo(node, resource, namespace, name) ? undefined : `no relationship found between node '${node}' and this object`;
}
