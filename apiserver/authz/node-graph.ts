// What each node has to do with: which objects its pods refer to, and what refers to it by name. Follows pods, persistent
// volumes, volume attachments and resource slices; the node authorizer asks it.

import { type PersistentVolume, type Pod, persistentVolumes, pods } from '../../api/core.ts';
import type { Kind } from '../../api/kind.ts';
import { type ResourceSlice, resourceSlices } from '../../api/resource.ts';
import { type VolumeAttachment, volumeAttachments } from '../../api/storage.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { ResourceTable } from '../registry/resource-table.ts';
import { referencesOfPod, secretsOfVolume } from './pod-references.ts';

/** What one object says that its node may see: keys, `resource/namespace/name`. */
interface Relation {
  node: string;
  references: readonly string[];
}

const keyOf = (resource: string, namespace: string, name: string) => `${resource}/${namespace}/${name}`;

export class NodeGraph {
  /** By node, then by key: how many objects say so. */
  readonly #byNode = new Map<string, Map<string, number>>();
  /** By the key of the volume: the claim that it is bound to. */
  readonly #claimOfVolume = new Map<string, string>();
  /** By the key of a secret: the volumes that need it on a node. */
  readonly #volumesOfSecret = new Map<string, Set<string>>();

  /** Follows the objects from now on. Until then no node has any. */
  attach(resources: ResourceTable): void {
    this.#followRelations(resources, pods, (pod: Pod) => relationOfPod(pod));
    this.#followRelations(resources, volumeAttachments, ({ metadata, spec }: VolumeAttachment) => ({
      node: spec.nodeName,
      references: [keyOf('volumeattachments', '', metadata?.name ?? '')],
    }));
    this.#followRelations(resources, resourceSlices, ({ metadata, spec }: ResourceSlice) => ({
      node: spec.nodeName ?? '',
      references: [keyOf('resourceslices', '', metadata?.name ?? '')],
    }));
    this.#followVolumes(resources);
  }

  /** Whether something of `node`'s leads to the object. */
  isRelated(node: string, resource: string, namespace: string, name: string): boolean {
    const references = this.#byNode.get(node);
    if (!references) return false;
    const key = keyOf(resource, namespace, name);
    if (references.has(key)) return true;
    if (resource === 'persistentvolumes') return this.#isVolumeOf(references, key);
    if (resource !== 'secrets') return false;
    for (const volume of this.#volumesOfSecret.get(key) ?? []) if (this.#isVolumeOf(references, volume)) return true;
    return false;
  }

  #isVolumeOf(references: ReadonlyMap<string, number>, volume: string): boolean {
    const claim = this.#claimOfVolume.get(volume);
    return claim !== undefined && references.has(claim);
  }

  #followRelations<T extends KubeObject>(resources: ResourceTable, kind: Kind<T>, relationOf: (object: T) => Relation): void {
    const known = new Map<string, Relation>();
    const remove = (key: string) => {
      const relation = known.get(key);
      if (!relation) return;
      known.delete(key);
      this.#count(relation, -1);
    };
    const put = (stored: StoredObject) => {
      remove(stored.key);
      const relation = relationOf(stored.parse() as T);
      if (!relation.node) return;
      known.set(stored.key, relation);
      this.#count(relation, 1);
    };
    follow(resources, kind, { put, remove: ({ key }) => remove(key), clear: () => [...known.keys()].forEach(remove) });
  }

  #count({ node, references }: Relation, by: 1 | -1): void {
    const counts = this.#byNode.get(node) ?? new Map<string, number>();
    for (const reference of references) {
      const count = (counts.get(reference) ?? 0) + by;
      if (count > 0) counts.set(reference, count);
      else counts.delete(reference);
    }
    if (counts.size > 0) this.#byNode.set(node, counts);
    else this.#byNode.delete(node);
  }

  #followVolumes(resources: ResourceTable): void {
    const secrets = new Map<string, string[]>();
    const remove = (volume: string) => {
      this.#claimOfVolume.delete(volume);
      for (const secret of secrets.get(volume) ?? []) {
        const volumes = this.#volumesOfSecret.get(secret);
        volumes?.delete(volume);
        if (volumes?.size === 0) this.#volumesOfSecret.delete(secret);
      }
      secrets.delete(volume);
    };
    const keyOfVolume = ({ name }: StoredObject) => keyOf('persistentvolumes', '', name);
    follow(resources, persistentVolumes, {
      put: (stored) => {
        const volume = keyOfVolume(stored);
        remove(volume);
        const object = stored.parse() as PersistentVolume;
        const claim = object.spec?.claimRef;
        if (!claim) return;
        this.#claimOfVolume.set(volume, keyOf('persistentvolumeclaims', claim.namespace ?? '', claim.name ?? ''));
        const needed = [...secretsOfVolume(object)];
        secrets.set(volume, needed);
        for (const secret of needed) {
          const volumes = this.#volumesOfSecret.get(secret) ?? new Set();
          this.#volumesOfSecret.set(secret, volumes.add(volume));
        }
      },
      remove: (stored) => remove(keyOfVolume(stored)),
      clear: () => [...this.#claimOfVolume.keys()].forEach(remove),
    });
  }
}

interface Follower {
  put(stored: StoredObject): void;
  remove(stored: StoredObject): void;
  clear(): void;
}

function follow(resources: ResourceTable, kind: Kind<KubeObject>, { put, remove, clear }: Follower): void {
  const cache = resources.ofKind(kind)?.cache;
  if (!cache) return;
  const fill = () => {
    for (const stored of cache.list({ namespace: '', name: '', labels: [], fields: [] })) put(stored);
  };
  cache.listen({
    change: ({ before, after }) => {
      if (after) put(after);
      else if (before) remove(before);
    },
    expired: () => {
      clear();
      // The cache holds its new content once this call has returned.
      queueMicrotask(fill);
    },
  });
  fill();
}

/** A mirror pod is the kubelet's own word: it leads to nothing but itself. */
function relationOfPod(pod: Pod): Relation {
  const { metadata, spec } = pod;
  const own = keyOf('pods', metadata?.namespace ?? '', metadata?.name ?? '');
  const isMirror = metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined;
  return { node: spec?.nodeName ?? '', references: isMirror ? [own] : [...new Set([own, ...referencesOfPod(pod)])] };
}
