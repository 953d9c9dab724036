import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { builtInAdmission } from './built-in.ts';

let server: ServerFixture;
let count = 0;
before(async () => {
  server = await startServer({ admission: builtInAdmission });
});
after(() => server.close());

const path = (namespace: string, plural: string) => `/api/v1/namespaces/${namespace}/${plural}`;

/** A namespace with these limits. */
async function limited(...limits: object[]): Promise<string> {
  const name = `n${++count}`;
  await server.ask('POST', '/api/v1/namespaces', { metadata: { name } });
  const made = await server.ask('POST', path(name, 'limitranges'), { metadata: { name: 'l' }, spec: { limits } });
  assert.equal(made.status, 201, made.text);
  return name;
}
const container = (requests?: object, limits?: object, more: object = {}) => ({
  name: 'c',
  image: 'x',
  resources: { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) },
  ...more,
});
const pod = (spec: object) => ({ metadata: { name: 'p' }, spec: { containers: [container()], ...spec } });

const cases: [string, object[], object, string | undefined][] = [
  [
    'too little of a container',
    [{ type: 'Container', min: { cpu: '100m' } }],
    { containers: [container({ cpu: '50m' })] },
    'minimum cpu usage per Container is 100m, but request is 50m',
  ],
  [
    'too much of an init container',
    [{ type: 'Container', max: { cpu: '1' } }],
    { containers: [container({ cpu: '1' }, { cpu: '1' })], initContainers: [container({ cpu: '1' }, { cpu: '2' }, { name: 'i' })] },
    'maximum cpu usage per Container is 1, but limit is 2',
  ],
  [
    'too wide a ratio',
    [{ type: 'Container', maxLimitRequestRatio: { memory: '1500m' } }],
    { containers: [container({ memory: '1Gi' }, { memory: '2Gi' })] },
    'memory max limit to request ratio per Container is 1500m, but provided ratio is 2.000000',
  ],
  [
    'a ratio without a request',
    [{ type: 'Container', maxLimitRequestRatio: { memory: '2' } }],
    {},
    'memory max limit to request ratio per Container is 2, but no request is specified or request is 0',
  ],
  [
    'a ratio without a limit',
    [{ type: 'Container', maxLimitRequestRatio: { cpu: '2' } }],
    { containers: [container({ cpu: '1' })] },
    'cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0',
  ],
  [
    'containers together',
    [{ type: 'Pod', max: { cpu: '1' } }],
    { containers: [container({ cpu: '600m' }, { cpu: '600m' }), container({ cpu: '600m' }, { cpu: '600m' }, { name: 'd' })] },
    'maximum cpu usage per Pod is 1, but limit is 1200m',
  ],
  [
    'one init container beside what runs later',
    [{ type: 'Pod', max: { cpu: '1' } }],
    { containers: [container({ cpu: '600m' }, { cpu: '600m' })], initContainers: [container({ cpu: '1' }, { cpu: '1' }, { name: 'i' })] },
    undefined,
  ],
  [
    'a sidecar, which goes on running',
    [{ type: 'Pod', max: { cpu: '1' } }],
    {
      containers: [container({ cpu: '600m' }, { cpu: '600m' })],
      initContainers: [container({ cpu: '600m' }, { cpu: '600m' }, { name: 'i', restartPolicy: 'Always' })],
    },
    'maximum cpu usage per Pod is 1, but limit is 1200m',
  ],
  [
    'a pod as a whole',
    [{ type: 'Pod', max: { cpu: '1' } }],
    { resources: { requests: { cpu: '1' }, limits: { cpu: '2' } } },
    'maximum cpu usage per Pod is 1, but limit is 2',
  ],
  [
    'a pod as a whole, over its containers',
    [{ type: 'Pod', min: { memory: '1Gi' } }],
    { resources: { requests: { memory: '1Gi' }, limits: { memory: '1Gi' } } },
    undefined,
  ],
];
for (const [title, limits, spec, expected] of cases) {
  test(`limits: ${title}`, async () => {
    const name = `n${++count}`;
    await server.ask('POST', '/api/v1/namespaces', { metadata: { name } });
    await server.ask('POST', path(name, 'limitranges'), { metadata: { name: 'l' }, spec: { limits } });
    const { status, json } = await server.ask('POST', path(name, 'pods'), pod(spec));
    if (expected === undefined) assert.equal(status, 201, json.message);
    else assert.deepEqual([status, json.message], [403, `pods "p" is forbidden: ${expected}`]);
  });
}

test('what a runtime class adds counts against no limit', async () => {
  const namespace = await limited({ type: 'Pod', max: { memory: '1Gi' } });
  await server.ask('POST', '/apis/node.k8s.io/v1/runtimeclasses', {
    metadata: { name: 'heavy' },
    handler: 'x',
    overhead: { podFixed: { memory: '512Mi' } },
  });
  const spec = { containers: [container({ memory: '1Gi' }, { memory: '1Gi' })], runtimeClassName: 'heavy' };
  const { status, text } = await server.ask('POST', path(namespace, 'pods'), pod(spec));
  assert.equal(status, 201, text);
});

test('init containers get defaults too, and the annotation names them', async () => {
  const namespace = await limited({ type: 'Container', default: { cpu: '2', memory: '1Gi' }, defaultRequest: { cpu: '1', memory: '1Gi' } });
  const spec = { initContainers: [container({ cpu: '500m' }, undefined, { name: 'i' })] };
  const { json } = await server.ask('POST', path(namespace, 'pods'), pod(spec));
  assert.deepEqual(json.spec.initContainers[0].resources.requests, { cpu: '500m', memory: '1Gi' });
  const set = [
    'cpu, memory request for container c',
    'cpu, memory limit for container c',
    'memory request for init container i',
    'cpu, memory limit for init container i',
  ];
  assert.equal(json.metadata.annotations['kubernetes.io/limit-ranger'], `LimitRanger plugin set: ${set.join('; ')}`);
});

test('a pod may be resized within the limits, and otherwise changed without being looked at again', async () => {
  const name = `n${++count}`;
  await server.ask('POST', '/api/v1/namespaces', { metadata: { name } });
  await server.ask('POST', path(name, 'pods'), pod({ containers: [container({ cpu: '3' }, { cpu: '3' })] }));
  await server.ask('POST', path(name, 'limitranges'), {
    metadata: { name: 'l' },
    spec: { limits: [{ type: 'Container', max: { cpu: '2' } }] },
  });
  const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
  const labelled = await server.ask('PATCH', path(name, 'pods/p'), { metadata: { labels: { a: 'b' } } }, strategic);
  assert.equal(labelled.status, 200);
  const resize = (cpu: string) => {
    const resources = { requests: { cpu }, limits: { cpu } };
    return server.ask('PATCH', path(name, 'pods/p/resize'), { spec: { containers: [{ name: 'c', resources }] } }, strategic);
  };
  assert.equal((await resize('2500m')).json.message, 'pods "p" is forbidden: maximum cpu usage per Container is 2, but limit is 2500m');
  assert.equal((await resize('2')).status, 200);
});

test('claims are as large as the limits say, when they are made and when they grow', async () => {
  const namespace = await limited({ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } });
  const claim = (storage: string) => ({
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  });
  const small = await server.ask('POST', path(namespace, 'persistentvolumeclaims'), claim('512Mi'));
  const what = 'minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi';
  assert.equal(small.json.message, `persistentvolumeclaims "c" is forbidden: ${what}`);
  assert.equal((await server.ask('POST', path(namespace, 'persistentvolumeclaims'), claim('2Gi'))).status, 201);
});
