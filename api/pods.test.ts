import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod } from './core.ts';
import { podLimits, podRequests, qosClassOf } from './pods.ts';
import { formatQuantity, type Quantity } from './quantity.ts';

const container = (cpu: string, limits?: Record<string, string>, restartPolicy?: string): Container => ({
  name: 'c',
  resources: { requests: { cpu }, ...(limits ? { limits } : {}) },
  ...(restartPolicy ? { restartPolicy } : {}),
});
const pod = (containers: Container[], initContainers: Container[] = []): Pod => ({ spec: { containers, initContainers } });
const cpuOf = (p: Pod) => formatQuantity(podRequests(p)['cpu'] ?? { nano: 0n, format: 'DecimalSI' });

test('requests are the sum of the containers, or the largest init container if that is more', () => {
  assert.equal(cpuOf(pod([container('100m'), container('200m')])), '300m');
  assert.equal(cpuOf(pod([container('100m')], [container('1'), container('500m')])), '1');
});

test('a sidecar counts beside the containers and beside the init containers after it', () => {
  assert.equal(cpuOf(pod([container('100m')], [container('200m', undefined, 'Always'), container('300m')])), '500m');
});

test('overhead is added on top', () => {
  const withOverhead = pod([container('100m')]);
  withOverhead.spec = { ...withOverhead.spec, containers: withOverhead.spec?.containers ?? [], overhead: { cpu: '50m' } };
  assert.equal(cpuOf(withOverhead), '150m');
});

test('quality of service follows requests and limits', () => {
  assert.equal(qosClassOf(pod([{ name: 'a' }])), 'BestEffort');
  assert.equal(qosClassOf(pod([container('100m')])), 'Burstable');
  assert.equal(qosClassOf(pod([{ name: 'a', resources: { limits: { cpu: '1', memory: '1Gi' } } }])), 'Guaranteed');
  assert.equal(
    qosClassOf(pod([{ name: 'a', resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } } }])),
    'Burstable',
  );
});

test('what a pod asks for as a whole stands above its containers, and alone decides its quality of service', () => {
  const whole = pod([container('100m'), container('200m')]);
  whole.spec = { containers: [], ...whole.spec, resources: { requests: { cpu: '1' }, limits: { cpu: '2' } }, overhead: { cpu: '50m' } };
  assert.equal(cpuOf(whole), '1050m');
  assert.equal(formatQuantity(podLimits(whole)['cpu'] as Quantity), '2050m');
  assert.equal(qosClassOf(whole), 'Burstable');
  const equal = pod([{ name: 'a' }]);
  equal.spec = { containers: [{ name: 'a' }], resources: { limits: { cpu: '1', memory: '1Gi' } } };
  assert.equal(qosClassOf(equal), 'Guaranteed');
});
