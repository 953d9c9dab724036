import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kill } from 'node:process';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { type Clock, systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { enterMachine } from '../testing/inside-machine.ts';
import { type SupervisedContainerd, superviseContainerd } from './containerd.ts';
import { type Behaviour, type RuntimeSubject, runtimeContract } from './contract.ts';
import { connectCri } from './cri.ts';
import type * as cri from './cri-types.ts';
import { machineArchitecture } from './images/build-image.ts';
import { busyboxImage, cannotMakeBusyboxImage } from './images/busybox-image.ts';
import { untilImageIsKnown } from './images/ensure-pause-image.ts';
import { importImage } from './images/import-image.ts';
import { pauseImageName } from './images/pause.ts';
import type { ContainerRuntime, RuntimeEvent } from './runtime.ts';

const inside = await enterMachine('node');
const skip = inside.skip || ((await cannotMakeBusyboxImage()) ?? false);
const directory = join(inside.directory, 'data');
// A clock whose timers keep the test's process alive, as a server's listening socket does.
const clock: Clock = {
  ...systemClock,
  setTimer(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
const options = {
  directory,
  stateDirectory: '/run/t8s',
  podCidr: '10.244.1.0/24',
  clock,
  random: systemRandom,
  log: silentLog,
};
let containerd: SupervisedContainerd;

before(async () => {
  if (skip) return;
  containerd = await superviseContainerd(options);
  await load(await busyboxImage());
});
after(() => containerd?.stop());

async function load(archive: Uint8Array, more: { name?: string } = {}): Promise<string[]> {
  const names = await importImage(Readable.from([Buffer.from(archive)]), { ...options, ...more, socket: containerd.socket });
  for (const name of names) await untilImageIsKnown(containerd.runtime, name, clock);
  return names;
}

const pod = (name: string): cri.PodSandboxConfig => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}`, attempt: 0 },
  hostname: name,
  labels: { name },
  logDirectory: join(inside.directory, 'logs', name),
  linux: { cgroupParent: `/kubepods/${name}` },
});

const scripts: Record<Behaviour['does'], (behaviour: Behaviour) => string> = {
  run: () => 'while :; do sleep 3600; done',
  exit: (b) => (b.does === 'exit' ? `sleep ${b.afterSeconds}; exit ${b.code}` : ''),
  'end on stop': (b) => (b.does === 'end on stop' ? `trap "exit ${b.code}" TERM; while :; do sleep 0.01; done` : ''),
  'ignore stop': () => 'trap "" TERM; while :; do sleep 0.01; done',
};

const container = (name: string, script: string, more: cri.ContainerConfig = {}): cri.ContainerConfig => ({
  metadata: { name, attempt: 0 },
  image: { image: 'busybox:1' },
  command: ['sh', '-c', script],
  labels: { container: name },
  logPath: `${name}.log`,
  ...more,
});

const subject = (): RuntimeSubject => ({
  runtime: containerd.runtime,
  image: 'busybox:1',
  canExec: true,
  pod,
  container: (name, behaviour) => container(name, scripts[behaviour.does](behaviour)),
  pass: () => delay(20),
});

runtimeContract('containerd', subject, { skip });

test('crun is chosen where it is installed, unless another is asked for', { skip }, async () => {
  const config = await readFile(join(directory, 'containerd.toml'), 'utf8');
  const isCrunInstalled = existsSync('/usr/bin/crun');
  assert.match(config, isCrunInstalled ? /default_runtime_name = "crun"/ : /default_runtime_name = "runc"/);
  const without = join(inside.directory, 'without');
  const asked = await superviseContainerd({ ...options, directory: without, stateDirectory: '/run/without', defaultRuntime: 'runc' });
  await asked.stop();
  assert.match(await readFile(join(without, 'containerd.toml'), 'utf8'), /default_runtime_name = "runc"/);
});

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 500; turn++) {
    if (await isTrue()) return;
    await delay(20);
  }
  assert.fail('waited long enough');
}

async function startIn(runtime: ContainerRuntime, name: string, script: string, more: cri.ContainerConfig = {}, config = pod(name)) {
  const sandboxId = await runtime.runPodSandbox(config);
  const id = await runtime.createContainer(sandboxId, container(name, script, more), config);
  await runtime.startContainer(id);
  return { sandboxId, id };
}

test('a pod serves on its address, and reaches another by its', { skip }, async () => {
  const { runtime } = containerd;
  const server = await startIn(runtime, 'server', 'httpd -f -p 8080 -h /www');
  const client = await startIn(runtime, 'client', 'sleep 3600');
  const address = (await runtime.podSandboxStatus(server.sandboxId))?.network?.ip;
  await until(async () => (await runtime.execSync(client.id, ['wget', '-q', '-O', '-', `http://${address}:8080/`], 5)).exitCode === 0);
  const { stdout } = await runtime.execSync(client.id, ['wget', '-q', '-O', '-', `http://${address}:8080/`], 5);
  assert.equal(Buffer.from(stdout).toString(), 'hello from busybox\n');
  const fromNode = await fetch(`http://${address}:8080/`);
  assert.equal(await fromNode.text(), 'hello from busybox\n');
  for (const { sandboxId } of [server, client]) await runtime.removePodSandbox(sandboxId);
});

