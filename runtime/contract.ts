// What every ContainerRuntime promises, as tests: each implementation's own test file runs this suite on itself. What makes a
// container behave in some way, and how time passes, differs between real and simulated ones: the subject knows.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type * as cri from './cri-types.ts';
import { type ContainerRuntime, RuntimeError, type RuntimeEvent } from './runtime.ts';

/** What a container under test does. */
export type Behaviour =
  | { does: 'run' }
  | { does: 'exit'; code: number; afterSeconds: number }
  | { does: 'end on stop'; code: number }
  | { does: 'ignore stop' };

export interface RuntimeSubject {
  runtime: ContainerRuntime;
  /** An image that is there. */
  image: string;
  /** False where there are no processes to run commands in. */
  canExec: boolean;
  /** A container of `image` that behaves so. */
  container(name: string, behaviour: Behaviour): cri.ContainerConfig;
  /** A pod without anything particular. */
  pod(name: string): cri.PodSandboxConfig;
  /** Lets a little time pass. */
  pass(): Promise<void>;
}

export interface ContractOptions {
  skip?: string | false;
}

/** Runs the suite on the runtime that `subject` gives; it is asked once for each test. */
export function runtimeContract(name: string, subject: () => RuntimeSubject, { skip = false }: ContractOptions = {}): void {
  const promise = (title: string, check: (trial: Trial, t: TestContext) => Promise<void>) =>
    test(`${name}: ${title}`, { skip }, async (t) => {
      const trial = new Trial(subject());
      t.after(() => trial.cleanUp());
      await check(trial, t);
    });

  promise('says who it is, and that it and its network are ready', async ({ runtime }) => {
    const version = await runtime.version();
    assert.ok(version.runtimeName);
    assert.equal(version.runtimeApiVersion, 'v1');
    const conditions = (await runtime.status()).status?.conditions ?? [];
    assert.deepEqual(
      conditions.filter(({ type }) => type === 'RuntimeReady' || type === 'NetworkReady').map(({ status }) => status),
      [true, true],
    );
  });

  promise('a sandbox is ready with an address, stops, and is gone when removed', async ({ runtime, subject, run }) => {
    const config = subject.pod('life');
    const id = await run(config);
    const status = await runtime.podSandboxStatus(id);
    assert.equal(status?.state, 'SANDBOX_READY');
    assert.match(status?.network?.ip ?? '', /^\d+\.\d+\.\d+\.\d+$/);
    assert.deepEqual(status?.metadata, config.metadata);
    assert.deepEqual(status?.labels, config.labels);
    await runtime.stopPodSandbox(id);
    assert.equal((await runtime.podSandboxStatus(id))?.state, 'SANDBOX_NOTREADY');
    await runtime.removePodSandbox(id);
    assert.equal(await runtime.podSandboxStatus(id), undefined);
  });

  promise('two sandboxes have different addresses', async ({ runtime, subject, run }) => {
    const ids = [await run(subject.pod('a')), await run(subject.pod('b'))];
    const statuses = await Promise.all(ids.map((id) => runtime.podSandboxStatus(id)));
    assert.notEqual(statuses[0]?.network?.ip, statuses[1]?.network?.ip);
  });

  promise('a container is created, runs, and exits with its code', async (trial) => {
    const { runtime, subject } = trial;
    const pod = subject.pod('exit');
    const sandboxId = await trial.run(pod);
    const config = subject.container('main', { does: 'exit', code: 3, afterSeconds: 0.2 });
    const id = await runtime.createContainer(sandboxId, config, pod);
    const created = await runtime.containerStatus(id);
    assert.equal(created?.state, 'CONTAINER_CREATED');
    assert.deepEqual(created?.metadata, config.metadata);
    assert.equal(created?.startedAt, 0);
    await runtime.startContainer(id);
    const exited = await trial.untilExited(id);
    assert.equal(exited.exitCode, 3);
    assert.equal(exited.reason, 'Error');
    assert.ok((exited.startedAt ?? 0) >= (exited.createdAt ?? 0));
    assert.ok((exited.finishedAt ?? 0) > (exited.startedAt ?? 0));
  });

  promise('an exit with 0 is told as Completed', async (trial) => {
    const id = await trial.start('done', { does: 'exit', code: 0, afterSeconds: 0 });
    const exited = await trial.untilExited(id);
    assert.equal(exited.exitCode, 0);
    assert.equal(exited.reason, 'Completed');
  });

  promise('stopping lets a container end by itself', async (trial) => {
    const id = await trial.start('polite', { does: 'end on stop', code: 5 });
    await trial.settled(trial.runtime.stopContainer(id, 30));
    assert.equal((await trial.untilExited(id)).exitCode, 5);
  });

  promise('stopping kills a container that does not end within its grace', async (trial) => {
    const id = await trial.start('stubborn', { does: 'ignore stop' });
    await trial.settled(trial.runtime.stopContainer(id, 1));
    assert.equal((await trial.untilExited(id)).exitCode, 137);
  });

  promise('stopping with no grace kills at once', async (trial) => {
    const id = await trial.start('killed', { does: 'ignore stop' });
    await trial.settled(trial.runtime.stopContainer(id, 0));
    assert.equal((await trial.untilExited(id)).exitCode, 137);
  });

  promise('stopping a sandbox ends its containers, and removing it removes them', async (trial) => {
    const { runtime } = trial;
    const id = await trial.start('inside', { does: 'run' });
    const [container] = await runtime.listContainers({ id });
    const podSandboxId = container?.podSandboxId ?? '';
    await trial.settled(runtime.stopPodSandbox(podSandboxId));
    assert.equal((await trial.untilExited(id)).exitCode, 137);
    await runtime.removePodSandbox(podSandboxId);
    assert.equal(await runtime.containerStatus(id), undefined);
  });

  promise('what is gone already may be stopped and removed again', async (trial) => {
    const { runtime, subject } = trial;
    const id = await trial.start('again', { does: 'run' });
    const [container] = await runtime.listContainers({ id });
    const podSandboxId = container?.podSandboxId ?? '';
    for (let round = 0; round < 2; round++) await trial.settled(runtime.stopContainer(id, 0));
    for (let round = 0; round < 2; round++) await runtime.removeContainer(id);
    for (let round = 0; round < 2; round++) await runtime.stopPodSandbox(podSandboxId);
    for (let round = 0; round < 2; round++) await runtime.removePodSandbox(podSandboxId);
    await runtime.stopPodSandbox(podSandboxId);
    await runtime.stopContainer(id, 0);
    await runtime.removeImage(`${subject.image}-of-nowhere`);
  });

  promise('lists are narrowed by id, state, sandbox and labels', async (trial) => {
    const { runtime, subject } = trial;
    const pods = [subject.pod('first'), subject.pod('second')];
    const sandboxIds = [await trial.run(pods[0]!), await trial.run(pods[1]!)];
    await runtime.stopPodSandbox(sandboxIds[1]!);
    const sandboxes = async (filter: cri.PodSandboxFilter) => (await runtime.listPodSandboxes(filter)).map((one) => one.id).sort();
    assert.deepEqual(await sandboxes({}), [...sandboxIds].sort());
    assert.deepEqual(await sandboxes({ id: sandboxIds[0]! }), [sandboxIds[0]]);
    assert.deepEqual(await sandboxes({ state: { state: 'SANDBOX_NOTREADY' } }), [sandboxIds[1]]);
    assert.deepEqual(await sandboxes({ labelSelector: { name: 'first' } }), [sandboxIds[0]]);
    assert.deepEqual(await sandboxes({ labelSelector: { name: 'third' } }), []);
    const one = await runtime.createContainer(sandboxIds[0]!, subject.container('one', { does: 'run' }), pods[0]!);
    const two = await runtime.createContainer(sandboxIds[0]!, subject.container('two', { does: 'run' }), pods[0]!);
    await runtime.startContainer(two);
    const containers = async (filter: cri.ContainerFilter) => (await runtime.listContainers(filter)).map((found) => found.id).sort();
    assert.deepEqual(await containers({ podSandboxId: sandboxIds[0]! }), [one, two].sort());
    assert.deepEqual(await containers({ podSandboxId: sandboxIds[1]! }), []);
    assert.deepEqual(await containers({ state: { state: 'CONTAINER_CREATED' } }), [one]);
    assert.deepEqual(await containers({ state: { state: 'CONTAINER_RUNNING' } }), [two]);
    assert.deepEqual(await containers({ labelSelector: { container: 'one' } }), [one]);
    assert.deepEqual(await containers({ id: two }), [two]);
  });

  promise('of what is unknown there is no status, and it cannot be started', async ({ runtime, subject }) => {
    assert.equal(await runtime.podSandboxStatus('nowhere'), undefined);
    assert.equal(await runtime.containerStatus('nowhere'), undefined);
    assert.equal(await runtime.containerStats('nowhere'), undefined);
    assert.equal(await runtime.imageStatus('nowhere.example/none:1'), undefined);
    await assertRuntimeError(runtime.startContainer('nowhere'), 'NotFound');
    await assertRuntimeError(runtime.execSync('nowhere', ['true'], 1), 'NotFound');
    await assertRuntimeError(
      runtime.createContainer('nowhere', subject.container('main', { does: 'run' }), subject.pod('none')),
      'NotFound',
    );
  });

  promise('a container of an image that is not there cannot be created', async ({ runtime, subject, run }) => {
    const pod = subject.pod('imageless');
    const config = { ...subject.container('main', { does: 'run' }), image: { image: 'nowhere.example/none:1' } };
    await assertRuntimeError(runtime.createContainer(await run(pod), config, pod), 'NotFound');
  });

  promise('an image is known by its name and its id, and listed', async ({ runtime, subject }) => {
    const byName = await runtime.imageStatus(subject.image);
    assert.match(byName?.id ?? '', /^sha256:[0-9a-f]{64}$/);
    assert.deepEqual((await runtime.imageStatus(byName?.id ?? ''))?.id, byName?.id);
    assert.ok(
      (await runtime.listImages()).some((image) => image.id === byName?.id && image.repoTags?.some((tag) => tag.includes(subject.image))),
    );
    const [usage] = await runtime.imageFsInfo();
    assert.ok(usage?.fsId?.mountpoint);
  });

  promise('a running container has statistics', async (trial) => {
    const { runtime } = trial;
    const id = await trial.start('busy', { does: 'run' });
    const [container] = await runtime.listContainers({ id });
    const all = await runtime.listContainerStats({ podSandboxId: container?.podSandboxId ?? '' });
    assert.deepEqual(
      all.map((stats) => stats.attributes?.id),
      [id],
    );
    const stats = await runtime.containerStats(id);
    assert.equal(stats?.attributes?.metadata?.name, 'busy');
    assert.ok((stats?.memory?.workingSetBytes?.value ?? 0) > 0);
    assert.ok((stats?.cpu?.timestamp ?? 0) > 0);
  });

  promise('a subscriber is told to look first, then of every start and end, which a look then shows', async (trial, t) => {
    const { runtime } = trial;
    const seen: RuntimeEvent[] = [];
    const shown: Promise<unknown>[] = [];
    const subscription = runtime.events().subscribe((event) => {
      seen.push(event);
      if (event.type === 'stopped' && event.id === id) shown.push(runtime.containerStatus(event.id).then((status) => status?.state));
    });
    t.after(() => subscription.unsubscribe());
    let id = '';
    await trial.until(() => seen.length > 0);
    assert.deepEqual(seen[0], { type: 'resync' });
    id = await trial.start('watched', { does: 'exit', code: 1, afterSeconds: 0.2 });
    const [container] = await runtime.listContainers({ id });
    const { podSandboxId } = container ?? {};
    const isSeen = (type: RuntimeEvent['type'], of: string | undefined) =>
      seen.some((event) => event.type === type && 'id' in event && event.id === of && event.podSandboxId === podSandboxId);
    await trial.until(() => isSeen('started', id) && isSeen('stopped', id));
    assert.deepEqual(await Promise.all(shown), ['CONTAINER_EXITED']);
    await runtime.stopPodSandbox(podSandboxId ?? '');
    await trial.until(() => isSeen('stopped', podSandboxId));
  });

  promise('a command in a container tells its output and exit code, where there are processes', async (trial, t) => {
    const { runtime, subject } = trial;
    if (!subject.canExec) {
      const id = await trial.start('exec', { does: 'run' });
      await assertRuntimeError(runtime.exec({ containerId: id, cmd: ['true'], stdout: true }), 'Unimplemented');
      await assertRuntimeError(runtime.attach({ containerId: id, stdout: true }), 'Unimplemented');
      return;
    }
    const id = await trial.start('exec', { does: 'run' });
    const { stdout, stderr, exitCode } = await runtime.execSync(id, ['sh', '-c', 'echo out; echo err >&2; exit 4'], 10);
    assert.deepEqual([Buffer.from(stdout).toString(), Buffer.from(stderr).toString(), exitCode], ['out\n', 'err\n', 4]);
    await assertRuntimeError(runtime.execSync(id, ['sh', '-c', 'sleep 60 & sleep 60'], 0.1), 'DeadlineExceeded');
    for (const url of [
      await runtime.exec({ containerId: id, cmd: ['true'], stdout: true }),
      await runtime.attach({ containerId: id, stdout: true }),
    ]) {
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\//);
    }
    t.diagnostic('streams answered with URLs');
  });
}

