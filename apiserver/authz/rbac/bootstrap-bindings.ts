// Who has the bootstrap roles from the start.

import { type ClusterRoleBinding, type RbacSubject, type RoleBinding, rbacGroup } from '../../../api/rbac.ts';
import { bootstrapMetadata } from './bootstrap-roles.ts';
import { controllerRoles } from './controller-roles.ts';

const group = (name: string): RbacSubject => ({ apiGroup: rbacGroup, kind: 'Group', name });
const user = (name: string): RbacSubject => ({ apiGroup: rbacGroup, kind: 'User', name });
const account = (name: string): RbacSubject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' });

const clusterTable: Record<string, RbacSubject[]> = {
  'cluster-admin': [group('system:masters')],
  'system:basic-user': [group('system:authenticated')],
  'system:discovery': [group('system:authenticated')],
  'system:public-info-viewer': [group('system:authenticated'), group('system:unauthenticated')],
  'system:monitoring': [group('system:monitoring')],
  'system:kube-controller-manager': [user('system:kube-controller-manager')],
  'system:kube-dns': [account('kube-dns')],
  'system:kube-scheduler': [user('system:kube-scheduler')],
  'system:volume-scheduler': [user('system:kube-scheduler')],
  'system:node': [],
  'system:node-proxier': [user('system:kube-proxy')],
  'system:service-account-issuer-discovery': [group('system:serviceaccounts')],
};

export function bootstrapClusterRoleBindings(): ClusterRoleBinding[] {
  const controllers = Object.keys(controllerRoles()).map(
    (name) => [`system:controller:${name}`, [account(name)]] as [string, RbacSubject[]],
  );
  return [...Object.entries(clusterTable), ...controllers].map(([name, subjects]) => ({
    metadata: { ...bootstrapMetadata(), name },
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name },
    ...(subjects.length > 0 ? { subjects } : {}),
  }));
}

const authenticationReader = 'extension-apiserver-authentication-reader';
const namespacedTable: [namespace: string, name: string, role: string, subjects: RbacSubject[]][] = [
  [
    'kube-system',
    `system::${authenticationReader}`,
    authenticationReader,
    [user('system:kube-controller-manager'), user('system:kube-scheduler')],
  ],
  [
    'kube-system',
    'system::leader-locking-kube-controller-manager',
    'system::leader-locking-kube-controller-manager',
    [user('system:kube-controller-manager'), account('kube-controller-manager')],
  ],
  [
    'kube-system',
    'system::leader-locking-kube-scheduler',
    'system::leader-locking-kube-scheduler',
    [user('system:kube-scheduler'), account('kube-scheduler')],
  ],
  ['kube-system', 'system:controller:bootstrap-signer', 'system:controller:bootstrap-signer', [account('bootstrap-signer')]],
  ['kube-system', 'system:controller:cloud-provider', 'system:controller:cloud-provider', [account('cloud-provider')]],
  ['kube-system', 'system:controller:token-cleaner', 'system:controller:token-cleaner', [account('token-cleaner')]],
  ['kube-public', 'system:controller:bootstrap-signer', 'system:controller:bootstrap-signer', [account('bootstrap-signer')]],
];

export function bootstrapRoleBindings(): RoleBinding[] {
  return namespacedTable.map(([namespace, name, role, subjects]) => ({
    metadata: { ...bootstrapMetadata(), namespace, name },
    roleRef: { apiGroup: rbacGroup, kind: 'Role', name: role },
    subjects,
  }));
}