test('what a container writes is in its log in the format of CRI', { skip }, async () => {
  const { runtime } = containerd;
  const { id, sandboxId } = await startIn(runtime, 'writer', 'echo out; echo err >&2');
  await until(async () => (await runtime.containerStatus(id))?.state === 'CONTAINER_EXITED');
  const log = await readFile((await runtime.containerStatus(id))?.logPath ?? '', 'utf8');
  assert.match(log, /^\d{4}-\d\d-\d\dT[\d:.]+Z stdout F out$/m);
  assert.match(log, /^\S+ stderr F err$/m);
  await runtime.removePodSandbox(sandboxId);
});

test('our pause, as pid 1 of a pod with a shared pid namespace, reaps orphans and ends on SIGTERM', { skip }, async () => {
  const { runtime } = containerd;
  const namespaceOptions: cri.NamespaceOption = { pid: 'POD', network: 'POD', ipc: 'POD' };
  const config: cri.PodSandboxConfig = { ...pod('shared'), linux: { securityContext: { namespaceOptions } } };
  const linux = { securityContext: { namespaceOptions } };
  const { id, sandboxId } = await startIn(runtime, 'shared', 'sleep 3600', { linux }, config);
  const processes = async () => Buffer.from((await runtime.execSync(id, ['ps', '-o', 'pid,stat,comm'], 5)).stdout).toString();
  assert.match(await processes(), /^ +1 S +pause$/m);
  // The inner shell leaves an orphan, which pid 1 adopts; it must not stay as a zombie.
  await runtime.execSync(id, ['sh', '-c', '(sleep 0.05 & echo $! >/tmp/orphan)'], 5);
  const orphan = Buffer.from((await runtime.execSync(id, ['cat', '/tmp/orphan'], 5)).stdout)
    .toString()
    .trim();
  await until(async () => (await runtime.execSync(id, ['test', '-e', `/proc/${orphan}`], 5)).exitCode === 1);
  await runtime.execSync(id, ['kill', '-TERM', '1'], 5);
  await until(async () => (await runtime.podSandboxStatus(sandboxId))?.state === 'SANDBOX_NOTREADY');
  await runtime.removePodSandbox(sandboxId);
});

test('an exec that ends is no end of its container', { skip }, async (t) => {
  const { runtime } = containerd;
  const { id, sandboxId } = await startIn(runtime, 'execs', 'sleep 3600');
  const events: RuntimeEvent[] = [];
  const subscription = runtime.events().subscribe((event) => events.push(event));
  t.after(() => subscription.unsubscribe());
  await until(() => events.length > 0);
  await runtime.execSync(id, ['true'], 5);
  await runtime.stopContainer(id, 0);
  await until(() => events.some((event) => event.type === 'stopped'));
  assert.deepEqual(
    events.filter((event) => event.type === 'stopped'),
    [{ type: 'stopped', id, podSandboxId: sandboxId }],
  );
  await runtime.removePodSandbox(sandboxId);
});