/** One test's sandboxes, removed after it, and ways to wait. */
class Trial {
  readonly subject: RuntimeSubject;
  readonly runtime: ContainerRuntime;
  readonly #sandboxIds: string[] = [];

  constructor(subject: RuntimeSubject) {
    this.subject = subject;
    this.runtime = subject.runtime;
  }

  readonly run = async (config: cri.PodSandboxConfig): Promise<string> => {
    const id = await this.runtime.runPodSandbox(config);
    this.#sandboxIds.push(id);
    return id;
  };

  /** A pod of one container, which runs; returns the container's id. */
  async start(name: string, behaviour: Behaviour): Promise<string> {
    const pod = this.subject.pod(name);
    const sandboxId = await this.run(pod);
    const id = await this.runtime.createContainer(sandboxId, this.subject.container(name, behaviour), pod);
    await this.runtime.startContainer(id);
    return id;
  }

  async until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < turnsMax; turn++) {
      if (await isTrue()) return;
      await this.subject.pass();
    }
    assert.fail('waited long enough');
  }

  async untilExited(id: string): Promise<cri.ContainerStatus> {
    let status: cri.ContainerStatus | undefined;
    await this.until(async () => {
      status = await this.runtime.containerStatus(id);
      return status?.state === 'CONTAINER_EXITED';
    });
    assert.ok(status);
    return status;
  }

  /** Awaits what may need time to pass. */
  async settled(promise: Promise<void>): Promise<void> {
    let isDone = false;
    const done = promise.finally(() => {
      isDone = true;
    });
    await this.until(() => isDone);
    await done;
  }

  async cleanUp(): Promise<void> {
    for (const id of this.#sandboxIds) await this.runtime.removePodSandbox(id);
  }
}

const turnsMax = 500;

async function assertRuntimeError(promise: Promise<unknown>, code: RuntimeError['code']): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof RuntimeError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}
