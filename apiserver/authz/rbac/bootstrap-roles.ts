// The roles that every cluster begins with, as a table of Kubernetes 1.36's. Long because it is a table.

import type { ClusterRole, PolicyRule, Role } from '../../../api/rbac.ts';
import { controllerRoles } from './controller-roles.ts';
import { allow, allowUrls, readVerbs, writeEvents, writeVerbs } from './rule-words.ts';

const reviews = [allow('create', 'authentication.k8s.io', 'tokenreviews'), allow('create', 'authorization.k8s.io', 'subjectaccessreviews')];

const aggregateTo = (role: string) => ({ [`rbac.authorization.k8s.io/aggregate-to-${role}`]: 'true' });
const aggregatedFrom = (role: string) => ({ aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregateTo(role) }] } });

interface RoleEntry {
  rules?: PolicyRule[];
  labels?: Record<string, string>;
  aggregationRule?: NonNullable<ClusterRole['aggregationRule']>;
}

const leaderLease = (name: string) => [
  allow('create', 'coordination.k8s.io', 'leases'),
  allow('get update', 'coordination.k8s.io', 'leases', name),
];

const scalable = 'deployments deployments/scale replicasets replicasets/scale';
const approver = (signer: string): RoleEntry => ({
  rules: [allow('approve', 'certificates.k8s.io', 'signers', `kubernetes.io/${signer}`)],
});
const approve = (what: string): RoleEntry => ({ rules: [allow('create', 'certificates.k8s.io', `certificatesigningrequests/${what}`)] });

const healthUrls = '/healthz /livez /readyz /version /version/';

