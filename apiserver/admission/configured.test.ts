// Plug-ins that do what they are told in a configuration.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { builtInAdmission } from './built-in.ts';
import type { AdmissionSettings } from './configuration/settings.ts';
import { imagePolicyWebhook, readImagePolicy } from './image-policy.ts';
import { enabledPlugins, type PluginName } from './plugin-order.ts';
import { readPodSecurityConfiguration } from './pod-security/configuration.ts';
import { isSuperset, mergeTolerations } from './tolerations.ts';

const path = '/api/v1/namespaces';

async function withSettings(enable: PluginName[], settings: Partial<AdmissionSettings>, run: (server: ServerFixture) => Promise<void>) {
  const all = { plugins: enabledPlugins({ enable }), ...settings };
  const server = await startServer({ admission: (view) => builtInAdmission(view, { settings: all, random: seededRandom(2) }) });
  try {
    await run(server);
  } finally {
    await server.close();
  }
}
const pod = (name: string, spec: object = {}, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  spec: { containers: [{ name: 'a', image: 'x' }], ...spec },
});
const namespace = (name: string, metadata: object = {}) => ({ metadata: { name, ...metadata } });
const container = (resources: object) => ({ containers: [{ name: 'a', image: 'x', resources }] });

test('EventRateLimit takes so many events at once, and then so many a second', async () => {
  const eventLimits = [
    { type: 'Namespace', qps: 1, burst: 2, cacheSize: 0 },
    { type: 'Server', qps: 10, burst: 4, cacheSize: 0 },
  ] as const;
  await withSettings(['EventRateLimit'], { eventLimits }, async ({ ask, clock }) => {
    let count = 0;
    const report = (to: string, query = '') => {
      const involvedObject = { kind: 'Pod', namespace: to, name: 'p' };
      return ask('POST', `${path}/${to}/events${query}`, { metadata: { name: `e${++count}`, namespace: to }, involvedObject });
    };
    for (let i = 0; i < 2; i++) assert.equal((await report('default')).status, 201);
    const third = await report('default');
    assert.equal(third.status, 429);
    assert.equal(third.json.reason, 'TooManyRequests');
    assert.equal(third.json.message, 'Too many requests: limit reached on type Namespace for key default');
    assert.equal((await report('default', '?dryRun=All')).status, 201);
    assert.equal((await report('kube-system')).status, 201);
    const both = await report('default');
    assert.equal(
      both.json.message,
      'Too many requests: [limit reached on type Namespace for key default, limit reached on type Server for key ]',
    );
    await clock.step(1000);
    assert.equal((await report('default')).status, 201);
    assert.equal((await report('default')).status, 429);
  });
});

test('PodNodeSelector puts pods where their namespace says, and nowhere else', async () => {
  const nodeSelectors = { clusterDefaultNodeSelector: 'pool=common', fenced: 'pool=common,disk=fast' };
  await withSettings(['PodNodeSelector'], { nodeSelectors }, async ({ ask }) => {
    const annotated = (text: string) => ({ annotations: { 'scheduler.alpha.kubernetes.io/node-selector': text } });
    await ask('POST', path, namespace('own', annotated('pool=gpu, zone=a')));
    await ask('POST', path, namespace('fenced'));
    await ask('POST', path, namespace('broken', annotated('pool')));
    const own = await ask('POST', `${path}/own/pods`, pod('p', { nodeSelector: { disk: 'fast' } }));
    assert.deepEqual(own.json.spec.nodeSelector, { pool: 'gpu', zone: 'a', disk: 'fast' });
    const common = await ask('POST', `${path}/default/pods`, pod('p'));
    assert.deepEqual(common.json.spec.nodeSelector, { pool: 'common' });
    const clash = await ask('POST', `${path}/own/pods`, pod('q', { nodeSelector: { pool: 'common' } }));
    assert.equal(clash.json.message, 'pods "q" is forbidden: pod node label selector conflicts with its namespace node label selector');
    const beyond = await ask('POST', `${path}/fenced/pods`, pod('q', { nodeSelector: { zone: 'a' } }));
    assert.equal(beyond.json.message, 'pods "q" is forbidden: pod node label selector labels conflict with its namespace whitelist');
    assert.equal((await ask('POST', `${path}/fenced/pods`, pod('q', { nodeSelector: { disk: 'fast' } }))).status, 201);
    const broken = await ask('POST', `${path}/broken/pods`, pod('q'));
    assert.deepEqual([broken.status, broken.json.message], [500, 'invalid selector: [pool]']);
  });
});

