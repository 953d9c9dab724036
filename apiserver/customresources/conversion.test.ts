import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { createAuthority, createCertificate } from '../pki/certificates.ts';
import { root, type ServerFixture, startServer } from '../server-fixture.ts';

// biome-ignore lint/suspicious/noExplicitAny: objects of every shape go through a webhook
type Any = any;

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const v1 = '/apis/stable.example.com/v1/namespaces/default/crontabs';
const v2 = v1.replace('/v1/', '/v2/');
const merge = { 'content-type': 'application/merge-patch+json' };

let server: ServerFixture;
let https: Server;
let caBundle = '';
/** How many objects each review carried, and to which version. */
let asked: [number, string][] = [];
let answer: (review: Any, converted: Any[]) => Any = () => undefined;

/** The one field that differs between the versions. */
function convert(object: Any, apiVersion: string): Any {
  const { cronSpec, schedule, ...spec } = object.spec;
  const text = cronSpec ?? schedule;
  return { ...object, apiVersion, spec: { ...spec, ...(apiVersion.endsWith('/v1') ? { cronSpec: text } : { schedule: text }) } };
}

before(async () => {
  const authority = await createAuthority('test', systemClock);
  const request = { commonName: 'hook', serverNames: ['127.0.0.1', 'localhost'], isClient: false, validDays: 1 };
  const { certPem, keyPem } = await createCertificate(authority, request, systemClock);
  caBundle = Buffer.from(authority.certPem).toString('base64');
  https = createServer({ cert: certPem, key: keyPem }, (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString());
      const { uid, objects, desiredAPIVersion } = review.request;
      asked.push([objects.length, desiredAPIVersion]);
      const convertedObjects = objects.map((object: Any) => convert(object, desiredAPIVersion));
      const right = {
        kind: review.kind,
        apiVersion: review.apiVersion,
        response: { uid, convertedObjects, result: { status: 'Success' } },
      };
      response.end(JSON.stringify(answer(right, convertedObjects) ?? right));
    });
  });
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  await new Promise((resolve) => {
    https.close(resolve);
    https.closeAllConnections();
  });
});
beforeEach(async () => {
  asked = [];
  answer = () => undefined;
  server = await startServer();
});
afterEach(() => server.close());

const version = (name: string, field: string, storage: boolean) => ({
  name,
  served: true,
  storage,
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: { type: 'object', properties: { [field]: { type: 'string' }, replicas: { type: 'integer' } } },
        status: { type: 'object', properties: { replicas: { type: 'integer' } } },
      },
    },
  },
  subresources: { status: {} },
  selectableFields: [{ jsonPath: `.spec.${field}` }],
});

async function define(conversion?: object): Promise<void> {
  const { port } = https.address() as AddressInfo;
  const clientConfig = { url: `https://127.0.0.1:${port}/convert`, caBundle };
  const created = await server.ask('POST', definitions, {
    metadata: { name: 'crontabs.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'crontabs', kind: 'CronTab' },
      versions: [version('v1', 'cronSpec', true), version('v2', 'schedule', false)],
      conversion: conversion ?? { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1', 'v1beta1'] } },
    },
  });
  assert.equal(created.status, 201, created.text);
  await eventually(async () => (await server.ask('GET', v2)).status === 200, 'the definition is established');
}

async function eventually(ask: () => Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await ask()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`not in time: ${what}`);
}

const cronTab = (name: string, apiVersion = 'v1') => ({
  apiVersion: `stable.example.com/${apiVersion}`,
  kind: 'CronTab',
  metadata: { name },
  spec: apiVersion === 'v1' ? { cronSpec: '* * * * *' } : { schedule: '* * * * *' },
});

const storedOf = async (name: string) =>
  JSON.parse(Buffer.from((await server.store.get(`/registry/stable.example.com/crontabs/default/${name}`))?.value ?? []).toString());

