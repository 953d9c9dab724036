// What this distribution's components may do beyond Kubernetes' bootstrap roles: all controllers speak with one
// identity, so that it holds what Kubernetes gives to each one's service account.

import { rbacGroup } from '../../../api/rbac.ts';
import type { ExtraBootstrap } from './reconcile-bootstrap.ts';

const autoUpdated = { annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' } };
const roleRef = (name: string) => ({ apiGroup: rbacGroup, kind: 'ClusterRole', name });
const subject = (kind: 'User' | 'Group', name: string) => ({ apiGroup: rbacGroup, kind, name });

export const componentRoles: ExtraBootstrap = {
  clusterRoles: [
    {
      metadata: { ...autoUpdated, name: 't8s:controllers' },
      rules: [
        // The garbage collector and the namespace controller see and delete every kind already; the others write theirs.
        {
          verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'],
          apiGroups: ['*'],
          resources: ['*'],
        },
        { verbs: ['escalate'], apiGroups: [rbacGroup], resources: ['clusterroles'] },
        { verbs: ['approve', 'sign'], apiGroups: ['certificates.k8s.io'], resources: ['signers'] },
        { verbs: ['get'], nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*'] },
      ],
    },
  ],
  clusterRoleBindings: [
    {
      metadata: { ...autoUpdated, name: 't8s:controllers' },
      roleRef: roleRef('t8s:controllers'),
      subjects: [subject('User', 'system:kube-controller-manager')],
    },
  ],
};
