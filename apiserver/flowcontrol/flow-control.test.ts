import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/flowcontrol.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { MetricsRegistry } from '../../client/metrics/registry.ts';
import { readRequest } from '../filters/request-info.ts';
import { bootstrapFlowSchemas, bootstrapPriorityLevels } from '../resources/flowcontrol-bootstrap.ts';
import { FlowControl, type Started } from './flow-control.ts';
import { FlowMetrics } from './flow-metrics.ts';
import type { QueuedRequest } from './queue-set.ts';
import { shareSeats } from './share-seats.ts';
import { dealHand, hashFlow } from './shuffle-sharding.ts';

const noQuery = new URLSearchParams();
const user = (name: string, ...groups: string[]) => ({ name, groups: [...groups, 'system:authenticated'] });

interface Settings {
  seats?: number;
  schemas?: readonly FlowSchema[];
  levels?: readonly PriorityLevelConfiguration[];
  stored?: { count: number; bytes: number };
}

function flowControlOf({ seats = 10, schemas = bootstrapFlowSchemas, levels = bootstrapPriorityLevels, stored }: Settings = {}) {
  const clock = new VirtualClock();
  const registry = new MetricsRegistry({}, { counts: false });
  const flowControl = new FlowControl({ clock, metrics: new FlowMetrics(registry, clock), seats, stored: () => stored });
  flowControl.configure(schemas, levels);
  const ask = (name: string, path = '/api/v1/namespaces/a/configmaps/x', method = 'GET', query = noQuery): Started =>
    flowControl.start(user(name), readRequest(method, path, query), query);
  return { clock, flowControl, ask, registry };
}

/** Everyone's requests at a level with these seats and queues, told apart by user. */
function oneLevel(options: { seats: number; queues?: number; handSize?: number; queueLengthLimit?: number }) {
  const { seats, queues = 16, handSize = 1, queueLengthLimit = 100 } = options;
  const level: PriorityLevelConfiguration = {
    metadata: { name: 'one' },
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: 1_000_000,
        limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit } },
      },
    },
  };
  const schema: FlowSchema = {
    metadata: { name: 'all', uid: 'u' },
    spec: {
      priorityLevelConfiguration: { name: 'one' },
      matchingPrecedence: 5,
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'Group', group: { name: 'system:authenticated' } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
        },
      ],
    },
  };
  return flowControlOf({ seats, levels: [level], schemas: [schema] });
}

test('a request belongs to the matching flow schema of the lowest precedence', () => {
  const { flowControl } = flowControlOf({ seats: 600 });
  const flowOf = (who: { name: string; groups: string[] }, method: string, path: string) =>
    flowControl.start(who, readRequest(method, path, noQuery), noQuery).flow.name;
  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n';
  assert.equal(flowOf(user('admin', 'system:masters'), 'GET', '/api/v1/pods'), 'exempt');
  assert.equal(flowOf(user('ann'), 'GET', '/readyz'), 'probes');
  assert.equal(flowOf(user('system:node:n', 'system:nodes'), 'PUT', lease), 'system-node-high');
  assert.equal(flowOf(user('system:node:n', 'system:nodes'), 'PATCH', '/api/v1/nodes/n/status'), 'system-node-high');
  assert.equal(flowOf(user('system:node:n', 'system:nodes'), 'GET', '/api/v1/pods'), 'system-nodes');
  assert.equal(flowOf(user('system:kube-scheduler'), 'PUT', lease), 'system-leader-election');
  assert.equal(flowOf(user('system:kube-scheduler'), 'GET', '/api/v1/pods'), 'kube-scheduler');
  assert.equal(flowOf(user('system:serviceaccount:kube-system:x'), 'GET', '/api/v1/pods'), 'kube-system-service-accounts');
  assert.equal(flowOf(user('system:serviceaccount:a:x', 'system:serviceaccounts'), 'GET', '/api/v1/pods'), 'service-accounts');
  assert.equal(flowOf(user('ann'), 'GET', '/api/v1/pods'), 'global-default');
  assert.equal(flowOf({ name: 'odd', groups: [] }, 'GET', '/api/v1/pods'), 'catch-all');
});

test('the seats of 600 are divided by shares, and no request takes more than a level allows', () => {
  const { flowControl } = flowControlOf({ seats: 600 });
  const seats = Object.fromEntries(
    flowControl.levels.map((level) => [level.name, [level.nominalSeats, level.minSeats, level.requestSeatsMax]]),
  );
  assert.deepEqual(seats, {
    exempt: [0, 0, 0],
    'catch-all': [13, 13, 0],
    system: [74, 50, 12],
    'node-high': [98, 73, 15],
    'leader-election': [25, 25, 4],
    'workload-high': [98, 49, 15],
    'workload-low': [245, 24, 37],
    'global-default': [49, 24, 8],
  });
});

