// Real pods on a real containerd, inside a machine of its own; only the API is the client room's fake.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { Duplex, Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { configMaps, events, leases, nodes, type Pod, type PodSpec, pods, secrets } from '../api/core.ts';
import { systemClock } from '../base/clock.ts';
import { type Log, silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import type { CacheSet } from '../client/cache.ts';
import { createCacheSet } from '../client/cache-set.ts';
import { FakeApi } from '../client/fake-api.ts';
import { createClient } from '../client/rest-client.ts';
import { type SupervisedContainerd, superviseContainerd } from '../runtime/containerd.ts';
import { busyboxImage, busyboxImageName, cannotMakeBusyboxImage } from '../runtime/images/busybox-image.ts';
import { importImage } from '../runtime/images/import-image.ts';
import { type TestCertificates, testCertificates } from '../testing/certificates.ts';
import { enterMachine } from '../testing/inside-machine.ts';
import { ImageCollector } from './collect/image-collector.ts';
import { type Kubelet, startKubelet } from './kubelet.ts';
import { rotateLogs } from './logs/log-rotation.ts';
import { SpdyConnection, type SpdyStream } from './server/spdy/connection.ts';

const inside = await enterMachine('kubelet');
const skip = inside.skip || ((await cannotMakeBusyboxImage()) ?? false);

const api = new FakeApi();
const client = createClient(api);
const log: Log = process.env['T8S_TEST_LOG'] ? verboseLog() : silentLog;
let containerd: SupervisedContainerd;
let caches: CacheSet;
let kubelet: Kubelet;
let certificates: TestCertificates;

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
  certificates = await testCertificates();
  await mkdir(join(inside.directory, 'manifests'));
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
    tls: { cert: certificates.server.certPem, key: certificates.server.keyPem, clientCa: certificates.ca },
    staticPodDirectory: join(inside.directory, 'manifests'),
    address: '127.0.0.1',
    port: 0,
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

const as = (who: 'apiServer' | 'stranger') => {
  const { ca } = certificates;
  return {
    ca,
    cert: certificates[who].certPem,
    key: certificates[who].keyPem,
    servername: 'localhost',
    host: '127.0.0.1',
    port: kubelet.port,
  };
};

async function ask(path: string, who: 'apiServer' | 'stranger' = 'apiServer'): Promise<{ status: number; body: string }> {
  const request = httpsRequest({ ...as(who), path, agent: false }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
}

interface Session {
  socket: WebSocket;
  /** Everything that came on each channel. */
  received: Map<number, Buffer>;
  closed: Promise<number>;
}

async function openSocket(path: string, protocol: string): Promise<Session> {
  const socket = new WebSocket(`wss://127.0.0.1:${kubelet.port}${path}`, protocol, as('apiServer'));
  const received = new Map<number, Buffer>();
  socket.on('message', (data: Buffer) => {
    const [channel = 0] = data;
    received.set(channel, Buffer.concat([received.get(channel) ?? Buffer.alloc(0), data.subarray(1)]));
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  await once(socket, 'open');
  return { socket, received, closed };
}

async function openSpdy(path: string, protocol: string): Promise<SpdyConnection> {
  const headers = { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': protocol };
  const request = httpsRequest({ ...as('apiServer'), path, method: 'POST', headers, agent: false }).end();
  const [response, socket, head] = (await once(request, 'upgrade')) as [IncomingMessage, Duplex, Buffer];
  assert.equal(response.headers['x-stream-protocol-version'], protocol);
  return new SpdyConnection(socket, head);
}

/** Bytes within binary WebSocket messages, written out by hand: ws knows no protocol with a slash in its name. */
async function openTunnel(path: string): Promise<Duplex> {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.alloc(16, 1).toString('base64'),
    'Sec-WebSocket-Protocol': 'SPDY/3.1+portforward.k8s.io',
  };
  const request = httpsRequest({ ...as('apiServer'), path, headers, agent: false }).end();
  const [response, socket, head] = (await once(request, 'upgrade')) as [IncomingMessage, Duplex, Buffer];
  assert.equal(response.headers['sec-websocket-protocol'], 'SPDY/3.1+portforward.k8s.io');
  const tunnel = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      // Masked with zeros: the bytes stay as they are.
      const frame = Buffer.alloc(8);
      frame.writeUInt8(0x82, 0);
      frame.writeUInt8(0x80 | 126, 1);
      frame.writeUInt16BE(chunk.length, 2);
      socket.write(Buffer.concat([frame, chunk]), done);
    },
    destroy(_error, done) {
      socket.destroy();
      done(null);
    },
  });
  let rest = head;
  const take = () => {
    for (;;) {
      const [first = 0, second = 0] = rest;
      const lengthBytes = second === 126 ? 2 : second === 127 ? 8 : 0;
      if (rest.length < 2 + lengthBytes) return;
      const length = lengthBytes === 0 ? second : lengthBytes === 2 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      const end = 2 + lengthBytes + length;
      if (rest.length < end) return;
      if ((first & 0xf) <= 2) tunnel.push(rest.subarray(2 + lengthBytes, end));
      rest = rest.subarray(end);
    }
  };
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    take();
  });
  take();
  return tunnel;
}

