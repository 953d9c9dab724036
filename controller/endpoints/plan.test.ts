import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, Service } from '../../api/core.ts';
import { addressesMax, managedByLabel, overCapacityAnnotation, planEndpoints } from './plan.ts';
import { headlessLabel, lastChangeTriggerTimeAnnotation } from './service-pods.ts';

function service(spec: Service['spec'] = {}): Service {
  return {
    metadata: { name: 'web', namespace: 'a', uid: 's', labels: { tier: 'front' }, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { clusterIP: '10.96.0.5', ipFamilies: ['IPv4'], selector: { app: 'web' }, ports: [{ port: 80, protocol: 'TCP' }], ...spec },
  };
}

interface PodOptions {
  ip?: string;
  isReady?: boolean;
  phase?: string;
  ports?: { name: string; containerPort: number }[];
  deleting?: boolean;
  since?: string;
}

function pod(
  name: string,
  { ip = '10.0.0.1', isReady = true, phase = 'Running', ports = [], deleting, since = '2026-01-01T00:00:09Z' }: PodOptions = {},
): Pod {
  return {
    metadata: { name, namespace: 'a', uid: `uid-${name}`, ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { nodeName: 'n1', hostname: name, subdomain: 'web', containers: [{ name: 'c', ports }] },
    status: { phase, podIP: ip, conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: since }] },
  };
}

test('ready and other pods stand apart, each with its address, node and name', () => {
  const made = planEndpoints(service(), [pod('a'), pod('b', { ip: '10.0.0.2', isReady: false })], undefined);
  const target = (name: string) => ({ kind: 'Pod', namespace: 'a', name, uid: `uid-${name}` });
  assert.deepEqual(made?.subsets, [
    {
      addresses: [{ ip: '10.0.0.1', hostname: 'a', nodeName: 'n1', targetRef: target('a') }],
      notReadyAddresses: [{ ip: '10.0.0.2', hostname: 'b', nodeName: 'n1', targetRef: target('b') }],
      ports: [{ port: 80, protocol: 'TCP' }],
    },
  ]);
  assert.deepEqual(made?.metadata?.labels, { tier: 'front', [managedByLabel]: 'endpoint-controller' });
  assert.equal(made?.metadata?.annotations?.[lastChangeTriggerTimeAnnotation], '2026-01-01T00:00:00Z');
});

test('pods that have ended, have no address or are being deleted are no endpoints', () => {
  const gone = [pod('a', { phase: 'Failed' }), pod('b', { ip: '' }), pod('c', { deleting: true })];
  assert.deepEqual(planEndpoints(service(), gone, undefined)?.subsets, []);
});

test('a service that publishes unready addresses shows all as ready, those being deleted too', () => {
  const made = planEndpoints(
    service({ publishNotReadyAddresses: true }),
    [pod('a', { isReady: false }), pod('b', { ip: '10.0.0.2', deleting: true })],
    undefined,
  );
  assert.deepEqual(
    made?.subsets?.map((s) => [s.addresses?.length, s.notReadyAddresses?.length]),
    [[2, undefined]],
  );
});

test('ports that lead to the same pods share a subset, a named port may lead elsewhere on each', () => {
  // IntOrString is typed as an object by the generated models, and is a number or a string on the wire.
  const named = 'http' as unknown as NonNullable<NonNullable<Service['spec']>['ports']>[number]['targetPort'];
  const ports = [
    { name: 'http', port: 80, protocol: 'TCP', targetPort: named },
    { name: 'other', port: 81, protocol: 'TCP' },
    { name: 'udp', port: 81, protocol: 'UDP' },
  ] as NonNullable<NonNullable<Service['spec']>['ports']>;
  const selected = [
    pod('a', { ports: [{ name: 'http', containerPort: 8080 }] }),
    pod('b', { ip: '10.0.0.2', ports: [{ name: 'http', containerPort: 9090 }] }),
    pod('c', { ip: '10.0.0.3' }),
  ];
  const made = planEndpoints(service({ ports }), selected, undefined);
  const shape = made?.subsets?.map(
    (s) => `${s.addresses?.map((a) => a.ip).join()} -> ${s.ports?.map((p) => `${p.name} ${p.port}`).join()}`,
  );
  assert.deepEqual(shape?.sort(), ['10.0.0.1 -> http 8080', '10.0.0.1,10.0.0.2,10.0.0.3 -> other 81,udp 81', '10.0.0.2 -> http 9090']);
});

test('a headless service without ports has addresses all the same, and is labelled', () => {
  const made = planEndpoints(service({ clusterIP: 'None', ports: [] }), [pod('a')], undefined);
  assert.deepEqual(
    made?.subsets?.map((s) => [s.addresses?.length, s.ports]),
    [[1, undefined]],
  );
  assert.equal(made?.metadata?.labels?.[headlessLabel], '');
});

test('what is as it should be is not written again', () => {
  const made = planEndpoints(service(), [pod('a')], undefined);
  assert.ok(made);
  const later = pod('a', { since: '2026-01-01T00:10:00Z' });
  assert.equal(planEndpoints(service(), [later], structuredClone(made)), undefined);
  const unready = planEndpoints(service(), [pod('a', { isReady: false, since: '2026-01-01T00:20:00Z' })], made);
  assert.equal(unready?.metadata?.annotations?.[lastChangeTriggerTimeAnnotation], '2026-01-01T00:20:00Z');
});

test('beyond a thousand addresses the rest is cut off, unready ones first, and an annotation says so', () => {
  const many = (count: number, isReady: boolean, from: number) =>
    Array.from({ length: count }, (_, i) => pod(`p${from + i}`, { ip: `10.1.${(from + i) >> 8}.${(from + i) & 255}`, isReady }));
  const made = planEndpoints(service(), [...many(900, true, 0), ...many(300, false, 900)], undefined);
  assert.deepEqual(
    made?.subsets?.map((s) => [s.addresses?.length, s.notReadyAddresses?.length]),
    [[900, addressesMax - 900]],
  );
  assert.equal(made?.metadata?.annotations?.[overCapacityAnnotation], 'truncated');
  const all = planEndpoints(service(), many(1200, true, 0), undefined);
  assert.equal(all?.subsets?.[0]?.addresses?.length, addressesMax);
  const fewer = planEndpoints(service(), many(3, true, 0), all);
  assert.equal(fewer?.metadata?.annotations?.[overCapacityAnnotation], undefined);
});
