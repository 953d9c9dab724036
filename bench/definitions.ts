// What many custom resource definitions cost: one more of them, with what clients read next, beside ten and beside a
// thousand others; what each keeps in memory; and a list of custom objects beside one of config maps.

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

const objects = 5000;
const spec = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`field${i}`, `value ${i}`]));
for (let i = 0; i < objects; i++) {
  await ask('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: `c${i}` }, data: spec });
  await ask('POST', '/apis/group0.example.com/v1/namespaces/default/kinds0', {
    apiVersion: 'group0.example.com/v1',
    kind: 'Kind0',
    metadata: { name: `c${i}` },
    spec,
  });
}
const configMapsMs = await median(rounds, () => ask('GET', '/api/v1/namespaces/default/configmaps'));
const customMs = await median(rounds, () => ask('GET', '/apis/group0.example.com/v1/namespaces/default/kinds0'));
line(`list ${objects} config maps, custom objects`, configMapsMs, customMs);
await server.close(0);