test('objects are read, written, selected and watched in a version that a webhook converts', async () => {
  await define();
  for (const name of ['a', 'b', 'c']) assert.equal((await server.ask('POST', v1, cronTab(name))).status, 201);
  const got = await server.ask('GET', `${v2}/a`);
  assert.deepEqual([got.json.apiVersion, got.json.spec], ['stable.example.com/v2', { schedule: '* * * * *' }], got.text);
  const selected = await server.ask('GET', `${v2}?fieldSelector=spec.schedule%3D*%20*%20*%20*%20*`);
  assert.deepEqual(
    selected.json.items.map((item: Any) => item.spec.schedule),
    ['* * * * *', '* * * * *', '* * * * *'],
    selected.text,
  );

  const transport = server.server.transport(root);
  const watch = await transport.request({ method: 'GET', path: `${v2}?watch=1&resourceVersion=${selected.json.metadata.resourceVersion}` });
  const created = await server.ask('POST', v2, cronTab('d', 'v2'));
  assert.deepEqual(created.json.spec, { schedule: '* * * * *' }, created.text);
  assert.deepEqual((await storedOf('d')).spec, { cronSpec: '* * * * *' });
  assert.equal((await storedOf('d')).apiVersion, 'stable.example.com/v1');
  const patched = await server.ask('PATCH', `${v2}/d`, { spec: { schedule: '1 * * * *' } }, merge);
  assert.equal(patched.json.spec.schedule, '1 * * * *', patched.text);
  assert.equal((await server.ask('GET', `${v1}/d`)).json.spec.cronSpec, '1 * * * *');
  const status = await server.ask('PATCH', `${v2}/d/status`, { status: { replicas: 3 } }, merge);
  assert.deepEqual([status.json.spec.schedule, status.json.status.replicas], ['1 * * * *', 3], status.text);
  assert.equal((await server.ask('DELETE', `${v2}/d`)).status, 200);
  const events: string[] = [];
  let text = '';
  for await (const chunk of watch.body) {
    text += Buffer.from(chunk).toString();
    if (text.includes('"DELETED"') && text.endsWith('\n')) break;
  }
  for (const line of text.trim().split('\n')) {
    const { type, object } = JSON.parse(line);
    events.push(`${type} ${object.apiVersion} ${object.spec.schedule}`);
  }
  assert.deepEqual(events, [
    'ADDED stable.example.com/v2 * * * * *',
    'MODIFIED stable.example.com/v2 1 * * * *',
    'MODIFIED stable.example.com/v2 1 * * * *',
    'DELETED stable.example.com/v2 1 * * * *',
  ]);
});

test('what a server finds in its store is converted in few requests', async (t) => {
  await define();
  for (let i = 0; i < 150; i++) await server.ask('POST', v1, cronTab(`c${i}`));
  await server.ask('GET', v2);
  asked = [];
  const again = await startServer({ store: server.store });
  t.after(() => again.server.close(0));
  assert.equal((await again.ask('GET', v2)).json.items.length, 150);
  assert.deepEqual(asked, [
    [100, 'stable.example.com/v2'],
    [50, 'stable.example.com/v2'],
  ]);
});

test('readers of the other version hear why a webhook fails, and read again once it works', async () => {
  await define();
  await server.ask('POST', v1, cronTab('a'));
  await server.ask('GET', v2);
  const failing = async (make: typeof answer) => {
    answer = make;
    await server.ask('PATCH', `${v1}/a`, { metadata: { annotations: { at: String(Math.trunc(asked.length)) } } }, merge);
    const { json, status } = await server.ask('GET', v2);
    assert.equal(status, 500, JSON.stringify(json));
    return json.message;
  };
  const head = 'conversion webhook for stable.example.com/v1, Kind=CronTab';
  const failed = (message?: string) => (right: Any) => ({
    ...right,
    response: { ...right.response, result: { status: 'Failed', message } },
  });
  assert.equal(await failing(failed('no such thing')), `${head} failed: no such thing`);
  assert.equal(await failing(failed()), `${head} failed: response.result.status was 'Failed', not 'Success'`);
  assert.match(
    await failing((right) => ({ ...right, response: { ...right.response, uid: 'x' } })),
    /failed: expected response\.uid="[^"]+", got "x"$/,
  );
  assert.equal(
    await failing((right) => ({ ...right, apiVersion: 'v1' })),
    `${head} failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /v1, Kind=ConversionReview`,
  );
  assert.equal(await failing((right) => ({ ...right, response: null })), `${head} failed: no response provided`);
  const changing = (change: (object: Any) => Any) => (right: Any, converted: Any[]) => ({
    ...right,
    response: { ...right.response, convertedObjects: converted.map(change) },
  });
  assert.equal(
    await failing((right) => ({ ...right, response: { ...right.response, convertedObjects: [] } })),
    `${head} returned 0 objects, expected 1`,
  );
  const invalid = `${head} returned invalid converted object at index 0`;
  assert.equal(
    await failing(changing((object) => ({ ...object, apiVersion: 'stable.example.com/v1' }))),
    `${invalid}: invalid groupVersion (expected stable.example.com/v2, received stable.example.com/v1)`,
  );
  assert.equal(
    await failing(changing((object) => ({ ...object, metadata: { ...object.metadata, name: 'other' } }))),
    `${invalid}: must have the same name: a != other`,
  );
  assert.equal(
    await failing(changing((object) => ({ ...object, metadata: { ...object.metadata, labels: { a: 1 } } }))),
    `${head} returned invalid metadata in object at index 0: metadata.labels[a] must be a string, but is int64 in converted object`,
  );
  assert.equal((await server.ask('GET', `${v1}/a`)).status, 200, 'the stored version asks nobody');
  answer = changing((object) => ({
    ...object,
    metadata: { ...object.metadata, labels: { by: 'hook' }, generation: 99, finalizers: ['x'] },
  }));
  const [item] = (await server.ask('GET', v2)).json.items;
  assert.deepEqual([item.metadata.labels, item.metadata.generation, item.metadata.finalizers], [{ by: 'hook' }, 1, undefined]);
});