/** What a kubelet needs anywhere; which objects of these, the node authorizer says. */
export const nodeRules: PolicyRule[] = [
  allow('create', 'authentication.k8s.io', 'tokenreviews'),
  allow('create', 'authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews'),
  allow(readVerbs, 'core', 'services'),
  allow('create get list watch', 'core', 'nodes'),
  allow('patch update', 'core', 'nodes/status'),
  allow('patch update', 'core', 'nodes'),
  allow('create patch update', 'core', 'events'),
  allow(readVerbs, 'core', 'pods'),
  allow('create delete', 'core', 'pods'),
  allow('patch update', 'core', 'pods/status'),
  allow('create', 'core', 'pods/eviction'),
  allow(readVerbs, 'core', 'configmaps secrets'),
  allow('get', 'core', 'persistentvolumeclaims persistentvolumes'),
  allow('get', 'core', 'endpoints'),
  allow('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
  allow('create delete get patch update', 'coordination.k8s.io', 'leases'),
  allow('get', 'storage.k8s.io', 'volumeattachments'),
  allow('create', 'core', 'serviceaccounts/token'),
  allow('get patch update', 'core', 'persistentvolumeclaims/status'),
  allow(readVerbs, 'storage.k8s.io', 'csidrivers'),
  allow('create delete get patch update', 'storage.k8s.io', 'csinodes'),
  allow(readVerbs, 'node.k8s.io', 'runtimeclasses'),
  allow('get', 'resource.k8s.io', 'resourceclaims'),
  allow('deletecollection', 'resource.k8s.io', 'resourceslices'),
  allow('get', 'core', 'serviceaccounts'),
];

const table: Record<string, RoleEntry> = {
  'cluster-admin': { rules: [allow('*', '*', '*'), allowUrls('*', '*')] },
  admin: aggregatedFrom('admin'),
  edit: { ...aggregatedFrom('edit'), labels: aggregateTo('admin') },
  view: { ...aggregatedFrom('view'), labels: aggregateTo('edit') },
  'system:aggregate-to-admin': {
    labels: aggregateTo('admin'),
    rules: [
      allow('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
      allow(`${writeVerbs} ${readVerbs}`, 'rbac.authorization.k8s.io', 'rolebindings roles'),
    ],
  },
  'system:aggregate-to-edit': {
    labels: aggregateTo('edit'),
    rules: [
      allow(readVerbs, 'core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
      allow('impersonate', 'core', 'serviceaccounts'),
      allow(writeVerbs, 'core', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
      allow('create', 'core', 'pods/eviction'),
      allow(
        writeVerbs,
        'core',
        'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
      ),
      allow('create', 'core', 'serviceaccounts/token'),
      allow(writeVerbs, 'apps', `daemonsets deployments/rollback ${scalable} statefulsets statefulsets/scale`),
      allow(writeVerbs, 'autoscaling', 'horizontalpodautoscalers'),
      allow(writeVerbs, 'batch', 'cronjobs jobs'),
      allow(writeVerbs, 'extensions', `daemonsets deployments/rollback ${scalable} ingresses networkpolicies replicationcontrollers/scale`),
      allow(writeVerbs, 'policy', 'poddisruptionbudgets'),
      allow(writeVerbs, 'networking.k8s.io', 'ingresses networkpolicies'),
      allow(`${writeVerbs} ${readVerbs}`, 'coordination.k8s.io', 'leases'),
      allow(writeVerbs, 'resource.k8s.io', 'resourceclaims resourceclaimtemplates'),
    ],
  },
  'system:aggregate-to-view': {
    labels: aggregateTo('view'),
    rules: [
      allow(
        readVerbs,
        'core',
        'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
      ),
      allow(
        readVerbs,
        'core',
        'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
      ),
      allow(readVerbs, 'core', 'namespaces'),
      allow(readVerbs, 'discovery.k8s.io', 'endpointslices'),
      allow(
        readVerbs,
        'apps',
        `controllerrevisions daemonsets daemonsets/status ${scalable} deployments/status replicasets/status statefulsets statefulsets/scale statefulsets/status`,
      ),
      allow(readVerbs, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
      allow(readVerbs, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
      allow(
        readVerbs,
        'extensions',
        `daemonsets daemonsets/status ${scalable} deployments/status ingresses ingresses/status networkpolicies replicasets/status replicationcontrollers/scale`,
      ),
      allow(readVerbs, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
      allow(readVerbs, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
      allow(readVerbs, 'resource.k8s.io', 'resourceclaims resourceclaims/status resourceclaimtemplates'),
    ],
  },
  'system:auth-delegator': { rules: reviews },
  'system:basic-user': {
    rules: [
      allow('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
      allow('create', 'authentication.k8s.io', 'selfsubjectreviews'),
    ],
  },
  'system:certificates.k8s.io:certificatesigningrequests:nodeclient': approve('nodeclient'),
  'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient': approve('selfnodeclient'),
  'system:certificates.k8s.io:kube-apiserver-client-approver': approver('kube-apiserver-client'),
  'system:certificates.k8s.io:kube-apiserver-client-kubelet-approver': approver('kube-apiserver-client-kubelet'),
  'system:certificates.k8s.io:kubelet-serving-approver': approver('kubelet-serving'),
  'system:certificates.k8s.io:legacy-unknown-approver': approver('legacy-unknown'),
  'system:discovery': { rules: [allowUrls('get', `/api /api/* /apis /apis/* /openapi /openapi/* ${healthUrls}`)] },
  'system:heapster': { rules: [allow(readVerbs, 'core', 'events namespaces nodes pods'), allow(readVerbs, 'extensions', 'deployments')] },
  'system:kube-aggregator': { rules: [allow(readVerbs, 'core', 'endpoints services')] },
  'system:kube-controller-manager': {
    rules: [
      writeEvents,
      ...leaderLease('kube-controller-manager'),
      allow('create', 'core', 'secrets serviceaccounts'),
      allow('delete', 'core', 'secrets'),
      allow('get', 'core', 'configmaps namespaces secrets serviceaccounts'),
      allow('update', 'core', 'secrets serviceaccounts'),
      ...reviews,
      allow('list watch', '*', '*'),
      allow('create', 'core', 'serviceaccounts/token'),
    ],
  },
  'system:kube-dns': { rules: [allow('list watch', 'core', 'endpoints services')] },
  'system:kube-scheduler': {
    rules: [
      writeEvents,
      ...leaderLease('kube-scheduler'),
      allow(readVerbs, 'core', 'nodes'),
      allow(`delete ${readVerbs}`, 'core', 'pods'),
      allow('create', 'core', 'bindings pods/binding'),
      allow('patch update', 'core', 'pods/status'),
      allow(readVerbs, 'core', 'replicationcontrollers services'),
      allow(readVerbs, 'apps extensions', 'replicasets'),
      allow(readVerbs, 'apps', 'statefulsets'),
      allow(readVerbs, 'policy', 'poddisruptionbudgets'),
      allow(readVerbs, 'core', 'persistentvolumeclaims persistentvolumes'),
      ...reviews,
      allow(readVerbs, 'storage.k8s.io', 'csinodes'),
      allow(readVerbs, 'storage.k8s.io', 'volumeattachments'),
      allow(readVerbs, 'core', 'namespaces'),
      allow(readVerbs, 'storage.k8s.io', 'csidrivers'),
      allow(readVerbs, 'storage.k8s.io', 'csistoragecapacities'),
      allow(readVerbs, 'resource.k8s.io', 'deviceclasses'),
      allow(`${readVerbs} patch update`, 'resource.k8s.io', 'resourceclaims'),
      allow(`${readVerbs} patch update`, 'resource.k8s.io', 'resourceclaims/status'),
      allow(`${readVerbs} patch update`, 'core', 'pods/finalizers'),
      allow(readVerbs, 'resource.k8s.io', 'resourceslices'),
      allow('patch update', 'resource.k8s.io', 'resourceclaims/binding'),
    ],
  },
  'system:kubelet-api-admin': {
    rules: [
      allow(readVerbs, 'core', 'nodes'),
      allow('proxy', 'core', 'nodes'),
      allow('*', 'core', 'nodes/log nodes/metrics nodes/proxy nodes/stats'),
      allow('*', 'core', 'nodes/configz nodes/healthz nodes/pods'),
    ],
  },
  'system:monitoring': {
    rules: [
      allowUrls('get', '/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*'),
      allowUrls('get', '/flagz'),
      allowUrls('get', '/statusz'),
    ],
  },
  'system:node': { rules: nodeRules },
  'system:node-bootstrapper': { rules: [allow('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests')] },
  'system:node-problem-detector': { rules: [allow('get', 'core', 'nodes'), allow('patch', 'core', 'nodes/status'), writeEvents] },
  'system:node-proxier': {
    rules: [
      allow('list watch', 'core', 'endpoints services'),
      allow(readVerbs, 'core', 'nodes'),
      writeEvents,
      allow('list watch', 'networking.k8s.io', 'servicecidrs'),
      allow('list watch', 'discovery.k8s.io', 'endpointslices'),
    ],
  },
  'system:persistent-volume-provisioner': {
    rules: [
      allow(`create delete ${readVerbs}`, 'core', 'persistentvolumes'),
      allow('get list update watch', 'core', 'persistentvolumeclaims'),
      allow(readVerbs, 'storage.k8s.io', 'storageclasses'),
      allow('watch', 'core', 'events'),
      writeEvents,
    ],
  },
  'system:public-info-viewer': { rules: [allowUrls('get', healthUrls)] },
  'system:service-account-issuer-discovery': {
    rules: [allowUrls('get', '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/')],
  },
  'system:volume-scheduler': {
    rules: [
      allow(`patch update ${readVerbs}`, 'core', 'persistentvolumes'),
      allow(readVerbs, 'storage.k8s.io', 'storageclasses'),
      allow(`patch update ${readVerbs}`, 'core', 'persistentvolumeclaims'),
    ],
  },
};

/** On every object that Kubernetes reconciles at its start; with the annotation "false" one is left alone. */
export const autoUpdateAnnotation = 'rbac.authorization.kubernetes.io/autoupdate';
export const bootstrapMetadata = () => ({
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
  annotations: { [autoUpdateAnnotation]: 'true' },
});

/** A new list each time: the caller may change it. */
export function bootstrapClusterRoles(): ClusterRole[] {
  const controllers = Object.entries(controllerRoles()).map(([name, rules]) => [`system:controller:${name}`, { rules }] as const);
  return [...Object.entries(table), ...controllers].map(([name, { rules, labels, aggregationRule }]: readonly [string, RoleEntry]) => {
    const metadata = bootstrapMetadata();
    return structuredClone({
      metadata: { ...metadata, name, labels: { ...metadata.labels, ...labels } },
      ...(aggregationRule ? { aggregationRule } : {}),
      ...(rules ? { rules } : {}),
    });
  });
}

const leader = (name: string): [string, string, PolicyRule[]] => [
  'kube-system',
  `system::leader-locking-${name}`,
  [allow('watch', 'core', 'configmaps'), allow('get update', 'core', 'configmaps', name)],
];

const namespacedTable: [string, string, PolicyRule[]][] = [
  [
    'kube-system',
    'extension-apiserver-authentication-reader',
    [allow(readVerbs, 'core', 'configmaps', 'extension-apiserver-authentication')],
  ],
  ['kube-system', 'system:controller:bootstrap-signer', [allow(readVerbs, 'core', 'secrets')]],
  ['kube-system', 'system:controller:cloud-provider', [allow(`create ${readVerbs}`, 'core', 'configmaps')]],
  ['kube-system', 'system:controller:token-cleaner', [allow(`delete ${readVerbs}`, 'core', 'secrets'), writeEvents]],
  leader('kube-controller-manager'),
  leader('kube-scheduler'),
  [
    'kube-public',
    'system:controller:bootstrap-signer',
    [allow(readVerbs, 'core', 'configmaps'), allow('update', 'core', 'configmaps', 'cluster-info'), writeEvents],
  ],
];

export function bootstrapRoles(): Role[] {
  return namespacedTable.map(([namespace, name, rules]) =>
    structuredClone({ metadata: { ...bootstrapMetadata(), namespace, name }, rules }),
  );
}
