// Roles and bindings, indexed by whom they concern. Fed by the watch caches; a role is parsed when it is first asked
// for, so that filling the index costs little.

import {
  type ClusterRole,
  type ClusterRoleBinding,
  clusterRoleBindings,
  clusterRoles,
  type PolicyRule,
  type RbacSubject,
  type RoleBinding,
  roleBindings,
  roles,
} from '../../../api/rbac.ts';
import type { WatchCache } from '../../cache/watch-cache.ts';
import type { StoredObject } from '../../registry/object-codec.ts';
import type { ResourceTable } from '../../registry/resource-table.ts';
import type { UserInfo } from '../../resources/resource.ts';

export interface IndexedBinding {
  readonly name: string;
  /** '' for cluster role bindings. */
  readonly namespace: string;
  readonly roleRef: { readonly kind: string; readonly name: string };
}

/** A binding, by one of its subjects. */
export interface Grant {
  readonly binding: IndexedBinding;
  readonly subject: RbacSubject;
}

const serviceAccountPrefix = 'system:serviceaccount:';
const everything = { namespace: '', name: '', labels: [], fields: [] };
const noGrants: readonly Grant[] = [];

export class RbacIndex {
  /** By namespace ('' for cluster role bindings), then by subject. */
  readonly #grants = new Map<string, Map<string, Grant[]>>();
  readonly #rules = new Map<StoredObject, readonly PolicyRule[]>();
  /** Grows with every change: what was read before one may be outdated after it. */
  generation = 0;
  #roles: WatchCache | undefined;
  #clusterRoles: WatchCache | undefined;

  /** Follows the caches from now on. Until then there is no role and no binding. */
  attach(resources: ResourceTable): void {
    this.#roles = this.#followRoles(resources.ofKind(roles)?.cache);
    this.#clusterRoles = this.#followRoles(resources.ofKind(clusterRoles)?.cache);
    this.generation++;
    for (const kind of [roleBindings, clusterRoleBindings]) this.#followBindings(resources.ofKind(kind)?.cache);
  }

  /** The grants that `user` has by cluster role bindings ('') or by role bindings in a namespace. */
  *grantsOf(user: UserInfo, namespace: string): Generator<Grant> {
    const grants = this.#grants.get(namespace);
    if (!grants) return;
    yield* grants.get(`User/${user.name}`) ?? noGrants;
    for (const group of user.groups) yield* grants.get(`Group/${group}`) ?? noGrants;
    if (user.name.startsWith(serviceAccountPrefix)) {
      yield* grants.get(`ServiceAccount/${user.name.slice(serviceAccountPrefix.length)}`) ?? noGrants;
    }
  }

  /** The rules of the role that a binding refers to; undefined when there is no such role. */
  rulesOf({ kind, name }: IndexedBinding['roleRef'], namespace: string): readonly PolicyRule[] | undefined {
    const cache = kind === 'ClusterRole' ? this.#clusterRoles : kind === 'Role' ? this.#roles : undefined;
    const stored = cache?.get(cache.codec.keyOf(namespace, name));
    if (!stored) return undefined;
    let rules = this.#rules.get(stored);
    if (!rules) {
      rules = (stored.parse() as ClusterRole).rules ?? [];
      this.#rules.set(stored, rules);
    }
    return rules;
  }

  #followRoles(cache: WatchCache | undefined): WatchCache | undefined {
    cache?.listen({
      change: ({ before }) => {
        this.generation++;
        if (before) this.#rules.delete(before);
      },
      expired: () => {
        this.generation++;
        this.#rules.clear();
        // The cache holds its new content once this call has returned.
        queueMicrotask(() => this.generation++);
      },
    });
    return cache;
  }

  #followBindings(cache: WatchCache | undefined): void {
    if (!cache) return;
    let isFilled = false;
    const fill = () => {
      isFilled = true;
      this.generation++;
      for (const stored of cache.list(everything)) this.#add(stored);
    };
    cache.listen({
      change: ({ before, after }) => {
        if (!isFilled) return;
        this.generation++;
        if (before) this.#remove(before);
        if (after) this.#add(after);
      },
      expired: () => {
        const isCluster = !cache.codec.declaration.kind.namespaced;
        for (const namespace of [...this.#grants.keys()]) if ((namespace === '') === isCluster) this.#grants.delete(namespace);
        isFilled = false;
        this.generation++;
        // The cache holds its new content once this call has returned.
        queueMicrotask(fill);
      },
    });
    fill();
  }

  #add(stored: StoredObject): void {
    const { name, namespace } = stored;
    const { roleRef, subjects } = stored.parse() as RoleBinding | ClusterRoleBinding;
    const grants = this.#grants.get(namespace) ?? new Map<string, Grant[]>();
    this.#grants.set(namespace, grants);
    const binding = { name, namespace, roleRef: { kind: roleRef.kind, name: roleRef.name } };
    for (const subject of subjects ?? []) {
      const key = subjectKey(subject, namespace);
      const known = grants.get(key);
      if (known) known.push({ binding, subject });
      else grants.set(key, [{ binding, subject }]);
    }
  }

  #remove(stored: StoredObject): void {
    const grants = this.#grants.get(stored.namespace);
    if (!grants) return;
    for (const subject of (stored.parse() as RoleBinding).subjects ?? []) {
      const key = subjectKey(subject, stored.namespace);
      const left = grants.get(key)?.filter(({ binding }) => binding.name !== stored.name) ?? [];
      if (left.length > 0) grants.set(key, left);
      else grants.delete(key);
    }
    if (grants.size === 0) this.#grants.delete(stored.namespace);
  }
}

function subjectKey({ kind, name, namespace }: RbacSubject, bindingNamespace: string): string {
  return kind === 'ServiceAccount' ? `${kind}/${namespace || bindingNamespace}:${name}` : `${kind}/${name}`;
}
