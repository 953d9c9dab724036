import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countUsage } from '../../controller/resourcequota/plan.ts';
import { createMemoryStore } from '../../store/memory.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { builtInAdmission } from './built-in.ts';

const path = '/api/v1/namespaces/default';

/** A quota whose usage is known, as after the controller's first look. */
async function makeQuota(server: ServerFixture, name: string, spec: { hard: Record<string, string> }): Promise<void> {
  const made = await server.ask('POST', `${path}/resourcequotas`, { metadata: { name }, spec });
  assert.equal(made.status, 201, made.text);
  const status = countUsage(made.json, []);
  assert.equal((await server.ask('PUT', `${path}/resourcequotas/${name}/status`, { ...made.json, status })).status, 200);
}

const pod = (name: string, requests?: object) => ({
  metadata: { name },
  spec: { containers: [{ name: 'a', image: 'x', ...(requests ? { resources: { requests, limits: requests } } : {}) }] },
});

test('what exceeds a quota is refused, and told by how much', async () => {
  const server = await startServer({ admission: builtInAdmission });
  await makeQuota(server, 'q', { hard: { pods: '2', 'requests.cpu': '1' } });
  const ask = (body: unknown) => server.ask('POST', `${path}/pods`, body);
  const silent = await ask(pod('silent'));
  assert.equal(silent.json.message, 'pods "silent" is forbidden: failed quota: q: must specify requests.cpu for: a');
  const big = await ask(pod('big', { cpu: '1500m' }));
  const why = 'exceeded quota: q, requested: requests.cpu=1500m, used: requests.cpu=0, limited: requests.cpu=1';
  assert.equal(big.json.message, `pods "big" is forbidden: ${why}`);
  assert.equal((await ask(pod('a', { cpu: '100m' }))).status, 201);
  assert.equal((await ask(pod('b', { cpu: '100m' }))).status, 201);
  const third = await ask(pod('c', { cpu: '100m' }));
  assert.equal(third.json.message, 'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2');
  const { json } = await server.ask('GET', `${path}/resourcequotas/q`);
  assert.deepEqual(json.status.used, { pods: '2', 'requests.cpu': '200m' });
  await server.close();
});

test('a quota whose usage is not known yet lets nothing through', async () => {
  const server = await startServer({ admission: builtInAdmission });
  await server.ask('POST', `${path}/resourcequotas`, { metadata: { name: 'new' }, spec: { hard: { 'count/deployments.apps': '1' } } });
  const template = { metadata: { labels: { a: 'b' } }, spec: pod('x').spec };
  const deployment = { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } };
  const { json } = await server.ask('POST', '/apis/apps/v1/namespaces/default/deployments', deployment);
  assert.equal(json.message, 'deployments.apps "d" is forbidden: status unknown for quota: new, resources: count/deployments.apps');
  await server.close();
});

test('creates at the same time, through two servers on one store, never exceed a quota', async () => {
  const seed = Date.now() % 100_000;
  console.log(`seed ${seed}`);
  const amounts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 4, maxLength: 16 });
  await fc.assert(
    fc.asyncProperty(amounts, fc.integer({ min: 1, max: 30 }), async (wanted, limit) => {
      const store = createMemoryStore();
      const servers = [
        await startServer({ store, admission: builtInAdmission }),
        await startServer({ store, admission: builtInAdmission }),
      ];
      const [first, second] = servers as [ServerFixture, ServerFixture];
      await makeQuota(first, 'q', { hard: { 'requests.cpu': String(limit) } });
      await second.ask('GET', `${path}/resourcequotas`);
      const answers = await Promise.all(
        wanted.map((cpu, index) => (index % 2 ? second : first).ask('POST', `${path}/pods`, pod(`p${index}`, { cpu: String(cpu) }))),
      );
      const stored = wanted.filter((_, index) => answers[index]?.status === 201).reduce((sum, cpu) => sum + cpu, 0);
      const { json } = await first.ask('GET', `${path}/resourcequotas/q`);
      assert.ok(stored <= limit, `${stored} of ${limit}`);
      assert.equal(Number(json.status.used['requests.cpu']), stored);
      for (const [index, answer] of answers.entries()) {
        assert.ok(answer.status === 201 || answer.status === 403, answer.text);
        if (answer.status === 403) assert.ok((wanted[index] ?? 0) + stored > limit, 'what fits is let in');
      }
      for (const server of servers) await server.close();
    }),
    { seed, numRuns: 15 },
  );
});
