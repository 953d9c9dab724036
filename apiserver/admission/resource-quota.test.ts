import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { persistentVolumeClaims, pods, services } from '../../api/core.ts';
import type { Kind } from '../../api/kind.ts';
import { formatQuantity } from '../../api/quantity.ts';
import { isInScope, type QuotaScope, quotaUsageOf } from '../../api/quota-usage.ts';
import { resourceClaims } from '../../api/resource.ts';
import { countUsage } from '../../controller/resourcequota/plan.ts';
import { createMemoryStore } from '../../store/memory.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { builtInAdmission } from './built-in.ts';
import { defaultPlugins } from './plugin-order.ts';

const path = '/api/v1/namespaces/default';

/** A quota whose usage is known, as after the controller's first look. */
async function makeQuota(
  server: ServerFixture,
  name: string,
  spec: { hard: Record<string, string>; scopeSelector?: object },
): Promise<void> {
  const made = await server.ask('POST', `${path}/resourcequotas`, { metadata: { name }, spec });
  assert.equal(made.status, 201, made.text);
  const status = countUsage(made.json, [], 0);
  assert.equal((await server.ask('PUT', `${path}/resourcequotas/${name}/status`, { ...made.json, status })).status, 200);
}

const pod = (name: string, requests?: object) => ({
  metadata: { name },
  spec: { containers: [{ name: 'a', image: 'x', ...(requests ? { resources: { requests, limits: requests } } : {}) }] },
});

test('what exceeds a quota is refused, and told by how much', async () => {
  const server = await startServer({ admission: builtInAdmission });
  await makeQuota(server, 'q', { hard: { pods: '2', 'requests.cpu': '1' } });
  const ask = (body: unknown) => server.ask('POST', `${path}/pods`, body);
  const silent = await ask(pod('silent'));
  assert.equal(silent.json.message, 'pods "silent" is forbidden: failed quota: q: must specify requests.cpu for: a');
  const big = await ask(pod('big', { cpu: '1500m' }));
  const why = 'exceeded quota: q, requested: requests.cpu=1500m, used: requests.cpu=0, limited: requests.cpu=1';
  assert.equal(big.json.message, `pods "big" is forbidden: ${why}`);
  assert.equal((await ask(pod('a', { cpu: '100m' }))).status, 201);
  assert.equal((await ask(pod('b', { cpu: '100m' }))).status, 201);
  const third = await ask(pod('c', { cpu: '100m' }));
  assert.equal(third.json.message, 'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2');
  const { json } = await server.ask('GET', `${path}/resourcequotas/q`);
  assert.deepEqual(json.status.used, { pods: '2', 'requests.cpu': '200m' });
  await server.close();
});

test('a quota limits nothing before its controller has seen it, and lets nothing through while its usage is not known', async () => {
  const server = await startServer({ admission: builtInAdmission });
  const made = await server.ask('POST', `${path}/resourcequotas`, {
    metadata: { name: 'new' },
    spec: { hard: { 'count/deployments.apps': '2' } },
  });
  const template = { metadata: { labels: { a: 'b' } }, spec: pod('x').spec };
  const create = (name: string) =>
    server.ask('POST', '/apis/apps/v1/namespaces/default/deployments', {
      metadata: { name },
      spec: { selector: { matchLabels: { a: 'b' } }, template },
    });
  assert.equal((await create('early')).status, 201);
  const { json: quota } = await server.ask('GET', `${path}/resourcequotas/${made.json.metadata.name}`);
  await server.ask('PUT', `${path}/resourcequotas/new/status`, { ...quota, status: { hard: { 'count/deployments.apps': '2' } } });
  const { json } = await create('d');
  assert.equal(json.message, 'deployments.apps "d" is forbidden: status unknown for quota: new, resources: count/deployments.apps');
  await server.close();
});

