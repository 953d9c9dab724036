// What CRI calls cost on this machine with our configuration, for each low-level runtime and with and without host ports by
// CNI's portmap: the floor under every pod's start. Prints a table. Runs inside a machine of namespaces; needs root.

import { join } from 'node:path';
import process, { exit } from 'node:process';
import { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { superviseContainerd } from '../runtime/containerd.ts';
import { busyboxImage, busyboxImageName } from '../runtime/images/busybox-image.ts';
import { untilImageIsKnown } from '../runtime/images/ensure-pause-image.ts';
import { importImage } from '../runtime/images/import-image.ts';
import type { ContainerRuntime } from '../runtime/runtime.ts';
import { enterMachine } from '../testing/inside-machine.ts';

const rounds = 12;
const podsAtOnce = 20;

const inside = await enterMachine('bench');
if (inside.skip) {
  console.log(`skipped: ${inside.skip}`);
  exit(0);
}
// Timers that keep the process alive between answers.
const clock: Clock = { ...systemClock, setTimer: (ms, fire) => timer(setTimeout(fire, ms)) };
const timer = (handle: NodeJS.Timeout) => ({ cancel: () => clearTimeout(handle) });

const rows: Record<string, Record<string, number>> = {};
for (const defaultRuntime of ['runc', 'crun'] as const) {
  for (const portmap of [true, false]) {
    const name = `${defaultRuntime}${portmap ? ' + portmap' : ''}`;
    rows[name] = await measure(name, { defaultRuntime, portmap });
  }
}
console.table(rows);
process.stdout.write('milliseconds, medians; "20 at once" is until the last of 20 pods runs\n');

async function measure(name: string, kind: { defaultRuntime: 'runc' | 'crun'; portmap: boolean }): Promise<Record<string, number>> {
  const directory = join(inside.directory, name.replaceAll(' ', ''));
  const options = {
    directory,
    stateDirectory: `/run/${name.replaceAll(' ', '')}`,
    podCidr: '10.244.9.0/24',
    clock,
    random: systemRandom,
    log: silentLog,
    ...kind,
  };
  const coldStart = await timed(() => superviseContainerd(options));
  await coldStart.value.leave();
  const warmStart = await timed(() => superviseContainerd(options));
  const containerd = warmStart.value;
  await importImage(Readable.from([await busyboxImage()]), { ...options, socket: containerd.socket });
  await untilImageIsKnown(containerd.runtime, busyboxImageName, clock);
  const samples: Record<string, number[]> = {
    sandbox: [],
    create: [],
    start: [],
    exec: [],
    stop: [],
    'stop sandbox': [],
    'remove sandbox': [],
  };
  for (let round = 0; round <= rounds; round++) {
    const sample = await onePod(containerd.runtime, `pod-${round}`);
    // The first unpacks the image.
    if (round > 0) for (const [call, ms] of Object.entries(sample)) samples[call]?.push(ms);
  }
  const many = await timed(() => Promise.all(Array.from({ length: podsAtOnce }, (_, i) => startPod(containerd.runtime, `many-${i}`))));
  const gone = await timed(() => Promise.all(many.value.map(({ sandboxId }) => containerd.runtime.removePodSandbox(sandboxId))));
  await containerd.stop();
  const medians = Object.fromEntries(Object.entries(samples).map(([call, ms]) => [call, round1(median(ms))]));
  return {
    'cold start': round1(coldStart.ms),
    'start again': round1(warmStart.ms),
    ...medians,
    '20 at once': round1(many.ms),
    '20 gone': round1(gone.ms),
  };
}

async function startPod(runtime: ContainerRuntime, name: string): Promise<{ sandboxId: string; id: string }> {
  const pod = { metadata: { name, namespace: 'default', uid: name, attempt: 0 }, linux: { cgroupParent: `/kubepods/${name}` } };
  const sandboxId = await runtime.runPodSandbox(pod);
  const container = { metadata: { name, attempt: 0 }, image: { image: busyboxImageName }, command: ['sleep', '3600'] };
  const id = await runtime.createContainer(sandboxId, container, pod);
  await runtime.startContainer(id);
  return { sandboxId, id };
}

async function onePod(runtime: ContainerRuntime, name: string): Promise<Record<string, number>> {
  const pod = { metadata: { name, namespace: 'default', uid: name, attempt: 0 }, linux: { cgroupParent: `/kubepods/${name}` } };
  const sandbox = await timed(() => runtime.runPodSandbox(pod));
  const container = { metadata: { name, attempt: 0 }, image: { image: busyboxImageName }, command: ['sleep', '3600'] };
  const create = await timed(() => runtime.createContainer(sandbox.value, container, pod));
  const start = await timed(() => runtime.startContainer(create.value));
  const exec = await timed(() => runtime.execSync(create.value, ['true'], 10));
  const stop = await timed(() => runtime.stopContainer(create.value, 0));
  const stopSandbox = await timed(() => runtime.stopPodSandbox(sandbox.value));
  const remove = await timed(() => runtime.removePodSandbox(sandbox.value));
  return {
    sandbox: sandbox.ms,
    create: create.ms,
    start: start.ms,
    exec: exec.ms,
    stop: stop.ms,
    'stop sandbox': stopSandbox.ms,
    'remove sandbox': remove.ms,
  };
}

async function timed<Value>(work: () => Promise<Value>): Promise<{ value: Value; ms: number }> {
  const startMs = clock.monotonicMs();
  const value = await work();
  return { value, ms: clock.monotonicMs() - startMs };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
