import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { flowSchemas, priorityLevelConfigurations } from '../../api/flowcontrol.ts';
import { settleEventLoop } from '../../base/virtual-clock.ts';
import { createClient } from '../../client/rest-client.ts';
import { type ApiResponse, readBody } from '../../client/transport.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';

/** Requests of `slow` are held here, inside of the filter, until they are let go. */
const held: (() => void)[] = [];
const authorizer: Authorizer = async ({ user, path }) => {
  if (user.name === 'slow' && !path.startsWith('/debug')) await new Promise<void>((resolve) => held.push(resolve));
  return { decision: 'allow', reason: '' };
};
const letGo = async () => {
  while (held.length) {
    for (const release of held.splice(0)) release();
    await settleEventLoop();
  }
};

let fixture: ServerFixture;
before(async () => {
  fixture = await startServer({ authorizer });
});
after(() => fixture.close());

const as = (name: string, ...groups: string[]) => fixture.server.transport({ name, groups });

test('every answer names the flow schema and priority level that its request was matched to', async () => {
  const schema = await fixture.client.get(flowSchemas, { name: 'exempt' });
  const level = await fixture.client.get(priorityLevelConfigurations, { name: 'exempt' });
  const { headers } = await fixture.ask('GET', '/api/v1/namespaces');
  assert.equal(headers['x-kubernetes-pf-flowschema-uid'], schema.metadata?.uid);
  assert.equal(headers['x-kubernetes-pf-prioritylevel-uid'], level.metadata?.uid);
});

