import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { builtInAdmission } from './built-in.ts';

let server: ServerFixture;
let count = 0;
before(async () => {
  server = await startServer({ admission: builtInAdmission });
});
after(() => server.close());

const container = (resources = {}) => ({ name: 'a', image: 'x', resources });
const pod = (spec: object = {}) => ({ metadata: { name: `p${++count}` }, spec: { containers: [container()], ...spec } });
const create = (path: string, body: unknown) => server.ask('POST', path, body);
const createPod = (body: unknown, namespace = 'default') => create(`/api/v1/namespaces/${namespace}/pods`, body);

async function made(path: string, body: unknown) {
  const answer = await create(path, body);
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

async function namespace(labels = {}): Promise<string> {
  const name = `n${++count}`;
  await made('/api/v1/namespaces', { metadata: { name, labels } });
  return name;
}

describe('tolerations', () => {
  test('a pod stays on a lost node for five minutes unless it says how long itself', async () => {
    const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 };
    const { spec } = await made('/api/v1/namespaces/default/pods', pod({ tolerations: [own] }));
    const added = { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 };
    assert.deepEqual(spec.tolerations, [own, added]);
  });
});

describe('priority', () => {
  test('a pod gets the number of its class, and no other', async () => {
    const { spec } = await made('/api/v1/namespaces/default/pods', pod({ priorityClassName: 'system-node-critical' }));
    assert.equal(spec.priority, 2_000_001_000);
    assert.equal(spec.preemptionPolicy, 'PreemptLowerPriority');
    const own = await createPod(pod({ priority: 7 }));
    assert.equal(own.status, 403);
    assert.match(
      own.json.message,
      /the integer value of priority \(7\) must not be provided in pod spec; priority admission controller computed 0/,
    );
    const unknown = await createPod({ metadata: { name: 'lost' }, spec: { ...pod().spec, priorityClassName: 'none' } });
    assert.equal(unknown.json.message, 'pods "lost" is forbidden: no PriorityClass with name none was found');
  });
  test('pods without a class get the one global default', async () => {
    const path = '/apis/scheduling.k8s.io/v1/priorityclasses';
    await made(path, { metadata: { name: 'usual' }, value: 10, globalDefault: true, preemptionPolicy: 'Never' });
    const { spec } = await made('/api/v1/namespaces/default/pods', pod());
    assert.deepEqual([spec.priorityClassName, spec.priority, spec.preemptionPolicy], ['usual', 10, 'Never']);
    const second = await create(path, { metadata: { name: 'second' }, value: 11, globalDefault: true });
    assert.match(second.json.message, /PriorityClass usual is already marked as default. Only one default can exist/);
    await server.ask('DELETE', `${path}/usual`);
  });
});

describe('limit ranges', () => {
  test('containers that say nothing get the defaults, and the pod says so', async () => {
    const ns = await namespace();
    const limits = [{ type: 'Container', default: { cpu: '200m' }, defaultRequest: { cpu: '100m' }, max: { cpu: '1' } }];
    await made(`/api/v1/namespaces/${ns}/limitranges`, { metadata: { name: 'l' }, spec: { limits } });
    const created = await made(`/api/v1/namespaces/${ns}/pods`, pod());
    assert.deepEqual(created.spec.containers[0].resources, { requests: { cpu: '100m' }, limits: { cpu: '200m' } });
    assert.equal(
      created.metadata.annotations['kubernetes.io/limit-ranger'],
      'LimitRanger plugin set: cpu request for container a; cpu limit for container a',
    );
    const much = await createPod({ ...pod({ containers: [container({ limits: { cpu: '2' } })] }), metadata: { name: 'much' } }, ns);
    assert.equal(much.json.message, 'pods "much" is forbidden: maximum cpu usage per Container is 1, but limit is 2');
  });
  test('minimum, ratio and claims are checked, and every problem is told', async () => {
    const ns = await namespace();
    const limits = [
      { type: 'Pod', min: { memory: '10Mi' }, maxLimitRequestRatio: { cpu: '2' } },
      { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } },
    ];
    await made(`/api/v1/namespaces/${ns}/limitranges`, { metadata: { name: 'l' }, spec: { limits } });
    const resources = { requests: { cpu: '100m' }, limits: { cpu: '1' } };
    const few = await createPod({ ...pod({ containers: [container(resources)] }), metadata: { name: 'few' } }, ns);
    const problems =
      'minimum memory usage per Pod is 10Mi.  No request is specified, cpu max limit to request ratio per Pod is 2, but provided ratio is 10.000000';
    assert.equal(few.json.message, `pods "few" is forbidden: [${problems}]`);
    const claim = { metadata: { name: 'c' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } } } };
    const refused = await create(`/api/v1/namespaces/${ns}/persistentvolumeclaims`, claim);
    assert.match(refused.json.message, /maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi/);
  });
});