test('the pause image is there from the start and marked to stay', { skip }, async () => {
  const image = await containerd.runtime.imageStatus(pauseImageName);
  assert.equal(image?.pinned, true);
});

test('an archive may be gzipped, and its image runs', { skip }, async () => {
  const names = await load(gzipSync(await busyboxImage({ name: 'docker.io/library/zipped:1', config: { Labels: { zipped: 'yes' } } })));
  assert.deepEqual(names, ['docker.io/library/zipped:1']);
  const { id, sandboxId } = await startIn(containerd.runtime, 'zipped', 'exit 6', { image: { image: 'zipped:1' } });
  await until(async () => (await containerd.runtime.containerStatus(id))?.exitCode === 6);
  await containerd.runtime.removePodSandbox(sandboxId);
  await containerd.runtime.removeImage('zipped:1');
  assert.equal(await containerd.runtime.imageStatus('zipped:1'), undefined);
});

test('an imported image moves its name, as a rebuilt one does', { skip }, async () => {
  await load(await busyboxImage({ name: 'docker.io/library/moving:1' }));
  const old = await containerd.runtime.imageStatus('moving:1');
  await load(await busyboxImage({ name: 'docker.io/library/moving:1', config: { Labels: { build: '2' } } }));
  await until(async () => (await containerd.runtime.imageStatus('moving:1'))?.id !== old?.id);
  await containerd.runtime.removeImage('moving:1');
});

/** What `docker save` wrote before it wrote OCI layouts: layers by the names of directories, a repeated one as a link. */
async function dockerSave(name: string): Promise<Buffer> {
  const layer = pack();
  layer.entry({ name: 'bin', type: 'directory', mode: 0o755 });
  layer.entry({ name: 'bin/busybox', mode: 0o755 }, await readFile('/bin/busybox'));
  layer.entry({ name: 'bin/sh', type: 'symlink', linkname: 'busybox' });
  layer.finalize();
  const layerBytes = await buffer(layer);
  const digest = `sha256:${createHash('sha256').update(layerBytes).digest('hex')}`;
  const config = { architecture: machineArchitecture(), os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [digest, digest] } };
  const archive = pack();
  archive.entry({ name: 'one/layer.tar' }, layerBytes);
  archive.entry({ name: 'one/VERSION' }, '1.0');
  archive.entry({ name: 'one/json' }, '{}');
  archive.entry({ name: 'two/layer.tar', type: 'symlink', linkname: '../one/layer.tar' });
  archive.entry({ name: 'abc.json' }, JSON.stringify(config));
  archive.entry(
    { name: 'manifest.json' },
    JSON.stringify([{ Config: 'abc.json', RepoTags: [name], Layers: ['one/layer.tar', 'two/layer.tar'] }]),
  );
  archive.entry({ name: 'repositories' }, '{}');
  archive.finalize();
  return buffer(archive);
}

test("an archive of an older docker's save is read, links and all, and its image runs", { skip }, async () => {
  assert.deepEqual(await load(await dockerSave('saved:7')), ['docker.io/library/saved:7']);
  const { id, sandboxId } = await startIn(containerd.runtime, 'saved', 'exit 8', { image: { image: 'saved:7' } });
  await until(async () => (await containerd.runtime.containerStatus(id))?.exitCode === 8);
  await containerd.runtime.removePodSandbox(sandboxId);
  await containerd.runtime.removeImage('saved:7');
});

test('a blob that is not what its name says is refused', { skip }, async () => {
  const archive = pack();
  archive.entry({ name: `blobs/sha256/${'0'.repeat(64)}` }, 'other');
  archive.entry({ name: 'index.json' }, '{"manifests":[]}');
  archive.finalize();
  await assert.rejects(load(await buffer(archive)), { name: 'RuntimeError' });
});

test('what is no image archive is refused with the reason', { skip }, async () => {
  await assert.rejects(load(Buffer.from('hello')), /not an image archive/);
  await assert.rejects(load(Buffer.alloc(1024)), /holds neither index.json nor manifest.json/);
});