test('two thousand requests at once of one client do not keep a node from renewing its lease, nor an administrator out', async () => {
  const order: string[] = [];
  const answers: Promise<ApiResponse>[] = [];
  for (let i = 0; i < 2000; i++) {
    const answer = as('slow').request({ method: 'GET', path: '/api/v1/namespaces/default/configmaps' });
    answer.then(() => order.push('flood'));
    answers.push(answer);
  }
  await settleEventLoop();
  const refused = order.length;
  assert.ok(refused > 1000, `${refused} were refused at once`);
  const levels = (await fixture.ask('GET', '/debug/api_priority_and_fairness/dump_priority_levels')).text;
  assert.match(levels, /^PriorityLevelName, +ActiveQueues, +IsIdle, +IsQuiescing, /);
  assert.match(levels, /^global-default, +[1-6], +false, +false, +[1-9]\d*, +[1-9]\d*, /m);
  const waiting = (await fixture.ask('GET', '/debug/api_priority_and_fairness/dump_requests?includeRequestDetails=1')).text;
  assert.match(waiting, /^global-default, +global-default, +\d+, +0, +slow, .*slow, +list, +\/api\/v1\/namespaces\/default\/configmaps/m);
  assert.match((await fixture.ask('GET', '/debug/api_priority_and_fairness/dump_queues')).text, /^PriorityLevelName, +Index, /);

  const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
  const node = as('system:node:n', 'system:nodes');
  const lease = JSON.stringify({ metadata: { name: 'n' }, spec: { holderIdentity: 'n' } });
  const renewed = await node.request({ method: 'POST', path: leases, body: lease, headers: { 'content-type': 'application/json' } });
  order.push('lease');
  assert.equal(renewed.status, 201);
  assert.equal((await fixture.ask('GET', '/api/v1/namespaces/default/configmaps')).status, 200);
  const quiet = as('quiet').request({ method: 'GET', path: '/api/v1/namespaces/default/configmaps' });
  quiet.then(() => order.push('quiet'));

  await letGo();
  const all = await Promise.all(answers);
  assert.equal((await quiet).status, 200);
  const codes = new Set(all.map(({ status }) => status));
  assert.deepEqual([...codes].sort(), [200, 429]);
  assert.equal(order.indexOf('lease'), refused);
  assert.ok(order.indexOf('quiet') < order.length - 100, 'somebody else waits behind the whole flood');
  const one = all.find(({ status }) => status === 429) as ApiResponse;
  assert.equal((await readBody(one)).toString(), 'Too many requests, please try again later.\n');
  assert.equal(one.headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(one.headers['retry-after'], '1');
  const metrics = (await fixture.ask('GET', '/metrics')).text;
  assert.match(
    metrics,
    /apiserver_flowcontrol_rejected_requests_total\{flow_schema="global-default",priority_level="global-default",reason="queue-full"\} \d{4}/,
  );
  assert.match(
    metrics,
    /apiserver_flowcontrol_current_executing_requests\{flow_schema="global-default",priority_level="global-default"\} 0/,
  );
});

test('a request that waits longer than a quarter of its time is refused', async () => {
  const path = '/api/v1/namespaces/default/secrets?timeout=20s';
  // Before seats are lent anew, after ten seconds.
  const answers = Array.from({ length: 120 }, () => as('slow').request({ method: 'GET', path }));
  await settleEventLoop();
  const codes: number[] = [];
  for (const answer of answers) answer.then(({ status }) => codes.push(status));
  await fixture.clock.step(4_900);
  assert.equal(codes.length, 0);
  await fixture.clock.step(200);
  const refused = codes.length;
  assert.ok(refused > 0);
  assert.deepEqual(new Set(codes), new Set([429]));
  await letGo();
  assert.equal((await Promise.all(answers)).filter(({ status }) => status === 200).length + refused, 120);
});

test('a watch holds its seat only until it has begun', async () => {
  const controllers = Array.from({ length: 300 }, () => new AbortController());
  const watches = await Promise.all(
    controllers.map(({ signal }) => as('ann').request({ method: 'GET', path: '/api/v1/configmaps?watch=1', signal })),
  );
  assert.deepEqual(new Set(watches.map(({ status }) => status)), new Set([200]));
  await settleEventLoop();
  assert.match((await fixture.ask('GET', '/debug/api_priority_and_fairness/dump_priority_levels')).text, /^global-default, +0, +true/m);
  for (const controller of controllers) controller.abort();
  await settleEventLoop();
});

test('a schema says whether its level is there, and an object that was changed or deleted comes back as it was meant', async () => {
  const client = createClient(as('admin', 'system:masters'));
  const danglingOf = async (name: string) =>
    (await client.get(flowSchemas, { name })).status?.conditions?.find(({ type }) => type === 'Dangling');
  await settleEventLoop();
  const found = await danglingOf('system-nodes');
  assert.deepEqual([found?.status, found?.reason], ['False', 'Found']);
  assert.equal(found?.message, 'This FlowSchema references the PriorityLevelConfiguration object named "system" and it exists');
  await client.delete(priorityLevelConfigurations, { name: 'system' });
  await settleEventLoop();
  const dangling = await danglingOf('system-nodes');
  assert.deepEqual([dangling?.status, dangling?.reason], ['True', 'NotFound']);
  await client.delete(flowSchemas, { name: 'catch-all' });
  const low = await client.get(priorityLevelConfigurations, { name: 'workload-low' });
  const limited = { ...low.spec?.limited, nominalConcurrencyShares: 1 } as NonNullable<NonNullable<typeof low.spec>['limited']>;
  await client.update(priorityLevelConfigurations, { ...low, spec: { type: 'Limited', limited } });
  const high = await client.get(priorityLevelConfigurations, { name: 'workload-high' });
  const annotations = { 'apf.kubernetes.io/autoupdate-spec': 'false' };
  await client.update(priorityLevelConfigurations, {
    ...high,
    metadata: { ...high.metadata, annotations },
    spec: { type: 'Limited', limited },
  });
  await fixture.clock.step(61_000);
  await settleEventLoop();
  assert.equal((await danglingOf('system-nodes'))?.status, 'False');
  assert.equal((await client.get(flowSchemas, { name: 'catch-all' })).spec?.matchingPrecedence, 10_000);
  const sharesOf = async (name: string) =>
    (await client.get(priorityLevelConfigurations, { name })).spec?.limited?.nominalConcurrencyShares;
  assert.equal(await sharesOf('workload-low'), 100);
  assert.equal(await sharesOf('workload-high'), 1);
});
