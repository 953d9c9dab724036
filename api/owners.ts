// Owner references: who controls an object, and what a controller writes into what it makes.

import { apiVersionOf, type Kind } from './kind.ts';
import type { KubeObject, OwnerReference } from './wire.ts';

/** The reference with `controller: true`, of which there is at most one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
}

/** The reference that a controller puts on what it makes for `owner`, which must have a name and a uid. */
export function controllerReference(kind: Kind, owner: KubeObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    name: owner.metadata?.name ?? '',
    uid: owner.metadata?.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}
