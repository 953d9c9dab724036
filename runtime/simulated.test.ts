import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { seededRandom } from '../base/random.ts';
import { VirtualClock } from '../base/virtual-clock.ts';
import { type Behaviour, type RuntimeSubject, runtimeContract } from './contract.ts';
import type * as cri from './cri-types.ts';
import type { ContainerRuntime } from './runtime.ts';
import { simulatedPrefix } from './simulated/behaviour.ts';
import { createSimulatedRuntime } from './simulated.ts';

const clock = new VirtualClock();
const runtime = createSimulatedRuntime({ clock, random: seededRandom(1), podCidr: '10.244.3.0/24' });

const annotated = (values: Record<string, string | number>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [simulatedPrefix + key, String(value)]));

function annotationsFor(behaviour: Behaviour): Record<string, string> {
  switch (behaviour.does) {
    case 'run':
      return {};
    case 'exit':
      return annotated({ 'exit-after-seconds': behaviour.afterSeconds, 'exit-code': behaviour.code });
    case 'end on stop':
      return annotated({ 'stop-exit-code': behaviour.code, 'stop-ms': 10 });
    case 'ignore stop':
      return annotated({ 'stop-ms': 3600_000 });
  }
}

const subject: RuntimeSubject = {
  runtime,
  image: 'busybox:1',
  canExec: false,
  pod: (name) => ({ metadata: { name, namespace: 'default', uid: name, attempt: 0 }, labels: { name } }),
  container: (name, behaviour) => ({
    metadata: { name, attempt: 0 },
    image: { image: 'busybox:1' },
    labels: { container: name },
    annotations: annotationsFor(behaviour),
  }),
  pass: () => clock.step(50),
};

before(() => runtime.pullImage('busybox:1'));

runtimeContract('simulated', () => subject);

async function started(
  on: ContainerRuntime,
  pod: cri.PodSandboxConfig,
  container: cri.ContainerConfig = { metadata: { name: 'main' } },
): Promise<string> {
  await on.pullImage('app');
  const id = await on.createContainer(await on.runPodSandbox(pod), { image: { image: 'app' }, ...container }, pod);
  await on.startContainer(id);
  return id;
}

const fresh = (podCidr = '10.0.0.0/24') => {
  const ownClock = new VirtualClock();
  return { clock: ownClock, runtime: createSimulatedRuntime({ clock: ownClock, random: seededRandom(2), podCidr }) };
};

test('a pod annotation that names a container means only that one', async () => {
  const { clock, runtime } = fresh();
  const pod = { annotations: annotated({ 'exit-after-seconds.job': 5, 'exit-code.job': 2 }) };
  const job = await started(runtime, pod, { metadata: { name: 'job' } });
  const server = await started(runtime, pod, { metadata: { name: 'server' } });
  await clock.step(4999);
  assert.equal((await runtime.containerStatus(job))?.state, 'CONTAINER_RUNNING');
  await clock.step(1);
  assert.equal((await runtime.containerStatus(job))?.exitCode, 2);
  assert.equal((await runtime.containerStatus(server))?.state, 'CONTAINER_RUNNING');
});

test('starts take as long as they are told to, on the clock', async () => {
  const { clock, runtime } = fresh();
  await runtime.pullImage('app');
  const pod = { annotations: annotated({ 'sandbox-ms': 70, 'start-ms': 40 }) };
  let hasStarted = false;
  const start = started(runtime, pod).then(() => {
    hasStarted = true;
  });
  await clock.step(109);
  assert.equal(hasStarted, false);
  await clock.step(1);
  assert.equal(hasStarted, true);
  await start;
});

test('a pull fails with the words its pod asks for', async () => {
  const { runtime } = fresh();
  const pod = { annotations: annotated({ 'pull-error': 'no such host' }) };
  await assert.rejects(runtime.pullImage('app:2', undefined, pod), {
    name: 'RuntimeError',
    message: 'failed to pull and unpack image "app:2": no such host',
  });
  assert.equal(await runtime.imageStatus('app:2'), undefined);
});

test('a container writes its log lines at each start, in the format of CRI logs', async () => {
  const { clock, runtime } = fresh();
  await clock.step(1500);
  const id = await started(runtime, { annotations: annotated({ log: 'one\ntwo' }) });
  const log = Buffer.from((await runtime.readLog?.(id)) ?? []).toString();
  assert.equal(log, '2026-01-01T00:00:01.500000000Z stdout F one\n2026-01-01T00:00:01.500000000Z stdout F two\n');
});

test('probes succeed within the time a container says it is ready', async () => {
  const { clock, runtime } = fresh();
  const id = await started(runtime, { annotations: annotated({ 'ready-after-seconds': 2, 'unready-after-seconds': 10 }) });
  const answers = [];
  for (let second = 0; second < 12; second += 2) {
    answers.push(await runtime.probe?.(id));
    await clock.step(2000);
  }
  assert.deepEqual(answers, [false, true, true, true, true, false]);
});

test('a command answers with the code and output a container is told to give', async () => {
  const { runtime } = fresh();
  const id = await started(runtime, { annotations: annotated({ 'exec-exit-code': 7, 'exec-output': 'pong' }) });
  const { stdout, exitCode } = await runtime.execSync(id, ['ping'], 1);
  assert.deepEqual([Buffer.from(stdout).toString(), exitCode], ['pong', 7]);
});

test('an annotation that is no number is refused by name', async () => {
  const { runtime } = fresh();
  await assert.rejects(started(runtime, { annotations: annotated({ 'exit-after-seconds': 'soon' }) }), {
    code: 'InvalidArgument',
    message: 'annotation simulated.t8s.io/exit-after-seconds: want a number of at least 0, got "soon"',
  });
});

test('addresses run out, come back when a pod stops, and are not given to the next pod at once', async () => {
  const { runtime } = fresh('10.9.8.0/29');
  const address = async (id: string) => (await runtime.podSandboxStatus(id))?.network?.ip;
  const ids = [];
  for (let i = 0; i < 5; i++) ids.push(await runtime.runPodSandbox({}));
  assert.deepEqual(await Promise.all(ids.map(address)), ['10.9.8.2', '10.9.8.3', '10.9.8.4', '10.9.8.5', '10.9.8.6']);
  await assert.rejects(runtime.runPodSandbox({}), { code: 'ResourceExhausted' });
  await runtime.stopPodSandbox(ids[1]!);
  await runtime.stopPodSandbox(ids[3]!);
  assert.equal(await address(await runtime.runPodSandbox({})), '10.9.8.3');
  await runtime.stopPodSandbox(ids[0]!);
  assert.equal(await address(await runtime.runPodSandbox({})), '10.9.8.5');
});

test('a pod on the host network has no address of its own', async () => {
  const { runtime } = fresh();
  const id = await runtime.runPodSandbox({ linux: { securityContext: { namespaceOptions: { network: 'NODE' } } } });
  assert.equal((await runtime.podSandboxStatus(id))?.network?.ip, '');
});

test('the same seed gives the same ids', async () => {
  const [one, two] = [fresh(), fresh()];
  assert.equal(await one.runtime.runPodSandbox({}), await two.runtime.runPodSandbox({}));
});
