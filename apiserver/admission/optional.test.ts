// The plug-ins that are off unless a flag turns them on, each on a server of its own choice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { builtInAdmission } from './built-in.ts';
import { readAdmissionSettings } from './configuration/settings.ts';
import type { PluginChoice } from './plugin-order.ts';

const path = '/api/v1/namespaces/default';
const readSettings = (choice: PluginChoice) => readAdmissionSettings({ ...choice, clock: new VirtualClock(), random: seededRandom(1) });

async function withPlugins(
  enable: string[],
  run: (server: ServerFixture) => Promise<void>,
  { disable = [], authorizer }: { disable?: string[]; authorizer?: Authorizer } = {},
): Promise<void> {
  const settings = await readSettings({ enable, disable });
  const server = await startServer({
    admission: (view) => builtInAdmission(view, { settings, ...(authorizer ? { authorizer } : {}) }),
  });
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

const container = (more: object = {}) => ({ name: 'a', image: 'x:1', ...more });
const pod = (name: string, spec: object = {}, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  spec: { containers: [container()], ...spec },
});
const made = async (server: ServerFixture, at: string, body: unknown) => {
  const answer = await server.ask('POST', at, body);
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
};

test('AlwaysDeny refuses every write, whatever its name', async () => {
  await withPlugins([], async (open) => {
    const settings = await readSettings({ enable: ['AlwaysDeny'] });
    const { ask, close } = await startServer({ store: open.store, admission: (view) => builtInAdmission(view, { settings }) });
    const why = 'admission control is denying all modifications';
    const named = await ask('POST', `${path}/configmaps`, { metadata: { name: 'a' } });
    assert.deepEqual([named.status, named.json.message], [403, `configmaps "a" is forbidden: ${why}`]);
    const generated = await ask('POST', `${path}/configmaps`, { metadata: { generateName: 'a-' } });
    assert.equal(generated.json.message, `configmaps "a-" is forbidden: ${why}`);
    const collection = await ask('DELETE', '/api/v1/namespaces/default');
    assert.equal(collection.status, 403);
    assert.equal((await ask('GET', '/api/v1/namespaces/default')).status, 200);
    await close();
  });
});

test('AlwaysAdmit lets everything through', async () => {
  await withPlugins(['AlwaysAdmit'], async (server) => {
    await made(server, `${path}/configmaps`, { metadata: { name: 'a' } });
  });
});

test('AlwaysPullImages has new images pulled, those of volumes too, and leaves other updates alone', async () => {
  await withPlugins(['AlwaysPullImages'], async (server) => {
    const spec = {
      containers: [container({ imagePullPolicy: 'Never' })],
      initContainers: [container({ name: 'i' })],
      volumes: [{ name: 'v', image: { reference: 'data:1', pullPolicy: 'IfNotPresent' } }],
    };
    const created = await made(server, `${path}/pods`, pod('p', spec));
    assert.equal(created.spec.containers[0].imagePullPolicy, 'Always');
    assert.equal(created.spec.initContainers[0].imagePullPolicy, 'Always');
    assert.equal(created.spec.volumes.find(({ name }: { name: string }) => name === 'v').image.pullPolicy, 'Always');
    created.metadata.labels = { changed: 'yes' };
    assert.equal((await server.ask('PUT', `${path}/pods/p`, created)).status, 200);
  });
});

test('LimitPodHardAntiAffinityTopology lets pods keep away from each other by node only', async () => {
  await withPlugins(['LimitPodHardAntiAffinityTopology'], async (server) => {
    const apart = (topologyKey: string) => {
      const term = { labelSelector: { matchLabels: { a: 'b' } }, topologyKey };
      return { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } };
    };
    await made(server, `${path}/pods`, pod('near', apart('kubernetes.io/hostname')));
    const { json } = await server.ask('POST', `${path}/pods`, pod('far', apart('zone')));
    const why = 'has TopologyKey zone but only key kubernetes.io/hostname is allowed';
    assert.equal(json.message, `pods "far" is forbidden: affinity.PodAntiAffinity.RequiredDuringScheduling ${why}`);
  });
});

test('DenyServiceExternalIPs lets services keep and give up their external addresses, and claim none', async () => {
  await withPlugins([], async (open) => {
    await made(open, `${path}/services`, {
      metadata: { name: 's' },
      spec: { ports: [{ port: 80 }], externalIPs: ['192.0.2.1', '192.0.2.2'] },
    });
    const settings = await readSettings({ enable: ['DenyServiceExternalIPs'] });
    const { ask, close } = await startServer({ store: open.store, admission: (view) => builtInAdmission(view, { settings }) });
    const claimed = await ask('POST', `${path}/services`, {
      metadata: { name: 't' },
      spec: { ports: [{ port: 80 }], externalIPs: ['192.0.2.1'] },
    });
    assert.equal(claimed.json.message, 'services "t" is forbidden: Use of external IPs is denied by admission control');
    const merge = (externalIPs: string[]) =>
      ask('PATCH', `${path}/services/s`, { spec: { externalIPs } }, { 'content-type': 'application/merge-patch+json' });
    assert.equal((await merge(['192.0.2.2'])).status, 200);
    assert.equal((await merge(['192.0.2.2', '192.0.2.3'])).status, 403);
    assert.equal((await merge([])).status, 200);
    await close();
  });
});

