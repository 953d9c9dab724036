import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ServerFixture, startServer } from '../server-fixture.ts';

let server: ServerFixture;
before(async () => {
  server = await startServer();
});
after(() => server.close());

const core = '/api/v1/namespaces/default/events';
const newer = '/apis/events.k8s.io/v1/namespaces/default/events';
const merge = { 'content-type': 'application/merge-patch+json' };
const eventTime = '2026-01-01T00:00:00.000000Z';
const written = { eventTime, reportingInstance: 'i', action: 'a', reason: 'r' };
const event = { ...written, regarding: { kind: 'Pod', namespace: 'default', name: 'p' }, type: 'Normal', reportingController: 'c' };

/** `field: message` of each problem, in order. */
const problemsOf = ({ text }: { text: string }) =>
  (JSON.parse(text) as { details?: { causes?: { field: string; message: string }[] } }).details?.causes?.map(
    ({ field, message }) => `${field}: ${message}`,
  );

test('an event with its time names its writer, under the name of that field in the version it is written in', async () => {
  const bare = { metadata: { name: 'bare' }, eventTime, involvedObject: { namespace: 'default' } };
  const asked = (field: string) =>
    [field, 'reportingInstance', 'action', 'reason'].flatMap((name) => [
      `${name}: Required value`,
      ...(name === field
        ? [
            `${name}: Invalid value: "": name part must be non-empty`,
            `${name}: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
          ]
        : []),
    ]);
  assert.deepEqual(problemsOf(await server.ask('POST', core, bare)), asked('reportingComponent'));
  const { involvedObject: regarding, ...rest } = bare;
  assert.deepEqual(problemsOf(await server.ask('POST', newer, { ...rest, regarding, type: 'Normal' })), asked('reportingController'));
});

test('events.k8s.io/v1 refuses what only older writers set, and a series of one', async () => {
  const old = { deprecatedCount: 1, deprecatedFirstTimestamp: '2026-01-01T00:00:00Z', deprecatedSource: { component: 'x' } };
  const body = { ...event, ...old, metadata: { name: 'old' }, eventTime: undefined, type: 'Odd', series: { count: 1 } };
  const { text } = await server.ask('POST', newer, body);
  assert.deepEqual(problemsOf({ text }), [
    'series.count: Invalid value: "": should be at least 2',
    'series.lastObservedTime: Required value',
    'eventTime: Required value',
    'type: Invalid value: "": has invalid value: Odd',
    'firstTimestamp: Invalid value: "": needs to be unset',
    'count: Invalid value: "": needs to be unset',
    'source: Invalid value: "": needs to be unset',
  ]);
});

test('how often something happened may change, what happened may not; by core/v1 anything may', async () => {
  assert.equal((await server.ask('POST', newer, { ...event, metadata: { name: 'e' } })).status, 201);
  const series = { count: 2, lastObservedTime: '2026-01-01T00:01:00.000000Z' };
  assert.equal((await server.ask('PATCH', `${newer}/e`, { series }, merge)).status, 200);
  assert.deepEqual(problemsOf(await server.ask('PATCH', `${newer}/e`, { series: { count: 0 } }, merge)), [
    'series.count: Invalid value: "": should be at least 2',
  ]);
  const changed = { note: 'n', deprecatedCount: 3, reportingInstance: 'j', reason: 's' };
  const refused = problemsOf(await server.ask('PATCH', `${newer}/e`, changed, merge)) ?? [];
  assert.deepEqual(
    refused.map((line) => line.replace(/Invalid value: .*: /, '')),
    ['reason', 'message', 'count', 'reportingInstance'].map((field) => `${field}: field is immutable`),
  );
  const counted = await server.ask('PATCH', `${core}/e`, { count: 3, message: 'n', reason: 's' }, merge);
  assert.equal(counted.status, 200, counted.text);
});

test('an event without its time lives where its object does; with it, only those of no namespace are bound', async () => {
  const elsewhere = { involvedObject: { namespace: 'other' }, metadata: { name: 'w' } };
  assert.deepEqual(problemsOf(await server.ask('POST', core, elsewhere)), [
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ]);
  assert.equal((await server.ask('POST', core, { ...elsewhere, ...written, reportingComponent: 'c' })).status, 201);
  const nowhere = { ...written, reportingComponent: 'c', metadata: { name: 'n' }, involvedObject: { kind: 'Node', name: 'n' } };
  assert.equal((await server.ask('POST', core, nowhere)).status, 201);
  assert.deepEqual(problemsOf(await server.ask('POST', core.replace('default', 'kube-public'), nowhere)), [
    'involvedObject.namespace: Invalid value: "": does not match event.namespace',
  ]);
});
