// The check-list: every stable operation of Kubernetes 1.36, written down by itself rather than derived from what is
// served, so that the server can be held against it.
//
// A line without indent is a group and version. Below it: kind, plural, `cluster` unless namespaced, `only:` the verbs
// when not all, then its subresources: name, `=` the kind when another, `:` the methods when not GET, PATCH and PUT.

/** The table as text. */
const table = `
v1
  Binding bindings only:post
  ComponentStatus componentstatuses cluster only:get,list
  ConfigMap configmaps
  Endpoints endpoints
  Event events
  LimitRange limitranges
  Namespace namespaces cluster only:list,post,get,put,delete,patch finalize:PUT status
  Node nodes cluster status proxy=NodeProxyOptions
  PersistentVolume persistentvolumes cluster status
  PersistentVolumeClaim persistentvolumeclaims status
  Pod pods status ephemeralcontainers resize log:GET binding=Binding:POST eviction=policy/v1/Eviction:POST attach=PodAttachOptions:GET,POST exec=PodExecOptions:GET,POST portforward=PodPortForwardOptions:GET,POST proxy=PodProxyOptions
  PodTemplate podtemplates
  ReplicationController replicationcontrollers status scale=autoscaling/v1/Scale
  ResourceQuota resourcequotas status
  Secret secrets
  Service services status proxy=ServiceProxyOptions
  ServiceAccount serviceaccounts token=authentication.k8s.io/v1/TokenRequest:POST
admissionregistration.k8s.io/v1
  MutatingAdmissionPolicy mutatingadmissionpolicies cluster
  MutatingAdmissionPolicyBinding mutatingadmissionpolicybindings cluster
  MutatingWebhookConfiguration mutatingwebhookconfigurations cluster
  ValidatingAdmissionPolicy validatingadmissionpolicies cluster status
  ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings cluster
  ValidatingWebhookConfiguration validatingwebhookconfigurations cluster
apiextensions.k8s.io/v1
  CustomResourceDefinition customresourcedefinitions cluster status
apiregistration.k8s.io/v1
  APIService apiservices cluster status
apps/v1
  ControllerRevision controllerrevisions
  DaemonSet daemonsets status
  Deployment deployments status scale=autoscaling/v1/Scale
  ReplicaSet replicasets status scale=autoscaling/v1/Scale
  StatefulSet statefulsets status scale=autoscaling/v1/Scale
authentication.k8s.io/v1
  SelfSubjectReview selfsubjectreviews cluster only:post
  TokenReview tokenreviews cluster only:post
authorization.k8s.io/v1
  LocalSubjectAccessReview localsubjectaccessreviews only:post
  SelfSubjectAccessReview selfsubjectaccessreviews cluster only:post
  SelfSubjectRulesReview selfsubjectrulesreviews cluster only:post
  SubjectAccessReview subjectaccessreviews cluster only:post
autoscaling/v1
  HorizontalPodAutoscaler horizontalpodautoscalers status
autoscaling/v2
  HorizontalPodAutoscaler horizontalpodautoscalers status
batch/v1
  CronJob cronjobs status
  Job jobs status
certificates.k8s.io/v1
  CertificateSigningRequest certificatesigningrequests cluster approval status
coordination.k8s.io/v1
  Lease leases
discovery.k8s.io/v1
  EndpointSlice endpointslices
events.k8s.io/v1
  Event events
flowcontrol.apiserver.k8s.io/v1
  FlowSchema flowschemas cluster status
  PriorityLevelConfiguration prioritylevelconfigurations cluster status
networking.k8s.io/v1
  Ingress ingresses status
  IngressClass ingressclasses cluster
  IPAddress ipaddresses cluster
  NetworkPolicy networkpolicies
  ServiceCIDR servicecidrs cluster status
node.k8s.io/v1
  RuntimeClass runtimeclasses cluster
policy/v1
  PodDisruptionBudget poddisruptionbudgets status
rbac.authorization.k8s.io/v1
  ClusterRole clusterroles cluster
  ClusterRoleBinding clusterrolebindings cluster
  Role roles
  RoleBinding rolebindings
resource.k8s.io/v1
  DeviceClass deviceclasses cluster
  ResourceClaim resourceclaims status
  ResourceClaimTemplate resourceclaimtemplates
  ResourceSlice resourceslices cluster
scheduling.k8s.io/v1
  PriorityClass priorityclasses cluster
storage.k8s.io/v1
  CSIDriver csidrivers cluster
  CSINode csinodes cluster
  CSIStorageCapacity csistoragecapacities
  StorageClass storageclasses cluster
  VolumeAttachment volumeattachments cluster status
  VolumeAttributesClass volumeattributesclasses cluster
`;

/** Groups of which Kubernetes publishes the group's document, although their versions are not stable yet. */
const groupsWithoutStableVersion = ['internal.apiserver.k8s.io', 'storagemigration.k8s.io'];

export interface ListedOperation {
  method: string;
  path: string;
  /** get, list, post, put, patch, delete, deletecollection, watch, watchlist, connect; '' for what is no resource. */
  action: string;
  group: string;
  version: string;
  /** Of a subresource, its own. */
  kind: string;
  operationId: string;
  /** The resource that it belongs to: `v1/pods`; '' for what is no resource. */
  resource: string;
  subresource: string;
}

