import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Container, Pod } from '../../api/core.ts';
import { crashBackoffRemainingMs, nextCrashBackoff } from './crash-backoff.ts';
import { containerHash } from './names.ts';
import { type PlanInput, planPod } from './plan.ts';
import type { ContainerState, PodState, SandboxState } from './pod-state.ts';

const nowMs = 1_000_000;
const sandbox = (over: Partial<SandboxState> = {}): SandboxState => ({
  id: 's0',
  attempt: 0,
  createdAtMs: 1,
  isReady: true,
  isHostNetwork: false,
  ips: ['10.0.0.1'],
  ...over,
});
const ran = (name: string, over: Partial<ContainerState> = {}): ContainerState => ({
  id: `${name}-0`,
  name,
  podSandboxId: 's0',
  state: 'running',
  restartCount: 0,
  hash: containerHash({ name, image: 'i' }),
  createdAtMs: 2,
  startedAtMs: 2,
  finishedAtMs: 0,
  exitCode: 0,
  reason: '',
  message: '',
  image: 'i',
  imageId: 'i',
  logPath: '',
  annotations: {},
  mounts: [],
  ...over,
});
const container = (name: string, over: Partial<Container> = {}): Container => ({ name, image: 'i', ...over });
const pod = (spec: Partial<NonNullable<Pod['spec']>> = {}): Pod => ({
  metadata: { name: 'p', namespace: 'd', uid: 'u' },
  spec: { containers: [container('app')], ...spec },
});
const plan = (p: Pod, state: PodState, over: Partial<PlanInput> = {}) =>
  planPod({ pod: p, state, probes: new Map(), backoffs: new Map(), nowMs, ...over });
const summary = (actions: ReturnType<typeof plan>) => actions.map((a) => ('name' in a ? `${a.type} ${a.name}` : a.type));

test('a new pod gets a sandbox and its first init container, nothing else', () => {
  const p = pod({ initContainers: [container('a'), container('b')] });
  assert.deepEqual(summary(plan(p, { sandboxes: [], containers: [] })), ['createSandbox', 'startContainer a']);
});

test('a pod that runs as it should needs nothing', () => {
  assert.deepEqual(plan(pod(), { sandboxes: [sandbox()], containers: [ran('app')] }), []);
});

test('an init container that failed ends a pod that never restarts, and is tried again otherwise', () => {
  const state = { sandboxes: [sandbox()], containers: [ran('a', { state: 'exited', exitCode: 1, finishedAtMs: nowMs })] };
  const spec = { initContainers: [container('a')] };
  assert.deepEqual(plan(pod({ ...spec, restartPolicy: 'Never' }), state), [{ type: 'killPod', isFinal: true }]);
  assert.deepEqual(summary(plan(pod({ ...spec, restartPolicy: 'OnFailure' }), state)), ['startContainer a']);
});

test('a sidecar lets the next container start once its startup probe has passed', () => {
  const p = pod({ initContainers: [container('side', { restartPolicy: 'Always', startupProbe: {} })] });
  const state = { sandboxes: [sandbox()], containers: [ran('side')] };
  assert.deepEqual(plan(p, state), []);
  assert.deepEqual(summary(plan(p, state, { probes: new Map([['side-0', { startup: 'success' as const }]]) })), ['startContainer app']);
});

test('sidecars alone do not keep a pod up', () => {
  const p = pod({ restartPolicy: 'Never', initContainers: [container('side', { restartPolicy: 'Always' })] });
  const state = { sandboxes: [sandbox()], containers: [ran('app', { state: 'exited' }), ran('side')] };
  assert.deepEqual(plan(p, state), [{ type: 'killPod', isFinal: true }]);
});

test('a dead sandbox is replaced with a higher attempt, and containers count their restarts on', () => {
  const state = { sandboxes: [sandbox({ isReady: false })], containers: [ran('app', { state: 'exited', exitCode: 255 })] };
  assert.deepEqual(plan(pod(), state), [
    { type: 'createSandbox', attempt: 1 },
    { type: 'startContainer', name: 'app', kind: 'regular', restartCount: 1, podSandboxId: undefined },
  ]);
  assert.deepEqual(plan(pod({ restartPolicy: 'Never' }), state), []);
});