async function textOf(stream: SpdyStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.data) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const execQuery = (command: string[], streams: string) =>
  `${command.map((word) => `command=${encodeURIComponent(word)}`).join('&')}&${streams}`;

test('the server answers those who have the right certificate and no one else', { skip }, async () => {
  assert.deepEqual(await ask('/healthz'), { status: 200, body: 'ok' });
  assert.equal((await ask('/pods', 'stranger')).status, 403);
  const names = JSON.parse((await ask('/pods')).body).items.map((p: Pod) => p.metadata?.name);
  assert.ok(names.includes('web'));
  assert.equal((await ask('/nowhere')).status, 404);
  assert.match(
    (await ask('/metrics/resource')).body,
    /container_memory_working_set_bytes\{container="app",namespace="default",pod="web"\} \d+/,
  );
});

test('logs are served whole, by their end, with timestamps, and as they grow', { skip }, async () => {
  await createPod('talks', [{ name: 'app', ...sh('for i in 1 2 3; do echo line $i; done; sleep 0.6; echo last') }], {
    restartPolicy: 'Never',
  });
  await untilRunning('talks');
  assert.equal((await ask('/containerLogs/default/talks/app?follow=true')).body, 'line 1\nline 2\nline 3\nlast\n');
  await untilEnded('talks');
  assert.equal((await ask('/containerLogs/default/talks/app?tailLines=2')).body, 'line 3\nlast\n');
  assert.equal((await ask('/containerLogs/default/talks/app?limitBytes=4')).body, 'line');
  assert.match(
    (await ask('/containerLogs/default/talks/app?tailLines=1&timestamps=true')).body,
    /^2\d{3}-\d\d-\d\dT[\d:.]+(Z|\+00:00) last\n$/,
  );
  const absent = await ask('/containerLogs/default/talks/app?previous=true');
  assert.deepEqual(absent, { status: 400, body: 'previous terminated container "app" in pod "talks" not found\n' });
  assert.equal((await ask('/containerLogs/default/nobody/app')).status, 404);
});

test('exec over WebSocket v5 carries stdin to its end, both outputs and the exit code', { skip }, async () => {
  await untilRunning('web');
  const query = execQuery(['sh', '-c', 'cat; echo problem >&2; exit 7'], 'input=1&output=1&error=1');
  const { socket, received, closed } = await openSocket(`/exec/default/web/app?${query}`, 'v5.channel.k8s.io');
  const big = Buffer.alloc(300_000, 'x');
  socket.send(Buffer.concat([Buffer.from([0]), big]));
  socket.send(Buffer.from([255, 0]));
  assert.equal(await closed, 1000);
  assert.equal(received.get(1)?.length, big.length);
  assert.equal(received.get(2)?.toString(), 'problem\n');
  const status = JSON.parse(received.get(3)?.toString() ?? '');
  assert.equal(status.reason, 'NonZeroExitCode');
  assert.deepEqual(status.details.causes, [{ reason: 'ExitCode', message: '7' }]);
});

test('exec over SPDY is the runtime to its client', { skip }, async () => {
  const query = execQuery(['cat'], 'input=1&output=1&error=1');
  const connection = await openSpdy(`/exec/default/web/app?${query}`, 'v4.channel.k8s.io');
  const error = await connection.open({ streamtype: 'error' });
  const stdin = await connection.open({ streamtype: 'stdin' });
  const stdout = await connection.open({ streamtype: 'stdout' });
  await connection.open({ streamtype: 'stderr' });
  await stdin.write(Buffer.from('through and through'));
  await stdin.end();
  assert.equal(await textOf(stdout), 'through and through');
  assert.equal(JSON.parse(await textOf(error)).status, 'Success');
  connection.close();
});

