// What containerd 1.6 cannot show: runtimes with CRI's own events, with none, and with other failings, served in this process.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { silentLog } from '../base/log.ts';
import { settleEventLoop, VirtualClock } from '../base/virtual-clock.ts';
import { connectCri } from './cri.ts';
import { loadProto } from './grpc.ts';
import type { ContainerRuntime, RuntimeEvent } from './runtime.ts';

type Call = grpc.ServerUnaryCall<object, object> & grpc.ServerWritableStream<object, object>;
type Answer = grpc.sendUnaryData<object>;
type Handlers = Record<string, (call: Call, answer: Answer) => void>;

const proto = grpc.loadPackageDefinition(loadProto('cri.proto')) as unknown as {
  runtime: { v1: Record<'RuntimeService' | 'ImageService', grpc.ServiceClientConstructor> };
};

interface Served {
  runtime: ContainerRuntime;
  clock: VirtualClock;
  /** Names of the calls that came in. */
  calls: string[];
}

async function serve(t: TestContext, handlers: Handlers, clock = new VirtualClock()): Promise<Served> {
  const directory = await mkdtemp(join(tmpdir(), 'cri-'));
  const socket = join(directory, 'cri.sock');
  const calls: string[] = [];
  const all: Handlers = {
    Version: (_, answer) => answer(null, { version: '0.1.0', runtimeName: 'other', runtimeApiVersion: 'v1' }),
    ListPodSandbox: (_, answer) => answer(null, { items: [] }),
    ...handlers,
  };
  const server = new grpc.Server();
  for (const service of [proto.runtime.v1.RuntimeService.service, proto.runtime.v1.ImageService.service]) {
    const mine = Object.entries(all).filter(([name]) => name in service);
    const counted = mine.map(([name, handle]) => [
      name,
      (call: Call, answer: Answer) => {
        calls.push(name);
        handle(call, answer);
      },
    ]);
    server.addService(service, Object.fromEntries(counted));
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socket}`, grpc.ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
  const runtime = await connectCri({ socket, clock, log: silentLog });
  t.after(async () => {
    await runtime.close();
    server.forceShutdown();
    await rm(directory, { recursive: true, force: true });
  });
  return { runtime, clock, calls };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (isTrue()) return;
    await settleEventLoop();
  }
  assert.fail('waited long enough');
}

const refuse =
  (code: grpc.status, details: string) =>
  (_: unknown, answer: Answer): void =>
    answer({ code, details });

test("CRI's own events are told after a resync, with their sandbox", async (t) => {
  const { runtime } = await serve(t, {
    GetContainerEvents: (call) => {
      call.write({ containerId: 'c1', containerEventType: 'CONTAINER_STOPPED_EVENT', podSandboxStatus: { id: 's1' } });
    },
  });
  const events: RuntimeEvent[] = [];
  const subscription = runtime.events().subscribe((event) => events.push(event));
  t.after(() => subscription.unsubscribe());
  await until(() => events.length === 2);
  assert.deepEqual(events, [{ type: 'resync' }, { type: 'stopped', id: 'c1', podSandboxId: 's1' }]);
});

test('a stream that ends is opened again, and subscribers look again', async (t) => {
  let streams = 0;
  const { runtime, clock } = await serve(t, {
    GetContainerEvents: (call) => {
      if (++streams < 3) call.end();
    },
  });
  let resyncs = 0;
  const subscription = runtime.events().subscribe((event) => {
    if (event.type === 'resync') resyncs++;
  });
  t.after(() => subscription.unsubscribe());
  for (const expected of [1, 2, 3]) {
    await until(() => streams === expected && resyncs >= expected);
    if (expected < 3) await until(() => clock.nextTimerMs !== undefined && clock.nextTimerMs < 1000);
    await clock.step(expected < 3 ? (clock.nextTimerMs ?? 0) : 0);
  }
});

test('where there are no events at all, subscribers are told to look every second', async (t) => {
  const { runtime, clock, calls } = await serve(t, {});
  let resyncs = 0;
  const subscription = runtime.events().subscribe(() => resyncs++);
  t.after(() => subscription.unsubscribe());
  await until(() => resyncs === 1 && clock.nextTimerMs !== undefined);
  // The stream's refusal arrives after the first look.
  await until(() => calls.includes('Version'));
  await settleEventLoop(200);
  await clock.step(5000);
  assert.ok(resyncs >= 5, `${resyncs} in 5 s`);
});

test('a runtime that is still starting is waited for', async (t) => {
  let refusals = 3;
  const clock = new VirtualClock();
  let served: Served | undefined;
  const serving = serve(
    t,
    {
      ListPodSandbox: (call, answer) => {
        if (refusals-- > 0) refuse(grpc.status.UNKNOWN, 'server is not initialized yet')(call, answer);
        else answer(null, { items: [] });
      },
    },
    clock,
  ).then((value) => {
    served = value;
  });
  for (let turn = 0; turn < 500 && !served; turn++) {
    await settleEventLoop();
    // The deadline's timer is far; the next try's is near.
    if ((clock.nextTimerMs ?? 1000) < 200) await clock.step(clock.nextTimerMs ?? 0);
  }
  await serving;
  assert.deepEqual(served?.calls, ['ListPodSandbox', 'ListPodSandbox', 'ListPodSandbox', 'ListPodSandbox']);
});

test("gRPC's statuses become errors with a code and the runtime's words", async (t) => {
  const { runtime } = await serve(t, {
    StartContainer: refuse(grpc.status.NOT_FOUND, 'no such container'),
    StopContainer: refuse(grpc.status.NOT_FOUND, 'no such container'),
    PullImage: refuse(grpc.status.UNKNOWN, 'pull access denied'),
    RunPodSandbox: refuse(grpc.status.RESOURCE_EXHAUSTED, 'no addresses'),
  });
  await assert.rejects(runtime.startContainer('x'), { name: 'RuntimeError', code: 'NotFound', message: 'no such container' });
  await assert.rejects(runtime.pullImage('x'), { code: 'Unknown', message: 'pull access denied' });
  await assert.rejects(runtime.runPodSandbox({}), { code: 'ResourceExhausted' });
  await assert.rejects(runtime.listImages(), { code: 'Unimplemented' });
  await runtime.stopContainer('x', 0);
});

test('a call that is never answered ends at its deadline', async (t) => {
  const { runtime, clock } = await serve(t, { RunPodSandbox: () => undefined });
  const refused = assert.rejects(runtime.runPodSandbox({}), {
    name: 'RuntimeError',
    code: 'DeadlineExceeded',
    message: /RunPodSandbox within 240 s/,
  });
  await settleEventLoop();
  await clock.step(240_000);
  await refused;
});

test('an exec is given up shortly after its timeout, but not cancelled', async (t) => {
  let isCancelled = false;
  const { runtime, clock, calls } = await serve(t, {
    ExecSync: (call) => {
      call.on('cancelled', () => {
        isCancelled = true;
      });
    },
  });
  const refused = assert.rejects(runtime.execSync('x', ['sleep', '9'], 2), {
    code: 'DeadlineExceeded',
    message: 'command "sleep 9" timed out after 2s',
  });
  await until(() => calls.includes('ExecSync'));
  await clock.step(2300);
  await refused;
  await settleEventLoop();
  assert.equal(isCancelled, false);
});

test('what a runtime leaves out of an answer is left out of ours, and 64-bit numbers are numbers', async (t) => {
  const { runtime } = await serve(t, {
    ContainerStatus: (_, answer) => answer(null, { status: { id: 'c', state: 'CONTAINER_RUNNING', startedAt: '1700000000000000000' } }),
  });
  const status = await runtime.containerStatus('c');
  assert.equal(status?.startedAt, 1_700_000_000_000_000_000);
  assert.ok(status && !('metadata' in status));
  assert.equal(status.exitCode, 0);
});

test('a closed connection refuses calls', async (t) => {
  const { runtime } = await serve(t, {});
  await runtime.close();
  await assert.rejects(runtime.version(), { code: 'Unavailable' });
});
