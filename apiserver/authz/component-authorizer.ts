// What the cluster's own components may do with their certificates until roles say so: a table after Kubernetes'
// bootstrap roles (system:kube-scheduler, system:kube-controller-manager, system:node, system:node-proxier).

import type { UserInfo } from '../resources/resource.ts';
import type { Authorizer } from './authorizer.ts';

interface Rule {
  verbs: readonly string[];
  /** `plural`, `plural/subresource` or `group/plural`; '*' for all. */
  resources: readonly string[];
}

const read = ['get', 'list', 'watch'];
const write = ['create', 'update', 'patch', 'delete'];

const schedulerRules: Rule[] = [
  { verbs: read, resources: ['*'] },
  { verbs: ['create', 'patch', 'update'], resources: ['events', 'events.k8s.io/events'] },
  { verbs: ['create'], resources: ['pods/binding', 'pods/bindings'] },
  { verbs: ['patch', 'update'], resources: ['pods/status'] },
  { verbs: ['delete'], resources: ['pods'] },
  { verbs: write, resources: ['coordination.k8s.io/leases'] },
];

const nodeRules: Rule[] = [
  {
    verbs: read,
    resources: [
      'pods',
      'services',
      'nodes',
      'secrets',
      'configmaps',
      'persistentvolumeclaims',
      'persistentvolumes',
      'storage.k8s.io/csinodes',
      'storage.k8s.io/csidrivers',
      'node.k8s.io/runtimeclasses',
      'discovery.k8s.io/endpointslices',
      'endpoints',
      'namespaces',
      'serviceaccounts',
    ],
  },
  { verbs: ['create', 'update', 'patch', 'delete'], resources: ['nodes'] },
  { verbs: ['update', 'patch'], resources: ['nodes/status', 'pods/status'] },
  { verbs: ['create', 'delete'], resources: ['pods'] },
  {
    verbs: ['create'],
    resources: [
      'pods/eviction',
      'serviceaccounts/token',
      'authentication.k8s.io/tokenreviews',
      'authorization.k8s.io/subjectaccessreviews',
    ],
  },
  { verbs: ['create', 'patch', 'update'], resources: ['events', 'events.k8s.io/events'] },
  { verbs: [...read, ...write], resources: ['coordination.k8s.io/leases', 'storage.k8s.io/csinodes'] },
];

const proxyRules: Rule[] = [
  {
    verbs: read,
    resources: ['services', 'endpoints', 'nodes', 'discovery.k8s.io/endpointslices', 'pods', 'networking.k8s.io/servicecidrs'],
  },
  { verbs: ['create', 'patch', 'update'], resources: ['events', 'events.k8s.io/events'] },
];

const controllerManagerRules: Rule[] = [{ verbs: ['*'], resources: ['*'] }];

function rulesOf(user: UserInfo): readonly Rule[] {
  if (user.name === 'system:kube-controller-manager') return controllerManagerRules;
  if (user.name === 'system:kube-scheduler') return schedulerRules;
  if (user.name === 'system:kube-proxy' || user.groups.includes('system:node-proxier')) return proxyRules;
  if (user.groups.includes('system:nodes') && user.name.startsWith('system:node:')) return nodeRules;
  return [];
}

/** Allows the components what the table says; has no opinion of anyone else. */
export const componentAuthorizer: Authorizer = ({ user, verb, isResourceRequest, group, resource, subresource }) => {
  if (!isResourceRequest) return { decision: 'no opinion' };
  const scoped = `${group ? `${group}/` : ''}${resource}${subresource ? `/${subresource}` : ''}`;
  const isAllowed = rulesOf(user).some(
    (rule) => (rule.verbs.includes(verb) || rule.verbs.includes('*')) && (rule.resources.includes(scoped) || rule.resources.includes('*')),
  );
  return { decision: isAllowed ? 'allow' : 'no opinion' };
};
