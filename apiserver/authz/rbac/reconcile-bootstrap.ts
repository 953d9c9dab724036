// Sees to it, at every start, that the bootstrap roles and bindings hold at least what they should: what is missing is
// added, what somebody added stays, and what is annotated with autoupdate "false" is left alone. Follows
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation.

import { isDeepStrictEqual } from 'node:util';
import type { Kind } from '../../../api/kind.ts';
import {
  type ClusterRole,
  type ClusterRoleBinding,
  clusterRoleBindings,
  clusterRoles,
  type RbacSubject,
  roleBindings,
  roles,
} from '../../../api/rbac.ts';
import { isStatus } from '../../../api/status.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { ServerParts } from '../../handlers/handler.ts';
import { apiServerUser } from '../../registry/bootstrap.ts';
import { bootstrapClusterRoleBindings, bootstrapRoleBindings } from './bootstrap-bindings.ts';
import { autoUpdateAnnotation, bootstrapClusterRoles, bootstrapRoles } from './bootstrap-roles.ts';
import { compactRules, uncovered } from './rules.ts';

/** Objects of a distribution's own, reconciled with Kubernetes'. */
export interface ExtraBootstrap {
  clusterRoles?: readonly ClusterRole[];
  clusterRoleBindings?: readonly ClusterRoleBinding[];
}

/** Roles first, so that no binding refers to nothing. All of a kind at once: the store commits them together. */
export async function reconcileBootstrapRbac(server: ServerParts, extra: ExtraBootstrap = {}): Promise<void> {
  const reconcileAll = <T extends KubeObject>(kind: Kind<T>, wanted: readonly T[], merge: (found: T, expected: T) => void) =>
    Promise.all(wanted.map((each) => reconcile(server, kind, each, merge)));
  await Promise.all([
    reconcileAll(clusterRoles, [...bootstrapClusterRoles(), ...(extra.clusterRoles ?? [])], mergeRole),
    reconcileAll(roles, bootstrapRoles(), mergeRole),
  ]);
  await Promise.all([
    reconcileAll(clusterRoleBindings, [...bootstrapClusterRoleBindings(), ...(extra.clusterRoleBindings ?? [])], mergeBinding),
    reconcileAll(roleBindings, bootstrapRoleBindings(), mergeBinding),
  ]);
}

async function reconcile<T extends KubeObject>(
  server: ServerParts,
  kind: Kind<T>,
  expected: T,
  merge: (found: T, expected: T) => void,
): Promise<void> {
  const registry = server.resources.ofKind(kind)?.registry;
  if (!registry) return;
  const { namespace = '', name = '' } = expected.metadata ?? {};
  const request = { namespace, user: apiServerUser, dryRun: false, warn: () => {} };
  const stored = registry.cache.get(registry.codec.keyOf(namespace, name));
  if (!stored) {
    try {
      await registry.create(structuredClone(expected), request);
    } catch (error) {
      // Another API server on the same store was quicker.
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
    return;
  }
  const found = stored.parse() as T;
  if (found.metadata?.annotations?.[autoUpdateAnnotation] === 'false') return;
  // A binding's role cannot be changed: one that leads elsewhere is made anew.
  if (isRebound(found, expected)) {
    await registry.delete(name, request, {});
    await registry.create(structuredClone(expected), request);
    return;
  }
  const merged = mergedWith(found, expected, merge);
  if (isDeepStrictEqual(merged, found)) return;
  await registry.update(name, request, (old) => mergedWith(old as T, expected, merge));
}

function mergedWith<T extends KubeObject>(found: T, expected: T, merge: (found: T, expected: T) => void): T {
  const object = structuredClone(found);
  object.metadata = {
    ...object.metadata,
    labels: { ...expected.metadata?.labels, ...object.metadata?.labels },
    annotations: { ...expected.metadata?.annotations, ...object.metadata?.annotations },
  };
  merge(object, expected);
  return object;
}

function isRebound(found: KubeObject, expected: KubeObject): boolean {
  const [a, b] = [(found as ClusterRoleBinding).roleRef, (expected as ClusterRoleBinding).roleRef];
  return b !== undefined && (a?.kind !== b.kind || a.name !== b.name);
}

function mergeRole(found: ClusterRole, expected: ClusterRole): void {
  const missing = compactRules(uncovered(found.rules ?? [], expected.rules ?? []));
  if (missing.length > 0) found.rules = [...(found.rules ?? []), ...missing];
  if (!expected.aggregationRule) return;
  const selectors = found.aggregationRule?.clusterRoleSelectors ?? [];
  const lacking = (expected.aggregationRule.clusterRoleSelectors ?? []).filter(
    (wanted) => !selectors.some((has) => isDeepStrictEqual(has, wanted)),
  );
  if (lacking.length > 0) found.aggregationRule = { clusterRoleSelectors: [...selectors, ...lacking] };
}

function mergeBinding(found: ClusterRoleBinding, expected: ClusterRoleBinding): void {
  const isSame = (a: RbacSubject, b: RbacSubject) =>
    a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '') && (a.apiGroup ?? '') === (b.apiGroup ?? '');
  const missing = (expected.subjects ?? []).filter((wanted) => !found.subjects?.some((has) => isSame(has, wanted)));
  if (missing.length > 0) found.subjects = [...(found.subjects ?? []), ...missing];
}