const amounts: [string, Kind, object, Record<string, string>][] = [
  [
    'a pod: its requests and limits, extended and huge pages by request only',
    pods,
    {
      spec: {
        containers: [
          {
            name: 'a',
            resources: {
              requests: { cpu: '1', memory: '1Gi', 'ephemeral-storage': '2Gi', 'hugepages-2Mi': '4Mi', 'example.com/gpu': '2' },
              limits: { cpu: '2', memory: '1Gi', 'hugepages-2Mi': '4Mi', 'example.com/gpu': '2' },
            },
          },
        ],
      },
    },
    {
      'count/pods': '1',
      pods: '1',
      cpu: '1',
      memory: '1Gi',
      'requests.cpu': '1',
      'requests.memory': '1Gi',
      'ephemeral-storage': '2Gi',
      'requests.ephemeral-storage': '2Gi',
      'hugepages-2Mi': '4Mi',
      'requests.hugepages-2Mi': '4Mi',
      'requests.example.com/gpu': '2',
      'limits.cpu': '2',
      'limits.memory': '1Gi',
    },
  ],
  ['a pod that has ended: its object', pods, { status: { phase: 'Failed' }, spec: { containers: [] } }, { 'count/pods': '1' }],
  [
    'a pod that its node does not let go: its object',
    pods,
    { metadata: { deletionTimestamp: '1970-01-01T00:00:10Z', deletionGracePeriodSeconds: 30 }, spec: { containers: [] } },
    { 'count/pods': '1' },
  ],
  [
    'a load balancer without node ports of its own',
    services,
    { spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port: 1, nodePort: 30000 }, { port: 2 }] } },
    { 'count/services': '1', services: '1', 'services.loadbalancers': '1', 'services.nodeports': '1' },
  ],
  [
    'a claim: whole bytes, by its class too, and what it has been given already',
    persistentVolumeClaims,
    {
      spec: { storageClassName: 'gold', resources: { requests: { storage: '1500m' } } },
      status: { allocatedResources: { storage: '2500m' } },
    },
    {
      'count/persistentvolumeclaims': '1',
      persistentvolumeclaims: '1',
      'requests.storage': '3',
      'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
      'gold.storageclass.storage.k8s.io/requests.storage': '3',
    },
  ],
  [
    'a claim of devices: what it asks for by class, the most where it has a choice',
    resourceClaims,
    {
      spec: {
        devices: {
          requests: [
            { name: 'a', exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 } },
            { name: 'b', exactly: { deviceClassName: 'nic', allocationMode: 'All' } },
            {
              name: 'c',
              firstAvailable: [
                { name: 'x', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 },
                { name: 'y', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 3 },
              ],
            },
          ],
        },
      },
    },
    {
      'count/resourceclaims.resource.k8s.io': '1',
      'gpu.deviceclass.resource.k8s.io/devices': '5',
      'nic.deviceclass.resource.k8s.io/devices': '32',
    },
  ],
];
for (const [title, kind, object, expected] of amounts) {
  test(`counted for ${title}`, () => {
    const usage = quotaUsageOf(kind, object, 41_000);
    assert.deepEqual(Object.fromEntries(Object.entries(usage).map(([name, amount]) => [name, formatQuantity(amount)])), expected);
  });
}

const reach = (term: object) => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', ...term }] } },
});
const inClass = (operator: string, ...values: string[]) => ({ scopeName: 'PriorityClass', operator, values });
const scopes: [string, QuotaScope, Kind, object, boolean][] = [
  ['Terminating', { scopeName: 'Terminating', operator: 'Exists' }, pods, { spec: { activeDeadlineSeconds: 1 } }, true],
  ['NotTerminating', { scopeName: 'NotTerminating', operator: 'Exists' }, pods, { spec: { activeDeadlineSeconds: 1 } }, false],
  ['BestEffort', { scopeName: 'BestEffort', operator: 'Exists' }, pods, { spec: { containers: [] } }, true],
  ['a class that is among them', inClass('In', 'a', 'b'), pods, { spec: { priorityClassName: 'b' } }, true],
  ['a class that is not among others', inClass('NotIn', 'a'), pods, { spec: { priorityClassName: 'b' } }, true],
  ['no class, which is not among any', inClass('NotIn', 'a'), pods, { spec: {} }, true],
  ['any class', inClass('Exists'), pods, { spec: { priorityClassName: 'b' } }, true],
  ['no class', inClass('DoesNotExist'), pods, { spec: { priorityClassName: 'b' } }, false],
  ['other namespaces', { scopeName: 'CrossNamespacePodAffinity', operator: 'Exists' }, pods, { spec: reach({ namespaces: ['x'] }) }, true],
  ['its own namespace', { scopeName: 'CrossNamespacePodAffinity', operator: 'Exists' }, pods, { spec: reach({}) }, false],
  ['nothing but pods', inClass('Exists'), services, {}, false],
  [
    'attributes that a claim is changing to',
    { scopeName: 'VolumeAttributesClass', operator: 'In', values: ['new'] },
    persistentVolumeClaims,
    { spec: { volumeAttributesClassName: 'old' }, status: { modifyVolumeStatus: { targetVolumeAttributesClassName: 'new' } } },
    true,
  ],
];
for (const [title, scope, kind, object, expected] of scopes)
  test(`a scope of ${title}`, () => assert.equal(isInScope(scope, kind, object), expected));

