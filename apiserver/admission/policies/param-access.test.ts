import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBody } from '../../../client/transport.ts';
import { policyGroup, rulesFor, startPolicyServer } from './policy-fixture.ts';

test('only who may read parameters may have policies take them', async () => {
  const asked: string[] = [];
  let isAllowed = false;
  const server = await startPolicyServer(
    ({ verb, group, version, resource, namespace, name }) => {
      asked.push([verb, group, version, resource, namespace, name].join(' '));
      return { decision: isAllowed ? 'allow' : 'no opinion' };
    },
    { authorizer: () => ({ decision: 'allow' }) },
  );
  try {
    const transport = server.server.transport({ name: 'ann', groups: ['devs', 'system:authenticated'] });
    const as = async (method: 'POST' | 'PUT', path: string, body: object) => {
      const response = await transport.request({
        method,
        path,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return JSON.parse((await readBody(response)).toString());
    };
    const spec = {
      matchConstraints: rulesFor('', 'pods', ['CREATE']),
      validations: [{ expression: 'true' }],
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    };
    const policy = { metadata: { name: 'p' }, spec };
    const user = '&{ann  [devs system:authenticated] map[]}';
    const refused = await as('POST', `${policyGroup}/validatingadmissionpolicies`, policy);
    const why = `user ${user} must have "get" permission on all objects of the referenced paramKind (kind=ConfigMap, apiVersion=v1)`;
    assert.equal(
      refused.message,
      `ValidatingAdmissionPolicy.admissionregistration.k8s.io "p" is invalid: spec.paramKind: Forbidden: ${why}`,
    );
    assert.deepEqual(asked.splice(0), ['get  v1 configmaps * *']);
    assert.equal((await server.ask('POST', `${policyGroup}/validatingadmissionpolicies`, policy)).status, 201, 'masters are not asked');
    const unchanged = await as('PUT', `${policyGroup}/validatingadmissionpolicies/p`, {
      ...policy,
      spec: { ...spec, validations: [{ expression: 'false' }] },
    });
    assert.equal(unchanged.metadata.generation, 2, 'who leaves the parameters as they are need not read them');
    const binding = (paramRef: object) => ({
      metadata: { name: 'b' },
      spec: { policyName: 'p', validationActions: ['Deny'], paramRef: { parameterNotFoundAction: 'Deny', ...paramRef } },
    });
    const path = `${policyGroup}/validatingadmissionpolicybindings`;
    const named = await as('POST', path, binding({ name: 'x', namespace: 'ns' }));
    assert.match(
      named.message,
      /spec\.paramRef: Forbidden: user get does not have "&\{ann .*\}" permission on the object referenced by paramRef$/,
    );
    await as('POST', path, binding({ selector: {} }));
    assert.deepEqual(asked.splice(0), ['get  v1 configmaps ns x', 'list  v1 configmaps  ']);
    isAllowed = true;
    assert.equal((await as('POST', path, binding({ selector: {} }))).metadata.name, 'b');
    const unknown = { ...policy, metadata: { name: 'q' }, spec: { ...spec, paramKind: { apiVersion: 'example.com/v1', kind: 'Rule' } } };
    asked.splice(0);
    await as('POST', `${policyGroup}/validatingadmissionpolicies`, unknown);
    assert.deepEqual(asked, ['get example.com v1 * * *'], 'of what is not known all resources are asked for');
  } finally {
    await server.close();
  }
});