test('a terminal has one output and takes its size', { skip }, async () => {
  const query = execQuery(['sh', '-c', 'sleep 0.3; stty size; exit'], 'input=1&output=1&tty=1');
  const { socket, received, closed } = await openSocket(`/exec/default/web/app?${query}`, 'v5.channel.k8s.io');
  socket.send(Buffer.concat([Buffer.from([4]), Buffer.from(JSON.stringify({ Width: 123, Height: 45 }))]));
  await closed;
  assert.match(received.get(1)?.toString() ?? '', /45 123/);
});

test('port-forward reaches a port of the pod, by WebSocket channels and by SPDY within WebSocket', { skip }, async () => {
  await createPod('serves', [{ name: 'app', ...sh('mkdir -p /www; echo hello from the pod >/www/index.html; httpd -f -p 8080 -h /www') }]);
  await untilRunning('serves');
  const get = Buffer.from('GET /index.html HTTP/1.0\r\n\r\n');
  await until('an answer', async () => {
    const { socket, received, closed } = await openSocket('/portForward/default/serves?port=8080', 'v4.channel.k8s.io');
    socket.send(Buffer.concat([Buffer.from([0]), get]));
    await Promise.race([
      closed,
      until('bytes', () => /hello from the pod/.test(received.get(0)?.toString() ?? '') || socket.readyState === socket.CLOSED),
    ]);
    socket.close();
    return /hello from the pod/.test(received.get(0)?.toString() ?? '');
  });
  const connection = new SpdyConnection(await openTunnel('/portForward/default/serves'), Buffer.alloc(0));
  await connection.open({ streamtype: 'error', port: '8080', requestid: '0' });
  const data = await connection.open({ streamtype: 'data', port: '8080', requestid: '0' });
  await data.write(get);
  assert.match(await textOf(data), /hello from the pod/);
  connection.close();
});

test('a log that is too long is rotated and goes on in a new file', { skip }, async () => {
  const pod = await createPod('chatty', [{ name: 'app', ...sh('while true; do echo something to say; sleep 0.05; done') }]);
  await untilRunning('chatty');
  await until('some log', async () => (await logOf(pod, 'app')).length > 100);
  await rotateLogs({ runtime: containerd.runtime, clock: systemClock, bytesMax: 100 });
  const { namespace, name, uid } = pod.metadata ?? {};
  const directory = join(inside.directory, 'pod-logs', `${namespace}_${name}_${uid}`, 'app');
  assert.equal((await readdir(directory)).filter((file) => /^0\.log\.\d{8}-\d{6}$/.test(file)).length, 1);
  await until('the new file', async () => (await logOf(pod, 'app').catch(() => '')).length > 0);
});

test('images that nothing uses go when the disk is full, and those in use stay', { skip }, async () => {
  const shared = { clock: systemClock, random: systemRandom, log };
  await importImage(Readable.from([await busyboxImage({ name: 'example.test/unused:1', config: { Env: ['UNUSED=1'] } })]), {
    socket: containerd.socket,
    ...shared,
  });
  await until('the image', () => containerd.runtime.imageStatus('example.test/unused:1'));
  const collector = new ImageCollector({ runtime: containerd.runtime, clock: systemClock, log, ageMsMin: 0 });
  assert.equal(await collector.collect({ capacityBytes: 1000, availableBytes: 500 }), 0);
  assert.ok((await collector.collect({ capacityBytes: 1e12, availableBytes: 1e10 })) > 0);
  assert.equal(await containerd.runtime.imageStatus('example.test/unused:1'), undefined);
  assert.ok(await containerd.runtime.imageStatus(busyboxImageName));
});

test('a static pod runs from its manifest, shows in the API as a mirror, and ends with its file', { skip }, async () => {
  const manifest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'still' },
    spec: { containers: [{ name: 'app', image: busyboxImageName, imagePullPolicy: 'Never', ...sleeping }] },
  };
  const path = join(inside.directory, 'manifests', 'still.yaml');
  await writeFile(path, JSON.stringify(manifest));
  const mirror = await until('the mirror Running', async () => {
    const found = (await client.list(pods)).items.find((p) => p.metadata?.name === 'still-n1');
    return found?.status?.phase === 'Running' && found;
  });
  assert.equal(mirror.metadata?.annotations?.['kubernetes.io/config.source'], 'file');
  assert.equal(mirror.metadata?.annotations?.['kubernetes.io/config.mirror'], mirror.metadata?.annotations?.['kubernetes.io/config.hash']);
  await rm(path);
  await until('the mirror gone', async () => !(await client.list(pods)).items.some((p) => p.metadata?.name === 'still-n1'));
  await until('the containers gone', async () => {
    const left = await containerd.runtime.listPodSandboxes({ labelSelector: { 'io.kubernetes.pod.name': 'still-n1' } });
    return left.length === 0;
  });
});
