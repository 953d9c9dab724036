import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discover } from './discovery.ts';
import type { Transport } from './transport.ts';

const listing = (...groups: object[]) =>
  JSON.stringify({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items: groups });
const version = (name: string, plural: string, freshness = 'Current') => ({
  version: name,
  freshness,
  resources: [{ resource: plural, responseKind: { kind: plural.toUpperCase() }, scope: 'Namespaced', verbs: ['list'] }],
});

test('kinds of group versions that nobody answers for are not among those found, and another version is preferred', async () => {
  const documents: Record<string, string> = {
    '/api': listing({ metadata: {}, versions: [version('v1', 'pods')] }),
    '/apis': listing(
      { metadata: { name: 'a' }, versions: [version('v2', 'things', 'Stale'), version('v1', 'things')] },
      { metadata: { name: 'b' }, versions: [version('v1', 'others', 'Stale')] },
    ),
  };
  const transport: Transport = {
    async request({ path }) {
      return {
        status: 200,
        headers: {},
        body: (async function* () {
          yield Buffer.from(documents[path] ?? '');
        })(),
      };
    },
    async close() {},
  };
  const { kinds, stale } = await discover(transport);
  assert.deepEqual(
    kinds.map(({ kind, isPreferred }) => [kind.group, kind.version, kind.plural, isPreferred]),
    [
      ['', 'v1', 'pods', true],
      ['a', 'v1', 'things', true],
    ],
  );
  assert.deepEqual(stale, ['a/v2', 'b/v1']);
});
