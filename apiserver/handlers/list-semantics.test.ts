// What each combination of resourceVersion, resourceVersionMatch, continue, limit and sendInitialEvents means to a list
// and to a watch (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { configMaps } from '../../api/core.ts';
import { settleEventLoop } from '../../base/virtual-clock.ts';
import { readBody } from '../../client/transport.ts';
import { root, type ServerFixture, startServer } from '../server-fixture.ts';

const path = '/api/v1/namespaces/default/configmaps';
let fixture: ServerFixture;
/** The revision after `a` and `b` were made; `c` came later. */
let past: string;
/** Goes on after `a` at that revision. */
let token: string;
let newest: string;
before(async () => {
  fixture = await startServer();
  const make = (name: string) => fixture.client.create(configMaps, { metadata: { namespace: 'default', name } });
  await make('a');
  past = (await make('b')).metadata?.resourceVersion ?? '';
  token = tokenOf({ v: 'meta.k8s.io/v1', rv: Number(past), start: 'a\0' });
  newest = (await make('c')).metadata?.resourceVersion ?? '';
});
after(() => fixture.close());

const tokenOf = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const filled = (query: string) => query.replaceAll('PAST', past).replaceAll('TOKEN', token).replaceAll('NEWEST', newest);

/** A query and the names that it lists, or the code and message of its refusal. */
const lists: [query: string, expected: string[] | [code: number, message: string | RegExp]][] = [
  ['', ['a', 'b', 'c']],
  ['resourceVersion=', ['a', 'b', 'c']],
  ['resourceVersion=0', ['a', 'b', 'c']],
  ['resourceVersion=PAST', ['a', 'b', 'c']],
  ['resourceVersion=0&limit=2', ['a', 'b']],
  ['limit=2', ['a', 'b']],
  ['resourceVersion=PAST&limit=5', ['a', 'b']],
  ['resourceVersion=PAST&resourceVersionMatch=Exact', ['a', 'b']],
  ['resourceVersion=PAST&resourceVersionMatch=Exact&limit=1', ['a']],
  ['resourceVersion=PAST&resourceVersionMatch=NotOlderThan', ['a', 'b', 'c']],
  ['resourceVersion=PAST&resourceVersionMatch=NotOlderThan&limit=5', ['a', 'b', 'c']],
  ['resourceVersion=0&resourceVersionMatch=NotOlderThan', ['a', 'b', 'c']],
  ['fieldSelector=metadata.name%3Db', ['b']],
  ['fieldSelector=metadata.name!%3Db', ['a', 'c']],
  ['fieldSelector=metadata.namespace%3Dother', []],
  [
    'resourceVersionMatch=Exact',
    [
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
  ],
  [
    'resourceVersion=0&resourceVersionMatch=Exact',
    [
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
  ],
  [
    'resourceVersion=1&resourceVersionMatch=Nearly',
    [
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Nearly": supported values: "Exact", "NotOlderThan", ""',
    ],
  ],
  [
    'resourceVersion=1&resourceVersionMatch=Exact&continue=x',
    [422, /resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided$/],
  ],
  [
    'sendInitialEvents=true',
    [422, 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'],
  ],
  [
    `resourceVersion=1&continue=${tokenOf({ v: 'meta.k8s.io/v1', rv: 5, start: 'a\0' })}`,
    [400, 'specifying resource version is not allowed when using continue'],
  ],
  [
    `continue=${tokenOf({ v: 'v2', rv: 1, start: 'a' })}`,
    [400, 'invalid continue token: continue key is not valid: server does not recognize this encoded version v2'],
  ],
  [
    `continue=${tokenOf({ v: 'meta.k8s.io/v1', rv: 0, start: 'a' })}`,
    [400, 'invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)'],
  ],
  [
    `continue=${tokenOf({ v: 'meta.k8s.io/v1', rv: 1, start: '' })}`,
    [400, 'invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)'],
  ],
  [
    `continue=${tokenOf({ v: 'meta.k8s.io/v1', rv: 1, start: '../../secrets/x' })}`,
    [400, 'invalid continue token: continue key is not valid: ../../secrets/x'],
  ],
  ['continue=%21', [400, /^invalid continue token: continue key is not valid: /]],
  ['fieldSelector=spec.x%3D1', [400, '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"']],
  [
    'resourceVersion=x',
    [400, 'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'],
  ],
  ['resourceVersion=-1', [400, /strconv\.ParseUint: parsing "-1": invalid syntax$/]],
  ['resourceVersion=18446744073709551616', [400, /strconv\.ParseUint: parsing "18446744073709551616": value out of range$/]],
  ['resourceVersion=x&continue=x', [400, /^invalid continue token: /]],
  ['resourceVersion=PAST&continue=TOKEN', [400, 'specifying resource version is not allowed when using continue']],
  ['resourceVersion=0&continue=TOKEN', ['b']],
  ['continue=TOKEN', ['b']],
  ['continue=TOKEN&limit=1', ['b']],
  ['continue=TOKEN&resourceVersionMatch=NotOlderThan', [422, /unless resourceVersion is provided, .*when continue is provided\]$/]],
  ['resourceVersion=0&resourceVersionMatch=NotOlderThan&limit=2', ['a', 'b']],
  ['resourceVersion=0&resourceVersionMatch=Exact&limit=2', [422, /is forbidden for resourceVersion "0"$/]],
  ['resourceVersionMatch=Exact&limit=2', [422, /is forbidden unless resourceVersion is provided$/]],
  ['resourceVersionMatch=NotOlderThan', [422, /is forbidden unless resourceVersion is provided$/]],
  ['resourceVersionMatch=NotOlderThan&limit=2', [422, /is forbidden unless resourceVersion is provided$/]],
  ['resourceVersion=PAST&limit=0', ['a', 'b', 'c']],
  ['resourceVersion=PAST&limit=-1', ['a', 'b', 'c']],
  ['limit=x', [400, 'strconv.ParseInt: parsing "x": invalid syntax']],
  ['limit=', [400, 'strconv.ParseInt: parsing "": invalid syntax']],
  ['limit=9223372036854775808', [400, 'strconv.ParseInt: parsing "9223372036854775808": value out of range']],
  ['limit=9223372036854775807', ['a', 'b', 'c']],
  ['timeoutSeconds=1s', [400, 'strconv.ParseInt: parsing "1s": invalid syntax']],
  ['allowWatchBookmarks=true', ['a', 'b', 'c']],
  ['sendInitialEvents=false', [422, /sendInitialEvents is forbidden for list$/]],
  // Sharding is off unless its gate is on, which it is not.
  ['shardSelector=x', ['a', 'b', 'c']],
  // What cannot be read is told before what does not fit.
  ['limit=x&resourceVersionMatch=Exact', [400, /ParseInt/]],
  ['labelSelector=%21%21&resourceVersionMatch=Exact', [400, /^unable to parse requirement: /]],
];

test('a list is of the revision that its parameters say, and refused in the words of Kubernetes when they contradict each other', async () => {
  for (const [query, expected] of lists) {
    const { status, json } = await fixture.ask('GET', `${path}?${filled(query)}`);
    const [first, message] = expected;
    if (typeof first === 'number') {
      assert.equal(status, first, query);
      if (typeof message === 'string') assert.equal(json.message, message, query);
      else assert.match(json.message, message as RegExp, query);
    } else {
      assert.equal(status, 200, `${query}: ${json.message}`);
      const names = json.items.map((item: { metadata: { name: string } }) => item.metadata.name);
      assert.deepEqual(names, expected, query);
    }
  }
  const pods = await fixture.ask('GET', '/api/v1/pods?fieldSelector=spec.x%3D1');
  assert.deepEqual([pods.status, pods.json.message], [400, 'field label not supported: spec.x']);
});

test('a page says how much is left unless a selector hides it, and its token goes on at the same revision', async () => {
  const first = (await fixture.ask('GET', `${path}?limit=1`)).json.metadata;
  assert.equal(first.remainingItemCount, 2);
  assert.equal((await fixture.ask('GET', `${path}?limit=1&labelSelector=!x`)).json.metadata.remainingItemCount, undefined);
  const next = (await fixture.ask('GET', `${path}?limit=1&continue=${first.continue}`)).json.metadata;
  assert.deepEqual([next.resourceVersion, next.remainingItemCount], [first.resourceVersion, 1]);
  const last = (await fixture.ask('GET', `${path}?continue=${next.continue}`)).json;
  assert.deepEqual([last.items.length, last.metadata.continue, last.metadata.remainingItemCount], [1, undefined, undefined]);
});

/** A query, and what it shows at first: `+name` for ADDED, `|` for a bookmark, `|!` for the one that ends the initial events. */
const watches: [query: string, expected: string | [code: number, message: string | RegExp]][] = [
  ['', '+a +b +c'],
  ['resourceVersion=0', '+a +b +c'],
  ['resourceVersion=PAST', '+c'],
  ['resourceVersion=NEWEST', ''],
  ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan', '+a +b +c'],
  ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true', '+a +b +c |!'],
  ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1&resourceVersion=PAST', '+a +b +c |!'],
  ['sendInitialEvents=false&resourceVersionMatch=NotOlderThan', ''],
  ['sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=PAST', '+c'],
  ['fieldSelector=metadata.name%3Db', '+b'],
  // Who begins nowhere in particular is told where what is there ends, as if sendInitialEvents had been said.
  ['allowWatchBookmarks=true', '+a +b +c |!'],
  ['resourceVersion=0&allowWatchBookmarks=true', '+a +b +c |!'],
  ['resourceVersion=PAST&allowWatchBookmarks=true', '+c'],
  ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=0', '+a +b +c'],
  ['sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=0', ''],
  ['sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=PAST', '+c'],
  ['sendInitialEvents=&resourceVersionMatch=NotOlderThan', '+a +b +c'],
  ['limit=1', '+a +b +c'],
  ['resourceVersion=1000000', ''],
  ['shardSelector=x', '+a +b +c'],
  ['continue=x', [422, /: Forbidden: resourceVersionMatch is forbidden when continue is provided$/]],
  ['continue=x&resourceVersion=PAST', '+c'],
  ['resourceVersion=x', [500, 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax']],
  ['timeoutSeconds=', [400, 'strconv.ParseInt: parsing "": invalid syntax']],
  [
    'resourceVersionMatch=Exact&resourceVersion=PAST',
    [422, /unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"\]$/],
  ],
  ['sendInitialEvents=false&resourceVersionMatch=Exact', [422, /requires setting resourceVersionMatch to NotOlderThan, /]],
  [
    'sendInitialEvents=true',
    [
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
  ],
  [
    'resourceVersionMatch=NotOlderThan',
    [
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ],
  ],
  [
    'sendInitialEvents=true&resourceVersionMatch=Exact',
    [
      422,
      /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"\]$/,
    ],
  ],
];

async function seenBy(url: string, accept = 'application/json'): Promise<{ status: number; text: string }> {
  const controller = new AbortController();
  const response = await fixture.server
    .transport(root)
    .request({ method: 'GET', path: url, headers: { accept }, signal: controller.signal });
  let text = '';
  const read = async () => {
    for await (const chunk of response.body) text += Buffer.from(chunk).toString();
  };
  const done = read().catch((error: unknown) => {
    if (!controller.signal.aborted) throw error;
  });
  await settleEventLoop();
  controller.abort();
  await done;
  return { status: response.status, text };
}

function shown(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '');
  const words = lines.map((line) => {
    const { type, object } = JSON.parse(line);
    if (type === 'BOOKMARK') return object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true' ? '|!' : '|';
    return `${type === 'ADDED' ? '+' : type} ${object.metadata.name}`.replace('+ ', '+');
  });
  return words.join(' ');
}

test('a watch begins where its parameters say, and is refused in the words of Kubernetes when they contradict each other', async () => {
  for (const [query, expected] of watches) {
    const { status, text } = await seenBy(`${path}?watch&${filled(query)}`);
    if (typeof expected === 'string') {
      assert.equal(status, 200, `${query}: ${text}`);
      assert.equal(shown(text), expected, query);
    } else {
      assert.equal(status, expected[0], query);
      const { message } = JSON.parse(text);
      if (typeof expected[1] === 'string') assert.equal(message, expected[1], query);
      else assert.match(message, expected[1], query);
    }
  }
});

test('one object is watched by its name, in the path or by the old paths, and a field selector must not say another', async () => {
  assert.equal(shown((await seenBy(`/api/v1/watch/namespaces/default/configmaps/b`)).text), '+b');
  assert.equal(shown((await seenBy(`/api/v1/watch/namespaces/default/configmaps`)).text), '+a +b +c');
  assert.equal(shown((await seenBy(`/api/v1/watch/namespaces/default/configmaps/b?fieldSelector=metadata.name%3Db`)).text), '+b');
  const other = await seenBy(`/api/v1/watch/namespaces/default/configmaps/b?fieldSelector=metadata.name%3Da`);
  assert.deepEqual([other.status, JSON.parse(other.text).message], [400, "fieldSelector metadata.name doesn't match requested name"]);
});

test('a bookmark is a row of a Table, too, and includeObject decides what rows carry', async () => {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&includeObject=None';
  const lines = (await seenBy(`${path}?${query}`, accept)).text.trim().split('\n');
  const events = lines.map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map(({ type, object }) => `${type} ${object.kind} ${object.rows.length}`),
    ['ADDED Table 1', 'ADDED Table 1', 'ADDED Table 1', 'BOOKMARK Table 1'],
  );
  assert.equal(events[0].object.rows[0].object, null);
  // What ends the initial events is told by an annotation, whatever rows carry otherwise.
  const end = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };
  const metadata = { resourceVersion: events[3].object.metadata.resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } };
  assert.deepEqual(events[3].object.rows[0], { cells: ['', 0, '<unknown>'], object: { ...end, metadata } });
  const withMetadata = (await seenBy(`${path}?${query.replace('None', 'Metadata')}`, accept)).text.trim().split('\n');
  const mark = JSON.parse(withMetadata.at(-1) ?? '').object.rows[0].object;
  assert.deepEqual([mark.kind, mark.metadata.annotations], ['PartialObjectMetadata', { 'k8s.io/initial-events-end': 'true' }]);
});

test('what is newer than anything written is waited for, then refused: a list by its answer, a watch in its stream', async () => {
  const cause = { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' };
  const future = tokenOf({ v: 'meta.k8s.io/v1', rv: 1_000_000, start: 'a\0' });
  for (const query of [
    'resourceVersion=1000000',
    'resourceVersion=1000000&resourceVersionMatch=NotOlderThan&limit=1',
    'resourceVersion=1000000&resourceVersionMatch=Exact',
    'resourceVersion=1000000&limit=1',
    `continue=${future}`,
  ]) {
    const asked = fixture.ask('GET', `${path}?${query}`);
    await fixture.clock.step(4000);
    const { status, json, headers } = await asked;
    assert.equal(status, 504, query);
    assert.deepEqual([json.reason, json.details], ['Timeout', { causes: [cause], retryAfterSeconds: 1 }], query);
    assert.match(json.message, /^Timeout: Too large resource version: 1000000, current: \d+$/, query);
    assert.equal(headers['retry-after'], '1', query);
  }
  const url = `${path}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=1000000`;
  const response = await fixture.server.transport(root).request({ method: 'GET', path: url });
  assert.equal(response.status, 200);
  await settleEventLoop();
  await fixture.clock.step(4000);
  const event = JSON.parse((await readBody(response)).toString());
  assert.deepEqual([event.type, event.object.code, event.object.reason], ['ERROR', 504, 'Timeout']);
});
