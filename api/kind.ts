// A kind: how one type of object is named in every place that Kubernetes names it. Data only; what a kind
// does is its resource declaration's business (apiserver/resources/).

import type { KubeObject } from './wire.ts';

export interface Kind<T extends KubeObject = KubeObject> {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  /** As in `kind:`. */
  readonly kind: string;
  /** As in paths: lower case, plural. */
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** What lists of it are called; absent: the kind and `List`. */
  readonly listKind?: string;
  /** Carries the object's type through inference; never set. */
  readonly __object?: T;
}

export interface KindOptions {
  group?: string;
  version?: string;
  kind: string;
  plural: string;
  shortNames?: readonly string[];
  categories?: readonly string[];
  /** Default true. */
  namespaced?: boolean;
}

export function defineKind<T extends KubeObject>(options: KindOptions): Kind<T> {
  return Object.freeze({
    group: options.group ?? '',
    version: options.version ?? 'v1',
    kind: options.kind,
    plural: options.plural,
    singular: options.kind.toLowerCase(),
    shortNames: options.shortNames ?? [],
    categories: options.categories ?? [],
    namespaced: options.namespaced ?? true,
  });
}

/** `v1` or `apps/v1`, as in `apiVersion:`. */
export function apiVersionOf(kind: Pick<Kind, 'group' | 'version'>): string {
  return kind.group ? `${kind.group}/${kind.version}` : kind.version;
}

/** `PodList`, as in the `kind:` of a list. */
export function listKindOf({ kind, listKind }: Pick<Kind, 'kind' | 'listKind'>): string {
  return listKind ?? `${kind}List`;
}

/** `pods` or `deployments.apps`, as in messages and RBAC. */
export function groupResourceOf(kind: Pick<Kind, 'group' | 'plural'>): string {
  return kind.group ? `${kind.plural}.${kind.group}` : kind.plural;
}

/** The path of a collection, or of one object when `name` is given: `/api/v1/namespaces/a/pods/b`. */
export function pathOf(kind: Kind, namespace?: string, name?: string, subresource?: string): string {
  let path = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`;
  if (kind.namespaced && namespace) path += `/namespaces/${namespace}`;
  path += `/${kind.plural}`;
  if (name) path += `/${encodeURIComponent(name)}`;
  if (subresource) path += `/${subresource}`;
  return path;
}
