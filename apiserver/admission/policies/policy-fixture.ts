// A server with every admission plug-in and an audit log, for tests of policies: each test has a namespace of its own, where alone
// its policies are bound.

import assert from 'node:assert/strict';
import { readAuditPolicy } from '../../audit/policy.ts';
import type { AuthorizationAttributes, Decision } from '../../authz/authorizer.ts';
import type { ApiServerOptions } from '../../server.ts';
import { type Answer, type ServerFixture, startServer } from '../../server-fixture.ts';
import { builtInAdmission } from '../built-in.ts';

export const policyGroup = '/apis/admissionregistration.k8s.io/v1';

/** Rules that name resources of one group, whatever is done to them. */
export const rulesFor = (group: string, resource: string, operations: readonly string[] = ['*']) => ({
  resourceRules: [{ apiGroups: [group], apiVersions: ['*'], operations, resources: [resource] }],
});

export interface PolicyFixture extends ServerFixture {
  /** Annotations of the last request's audit event. */
  annotations(): Record<string, string>;
  /** Fails unless what is posted is created. */
  make(path: string, body: object): Promise<Answer>;
  addNamespace(name: string, more?: object): Promise<void>;
  /** A validating policy, bound where the namespace of its name is. */
  addValidating(name: string, spec: object, binding?: object): Promise<void>;
  /** The same for a mutating one. */
  addMutating(name: string, spec: object, binding?: object): Promise<void>;
  addConfigMap(namespace: string, name: string, more?: object, query?: string): Promise<Answer>;
}

export async function startPolicyServer(
  authorize: (attributes: AuthorizationAttributes) => Decision = () => ({ decision: 'no opinion' }),
  options: Partial<ApiServerOptions> = {},
): Promise<PolicyFixture> {
  let events: Record<string, unknown>[] = [];
  const log = { write: (event: object) => void events.push(event as Record<string, unknown>), close: async () => {} };
  const fixture = await startServer({
    admission: (view) => builtInAdmission(view, { authorizer: async (attributes) => authorize(attributes) }),
    audit: { policy: readAuditPolicy('{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}'), log },
    ...options,
  });
  const ask: ServerFixture['ask'] = (...request) => {
    events = [];
    return fixture.ask(...request);
  };
  const make = async (path: string, body: object) => {
    const answer = await ask('POST', path, body);
    assert.equal(answer.status, 201, answer.text);
    return answer;
  };
  const add = async (sort: string, name: string, spec: object, binding: object) => {
    const selected = { matchResources: { namespaceSelector: { matchLabels: { policy: name } } } };
    await make(`${policyGroup}/${sort}admissionpolicies`, { metadata: { name }, spec });
    await make(`${policyGroup}/${sort}admissionpolicybindings`, {
      metadata: { name },
      spec: { policyName: name, ...selected, ...binding },
    });
  };
  return {
    ...fixture,
    ask,
    make,
    annotations: () => (events.at(-1)?.['annotations'] ?? {}) as Record<string, string>,
    async addNamespace(name, more = {}) {
      await make('/api/v1/namespaces', { metadata: { name, labels: { policy: name }, ...more } });
    },
    addValidating: (name, spec, binding = {}) => add('validating', name, spec, { validationActions: ['Deny'], ...binding }),
    addMutating: (name, spec, binding = {}) => add('mutating', name, { reinvocationPolicy: 'Never', ...spec }, binding),
    addConfigMap: (namespace, name, more = {}, query = '') =>
      ask('POST', `/api/v1/namespaces/${namespace}/configmaps${query}`, { metadata: { name }, ...more }),
  };
}
