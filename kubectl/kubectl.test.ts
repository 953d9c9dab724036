import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderObject } from './commands/describe.ts';
import { parseSeconds } from './commands/logs.ts';
import { KubectlError } from './context.ts';
import { discoveryOf } from './discovery.ts';
import { parseManifests } from './manifests.ts';
import { renderTable } from './table.ts';
import { displayName, parseTargets } from './targets.ts';

const resource = (name: string, kind: string, extra: object = {}) => ({
  resource: name,
  responseKind: { kind },
  scope: 'Namespaced',
  singularResource: kind.toLowerCase(),
  verbs: ['list'],
  ...extra,
});
const discovery = discoveryOf([
  {
    metadata: {},
    versions: [
      {
        version: 'v1',
        resources: [
          resource('pods', 'Pod', { shortNames: ['po'], categories: ['all'] }),
          resource('services', 'Service', { shortNames: ['svc'], categories: ['all'] }),
          resource('events', 'Event'),
        ],
      },
    ],
  },
  {
    metadata: { name: 'apps' },
    versions: [
      {
        version: 'v1',
        resources: [resource('deployments', 'Deployment', { shortNames: ['deploy'], subresources: [{ subresource: 'scale' }] })],
      },
    ],
  },
  { metadata: { name: 'events.k8s.io' }, versions: [{ version: 'v1', resources: [resource('events', 'Event')] }] },
]);

test('a kind is found by plural, singular, short name and kind, and told apart by its group', () => {
  for (const name of ['pods', 'pod', 'po', 'Pod', 'pods.v1']) assert.equal(discovery.resolve(name).plural, 'pods');
  assert.equal(discovery.resolve('events').group, '');
  assert.equal(discovery.resolve('events.events.k8s.io').group, 'events.k8s.io');
  assert.equal(discovery.resolve('deployments.v1.apps').group, 'apps');
  assert.throws(() => discovery.resolve('robots'), /the server doesn't have a resource type "robots"/);
  assert.throws(() => discovery.ofManifest('apps/v2', 'Deployment'), /no matches for kind "Deployment" in version "apps\/v2"/);
});

test('command lines name objects in each of the ways that kubectl knows', () => {
  const names = (args: string[]) => parseTargets(args, discovery).map(({ kind, name }) => `${kind.plural}/${name ?? '*'}`);
  assert.deepEqual(names(['po']), ['pods/*']);
  assert.deepEqual(names(['po', 'a', 'b']), ['pods/a', 'pods/b']);
  assert.deepEqual(names(['pod/a', 'svc/b']), ['pods/a', 'services/b']);
  assert.deepEqual(names(['po,svc']), ['pods/*', 'services/*']);
  assert.deepEqual(names(['all']), ['pods/*', 'services/*']);
  assert.throws(() => parseTargets([], discovery), KubectlError);
  assert.throws(() => parseTargets(['pod/a', 'b'], discovery), KubectlError);
  assert.equal(displayName(discovery.resolve('deploy'), 'web'), 'deployment.apps/web');
});

test('manifests are split into documents and Lists into their items', () => {
  const text =
    'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n';
  assert.deepEqual(
    parseManifests(text, 'x').map(({ object }) => object.metadata?.name),
    ['a', 'b'],
  );
  assert.throws(() => parseManifests('kind: Pod', 'x.yaml'), /apiVersion not set in x\.yaml/);
  assert.throws(() => parseManifests('a: [', 'x.yaml'), /error parsing x\.yaml/);
});

test('tables hide wide columns, and put the namespace first when there are several', () => {
  const table = {
    columnDefinitions: [{ name: 'Name' }, { name: 'Ready' }, { name: 'IP', priority: 1 }],
    rows: [
      { cells: ['web-1', '1/1', '10.0.0.1'], object: { metadata: { namespace: 'default' } } },
      { cells: ['db', '0/1', null], object: { metadata: { namespace: 'prod' } } },
    ],
  };
  const options = { wide: false, withHeader: true, withNamespace: true, withLabels: false, namePrefix: '' };
  assert.equal(renderTable(table, options), 'NAMESPACE   NAME    READY\ndefault     web-1   1/1\nprod        db      0/1\n');
  assert.match(renderTable(table, { ...options, wide: true, withNamespace: false }), /db +0\/1 +<none>/);
});

test('describe outlines any object', () => {
  const text = renderObject({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', labels: { 'app.k8s.io/x': 'y' } },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] },
  } as object);
  assert.match(text, /^Name: +a$/m);
  assert.match(text, /^ {2}app\.k8s\.io\/x: +y$/m);
  assert.match(text, /^ {2}Node Name: +n$/m);
  assert.match(text, /^ {4}c:\n {6}Image: +i$/m);
});

test('durations are read as kubectl reads them', () => {
  assert.deepEqual(['90', '90s', '5m', '1h30m'].map(parseSeconds), [90, 90, 300, 5400]);
  assert.throws(() => parseSeconds('soon'), KubectlError);
});
