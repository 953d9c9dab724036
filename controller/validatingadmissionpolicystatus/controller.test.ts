import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validatingAdmissionPolicies } from '../../api/admissionregistration.ts';
import { Cluster } from '../../testing/cluster.ts';

test("a policy's expressions are checked once for each generation, and the status tells of it", async () => {
  const cluster = await Cluster.start({ nodes: 0 });
  try {
    const at = { name: 'replicas' };
    const policyOf = (expression: string) => ({
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }],
        },
        validations: [{ expression }],
      },
    });
    const statusAt = async (generation: number) => {
      const current = () => cluster.client.get(validatingAdmissionPolicies, at);
      await cluster.until(async () => (await current()).status?.observedGeneration === generation);
      return (await current()).status;
    };
    await cluster.client.create(validatingAdmissionPolicies, { metadata: at, ...policyOf('object.replicas > 1') });
    const warning = "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n";
    assert.deepEqual(await statusAt(1), {
      observedGeneration: 1,
      typeChecking: { expressionWarnings: [{ fieldRef: 'spec.validations[0].expression', warning }] },
    });
    await cluster.client.patch(validatingAdmissionPolicies, at, 'merge', policyOf('object.spec.replicas > 1'));
    assert.deepEqual(await statusAt(2), { observedGeneration: 2 });
    const { managedFields } = (await cluster.client.get(validatingAdmissionPolicies, at)).metadata ?? {};
    assert.ok(
      managedFields?.some(
        ({ manager, subresource }) => manager === 'validatingadmissionpolicy-status-controller' && subresource === 'status',
      ),
    );
    await cluster.client.create(validatingAdmissionPolicies, { metadata: { name: 'right' }, ...policyOf('object.spec.replicas > 1') });
    const right = () => cluster.client.get(validatingAdmissionPolicies, { name: 'right' });
    await cluster.until(async () => (await right()).status !== undefined);
    assert.deepEqual((await right()).status, { observedGeneration: 1, typeChecking: {} });
  } finally {
    await cluster.close();
  }
});
