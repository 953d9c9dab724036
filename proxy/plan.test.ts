import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../api/core.ts';
import type { EndpointSlice } from '../api/discovery.ts';
import { frontendKey, type PlanNode, plan, planHealthChecks, planHostPorts } from './plan.ts';

const node: PlanNode = { name: 'n1', addresses: ['192.0.2.1'], zone: 'a' };

function service(spec: Partial<Service['spec']>, name = 'web'): Service {
  return {
    metadata: { namespace: 'default', name },
    spec: { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP' }], ...spec },
  } as Service;
}

type SliceEndpoint = NonNullable<EndpointSlice['endpoints']>[number];

function slice(endpoints: (string | SliceEndpoint)[], name = 'web', port = 8080): EndpointSlice {
  return {
    metadata: { namespace: 'default', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ port, protocol: 'TCP', name: '' }],
    endpoints: endpoints.map((e) => (typeof e === 'string' ? { addresses: [e], conditions: { ready: true } } : e)),
  };
}

function addressesAt(result: ReturnType<typeof plan>, key: string): string[] | undefined {
  return result.get(key)?.endpoints.map((e) => e.address);
}

const clusterKey = '10.96.0.10 tcp 80 any';

test('a service answers at its cluster IP with every ready endpoint, sorted', () => {
  const result = plan([service({})], [slice(['10.1.0.2', '10.1.0.1', { addresses: ['10.1.0.3'], conditions: { ready: false } }])], node);
  assert.deepEqual([...result.keys()], [clusterKey]);
  assert.deepEqual(result.get(clusterKey)?.endpoints, [
    { address: '10.1.0.1', port: 8080 },
    { address: '10.1.0.2', port: 8080 },
  ]);
  assert.equal(result.get(clusterKey)?.masquerade, 'outside');
});

test('headless and external-name services and those of another proxy have no frontends', () => {
  const other = service({});
  other.metadata = { ...other.metadata, labels: { 'service.kubernetes.io/service-proxy-name': 'mesh' } };
  const services = [service({ clusterIP: 'None', clusterIPs: ['None'] }), service({ type: 'ExternalName' }), other];
  for (const s of services) assert.equal(plan([s], [slice(['10.1.0.1'])], node).size, 0);
});

test('endpoints that serve while they terminate stand in only when none is ready', () => {
  const leaving: SliceEndpoint = { addresses: ['10.1.0.9'], conditions: { ready: false, serving: true, terminating: true } };
  assert.deepEqual(addressesAt(plan([service({})], [slice([leaving, '10.1.0.1'])], node), clusterKey), ['10.1.0.1']);
  assert.deepEqual(addressesAt(plan([service({})], [slice([leaving])], node), clusterKey), ['10.1.0.9']);
});

test('a Local internal policy keeps to this node and drops, not rejects, when only others have endpoints', () => {
  const here: SliceEndpoint = { addresses: ['10.1.0.1'], nodeName: 'n1' };
  const there: SliceEndpoint = { addresses: ['10.1.1.1'], nodeName: 'n2' };
  const local = service({ internalTrafficPolicy: 'Local' });
  assert.deepEqual(addressesAt(plan([local], [slice([here, there])], node), clusterKey), ['10.1.0.1']);
  assert.equal(plan([local], [slice([there])], node).get(clusterKey)?.whenEmpty, 'drop');
  assert.equal(plan([local], [slice([])], node).get(clusterKey)?.whenEmpty, 'reject');
});

test('a Local external policy keeps client addresses from outside and lets near clients reach every endpoint', () => {
  const here: SliceEndpoint = { addresses: ['10.1.0.1'], nodeName: 'n1' };
  const there: SliceEndpoint = { addresses: ['10.1.1.1'], nodeName: 'n2' };
  const spec = { type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ port: 80, nodePort: 30080 }] };
  const result = plan([service(spec)], [slice([here, there])], node);
  const any = result.get('192.0.2.1 tcp 30080 any');
  assert.deepEqual([any?.masquerade, any?.endpoints.map((e) => e.address)], ['never', ['10.1.0.1']]);
  assert.deepEqual(addressesAt(result, '192.0.2.1 tcp 30080 near'), ['10.1.0.1', '10.1.1.1']);
});