test('one flow that floods is worked on no more often than one that asks now and then', () => {
  const { ask, flowControl } = oneLevel({ seats: 1, queues: 64, handSize: 1 });
  const order: string[] = [];
  const follow = (name: string): { started: Started; request: QueuedRequest } => {
    const started = ask(name);
    const request = started.request as QueuedRequest;
    request.onDecided = () => order.push(name);
    return { started, request };
  };
  const working = follow('flood');
  const flood = Array.from({ length: 50 }, () => follow('flood'));
  const late = follow('late');
  const waiting = [...flood, late];
  flowControl.finish(working.started, working.request);
  for (let i = 0; i < waiting.length; i++) {
    const executing = waiting.find(({ request }) => request.state === 'executing');
    assert.ok(executing);
    flowControl.finish(executing.started, executing.request);
  }
  assert.equal(order.length, 51);
  assert.ok(order.indexOf('late') <= 1, `late came after ${order.indexOf('late')} of the flood`);
});

test('a queue that is full rejects, one request goes when its time to wait is over, and the level without queues rejects at once', () => {
  const { ask, flowControl } = oneLevel({ seats: 1, queueLengthLimit: 2 });
  const first = ask('a');
  const second = ask('a').request as QueuedRequest;
  const third = ask('a').request as QueuedRequest;
  assert.equal(ask('a').request, undefined);
  assert.deepEqual([first.request?.state, second.state, third.state], ['executing', 'waiting', 'waiting']);
  first.flow.level.queues.abandon(second, 'time-out');
  assert.equal(second.state, 'rejected');
  flowControl.finish(first, first.request as QueuedRequest);
  assert.equal(third.state, 'executing');
  assert.equal(first.flow.level.queues.timedOut, 1);
  const { flowControl: strict } = flowControlOf({ seats: 1, schemas: [], levels: [] });
  const odd = () => strict.start({ name: 'odd', groups: [] }, readRequest('GET', '/api/v1/pods', noQuery), noQuery).request;
  assert.equal(odd()?.state, 'executing');
  assert.equal(odd(), undefined);
});

test('virtual time favours the flow that has taken less, by work and not by number of requests', async () => {
  const { ask, flowControl, clock } = oneLevel({ seats: 1, queues: 64, handSize: 1 });
  const served = { slow: 0, quick: 0 };
  const ms = { slow: 90, quick: 10 };
  const pending: { name: 'slow' | 'quick'; started: Started; request: QueuedRequest }[] = [];
  for (let i = 0; i < 60; i++)
    for (const name of ['slow', 'quick'] as const) {
      const started = ask(name);
      pending.push({ name, started, request: started.request as QueuedRequest });
    }
  for (let turn = 0; turn < 40; turn++) {
    const at = pending.findIndex(({ request }) => request.state === 'executing');
    const [executing] = pending.splice(at, 1);
    assert.ok(executing);
    await clock.step(ms[executing.name]);
    flowControl.finish(executing.started, executing.request);
    served[executing.name]++;
  }
  // Nine times as long each: about nine of the quick ones for each of the slow.
  assert.ok(served.quick >= 7 * served.slow, `${served.quick} quick, ${served.slow} slow`);
  assert.ok(served.slow > 0);
});

test('lists take seats by their bytes, and writes hold some for the watches that hear of them', async () => {
  const { ask, flowControl, clock } = flowControlOf({ seats: 600, stored: { count: 1000, bytes: 10_000_000 } });
  const seatsOf = (path: string, method: string, query = '') => ask('ann', path, method, new URLSearchParams(query)).request?.seats;
  assert.equal(seatsOf('/api/v1/pods', 'GET'), 8);
  assert.equal(seatsOf('/api/v1/pods', 'GET', 'limit=20'), 2);
  assert.equal(seatsOf('/api/v1/namespaces/a/pods/x', 'GET'), 1);
  assert.equal(seatsOf('/api/v1/pods', 'GET', 'watch=1&resourceVersion=5'), 1);
  assert.equal(seatsOf('/api/v1/pods', 'GET', 'watch=1&resourceVersion=0'), 8);
  const watched = readRequest('GET', '/api/v1/services', new URLSearchParams('watch=1'));
  const forget = Array.from({ length: 30 }, () => flowControl.watches.add(watched, null));
  const write = ask('bob', '/api/v1/namespaces/a/services', 'POST');
  assert.equal(write.request?.seats, 3);
  assert.equal(write.request?.work.additionalMs, 5);
  const { queues } = write.flow.level;
  const before = queues.seatsInUse;
  flowControl.finish(write, write.request as QueuedRequest);
  assert.equal(queues.seatsInUse, before);
  await clock.step(5);
  assert.equal(queues.seatsInUse, before - 3);
  for (const each of forget) each();
  assert.equal(ask('bob', '/api/v1/namespaces/a/services', 'POST').request?.seats, 1);
});

test('seats that others do not need are lent, and come back when they do', async () => {
  const { ask, flowControl, clock } = flowControlOf({ seats: 600 });
  const seatsOf = (name: string) => flowControl.levels.find((level) => level.name === name)?.currentSeats ?? 0;
  for (let i = 0; i < 300; i++) ask('ann');
  await clock.step(60_000);
  const lent = seatsOf('global-default');
  assert.ok(lent > 150, `${lent} seats`);
  assert.ok(seatsOf('node-high') >= 73);
  const held = Array.from({ length: 100 }, () => {
    const info = readRequest('GET', '/api/v1/nodes/n', noQuery);
    return flowControl.start(user('system:node:n', 'system:nodes'), info, noQuery).request;
  });
  assert.ok(held.filter((request) => request?.state === 'executing').length >= 73);
  await clock.step(20_000);
  assert.ok(seatsOf('node-high') >= 98);
});

