// The types of what admission expressions see: `request` and `namespaceObject` field by field, everything else of any type
// (k8s.io/apiserver/pkg/admission/plugin/cel).

import { type CelType, parseType, structType } from './types.ts';

/** An object type with just these fields, of types as declarations write them. */
function struct(name: string, fields: Readonly<Record<string, string | CelType>>): CelType {
  const types = new Map(Object.entries(fields).map(([field, type]) => [field, typeof type === 'string' ? parseType(type) : type]));
  return structType(name, (field) => types.get(field));
}

const groupVersionKind = struct('kubernetes.GroupVersionKind', { group: 'string', version: 'string', kind: 'string' });
const groupVersionResource = struct('kubernetes.GroupVersionResource', { group: 'string', version: 'string', resource: 'string' });
const userInfo = struct('kubernetes.UserInfo', {
  username: 'string',
  uid: 'string',
  groups: 'list<string>',
  extra: 'map<string, list<string>>',
});

/** Without the object and the old object, which are variables of their own. */
export const requestType = struct('kubernetes.AdmissionRequest', {
  kind: groupVersionKind,
  resource: groupVersionResource,
  subResource: 'string',
  requestKind: groupVersionKind,
  requestResource: groupVersionResource,
  requestSubResource: 'string',
  name: 'string',
  namespace: 'string',
  operation: 'string',
  userInfo,
  dryRun: 'bool',
  options: 'dyn',
});

const condition = struct('kubernetes.NamespaceCondition', {
  status: 'string',
  type: 'string',
  lastTransitionTime: 'timestamp',
  message: 'string',
  reason: 'string',
});

/** What a namespace shows; `UID` is how Kubernetes declares it, though values have `uid`. */
export const namespaceType = struct('kubernetes.Namespace', {
  metadata: struct('kubernetes.NamespaceMetadata', {
    name: 'string',
    generateName: 'string',
    namespace: 'string',
    labels: 'map<string, string>',
    annotations: 'map<string, string>',
    UID: 'string',
    creationTimestamp: 'timestamp',
    deletionGracePeriodSeconds: 'int',
    deletionTimestamp: 'timestamp',
    generation: 'int',
    resourceVersion: 'string',
    finalizers: 'list<string>',
  }),
  spec: struct('kubernetes.NamespaceSpec', { finalizers: 'list<string>' }),
  status: struct('kubernetes.NamespaceStatus', { conditions: { kind: 'list', name: 'list', params: [condition] }, phase: 'string' }),
});

export const authorizerType = parseType('kubernetes.authorization.Authorizer');
export const resourceCheckType = parseType('kubernetes.authorization.ResourceCheck');