test('NamespaceAutoProvision makes the namespace that something is to go to, unless nothing is to be stored', async () => {
  await withPlugins(['NamespaceAutoProvision'], async (server) => {
    const dry = await server.ask('POST', '/api/v1/namespaces/new/configmaps?dryRun=All', { metadata: { name: 'a' } });
    assert.equal(dry.json.message, 'namespaces "new" not found');
    await made(server, '/api/v1/namespaces/new/configmaps', { metadata: { name: 'a' } });
    const { json } = await server.ask('GET', '/api/v1/namespaces/new');
    assert.deepEqual(json.spec.finalizers, ['kubernetes']);
  });
});

test('NamespaceExists asks for namespaces that are there, also without NamespaceLifecycle', async () => {
  const body = { metadata: { name: 'a' } };
  await withPlugins(
    ['NamespaceExists'],
    async ({ ask }) => {
      const { status, json } = await ask('POST', '/api/v1/namespaces/none/configmaps', body);
      assert.deepEqual([status, json.message], [404, 'namespaces "none" not found']);
    },
    { disable: ['NamespaceLifecycle'] },
  );
  await withPlugins([], async (server) => void (await made(server, '/api/v1/namespaces/none/configmaps', body)), {
    disable: ['NamespaceLifecycle'],
  });
});

test('ExtendedResourceToleration has pods tolerate the nodes set aside for what they ask for', async () => {
  await withPlugins(['ExtendedResourceToleration'], async (server) => {
    const asks = { resources: { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } } };
    const { spec } = await made(server, `${path}/pods`, pod('p', { containers: [container(asks)] }));
    assert.deepEqual(spec.tolerations.at(-1), { key: 'example.com/gpu', operator: 'Exists', effect: 'NoSchedule' });
  });
  await withPlugins([], async (server) => {
    const asks = { resources: { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } } };
    const { spec } = await made(server, `${path}/pods`, pod('p', { containers: [container(asks)] }));
    assert.equal(
      spec.tolerations.some(({ key }: { key: string }) => key === 'example.com/gpu'),
      false,
    );
  });
});

test('OwnerReferencesPermissionEnforcement asks who may delete, and who may hold owners up', async () => {
  const may = new Set<string>();
  const authorizer: Authorizer = ({ verb, resource, subresource, namespace, name }) => {
    const asked = `${verb} ${namespace}/${resource}${subresource && `/${subresource}`}/${name}`;
    return may.has(asked) ? { decision: 'allow' } : { decision: 'no opinion', reason: 'not today' };
  };
  await withPlugins(
    ['OwnerReferencesPermissionEnforcement'],
    async (server) => {
      const owner = (more: object = {}) => ({ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'u', ...more });
      const map = (name: string, ...ownerReferences: object[]) => ({ metadata: { name, ownerReferences } });
      await made(server, `${path}/configmaps`, map('owned', owner()));
      const blocking = await server.ask('POST', `${path}/configmaps`, map('blocking', owner({ blockOwnerDeletion: true })));
      const cannot =
        "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: not today, <nil>";
      assert.equal(blocking.json.message, `configmaps "blocking" is forbidden: ${cannot}`);
      may.add('update default/replicasets/finalizers/rs');
      const block = map('blocking', owner({ blockOwnerDeletion: true }));
      await made(server, `${path}/configmaps`, block);
      const strange = map('strange', owner({ kind: 'Thing', blockOwnerDeletion: true }));
      const unknown = await server.ask('POST', `${path}/configmaps`, strange);
      const what = 'cannot find RESTMapping for APIVersion apps/v1 Kind Thing: no matches for kind "Thing" in version "apps/v1"';
      const because = `cannot set blockOwnerDeletion in this case because ${what}`;
      assert.equal(unknown.json.message, `configmaps "strange" is forbidden: ${because}`);
      const disowned = await server.ask('PUT', `${path}/configmaps/owned`, map('owned'));
      const ownerRef = "cannot set an ownerRef on a resource you can't delete: not today, <nil>";
      assert.equal(disowned.json.message, `configmaps "owned" is forbidden: ${ownerRef}`);
      may.add('delete default/configmaps/owned');
      assert.equal((await server.ask('PUT', `${path}/configmaps/owned`, map('owned'))).status, 200);
      const unchanged = { ...block, data: { a: 'b' } };
      assert.equal((await server.ask('PUT', `${path}/configmaps/blocking`, unchanged)).status, 200);
    },
    { authorizer },
  );
});

test('PodTopologyLabels tells a pod the zone and region of its node when it is bound, and when it is made there', async () => {
  await withPlugins([], async (server) => {
    const labels = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r', other: 'o' };
    await made(server, '/api/v1/nodes', { metadata: { name: 'n', labels } });
    await made(server, `${path}/pods`, pod('p'));
    await made(server, `${path}/pods/p/binding`, { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } });
    const { json } = await server.ask('GET', `${path}/pods/p`);
    assert.deepEqual(json.metadata.labels, { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r' });
    const own = await made(server, `${path}/pods`, pod('q', { nodeName: 'n' }, { labels: { 'topology.kubernetes.io/zone': 'mine' } }));
    assert.deepEqual(own.metadata.labels, { 'topology.kubernetes.io/zone': 'mine', 'topology.kubernetes.io/region': 'r' });
  });
});