describe('classes', () => {
  test('a pod pays what its runtime class costs and goes where it is to be had', async () => {
    const scheduling = { nodeSelector: { kvm: 'yes' }, tolerations: [{ key: 'kvm', operator: 'Exists' }] };
    const spec = { metadata: { name: 'kata' }, handler: 'kata', overhead: { podFixed: { memory: '64Mi' } }, scheduling };
    await made('/apis/node.k8s.io/v1/runtimeclasses', spec);
    const created = await made('/api/v1/namespaces/default/pods', pod({ runtimeClassName: 'kata' }));
    assert.deepEqual(created.spec.overhead, { memory: '64Mi' });
    assert.deepEqual(created.spec.nodeSelector, { kvm: 'yes' });
    const clash = await createPod({ ...pod({ runtimeClassName: 'kata', nodeSelector: { kvm: 'no' } }), metadata: { name: 'clash' } });
    const why = 'conflict: runtimeClass.scheduling.nodeSelector[kvm] = yes; pod.spec.nodeSelector[kvm] = no';
    assert.equal(clash.json.message, `pods "clash" is forbidden: ${why}`);
    const missing = await createPod({ ...pod({ runtimeClassName: 'none' }), metadata: { name: 'm' } });
    assert.equal(missing.json.message, 'pods "m" is forbidden: pod rejected: RuntimeClass "none" not found');
  });
  test("what a class tolerates takes the place of what it covers, and nothing else may set a pod's overhead", async () => {
    const scheduling = { tolerations: [{ key: 'vm', operator: 'Exists' }] };
    await made('/apis/node.k8s.io/v1/runtimeclasses', { metadata: { name: 'vm' }, handler: 'vm', scheduling });
    const tolerations = [{ key: 'vm', operator: 'Equal', value: 'small', effect: 'NoSchedule' }];
    const { spec } = await made('/api/v1/namespaces/default/pods', pod({ runtimeClassName: 'vm', tolerations }));
    assert.deepEqual(
      spec.tolerations.filter(({ key }: { key: string }) => key === 'vm'),
      [{ key: 'vm', operator: 'Exists' }],
    );
    const own = await createPod({ ...pod({ overhead: { cpu: '1' } }), metadata: { name: 'own' } });
    const why = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead';
    assert.equal(own.json.message, `pods "own" is forbidden: ${why}`);
  });
  test('a claim grows only once it is bound, and where its class lets it', async () => {
    const path = '/api/v1/namespaces/default/persistentvolumeclaims';
    for (const [name, allowVolumeExpansion] of [
      ['elastic', true],
      ['rigid', false],
    ] as const) {
      await made('/apis/storage.k8s.io/v1/storageclasses', { metadata: { name }, provisioner: 'x.example/y', allowVolumeExpansion });
      const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: name, volumeName: 'v' };
      const claim = await made(path, { metadata: { name }, spec });
      const grow = () =>
        server.ask(
          'PATCH',
          `${path}/${name}`,
          { spec: { resources: { requests: { storage: '2Gi' } } } },
          { 'content-type': 'application/merge-patch+json' },
        );
      // Validation is first to say so.
      assert.equal((await grow()).status, 422);
      const status = { phase: 'Bound', capacity: { storage: '1Gi' } };
      assert.equal((await server.ask('PUT', `${path}/${name}/status`, { ...claim, status })).status, 200);
      const why = 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
      const { status: code, json } = await grow();
      if (allowVolumeExpansion) assert.equal(code, 200, json.message);
      else assert.equal(json.message, `persistentvolumeclaims "${name}" is forbidden: ${why}`);
    }
  });
  test('a claim that names no storage class gets the default; an empty name stays', async () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    await made('/apis/storage.k8s.io/v1/storageclasses', { metadata: { name: 'fast', annotations }, provisioner: 'x.example/y' });
    const claim = (name: string, more = {}) => ({
      metadata: { name },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...more },
    });
    const path = '/api/v1/namespaces/default/persistentvolumeclaims';
    assert.equal((await made(path, claim('a'))).spec.storageClassName, 'fast');
    assert.equal((await made(path, claim('b', { storageClassName: '' }))).spec.storageClassName, '');
  });
});
