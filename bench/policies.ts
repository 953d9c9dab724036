// What admission policies cost a create, as a ratio to the same create without any: one policy of three expressions that is about it,
// one mutating policy, and a thousand policies that are about something else. In-process, all other admission included; the servers take
// turns, so that a busy machine slows all of them. Run: node bench/policies.ts

import { builtInAdmission } from '../apiserver/admission/built-in.ts';
import { mastersAuthorizer } from '../apiserver/authz/authorizer.ts';
import { allResources } from '../apiserver/resources/all.ts';
import { createApiServer } from '../apiserver/server.ts';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { readBody } from '../client/transport.ts';
import { createMemoryStore } from '../store/memory.ts';

const rounds = 12;
const createsPerRound = 250;
const root = { name: 'bench', groups: ['system:masters'] };
const group = '/apis/admissionregistration.k8s.io/v1';

interface Bench {
  what: string;
  create(i: number): Promise<void>;
  samplesMs: number[];
}

const rules = (resource: string) => ({
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: [resource] }],
});
const validations = [
  { expression: "object.spec.containers.all(c, c.image.startsWith('registry.example/'))" },
  { expression: 'has(object.metadata.labels) && object.metadata.labels.size() < 20' },
  { expression: 'variables.names.all(n, n.size() < 60)', message: 'names are too long' },
];
const variables = [{ name: 'names', expression: 'object.spec.containers.map(c, c.name)' }];
const label = 'Object{metadata: Object.metadata{labels: {"seen": "yes"}}}';

const pod = (i: number) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `pod-${i}`, labels: { app: `app-${i % 100}`, tier: 'backend' }, annotations: { note: 'n'.repeat(1200) } },
  spec: { containers: [{ name: 'main', image: 'registry.example/app:1', ports: [{ containerPort: 8080 }] }] },
});

async function bench(what: string, prepare: (make: (path: string, body: object) => Promise<void>) => Promise<void>): Promise<Bench> {
  const server = await createApiServer({
    store: createMemoryStore(),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    resources: allResources,
    admission: (view) => builtInAdmission(view, { random: systemRandom, authorizer: mastersAuthorizer }),
    authenticators: [],
    authorizer: mastersAuthorizer,
  });
  await server.ready();
  const transport = server.transport(root);
  const make = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await transport.request({ method: 'POST', path, headers, body: JSON.stringify(body) });
    const text = await readBody(response);
    if (response.status !== 201) throw new Error(`${path}: ${text}`);
  };
  await prepare(make);
  return { what, create: (i) => make('/api/v1/namespaces/default/pods', pod(i)), samplesMs: [] };
}

async function bind(make: (path: string, body: object) => Promise<void>, sort: string, name: string, spec: object): Promise<void> {
  await make(`${group}/${sort}admissionpolicies`, { metadata: { name }, spec });
  const actions = sort === 'validating' ? { validationActions: ['Deny'] } : {};
  await make(`${group}/${sort}admissionpolicybindings`, { metadata: { name }, spec: { policyName: name, ...actions } });
}

const benches = [
  await bench('no policy', async () => {}),
  await bench('one validating policy of three expressions', (make) =>
    bind(make, 'validating', 'three', { matchConstraints: rules('pods'), variables, validations }),
  ),
  await bench('one mutating policy, an apply configuration', (make) =>
    bind(make, 'mutating', 'label', {
      matchConstraints: rules('pods'),
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: label } }],
    }),
  ),
  await bench('1,000 policies about other resources', async (make) => {
    for (let i = 0; i < 1000; i++)
      await bind(make, 'validating', `other-${i}`, { matchConstraints: rules('services'), variables, validations });
  }),
];

let next = 0;
for (let round = 0; round <= rounds; round++) {
  for (const each of benches) {
    const start = process.cpuUsage();
    for (let i = 0; i < createsPerRound; i++) await each.create(next++);
    const { user, system } = process.cpuUsage(start);
    // The first round warms up.
    if (round > 0) each.samplesMs.push((user + system) / 1000 / createsPerRound);
  }
}
const medianOf = (samples: number[]) => samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0;
const baseMs = medianOf(benches[0]?.samplesMs ?? []);
console.table(
  benches.map(({ what, samplesMs }) => {
    const ms = medianOf(samplesMs);
    return { what, 'CPU ms/create': Number(ms.toFixed(3)), ratio: Number((ms / baseMs).toFixed(2)) };
  }),
);
process.exit(0);
