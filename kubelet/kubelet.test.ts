// Real pods on a real containerd, inside a machine of its own; only the API is the client room's fake.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { configMaps, events, leases, nodes, type Pod, type PodSpec, pods, secrets } from '../api/core.ts';
import { systemClock } from '../base/clock.ts';
import { type Log, silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { CacheSet } from '../client/cache.ts';
import { createCacheSet } from '../client/cache-set.ts';
import { FakeApi } from '../client/fake-api.ts';
import { createClient } from '../client/rest-client.ts';
import { type SupervisedContainerd, superviseContainerd } from '../runtime/containerd.ts';
import { importImage } from '../runtime/images/import-image.ts';
import { busyboxImage, busyboxImageName, cannotMakeBusyboxImage } from '../testing/images.ts';
import { enterMachine } from '../testing/inside-machine.ts';
import { type Kubelet, startKubelet } from './kubelet.ts';

const inside = await enterMachine('kubelet');
const skip = inside.skip || ((await cannotMakeBusyboxImage()) ?? false);

const api = new FakeApi();
const client = createClient(api);
const log: Log = process.env['T8S_TEST_LOG'] ? verboseLog() : silentLog;
let containerd: SupervisedContainerd;
let caches: CacheSet;
let kubelet: Kubelet;

function verboseLog(): Log {
  const print = (message: string, fields?: Record<string, unknown>) => console.error(message, JSON.stringify(fields ?? {}));
  const self: Log = { debug() {}, info: print, warn: print, error: print, child: () => self };
  return self;
}

before(async () => {
  if (skip) return;
  const shared = { clock: systemClock, random: systemRandom, log };
  containerd = await superviseContainerd({
    directory: join(inside.directory, 'containerd'),
    stateDirectory: '/run/t8s',
    podCidr: '10.99.0.0/24',
    ...shared,
  });
  await importImage(Readable.from([await busyboxImage()]), { socket: containerd.socket, ...shared });
  await start();
});
after(async () => {
  await kubelet?.close({ stopPods: true });
  await caches?.close();
  await containerd?.stop();
});

async function start(): Promise<void> {
  caches = createCacheSet({ client, clock: systemClock, random: systemRandom, log });
  kubelet = await startKubelet({
    nodeName: 'n1',
    client,
    caches,
    runtime: containerd.runtime,
    rootDirectory: join(inside.directory, 'kubelet'),
    podLogsDirectory: join(inside.directory, 'pod-logs'),
    cgroups: { driver: 'cgroupfs', parent: '/t8s' },
    nodeAddresses: ['192.0.2.2'],
    podCidr: '10.99.0.0/24',
    capacity: { cpu: '4', memory: '4Gi' },
    log,
  });
}

const deadlineMs = 30_000;

async function until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > endMs) throw new Error(`not seen within ${deadlineMs} ms: ${what}`);
    await delay(20);
  }
}

type Container = PodSpec['containers'][number];

async function createPod(name: string, containers: (Partial<Container> & { name: string })[], spec: Partial<PodSpec> = {}): Promise<Pod> {
  const completed = containers.map((c) => ({ image: busyboxImageName, imagePullPolicy: 'IfNotPresent', ...c }));
  return client.create(pods, {
    metadata: { name, namespace: 'default' },
    spec: { nodeName: 'n1', terminationGracePeriodSeconds: 1, ...spec, containers: completed },
  });
}

const getPod = (name: string) => client.get(pods, { namespace: 'default', name });
const sh = (script: string) => ({ command: ['sh', '-c', script] });
const sleeping = sh('trap "exit 0" TERM; while true; do sleep 0.1; done');