test('load balancer addresses, external addresses and node ports are frontends, but not in Proxy mode', () => {
  const lb = service({
    type: 'LoadBalancer',
    externalIPs: ['198.51.100.1'],
    ports: [{ port: 80, nodePort: 30080 }],
    loadBalancerSourceRanges: ['203.0.113.0/24'],
  });
  lb.status = { loadBalancer: { ingress: [{ ip: '198.51.100.2' }, { ip: '198.51.100.3', ipMode: 'Proxy' }] } };
  const result = plan([lb], [slice(['10.1.0.1'])], node);
  assert.deepEqual([...result.values()].map((f) => `${f.address}:${f.port}`).sort(), [
    '10.96.0.10:80',
    '192.0.2.1:30080',
    '198.51.100.1:80',
    '198.51.100.2:80',
  ]);
  assert.deepEqual(result.get('198.51.100.2 tcp 80 any')?.sourceRanges, ['203.0.113.0/24']);
});

test('topology hints are followed only when every endpoint has one and one is ours', () => {
  const hinted = (address: string, zone: string): SliceEndpoint => ({ addresses: [address], hints: { forZones: [{ name: zone }] } });
  assert.deepEqual(addressesAt(plan([service({})], [slice([hinted('10.1.0.1', 'a'), hinted('10.1.0.2', 'b')])], node), clusterKey), [
    '10.1.0.1',
  ]);
  assert.equal(addressesAt(plan([service({})], [slice([hinted('10.1.0.1', 'a'), '10.1.0.2'])], node), clusterKey)?.length, 2);
  assert.equal(addressesAt(plan([service({})], [slice([hinted('10.1.0.1', 'c')])], node), clusterKey)?.length, 1);
});

test('ports are matched by name and protocol', () => {
  const named = service({ ports: [{ name: 'dns', port: 53, protocol: 'UDP', targetPort: 'dns' }] });
  const udp = {
    ...slice(['10.1.0.1']),
    ports: [
      { name: 'dns', port: 5353, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ],
  };
  assert.deepEqual(plan([named], [udp], node).get('10.96.0.10 udp 53 any')?.endpoints, [{ address: '10.1.0.1', port: 5353 }]);
});

test('of two services that claim one address and port the first by name has it, in either order', () => {
  const a = service({ externalIPs: ['198.51.100.1'] }, 'a');
  const b = service({ externalIPs: ['198.51.100.1'], clusterIP: '10.96.0.11', clusterIPs: ['10.96.0.11'] }, 'b');
  for (const services of [
    [a, b],
    [b, a],
  ])
    assert.equal(plan(services, [], node).get('198.51.100.1 tcp 80 any')?.of, 'default/a');
});

test("host ports of the node's pods are frontends at every node address or at their own", () => {
  const pod = {
    metadata: { namespace: 'default', name: 'p' },
    spec: {
      containers: [
        {
          name: 'c',
          ports: [
            { containerPort: 80, hostPort: 8080 },
            { containerPort: 53, hostPort: 53, protocol: 'UDP', hostIP: '192.0.2.9' },
          ],
        },
      ],
    },
    status: { podIP: '10.1.0.1', phase: 'Running' },
  };
  assert.deepEqual(planHostPorts(pod, node).map(frontendKey), ['192.0.2.1 tcp 8080 any', '192.0.2.9 udp 53 any']);
  assert.deepEqual(planHostPorts({ ...pod, status: { ...pod.status, phase: 'Failed' } }, node), []);
});

test('a health check node port counts the ready endpoints of this node', () => {
  const lb = service({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 31000 });
  const slices = [
    slice([
      { addresses: ['10.1.0.1'], nodeName: 'n1' },
      { addresses: ['10.1.1.1'], nodeName: 'n2' },
    ]),
  ];
  assert.deepEqual(
    planHealthChecks([lb], () => slices, node),
    [{ namespace: 'default', name: 'web', port: 31000, localEndpoints: 1 }],
  );
});