test('a start that was interrupted begins again with the same restart count', () => {
  const state = { sandboxes: [sandbox()], containers: [ran('app', { state: 'created', restartCount: 4 })] };
  const actions = plan(pod(), state);
  assert.deepEqual(summary(actions), ['removeContainer app', 'startContainer app']);
  assert.equal(actions[1]?.type === 'startContainer' && actions[1].restartCount, 4);
});

test('a container that failed its liveness probe, or whose image changed, is killed', () => {
  const state = { sandboxes: [sandbox()], containers: [ran('app')] };
  const [failed] = plan(pod(), state, { probes: new Map([['app-0', { liveness: 'failure' as const }]]) });
  assert.equal(failed?.type === 'killContainer' && failed.message, 'Container app failed liveness probe, will be restarted');
  const [changed] = plan(pod({ containers: [container('app', { image: 'j' })] }), state);
  assert.equal(changed?.type === 'killContainer' && changed.message, 'Container app definition changed, will be restarted');
});

test('crash back-off doubles from 10 s to 5 min and is forgotten after 10 min of running', () => {
  let entry = nextCrashBackoff(undefined, 0, 0);
  const delays = [entry.delayMs];
  for (let atMs = 10_000; delays.length < 7; atMs += 300_000) {
    entry = nextCrashBackoff(entry, atMs, atMs);
    delays.push(entry.delayMs);
  }
  assert.deepEqual(delays, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  assert.equal(crashBackoffRemainingMs(entry, entry.atMs + 1000, entry.atMs + 2000), 299_000);
  assert.equal(crashBackoffRemainingMs(entry, entry.atMs + 600_001, entry.atMs + 600_002), 0);
});

const states = fc.constantFrom<ContainerState['state']>('running', 'exited', 'created', 'unknown');
const containers = (names: string[]) =>
  fc.tuple(
    ...names.map((name) =>
      fc.option(fc.tuple(states, fc.integer({ min: 0, max: 2 })).map(([state, exitCode]) => ran(name, { state, exitCode }))),
    ),
  );

test('whatever the state: no container is started twice, none that runs is started, and the plan changes nothing', () => {
  const seed = 20_260_101;
  fc.assert(
    fc.property(
      containers(['a', 'side', 'app', 'web']),
      fc.constantFrom('Always', 'OnFailure', 'Never'),
      fc.option(fc.boolean()),
      (found, restartPolicy, isReady) => {
        const p = pod({
          restartPolicy,
          initContainers: [container('a'), container('side', { restartPolicy: 'Always' })],
          containers: [container('app'), container('web')],
        });
        const sandboxes = isReady === null ? [] : [sandbox({ isReady })];
        const state = { sandboxes, containers: sandboxes.length ? found.filter((c) => c !== null) : [] };
        const before = JSON.stringify(state);
        const actions = plan(p, state);
        assert.equal(JSON.stringify(state), before);
        const started = actions.flatMap((a) => (a.type === 'startContainer' ? [a.name] : []));
        assert.equal(new Set(started).size, started.length);
        const isKilled = actions.some((a) => a.type === 'killPod');
        for (const c of state.containers) if (c.state === 'running' && isReady && !isKilled) assert.ok(!started.includes(c.name), c.name);
        // Init comes before the app unless the app has run here.
        const hasAppRun = isReady && state.containers.some((c) => ['app', 'web'].includes(c.name) && c.state !== 'created');
        if (started.includes('a') && !hasAppRun) assert.deepEqual(started, ['a']);
        if (restartPolicy === 'Never')
          for (const c of state.containers) if (c.name === 'app' && c.state === 'exited') assert.ok(!started.includes('app'));
      },
    ),
    { seed, numRuns: 500 },
  );
});