test('PodTolerationRestriction adds what the namespace or the cluster says, and refuses the rest', async () => {
  const gpu = { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' };
  const any = { operator: 'Exists', effect: 'NoExecute' };
  const tolerations = { default: [gpu], whitelist: [gpu, any, { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' }] };
  await withSettings(['PodTolerationRestriction'], { tolerations }, async ({ ask }) => {
    const annotations = {
      'scheduler.alpha.kubernetes.io/defaultTolerations': '',
      'scheduler.alpha.kubernetes.io/tolerationsWhitelist': JSON.stringify([any]),
    };
    await ask('POST', path, namespace('own', { annotations }));
    const { json } = await ask('POST', `${path}/default/pods`, pod('p', container({ requests: { cpu: '1' } })));
    const keys = json.spec.tolerations.map(({ key, effect }: { key: string; effect: string }) => `${key}:${effect}`);
    const lost = ['node.kubernetes.io/not-ready:NoExecute', 'node.kubernetes.io/unreachable:NoExecute'];
    assert.deepEqual(keys, [...lost, 'gpu:NoSchedule', 'node.kubernetes.io/memory-pressure:NoSchedule']);
    const other = await ask(
      'POST',
      `${path}/default/pods`,
      pod('q', { tolerations: [{ key: 'x', operator: 'Exists', effect: 'NoSchedule' }] }),
    );
    const why = 'pod tolerations (possibly merged with namespace default tolerations) conflict with its';
    assert.deepEqual([other.status, other.json.message], [500, `${why} cluster whitelist`]);
    const own = await ask('POST', `${path}/own/pods`, pod('p'));
    assert.equal(own.json.spec.tolerations.length, 2);
    const beyond = await ask('POST', `${path}/own/pods`, pod('q', { tolerations: [gpu] }));
    assert.equal(beyond.json.message, `${why} namespace whitelist`);
  });
});

const equal = (key: string, value: string, more = {}) => ({ key, operator: 'Equal', value, ...more });
const exists = (key?: string, more = {}) => ({ ...(key ? { key } : {}), operator: 'Exists', ...more });
const supersets: [string, object, object, boolean][] = [
  ['one of itself', equal('a', 'b'), equal('a', 'b'), true],
  ['every value, of one', exists('a'), equal('a', 'b'), true],
  ['one value, of another', equal('a', 'c'), equal('a', 'b'), false],
  ['one key, of another', exists('b'), equal('a', 'b'), false],
  ['everything, of one', exists(), equal('a', 'b'), true],
  ['any effect, of one', exists('a'), exists('a', { effect: 'NoSchedule' }), true],
  ['one effect, of any', exists('a', { effect: 'NoSchedule' }), exists('a'), false],
  [
    'five minutes, of one',
    exists('a', { effect: 'NoExecute', tolerationSeconds: 300 }),
    exists('a', { effect: 'NoExecute', tolerationSeconds: 60 }),
    true,
  ],
  ['five minutes, of ever', exists('a', { effect: 'NoExecute', tolerationSeconds: 300 }), exists('a', { effect: 'NoExecute' }), false],
];
for (const [title, a, b, expected] of supersets) test(`tolerating ${title}`, () => assert.equal(isSuperset(a, b), expected));

test('of tolerations that are needless next to others none stays', () => {
  const merged = mergeTolerations([equal('a', 'b'), exists('c')], [exists('a'), equal('c', 'd'), exists('c')]);
  assert.deepEqual(merged, [exists('c'), exists('a')]);
});

test('ImagePolicyWebhook asks about images once, and remembers the answer for its time', async () => {
  const clock = new VirtualClock();
  const asked: unknown[] = [];
  const configuration = readImagePolicy({ directory: '', value: { imagePolicy: { kubeConfigFile: 'x', denyTTL: 10 } } });
  const settings = (isDown: boolean, defaultAllow = false) => ({
    ...configuration,
    defaultAllow,
    async ask(review: object) {
      asked.push(review);
      if (isDown) throw new Error('nobody is there');
      const { containers } = (review as { spec: { containers: { image: string }[] } }).spec;
      return { status: containers[0]?.image === 'bad' ? { allowed: false, reason: 'it is bad' } : { allowed: true } };
    },
  });
  const imagePolicy = settings(false);
  const { ask, close } = await startServer({ admission: () => [imagePolicyWebhook(imagePolicy, imagePolicy.ask, clock)] });
  const image = (name: string, of: string, annotations = {}) =>
    ask('POST', `${path}/default/pods`, pod(name, { containers: [{ name: 'a', image: of }] }, { annotations }));
  assert.equal((await image('p', 'good', { 'mine.image-policy.k8s.io/ticket': '1', other: '2' })).status, 201);
  const spec = { containers: [{ image: 'good' }], annotations: { 'mine.image-policy.k8s.io/ticket': '1' }, namespace: 'default' };
  const head = { kind: 'ImageReview', apiVersion: 'imagepolicy.k8s.io/v1alpha1', metadata: {} };
  assert.deepEqual(asked, [{ ...head, spec, status: { allowed: false } }]);
  const refused = await image('q', 'bad');
  assert.equal(refused.json.message, 'pods "q" is forbidden: image policy webhook backend denied one or more images: it is bad');
  await image('q', 'bad');
  assert.equal(asked.length, 2);
  await clock.step(10_000);
  await image('q', 'bad');
  assert.equal(asked.length, 3);
  await close();

  for (const defaultAllow of [false, true]) {
    const down = settings(true, defaultAllow);
    const server = await startServer({ admission: () => [imagePolicyWebhook(down, down.ask, clock)] });
    const { status, json } = await server.ask('POST', `${path}/default/pods`, pod('p'));
    assert.equal(status, defaultAllow ? 201 : 403);
    if (!defaultAllow) assert.equal(json.message, 'pods "p" is forbidden: nobody is there');
    await server.close();
  }
});

test('PodSecurity: defaults hold where a namespace says nothing, and the exempt do as they like', async () => {
  const value = {
    apiVersion: 'pod-security.admission.config.k8s.io/v1',
    kind: 'PodSecurityConfiguration',
    defaults: { enforce: 'baseline', 'enforce-version': 'v1.30', warn: 'restricted' },
    exemptions: { namespaces: ['free'], runtimeClasses: ['sandboxed'], usernames: ['trusted'] },
  };
  await withSettings([], { podSecurity: readPodSecurityConfiguration({ value, directory: '' }) }, async ({ ask }) => {
    const privileged = { hostNetwork: true };
    const refused = await ask('POST', `${path}/default/pods`, pod('p', privileged));
    assert.equal(refused.json.message, 'pods "p" is forbidden: violates PodSecurity "baseline:v1.30": host namespaces (hostNetwork=true)');
    const warned = await ask('POST', `${path}/default/pods`, pod('q'));
    assert.match(warned.headers['warning'] ?? '', /would violate PodSecurity \\"restricted:latest\\"/);
    await ask('POST', '/apis/node.k8s.io/v1/runtimeclasses', { metadata: { name: 'sandboxed' }, handler: 'x' });
    assert.equal((await ask('POST', `${path}/default/pods`, pod('r', { ...privileged, runtimeClassName: 'sandboxed' }))).status, 201);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const free = await ask('POST', path, namespace('free', { labels }));
    const pointless = 'namespace \\"free\\" is exempt from Pod Security, and the policy (enforce=restricted:v1.30) will be ignored';
    assert.equal(free.headers['warning'], `299 - "${pointless}"`);
    assert.equal((await ask('POST', `${path}/free/pods`, pod('p', privileged))).status, 201);
    const trusted = { 'impersonate-user': 'trusted', 'impersonate-group': 'system:masters' };
    assert.equal((await ask('POST', `${path}/default/pods`, pod('s', privileged), trusted)).status, 201);
    const { text } = await ask('GET', '/metrics');
    const counted = text.split('\n').filter((line) => line.startsWith('pod_security_') && !line.endsWith(' 0'));
    const of = 'request_operation="create",resource="pod",subresource=""';
    assert.deepEqual(counted, [
      `pod_security_evaluations_total{decision="deny",mode="enforce",policy_level="baseline",policy_version="v1.30",${of}} 1`,
      `pod_security_evaluations_total{decision="allow",mode="enforce",policy_level="baseline",policy_version="v1.30",${of}} 1`,
      `pod_security_evaluations_total{decision="deny",mode="warn",policy_level="restricted",policy_version="latest",${of}} 1`,
      `pod_security_exemptions_total{${of}} 3`,
    ]);
  });
});

test('DefaultTolerationSeconds lets pods stay for as long as the cluster says', async () => {
  await withSettings([], { lostNodeSeconds: { notReady: 5, unreachable: 7 } }, async ({ ask }) => {
    const { json } = await ask('POST', `${path}/default/pods`, pod('p'));
    assert.deepEqual(
      json.spec.tolerations.map(({ tolerationSeconds }: { tolerationSeconds: number }) => tolerationSeconds),
      [5, 7],
    );
  });
});