test('updates are charged by what they use more, and shrinking is free', async () => {
  const server = await startServer({ admission: builtInAdmission });
  await makeQuota(server, 'q', { hard: { 'services.nodeports': '2', services: '1' } });
  const used = async () => (await server.ask('GET', `${path}/resourcequotas/q`)).json.status.used;
  const ports = (...numbers: number[]) => numbers.map((port) => ({ name: `p${port}`, port }));
  const made = await server.ask('POST', `${path}/services`, { metadata: { name: 's' }, spec: { ports: ports(1) } });
  assert.deepEqual(await used(), { services: '1', 'services.nodeports': '0' });
  const update = (spec: object) => server.ask('PATCH', `${path}/services/s`, { spec }, { 'content-type': 'application/merge-patch+json' });
  assert.equal(made.status, 201);
  assert.equal((await update({ type: 'NodePort', ports: ports(1, 2) })).status, 200);
  assert.deepEqual(await used(), { services: '1', 'services.nodeports': '2' });
  const third = await update({ ports: ports(1, 2, 3) });
  const why = 'exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=2, limited: services.nodeports=2';
  assert.equal(third.json.message, `services "s" is forbidden: ${why}`);
  assert.equal((await update({ ports: ports(1) })).status, 200);
  assert.deepEqual(await used(), { services: '1', 'services.nodeports': '2' });
  await server.close();
});

test('a pod that is resized is charged the difference, and must still say what it takes', async () => {
  const server = await startServer({ admission: builtInAdmission });
  await makeQuota(server, 'q', { hard: { 'requests.cpu': '1' } });
  await server.ask('POST', `${path}/pods`, pod('p', { cpu: '400m' }));
  const resize = (cpu: string) =>
    server.ask(
      'PATCH',
      `${path}/pods/p/resize`,
      { spec: { containers: [{ name: 'a', resources: { requests: { cpu }, limits: { cpu } } }] } },
      { 'content-type': 'application/strategic-merge-patch+json' },
    );
  assert.equal((await resize('700m')).status, 200);
  assert.equal((await server.ask('GET', `${path}/resourcequotas/q`)).json.status.used['requests.cpu'], '700m');
  const why = 'exceeded quota: q, requested: requests.cpu=400m, used: requests.cpu=700m, limited: requests.cpu=1';
  assert.equal((await resize('1100m')).json.message, `pods "p" is forbidden: ${why}`);
  await server.close();
});

test('a pod that asks for resources as a whole need not say what its containers take', async () => {
  const server = await startServer({ admission: builtInAdmission });
  await makeQuota(server, 'q', { hard: { 'limits.memory': '1Gi', cpu: '1' } });
  const resources = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } };
  const { status, text } = await server.ask('POST', `${path}/pods`, { metadata: { name: 'p' }, spec: { ...pod('p').spec, resources } });
  assert.equal(status, 201, text);
  const silent = await server.ask('POST', `${path}/pods`, pod('silent'));
  assert.equal(silent.json.message, 'pods "silent" is forbidden: failed quota: q: must specify cpu for: a; limits.memory for: a');
  await server.close();
});