async function untilPod(name: string, what: string, holds: (pod: Pod) => unknown): Promise<Pod> {
  let last: Pod | undefined;
  try {
    return await until(what, async () => {
      last = await getPod(name);
      return holds(last) ? last : undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}; pod is ${JSON.stringify(last?.status)}`);
  }
}

const untilRunning = (name: string) => untilPod(name, `${name} Running`, (p) => p.status?.phase === 'Running');
const untilEnded = (name: string) => untilPod(name, `${name} ended`, (p) => ['Succeeded', 'Failed'].includes(p.status?.phase ?? ''));

async function logOf(pod: Pod, container: string, restartCount = 0): Promise<string> {
  const { namespace, name, uid } = pod.metadata ?? {};
  const text = await readFile(join(inside.directory, 'pod-logs', `${namespace}_${name}_${uid}`, container, `${restartCount}.log`), 'utf8');
  return text.replaceAll(/^\S+ std\w+ F /gm, '');
}

/** As the API server begins to delete a pod; the finalizer stands in for the grace period. */
async function beginDelete(name: string, graceSeconds: number): Promise<void> {
  const metadata = { deletionTimestamp: new Date().toISOString(), deletionGracePeriodSeconds: graceSeconds, finalizers: ['grace'] };
  await client.patch(pods, { namespace: 'default', name }, 'merge', { metadata });
}

const reasonsOf = async (name: string) => {
  const list = await client.list(events);
  return list.items.filter((e) => e.involvedObject.name === name).map((e) => e.reason);
};

test('the node registers itself with its size, labels and conditions, and holds a lease', { skip }, async () => {
  const node = await client.get(nodes, { name: 'n1' });
  assert.equal(node.metadata?.labels?.['kubernetes.io/hostname'], 'n1');
  assert.equal(node.status?.capacity?.['cpu'], '4');
  assert.equal(node.spec?.podCIDR, '10.99.0.0/24');
  assert.equal(node.status?.conditions?.find((c) => c.type === 'Ready')?.status, 'True');
  const lease = await client.get(leases, { namespace: 'kube-node-lease', name: 'n1' });
  assert.equal(lease.spec?.holderIdentity, 'n1');
  assert.equal(lease.metadata?.ownerReferences?.[0]?.uid, node.metadata?.uid);
});

test('a pod runs, is Ready with its address, and its conditions say so', { skip }, async () => {
  await createPod('web', [{ name: 'app', ...sleeping }]);
  const pod = await untilRunning('web');
  assert.match(pod.status?.podIP ?? '', /^10\.99\.0\./);
  assert.equal(pod.status?.hostIP, '192.0.2.2');
  assert.equal(pod.status?.qosClass, 'BestEffort');
  const status = pod.status?.containerStatuses?.[0];
  assert.match(status?.containerID ?? '', /^containerd:\/\/[0-9a-f]{64}$/);
  assert.equal(status?.ready, true);
  for (const type of ['PodReadyToStartContainers', 'Initialized', 'ContainersReady', 'Ready']) {
    assert.equal(pod.status?.conditions?.find((c) => c.type === type)?.status, 'True', type);
  }
  await until('its events', async () => (await reasonsOf('web')).includes('Started'));
  assert.deepEqual(await reasonsOf('web'), ['Pulled', 'Created', 'Started']);
});

test('environment, volumes and hosts file are as the pod asks', { skip }, async () => {
  await client.create(configMaps, { metadata: { name: 'settings', namespace: 'default' }, data: { mode: 'fast', 'app.conf': 'x=1\n' } });
  const password = Buffer.from('open sesame').toString('base64');
  await client.create(secrets, { metadata: { name: 'keys', namespace: 'default' }, data: { password } });
  const script =
    'echo $MODE $GREETING $POD $PASSWORD; cat /conf/app.conf; ls -l /conf/..data >/dev/null && cat /keys/password; echo; ' +
    'cat /own/sub; echo kept >/scratch/file; cat /scratch/file; grep aliased /etc/hosts; echo bye >/dev/termination-log';
  await createPod(
    'full',
    [
      {
        name: 'app',
        ...sh(script),
        envFrom: [{ secretRef: { name: 'keys' }, prefix: 'P_' }],
        env: [
          { name: 'MODE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'mode' } } },
          { name: 'GREETING', value: 'mode=$(MODE)' },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'PASSWORD', value: '$(P_password)' },
        ],
        volumeMounts: [
          { name: 'conf', mountPath: '/conf' },
          { name: 'keys', mountPath: '/keys', readOnly: true },
          { name: 'scratch', mountPath: '/scratch' },
          { name: 'conf', mountPath: '/own/sub', subPath: 'mode' },
        ],
      },
    ],
    {
      restartPolicy: 'Never',
      hostAliases: [{ ip: '10.1.2.3', hostnames: ['aliased.example'] }],
      volumes: [
        { name: 'conf', configMap: { name: 'settings' } },
        { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
        { name: 'scratch', emptyDir: {} },
      ],
    },
  );
  const pod = await untilEnded('full');
  const said = await logOf(pod, 'app');
  assert.equal(said, 'fast mode=fast full open sesame\nx=1\nopen sesame\nfastkept\n10.1.2.3\taliased.example\n');
  assert.equal(pod.status?.phase, 'Succeeded');
  assert.equal(pod.status?.containerStatuses?.[0]?.state?.terminated?.message, 'bye\n');
  assert.equal(pod.status?.containerStatuses?.[0]?.state?.terminated?.reason, 'Completed');
});

test('a reference to what is not there is told in Kubernetes words, and mended when it appears', { skip }, async () => {
  await createPod('waits', [
    { name: 'app', ...sleeping, env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'late', key: 'a' } } }] },
  ]);
  const pod = await untilPod(
    'waits',
    'waiting',
    (p) => p.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
  );
  assert.equal(pod.status?.containerStatuses?.[0]?.state?.waiting?.message, 'configmap "late" not found');
  assert.equal(pod.status?.phase, 'Pending');
  await client.create(configMaps, { metadata: { name: 'late', namespace: 'default' }, data: { a: '1' } });
  await untilRunning('waits');
});

test('init containers run one after another before the app, and sidecars beside it', { skip }, async () => {
  await createPod('ordered', [{ name: 'app', ...sh('cat /work/*; sleep 0.2') }], {
    restartPolicy: 'Never',
    volumes: [{ name: 'work', emptyDir: {} }],
    initContainers: [
      { name: 'first', image: busyboxImageName, ...sh('sleep 0.3; echo 1 >/work/1'), volumeMounts: [{ name: 'work', mountPath: '/work' }] },
      { name: 'beside', image: busyboxImageName, restartPolicy: 'Always', ...sleeping },
      {
        name: 'second',
        image: busyboxImageName,
        ...sh('test -e /work/1 && echo 2 >/work/2'),
        volumeMounts: [{ name: 'work', mountPath: '/work' }],
      },
    ].map((c) => ({ imagePullPolicy: 'IfNotPresent', ...c })),
  });
  const pod = await untilEnded('ordered');
  assert.equal(pod.status?.phase, 'Succeeded', JSON.stringify(pod.status));
  assert.equal(pod.status?.initContainerStatuses?.[1]?.state?.terminated?.exitCode, 0);
});

test('a crashing container restarts at once, then backs off', { skip }, async () => {
  const { metadata } = await createPod('crashes', [{ name: 'app', ...sh('exit 3') }]);
  const pod = await untilPod('crashes', 'back-off', (p) => p.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff');
  const status = pod.status?.containerStatuses?.[0];
  assert.equal(status?.state?.waiting?.message, `back-off 10s restarting failed container=app pod=crashes_default(${metadata?.uid})`);
  assert.equal(status?.restartCount, 1);
  assert.equal(status?.lastState?.terminated?.exitCode, 3);
  assert.equal(pod.status?.phase, 'Running');
});

test('an image that is nowhere is an ErrImagePull, then an ImagePullBackOff', { skip }, async () => {
  await createPod('nowhere', [{ name: 'app', image: 'localhost:1/none:1' }]);
  const waiting = (p: Pod) => p.status?.containerStatuses?.[0]?.state?.waiting;
  await untilPod('nowhere', 'ErrImagePull', (p) => waiting(p)?.reason === 'ErrImagePull');
  const pod = await untilPod('nowhere', 'ImagePullBackOff', (p) => waiting(p)?.reason === 'ImagePullBackOff');
  assert.match(waiting(pod)?.message ?? '', /^Back-off pulling image "localhost:1\/none:1"/);
});

test('a failing liveness probe restarts its container; readiness follows its probe', { skip }, async () => {
  const probe = { exec: { command: ['test', '-e', '/tmp/ok'] }, periodSeconds: 1, failureThreshold: 1 };
  await createPod('probed', [
    {
      name: 'app',
      ...sh('mkdir -p /tmp; touch /tmp/ok; sleep 2.5; rm /tmp/ok; sleep 100'),
      livenessProbe: { ...probe, initialDelaySeconds: 1 },
      readinessProbe: probe,
    },
  ]);
  await untilPod('probed', 'ready', (p) => p.status?.containerStatuses?.[0]?.ready);
  const pod = await untilPod('probed', 'restarted', (p) => (p.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0);
  assert.equal(pod.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 137);
  await until('Unhealthy', async () => (await reasonsOf('probed')).includes('Unhealthy'));
});

test('a pod that this node has no room for is Failed with the reason', { skip }, async () => {
  await createPod('huge', [{ name: 'app', resources: { requests: { cpu: '100' } } }]);
  const pod = await untilEnded('huge');
  assert.equal(pod.status?.reason, 'OutOfcpu');
  assert.equal(pod.status?.message, "Pod was rejected: Node didn't have enough resource: cpu, requested: 100000, used: 0, capacity: 4000");
});

test('limits reach the cgroups of pod and container', { skip }, async () => {
  const resources = { requests: { cpu: '100m', memory: '16Mi' }, limits: { cpu: '500m', memory: '32Mi' } };
  const { metadata } = await createPod('limited', [{ name: 'app', ...sleeping, resources }]);
  const pod = await untilRunning('limited');
  assert.equal(pod.status?.qosClass, 'Burstable');
  const v1 = `/sys/fs/cgroup/memory/t8s/kubepods/burstable/pod${metadata?.uid}/memory.limit_in_bytes`;
  const v2 = `/sys/fs/cgroup/t8s/kubepods/burstable/pod${metadata?.uid}/memory.max`;
  const text = await readFile(v1, 'utf8').catch(() => readFile(v2, 'utf8'));
  assert.equal(Number(text), 32 * 1024 * 1024);
});

test('a kubelet that is started again adopts what runs: the same containers, no restarts', { skip }, async () => {
  const before = await untilRunning('web');
  await kubelet.close({ stopPods: false });
  await caches.close();
  await start();
  const { metadata } = await createPod('later', [{ name: 'app', ...sleeping }]);
  await untilRunning('later');
  const again = await getPod('web');
  assert.equal(again.status?.containerStatuses?.[0]?.containerID, before.status?.containerStatuses?.[0]?.containerID);
  assert.equal(again.status?.containerStatuses?.[0]?.restartCount, 0);
  assert.deepEqual(again.status?.conditions, before.status?.conditions);
  assert.ok(metadata?.uid);
});

test('deletion runs preStop, gives the container its grace period, and only then lets the object go', { skip }, async () => {
  await mkdir(join(inside.directory, 'trace'), { recursive: true });
  const trace = join(inside.directory, 'trace', 'steps');
  await writeFile(trace, '');
  const { metadata } = await createPod(
    'graceful',
    [
      {
        name: 'app',
        ...sh('trap "echo term >>/trace/steps; exit 0" TERM; while true; do sleep 0.1; done'),
        lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo preStop >>/trace/steps'] } } },
        volumeMounts: [{ name: 'trace', mountPath: '/trace' }],
      },
    ],
    { volumes: [{ name: 'trace', hostPath: { path: join(inside.directory, 'trace'), type: 'Directory' } }] },
  );
  await untilRunning('graceful');
  await beginDelete('graceful', 10);
  await until('the final delete', () => api.requests.find((r) => r.method === 'DELETE' && r.path.includes('/pods/graceful')));
  assert.equal(await readFile(trace, 'utf8'), 'preStop\nterm\n');
  const pod = await getPod('graceful');
  assert.equal(pod.status?.phase, 'Succeeded');
  const running = await containerd.runtime.listContainers({ labelSelector: { 'io.kubernetes.pod.uid': metadata?.uid ?? '' } });
  assert.ok(running.every((c) => c.state === 'CONTAINER_EXITED'));
  await client.patch(pods, { namespace: 'default', name: 'graceful' }, 'merge', { metadata: { finalizers: null } });
  await until('nothing left', async () => {
    const left = await containerd.runtime.listPodSandboxes({ labelSelector: { 'io.kubernetes.pod.uid': metadata?.uid ?? '' } });
    return left.length === 0;
  });
});

test('a pod that vanished from the API is ended', { skip }, async () => {
  const { metadata } = await createPod('gone', [{ name: 'app', ...sleeping }]);
  await untilRunning('gone');
  await client.delete(pods, { namespace: 'default', name: 'gone' });
  await until('nothing left', async () => {
    const left = await containerd.runtime.listPodSandboxes({ labelSelector: { 'io.kubernetes.pod.uid': metadata?.uid ?? '' } });
    return left.length === 0;
  });
});
