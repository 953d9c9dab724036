import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../server-fixture.ts';

const behavior = { scaleDown: { stabilizationWindowSeconds: 60 } };
const hpa = (spec: object) => ({
  metadata: { name: 'web' },
  spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 5, ...spec },
});
const at = (version: string) => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;

test('an autoscaler that is written in one version is read in the other, and nothing is lost on the way back', async () => {
  const { ask, close } = await startServer();
  const metrics = [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
    { type: 'Pods', pods: { metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '10' } } },
  ];
  assert.equal((await ask('POST', at('v2'), hpa({ metrics, behavior }))).status, 201);
  const v1 = await ask('GET', `${at('v1')}/web`);
  assert.equal(v1.json.apiVersion, 'autoscaling/v1');
  assert.equal(v1.json.spec.targetCPUUtilizationPercentage, 50);
  const kept = JSON.parse(v1.json.metadata.annotations['autoscaling.alpha.kubernetes.io/metrics']);
  assert.deepEqual(kept, [{ type: 'Pods', pods: { metricName: 'hits', targetAverageValue: '10' } }]);
  const put = await ask('PUT', `${at('v1')}/web`, { ...v1.json, spec: { ...v1.json.spec, maxReplicas: 7 } });
  assert.equal(put.status, 200, put.text);
  const v2 = await ask('GET', `${at('v2')}/web`);
  assert.equal(v2.json.spec.maxReplicas, 7);
  assert.deepEqual(
    v2.json.spec.metrics.map((metric: { type: string }) => metric.type),
    ['Pods', 'Resource'],
  );
  assert.equal(v2.json.spec.behavior.scaleDown.stabilizationWindowSeconds, 60);
  assert.equal(v2.json.metadata.annotations, undefined);
  await close();
});

test('a v1 autoscaler without a target is scaled by 80% of the CPU it asked for', async () => {
  const { ask, close } = await startServer();
  const created = await ask('POST', at('v1'), hpa({}));
  assert.equal(created.json.spec.targetCPUUtilizationPercentage, 80);
  assert.equal(created.json.spec.minReplicas, 1);
  const refused = await ask('POST', at('v1'), hpa({ minReplicas: 9 }));
  assert.equal(refused.status, 422);
  assert.match(refused.json.message, /spec\.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`/);
  await close();
});