test('what is limited by default may be had only where a quota covers it', async () => {
  const limitedResources = [
    { resource: 'persistentvolumeclaims', matchContains: ['.storageclass.storage.k8s.io/requests.storage'] },
    { resource: 'pods', matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical'] }] },
  ];
  const server = await startServer({
    admission: (view) => builtInAdmission(view, { settings: { plugins: defaultPlugins, limitedResources } }),
  });
  const resources = { requests: { storage: '1Gi' } };
  const claim = (storageClassName: string) =>
    server.ask('POST', `${path}/persistentvolumeclaims`, {
      metadata: { name: storageClassName },
      spec: { accessModes: ['ReadWriteOnce'], resources, storageClassName },
    });
  const bare = await claim('gold');
  const what = 'gold.storageclass.storage.k8s.io/requests.storage';
  assert.equal(bare.json.message, `persistentvolumeclaims "gold" is forbidden: insufficient quota to consume: ${what}`);
  await makeQuota(server, 'gold', { hard: { [what]: '10Gi' } });
  assert.equal((await claim('gold')).status, 201);
  assert.equal((await claim('silver')).status, 403);

  const critical = { metadata: { name: 'p' }, spec: { ...pod('p').spec, priorityClassName: 'system-node-critical' } };
  const refused = await server.ask('POST', `${path}/pods`, critical);
  const scopes = 'insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]';
  assert.deepEqual([refused.status, refused.json.message], [500, scopes]);
  assert.equal((await server.ask('POST', `${path}/pods`, pod('usual'))).status, 201);
  const scopeSelector = { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical'] }] };
  await makeQuota(server, 'critical', { hard: { pods: '1' }, scopeSelector });
  assert.equal((await server.ask('POST', `${path}/pods`, critical)).status, 201);
  await server.close();
});

test('of two hundred creates at once just as many get in as the quota lets', async () => {
  const server = await startServer({ admission: builtInAdmission });
  await makeQuota(server, 'q', { hard: { 'count/configmaps': '77' } });
  const names = Array.from({ length: 200 }, (_, index) => `m${index}`);
  const answers = await Promise.all(names.map((name) => server.ask('POST', `${path}/configmaps`, { metadata: { name } })));
  assert.equal(answers.filter(({ status }) => status === 201).length, 77);
  assert.equal(answers.filter(({ status }) => status === 403).length, 123);
  assert.deepEqual((await server.ask('GET', `${path}/resourcequotas/q`)).json.status.used, { 'count/configmaps': '77' });
  await server.close();
});

test('creates at the same time, through two servers on one store, never exceed a quota', async () => {
  const seed = Date.now() % 100_000;
  console.log(`seed ${seed}`);
  const amounts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 4, maxLength: 16 });
  await fc.assert(
    fc.asyncProperty(amounts, fc.integer({ min: 1, max: 30 }), async (wanted, limit) => {
      const store = createMemoryStore();
      const servers = [
        await startServer({ store, admission: builtInAdmission }),
        await startServer({ store, admission: builtInAdmission }),
      ];
      const [first, second] = servers as [ServerFixture, ServerFixture];
      await makeQuota(first, 'q', { hard: { 'requests.cpu': String(limit) } });
      await second.ask('GET', `${path}/resourcequotas`);
      const answers = await Promise.all(
        wanted.map((cpu, index) => (index % 2 ? second : first).ask('POST', `${path}/pods`, pod(`p${index}`, { cpu: String(cpu) }))),
      );
      const stored = wanted.filter((_, index) => answers[index]?.status === 201).reduce((sum, cpu) => sum + cpu, 0);
      const { json } = await first.ask('GET', `${path}/resourcequotas/q`);
      assert.ok(stored <= limit, `${stored} of ${limit}`);
      assert.equal(Number(json.status.used['requests.cpu']), stored);
      for (const [index, answer] of answers.entries()) {
        assert.ok(answer.status === 201 || answer.status === 403, answer.text);
        if (answer.status === 403) assert.ok((wanted[index] ?? 0) + stored > limit, 'what fits is let in');
      }
      for (const server of servers) await server.close();
    }),
    { seed, numRuns: 15 },
  );
});