/** `METHOD path`, which names an operation. */
export const nameOf = ({ method, path }: Pick<ListedOperation, 'method' | 'path'>) => `${method} ${path}`;

/** All of them: 666 stable ones and 152 at the deprecated `/watch/` paths. */
export function listedOperations(): ListedOperation[] {
  const operations = [
    bare('/api/', 'getCoreAPIVersions'),
    bare('/apis/', 'getAPIVersions'),
    bare('/version/', 'getCodeVersion'),
    bare('/logs/', 'logFileListHandler'),
    bare('/logs/{logpath}', 'logFileHandler'),
    bare('/openid/v1/jwks/', 'getServiceAccountIssuerOpenIDKeyset'),
    bare('/.well-known/openid-configuration/', 'getServiceAccountIssuerOpenIDConfiguration'),
  ];
  const groups = new Set<string>(groupsWithoutStableVersion);
  let group = '';
  let version = '';
  for (const line of table.trim().split('\n')) {
    if (!line.startsWith(' ')) {
      [version = '', group = ''] = line.split('/').reverse();
      if (group) groups.add(group);
      operations.push(bare(`${rootOf(group, version)}/`, `get${word(group)}${capital(version)}APIResources`));
    } else operations.push(...ofKind(line.trim().split(' '), group, version));
  }
  for (const name of groups) operations.push(bare(`/apis/${name}/`, `get${word(name)}APIGroup`));
  return operations;
}

const bare = (path: string, operationId: string): ListedOperation => ({
  method: 'GET',
  path,
  action: '',
  group: '',
  version: '',
  kind: '',
  operationId,
  resource: '',
  subresource: '',
});
const rootOf = (group: string, version: string) => (group ? `/apis/${group}/${version}` : `/api/${version}`);
const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);
const word = (group: string) =>
  (group || 'core')
    .replace(/\.k8s\.io$/, '')
    .split('.')
    .map(capital)
    .join('');

const allVerbs = 'list,post,deletecollection,get,put,delete,patch';

function ofKind([kind = '', plural = '', ...rest]: string[], group: string, version: string): ListedOperation[] {
  const namespaced = rest[0] !== 'cluster';
  const only = rest.find((part) => part.startsWith('only:'))?.slice('only:'.length);
  const verbs = new Set((only ?? allVerbs).split(','));
  const root = rootOf(group, version);
  const scope = namespaced ? 'Namespaced' : '';
  const all = `/${plural}`;
  const collection = (namespaced ? '/namespaces/{namespace}' : '') + all;
  const item = `${collection}/{name}`;
  const own = word(group) + capital(version);
  const operations: ListedOperation[] = [];
  const add = (method: string, path: string, action: string, operationId: string) =>
    operations.push({
      method,
      path,
      action,
      group,
      version,
      kind,
      operationId,
      resource: `${group}/${version}/${plural}`,
      subresource: '',
    });
  const at = (verb: string, method: string, path: string, prefix: string, infix = '') => {
    if (verbs.has(verb)) add(method, root + path, verb, `${prefix}${own}${infix}${scope}${kind}`);
  };
  at('list', 'GET', collection, 'list');
  if (namespaced && verbs.has('list')) add('GET', root + all, 'list', `list${own}${kind}ForAllNamespaces`);
  at('post', 'POST', collection, 'create');
  at('deletecollection', 'DELETE', collection, 'delete', 'Collection');
  at('get', 'GET', item, 'read');
  at('put', 'PUT', item, 'replace');
  at('patch', 'PATCH', item, 'patch');
  at('delete', 'DELETE', item, 'delete');
  if (verbs.has('list') && verbs.has('post')) {
    add('GET', `${root}/watch${collection}`, 'watchlist', `watch${own}${scope}${kind}List`);
    add('GET', `${root}/watch${item}`, 'watch', `watch${own}${scope}${kind}`);
    if (namespaced) add('GET', `${root}/watch${all}`, 'watchlist', `watch${own}${kind}ListForAllNamespaces`);
  }
  for (const part of rest) {
    if (part === 'cluster' || part.startsWith('only:')) continue;
    const [, name = '', target, methods] = /^(\w+)(?:=([^:]+))?(?::(.*))?$/.exec(part) ?? [];
    const [subKind = kind, subVersion = version, subGroup = group] = target?.split('/').reverse() ?? [];
    const connects = subKind.endsWith('Options');
    const paths = name === 'proxy' ? ['proxy', 'proxy/{path}'] : [name];
    for (const path of paths)
      for (const method of (methods ?? (name === 'proxy' ? 'GET,PUT,POST,DELETE,OPTIONS,HEAD,PATCH' : 'GET,PATCH,PUT')).split(',')) {
        const tail = scope + kind + capital(name) + (path === name ? '' : 'WithPath');
        const id = connects ? `connect${own}${capital(method.toLowerCase())}${tail}` : `${prefixes[method]}${own}${tail}`;
        const action = connects ? 'connect' : method.toLowerCase();
        const about = { group: subGroup, version: subVersion, kind: subKind, resource: `${group}/${version}/${plural}` };
        operations.push({ method, path: `${root}${item}/${path}`, action, ...about, operationId: id, subresource: name });
      }
  }
  return operations;
}

const prefixes: Readonly<Record<string, string>> = { GET: 'read', PUT: 'replace', POST: 'create', PATCH: 'patch' };