test('a second start finds containerd running, and its pods', { skip }, async () => {
  const { id, sandboxId } = await startIn(containerd.runtime, 'outliving', 'sleep 3600');
  const { pid } = containerd;
  await containerd.leave();
  containerd = await superviseContainerd(options);
  assert.equal(containerd.wasRunning, true);
  assert.equal(containerd.pid, pid);
  assert.equal((await containerd.runtime.containerStatus(id))?.state, 'CONTAINER_RUNNING');
  await containerd.runtime.removePodSandbox(sandboxId);
});

test('a containerd that was configured otherwise is replaced, and its pods run on', { skip }, async () => {
  const { id, sandboxId } = await startIn(containerd.runtime, 'migrating', 'sleep 3600');
  const { pid } = containerd;
  await containerd.leave();
  await symlink('/usr/sbin/runc', '/run/runc');
  containerd = await superviseContainerd({
    ...options,
    searchPath: ['/run', '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'],
  });
  assert.equal(containerd.wasRunning, false);
  assert.notEqual(containerd.pid, pid);
  assert.equal((await containerd.runtime.containerStatus(id))?.state, 'CONTAINER_RUNNING');
  await containerd.runtime.removePodSandbox(sandboxId);
});

test('a killed containerd is started again: pods run on, calls work, and subscribers look again', { skip }, async (t) => {
  const { runtime, pid } = containerd;
  const { id, sandboxId } = await startIn(runtime, 'surviving', 'sleep 3600');
  let resyncs = 0;
  const subscription = runtime.events().subscribe((event) => {
    if (event.type === 'resync') resyncs++;
  });
  t.after(() => subscription.unsubscribe());
  await until(() => resyncs === 1);
  kill(pid ?? 0, 'SIGKILL');
  await until(() => containerd.pid !== undefined && containerd.pid !== pid);
  await until(() => resyncs === 2);
  assert.equal((await runtime.containerStatus(id))?.state, 'CONTAINER_RUNNING');
  assert.equal((await runtime.execSync(id, ['true'], 5)).exitCode, 0);
  await runtime.removePodSandbox(sandboxId);
});

test('nothing answering on a socket is told within the time allowed', { skip }, async () => {
  await assert.rejects(connectCri({ socket: '/run/nowhere.sock', clock, log: silentLog, connectMsMax: 200 }), {
    name: 'RuntimeError',
    code: 'DeadlineExceeded',
  });
});

test('a machine without containerd is told which packages to install', { skip }, async () => {
  await assert.rejects(superviseContainerd({ ...options, searchPath: ['/nowhere'], cniDirectories: ['/nowhere'] }), {
    name: 'MissingBinaries',
    message:
      'missing on this machine: containerd, containerd-shim-runc-v2, runc, CNI plugins (bridge, host-local, loopback, portmap); on Debian: apt-get install containerd runc containernetworking-plugins',
  });
});

test('a containerd that cannot start is told with what it said', { skip }, async () => {
  const broken = join(inside.directory, 'broken');
  await mkdir(join(broken, 'bin'), { recursive: true });
  await writeFile(join(broken, 'bin/containerd'), '#!/bin/sh\necho "no room on the disk" >&2\nexit 1\n', { mode: 0o755 });
  await assert.rejects(
    superviseContainerd({
      ...options,
      directory: broken,
      stateDirectory: join(broken, 's'),
      searchPath: [join(broken, 'bin'), '/usr/sbin', '/usr/bin', '/bin'],
    }),
    /containerd did not start[\s\S]*no room on the disk/,
  );
});

test('stopping removes the bridge that no pod is on', { skip }, async () => {
  const { bridge, socket } = containerd;
  assert.match(await readFile('/proc/net/dev', 'utf8'), new RegExp(bridge));
  await containerd.stop();
  assert.doesNotMatch(await readFile('/proc/net/dev', 'utf8'), new RegExp(bridge));
  await assert.rejects(connectCri({ socket, clock, log: silentLog, connectMsMax: 100 }), { name: 'RuntimeError' });
  containerd = await superviseContainerd(options);
});
