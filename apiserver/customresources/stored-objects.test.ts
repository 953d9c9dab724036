import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { JsonSchema } from '../../api/apiextensions.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { applyPatch, define, mergePatch, widget, widgets } from './definition-fixture.ts';

let server: ServerFixture;
before(async () => {
  server = await startServer();
});
after(() => server.close());

const names = fc.constantFrom('a', 'b', 'c', 'd');
const word = fc.string({ unit: 'grapheme', maxLength: 6 });

interface Sample {
  schema: JsonSchema;
  /** Of the schema's type; not always within its bounds. */
  value: fc.Arbitrary<unknown>;
}

const scalars: readonly Sample[] = [
  { schema: { type: 'string' }, value: word },
  { schema: { type: 'string', maxLength: 3 }, value: word },
  { schema: { type: 'string', enum: ['x', 'y'], default: 'x' }, value: fc.constantFrom('x', 'y', 'z') },
  { schema: { type: 'string', nullable: true }, value: fc.option(word) },
  { schema: { type: 'integer', minimum: 0 }, value: fc.integer({ min: -3 }) },
  { schema: { type: 'integer', default: 7 }, value: fc.maxSafeInteger() },
  { schema: { type: 'number' }, value: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { schema: { type: 'boolean', default: true }, value: fc.boolean() },
  { schema: { 'x-kubernetes-int-or-string': true }, value: fc.oneof(word, fc.integer()) },
  { schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, value: fc.dictionary(names, fc.jsonValue({ maxDepth: 2 })) },
];

function sampleOf(depth: number): fc.Arbitrary<Sample> {
  const scalar = fc.constantFrom(...scalars);
  if (depth === 0) return scalar;
  const inner = sampleOf(depth - 1);
  return fc.oneof(
    { weight: 3, arbitrary: scalar },
    inner.map(({ schema, value }): Sample => ({ schema: { type: 'array', items: schema }, value: fc.array(value, { maxLength: 3 }) })),
    fc.constant<Sample>({
      schema: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
      value: fc.array(word, { maxLength: 3 }),
    }),
    inner.map(
      ({ schema, value }): Sample => ({
        schema: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['key'],
          items: { type: 'object', required: ['key'], properties: { key: { type: 'string' }, value: schema } },
        },
        value: fc.array(fc.record({ key: names, value }, { requiredKeys: ['key'] }), { maxLength: 3 }),
      }),
    ),
    inner.map(
      ({ schema, value }): Sample => ({ schema: { type: 'object', additionalProperties: schema }, value: fc.dictionary(names, value) }),
    ),
    fc.dictionary(names, inner, { minKeys: 1, maxKeys: 3 }).map(
      (fields): Sample => ({
        schema: { type: 'object', properties: Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema])) },
        value: fc
          .tuple(
            fc.record(Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value])), { requiredKeys: [] }),
            fc.dictionary(fc.constantFrom('other', 'unknown'), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 1 }),
          )
          .map(([known, unknown]) => ({ ...unknown, ...known })),
      }),
    ),
  );
}

test('what is valid is stored and read back as it was answered, and writing it again changes nothing', async () => {
  let definitions = 0;
  let accepted = 0;
  const sampled = sampleOf(3).chain(({ schema, value }) => fc.tuple(fc.constant(schema), fc.array(value, { minLength: 4, maxLength: 4 })));
  await fc.assert(
    fc.asyncProperty(sampled, async ([schema, values]) => {
      const plural = `widgets${definitions++}`;
      const names = { plural, kind: 'Widget', listKind: 'WidgetList' };
      const group = `${plural}.example.com`;
      await define(server, widgets({ spec: schema }, {}, { group, names }));
      const path = `/apis/${group}/v1/namespaces/default/${plural}`;
      for (const [i, spec] of values.entries()) {
        const body = { ...widget(`w${i}`, spec === undefined ? {} : { spec: spec as object }), apiVersion: `${group}/v1` };
        const created = await server.ask('POST', path, body);
        assert.ok(created.status === 201 || created.status === 422, created.text);
        if (created.status === 422) continue;
        accepted++;
        const read = await server.ask('GET', `${path}/w${i}`);
        assert.deepEqual(read.json, created.json);
        const replaced = await server.ask('PUT', `${path}/w${i}`, read.text);
        assert.equal(replaced.json.metadata.resourceVersion, read.json.metadata.resourceVersion, 'a replacement by itself');
        const patched = await server.ask('PATCH', `${path}/w${i}`, {}, mergePatch);
        assert.equal(patched.json.metadata.resourceVersion, read.json.metadata.resourceVersion, 'an empty patch');
        const { managedFields: _, ...metadata } = read.json.metadata;
        const applied = await server.ask('PATCH', `${path}/w${i}?fieldManager=m&force=true`, { ...read.json, metadata }, applyPatch);
        assert.equal(applied.status, 200, applied.text);
        assert.deepEqual(applied.json.spec, read.json.spec, 'an apply of itself');
        assert.equal(applied.json.metadata.generation, 1);
      }
    }),
    // fast-check prints the seed of a run that fails.
    { numRuns: 40 },
  );
  assert.ok(accepted > 40, `only ${accepted} objects were valid`);
});
