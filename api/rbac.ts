// The kinds of rbac.authorization.k8s.io/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type Role = Wire<k.V1Role>;
export type ClusterRole = Wire<k.V1ClusterRole>;
export type RoleBinding = Wire<k.V1RoleBinding>;
export type ClusterRoleBinding = Wire<k.V1ClusterRoleBinding>;
export type PolicyRule = Wire<k.V1PolicyRule>;
export type RbacSubject = Wire<k.RbacV1Subject>;

export const rbacGroup = 'rbac.authorization.k8s.io';

export const roles = defineKind<Role>({ group: rbacGroup, kind: 'Role', plural: 'roles' });
export const clusterRoles = defineKind<ClusterRole>({ group: rbacGroup, kind: 'ClusterRole', plural: 'clusterroles', namespaced: false });
export const roleBindings = defineKind<RoleBinding>({ group: rbacGroup, kind: 'RoleBinding', plural: 'rolebindings' });
export const clusterRoleBindings = defineKind<ClusterRoleBinding>({
  group: rbacGroup,
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
});