test('another version becomes the stored one: old objects are converted when read and rewritten when written', async () => {
  await define();
  await server.ask('POST', v1, cronTab('a'));
  const path = `${definitions}/crontabs.stable.example.com`;
  const versions = [version('v1', 'cronSpec', false), version('v2', 'schedule', true)];
  const changed = await server.ask('PATCH', path, { spec: { versions } }, merge);
  assert.deepEqual(changed.json.status.storedVersions, ['v1', 'v2'], changed.text);
  await eventually(async () => {
    await server.ask('DELETE', `${v1}/b`);
    await server.ask('POST', v1, cronTab('b'));
    return (await storedOf('b')).apiVersion === 'stable.example.com/v2';
  }, 'new objects are stored in the new version');
  assert.deepEqual([(await storedOf('b')).apiVersion, (await storedOf('b')).spec], ['stable.example.com/v2', { schedule: '* * * * *' }]);
  assert.equal((await storedOf('a')).apiVersion, 'stable.example.com/v1');
  const read = await server.ask('GET', `${v2}/a`);
  assert.equal(read.json.spec.schedule, '* * * * *', read.text);
  // A migration: what is read is written back as it is.
  const rewritten = await server.ask('PUT', `${v2}/a`, read.json);
  assert.notEqual(rewritten.json.metadata.resourceVersion, read.json.metadata.resourceVersion, rewritten.text);
  assert.equal((await storedOf('a')).apiVersion, 'stable.example.com/v2');
  const unchanged = await server.ask('PUT', `${v2}/a`, rewritten.json);
  assert.equal(unchanged.json.metadata.resourceVersion, rewritten.json.metadata.resourceVersion);

  const refused = await server.ask('PATCH', path, { spec: { versions: versions.slice(1) } }, merge);
  assert.match(refused.json.message, /status\.storedVersions\[0\]: Invalid value: "v1": missing from spec\.versions; v1 was previously/);
  const migrated = await server.ask('PATCH', `${path}/status`, { status: { storedVersions: ['v2'] } }, merge);
  assert.equal(migrated.status, 200, migrated.text);
  assert.equal((await server.ask('PATCH', path, { spec: { versions: versions.slice(1) } }, merge)).status, 200);
});

test('with the strategy None the versions share what is stored, each pruned to its own schema', async () => {
  await define({ strategy: 'None' });
  const created = await server.ask('POST', v2, { ...cronTab('a', 'v2'), spec: { schedule: 'x', replicas: 2 } });
  assert.equal(created.json.apiVersion, 'stable.example.com/v2');
  assert.equal((await storedOf('a')).apiVersion, 'stable.example.com/v1');
  assert.deepEqual((await server.ask('GET', `${v1}/a`)).json.spec, { replicas: 2 });
  assert.deepEqual((await server.ask('GET', `${v2}/a`)).json.spec, { schedule: 'x', replicas: 2 });
  assert.equal(asked.length, 0);
});
