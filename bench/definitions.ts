// What many custom resource definitions cost: one more of them, with what clients read next, beside ten and beside a
// thousand others; what each keeps in memory; OpenAPI of all of them; and custom objects beside config maps and pods.

import { mastersAuthorizer } from '../apiserver/authz/authorizer.ts';
import { allResources } from '../apiserver/resources/all.ts';
import { createApiServer } from '../apiserver/server.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { type ApiRequest, readBody } from '../client/transport.ts';
import { createMemoryStore } from '../store/memory.ts';

const server = await createApiServer({
  store: createMemoryStore(),
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  resources: allResources,
  authenticators: [],
  authorizer: mastersAuthorizer,
});
await server.ready();
const transport = server.transport({ name: 'bench', groups: ['system:masters'] });

async function ask(method: ApiRequest['method'], path: string, body?: object, accept = 'application/json'): Promise<Buffer> {
  const headers = { accept, ...(body ? { 'content-type': 'application/json' } : {}) };
  const response = await transport.request({ method, path, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const answer = await readBody(response);
  if (response.status > 299) throw new Error(`${method} ${path}: ${response.status} ${answer.toString()}`);
  return answer;
}

const field = (i: number) => ({ type: 'string', description: `Field ${i} of forty, each with a sentence about it.`, maxLength: 64 });
const properties = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`field${i}`, field(i)]));
const schema = { type: 'object', properties: { spec: { type: 'object', properties }, status: { type: 'object', properties } } };

function definition(i: number): object {
  const names = { plural: `kinds${i}`, kind: `Kind${i}` };
  const group = `group${i % 100}.example.com`;
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, subresources: { status: {} } };
  return { metadata: { name: `${names.plural}.${group}` }, spec: { group, scope: 'Namespaced', names, versions: [version] } };
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const aggregated = 'application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList';

/** Until its resource answers, in milliseconds. */
async function establish(i: number): Promise<void> {
  await ask('POST', definitions, definition(i));
  const path = `/apis/group${i % 100}.example.com/v1/kinds${i}`;
  for (;;) {
    const response = await transport.request({ method: 'GET', path, headers: {} });
    await readBody(response);
    if (response.status === 200) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function median(count: number, run: (i: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await run(i);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(count / 2)] as number;
}

const rounds = 15;
let next = 0;

async function measureBeside(present: number) {
  while (next < present) await establish(next++);
  const createMs = await median(rounds, () => establish(next++));
  const readMs = await median(rounds, async () => {
    await establish(next++);
    const start = performance.now();
    await ask('GET', '/apis', undefined, aggregated);
    await ask('GET', '/openapi/v3');
    readings.push(performance.now() - start);
  }).then(() => readings.splice(0).sort((a, b) => a - b)[Math.floor(rounds / 2)] as number);
  return { createMs, readMs };
}
const readings: number[] = [];

await establish(next++);
await ask('GET', '/openapi/v3');
const few = await measureBeside(10);
globalThis.gc?.();
const heapBefore = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
const countBefore = next;
const many = await measureBeside(1000);
globalThis.gc?.();
const heapAfter = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
const line = (what: string, a: number, b: number) =>
  console.log(`${what.padEnd(44)} ${a.toFixed(2)} ms, ${b.toFixed(2)} ms: ${(b / a).toFixed(2)} times`);
line('create a definition beside 10, beside 1,000', few.createMs, many.createMs);
line('discovery and OpenAPI index after it', few.readMs, many.readMs);
console.log(`${'memory for each definition'.padEnd(44)} ${((heapAfter - heapBefore) / (next - countBefore) / 1024).toFixed(0)} kB`);

const megabytes = () => (process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers) / 2 ** 20;
const timed = async (run: () => Promise<unknown>) => {
  const start = performance.now();
  await run();
  return performance.now() - start;
};
globalThis.gc?.();
const heapBeforeV2 = megabytes();
let document: Buffer = Buffer.alloc(0);
const firstV2Ms = await timed(async () => {
  document = await ask('GET', '/openapi/v2');
});
globalThis.gc?.();
const heldMegabytes = megabytes() - heapBeforeV2;
const againV2Ms = await median(rounds, () => ask('GET', '/openapi/v2'));
const nextV2Ms = await median(5, async () => {
  await establish(next++);
  await ask('GET', '/openapi/v2');
});
const size = (document.length / 2 ** 20).toFixed(1);
console.log(
  `OpenAPI v2 of ${next} definitions, ${size} MB`.padEnd(44),
  `first ${firstV2Ms.toFixed(0)} ms, again ${againV2Ms.toFixed(2)} ms`,
);
console.log(`  after one more ${nextV2Ms.toFixed(0)} ms; it keeps ${heldMegabytes.toFixed(0)} MB`);

const ruled = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string', maxLength: 64 },
        replicas: { type: 'integer', minimum: 1, maximum: 100, default: 1 },
        tags: { type: 'array', maxItems: 20, 'x-kubernetes-list-type': 'set', items: { type: 'string', maxLength: 20 } },
      },
      'x-kubernetes-validations': [
        { rule: "self.name.startsWith('c') && self.replicas > 0" },
        { rule: 'self.tags.all(t, t.size() > 1) && !self.tags.exists(t, t == self.name)' },
      ],
    },
  },
};
const ruledVersion = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: ruled } };
const ruledNames = { plural: 'ruleds', kind: 'Ruled' };
await ask('POST', definitions, {
  metadata: { name: 'ruleds.rules.example.com' },
  spec: { group: 'rules.example.com', scope: 'Namespaced', names: ruledNames, versions: [ruledVersion] },
});
const ruledPath = '/apis/rules.example.com/v1/namespaces/default/ruleds';
for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));

const objects = 5000;
const spec = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`field${i}`, `value ${i}`]));
const created = { 'config map': 0, pod: 0, 'custom object': 0, 'custom object with rules': 0 };
async function create(what: keyof typeof created, path: string, body: object): Promise<void> {
  created[what] += await timed(() => ask('POST', path, body));
}
for (let i = 0; i < objects; i++) {
  const metadata = { name: `c${i}` };
  await create('config map', '/api/v1/namespaces/default/configmaps', { metadata, data: spec });
  await create('pod', '/api/v1/namespaces/default/pods', { metadata, spec: { containers: [{ name: 'a', image: 'a:1' }] } });
  const kind = { apiVersion: 'group0.example.com/v1', kind: 'Kind0' };
  await create('custom object', '/apis/group0.example.com/v1/namespaces/default/kinds0', { ...kind, metadata, spec });
  const body = { apiVersion: 'rules.example.com/v1', kind: 'Ruled', metadata, spec: { name: `c${i}`, tags: ['one', 'two', 'three'] } };
  await create('custom object with rules', ruledPath, body);
}
for (const [what, ms] of Object.entries(created)) console.log(`create a ${what}`.padEnd(44), `${(ms / objects).toFixed(3)} ms`);
const configMapsMs = await median(rounds, () => ask('GET', '/api/v1/namespaces/default/configmaps'));
const podsMs = await median(rounds, () => ask('GET', '/api/v1/namespaces/default/pods'));
const customMs = await median(rounds, () => ask('GET', '/apis/group0.example.com/v1/namespaces/default/kinds0'));
line(`list ${objects} config maps, custom objects`, configMapsMs, customMs);
line(`list ${objects} pods, custom objects`, podsMs, customMs);
await server.close(0);