test('a level whose object is gone finishes what it has begun, and its schema no longer counts', () => {
  const { ask, flowControl } = flowControlOf({ seats: 600 });
  const begun = ask('ann');
  assert.equal(begun.flow.level.name, 'global-default');
  flowControl.configure(
    bootstrapFlowSchemas,
    bootstrapPriorityLevels.filter(({ metadata }) => metadata?.name !== 'global-default'),
  );
  assert.equal(ask('ann').flow.name, 'catch-all');
  assert.equal(begun.flow.level.isQuiescing, true);
  flowControl.finish(begun, begun.request as QueuedRequest);
  assert.equal(
    flowControl.levels.some(({ name }) => name === 'global-default'),
    false,
  );
});

test('a hand holds different queues, the same for the same flow, and all queues alike over many flows', () => {
  const seen = new Array<number>(64).fill(0);
  for (let i = 0; i < 4000; i++) {
    const hand = dealHand(hashFlow('schema', `user-${i}`), 64, 6);
    assert.equal(new Set(hand).size, 6);
    assert.ok(hand.every((queue) => queue >= 0 && queue < 64));
    for (const queue of hand) seen[queue] = (seen[queue] ?? 0) + 1;
  }
  assert.deepEqual(dealHand(hashFlow('a', 'b'), 64, 6), dealHand(hashFlow('a', 'b'), 64, 6));
  assert.ok(Math.min(...seen) > 280 && Math.max(...seen) < 480, `${Math.min(...seen)} to ${Math.max(...seen)}`);
});

test('shared seats add up, keep to their bounds, and are one fraction of every target that no bound stops', () => {
  const seed = 7;
  const random = seededRandom(seed);
  for (let round = 0; round < 500; round++) {
    const claims = Array.from({ length: 1 + Math.floor(random.float() * 8) }, () => {
      const lowerBound = Math.floor(random.float() * 50);
      return { lowerBound, target: lowerBound + random.float() * 200, upperBound: lowerBound + Math.floor(random.float() * 300) };
    });
    const low = claims.reduce((sum, { lowerBound }) => sum + lowerBound, 0);
    const high = claims.reduce((sum, { upperBound }) => sum + upperBound, 0);
    const seats = low + Math.floor(random.float() * (high - low + 1));
    const shared = shareSeats(seats, claims);
    assert.ok(shared, `seed ${seed}, round ${round}`);
    const total = shared.shares.reduce((sum, share) => sum + share, 0);
    assert.ok(Math.abs(total - seats) < 1e-6, `seed ${seed}, round ${round}: ${total} of ${seats}`);
    for (const [i, { lowerBound, target, upperBound }] of claims.entries()) {
      const share: number = shared.shares[i] ?? -1;
      assert.ok(share >= lowerBound && share <= upperBound);
      if (share > lowerBound + 1e-6 && share < upperBound - 1e-6) assert.ok(Math.abs(share - shared.fairFraction * target) < 1e-3);
    }
  }
  assert.equal(shareSeats(5, [{ lowerBound: 10, target: 10, upperBound: 20 }]), undefined);
});

test('how long a level was how busy is told in nanoseconds', async () => {
  const { ask, clock, flowControl, registry } = oneLevel({ seats: 4, queueLengthLimit: 10, queues: 1 });
  const begun = [ask('a'), ask('a')];
  await clock.step(1000);
  for (const started of begun) flowControl.finish(started, started.request as QueuedRequest);
  await clock.step(3000);
  const lines = (await registry.render()).split('\n');
  const value = (series: string) =>
    Number(
      lines
        .find((line) => line.startsWith(`apiserver_flowcontrol_${series} `))
        ?.split(' ')
        .at(-1),
    );
  const of = 'phase="executing",priority_level="one"';
  const { currentSeats } = flowControl.levels.find(({ name }) => name === 'one') ?? { currentSeats: 0 };
  assert.equal(value(`priority_level_seat_utilization_count{${of}}`), 4e9);
  assert.equal(value(`priority_level_seat_utilization_bucket{${of},le="0"}`), 3e9, 'idle for three seconds');
  assert.equal(value(`priority_level_seat_utilization_bucket{${of},le="1"}`), 4e9);
  assert.ok(Math.abs(value(`priority_level_seat_utilization_sum{${of}}`) - (1e9 * 2) / currentSeats) < 1);
  assert.equal(value(`priority_level_request_utilization_bucket{${of},le="0"}`), 3e9);
  assert.equal(value('priority_level_request_utilization_bucket{phase="waiting",priority_level="one",le="0"}'), 4e9);
  assert.equal(value('demand_seats_count{priority_level="one"}'), 4e9);
  assert.equal(value('read_vs_write_current_requests_count{phase="executing",request_kind="readOnly"}'), 4e9);
  flowControl.close();
});
