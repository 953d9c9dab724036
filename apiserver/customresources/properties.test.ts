import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonSchema } from '../../api/apiextensions.ts';
import { checkBody, DecodeError } from '../schema/check.ts';
import { validateCelRules } from './cel-rule-checks.ts';
import { validateRules } from './cel-rules.ts';
import { setDefaults } from './defaulting.ts';
import { customResourceNode } from './schema-node.ts';
import { schemaType } from './schema-type.ts';
import { validateStructuralSchema } from './structural-schema.ts';
import { validateListTypes, validateValue } from './validate-value.ts';

const names = fc.constantFrom('a', 'b', 'size', 'namespace', 'my-field', '__proto', 'constructor');
const { schema } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.record<JsonSchema>(
      {
        type: fc.constant('string'),
        maxLength: fc.nat(5),
        pattern: fc.constantFrom('^a+$', '[0-9]'),
        enum: fc.constant(['a', 'b']),
        format: fc.constantFrom('date', 'date-time', 'duration', 'uuid', 'byte', 'ipv4'),
        default: fc.constantFrom('a', 'b'),
        nullable: fc.boolean(),
        'x-kubernetes-validations': fc.constant([{ rule: 'self != oldSelf' }, { rule: "string(self) != 'b'" }]),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record<JsonSchema>(
      {
        type: fc.constantFrom('integer', 'number'),
        minimum: fc.integer({ min: -3, max: 3 }),
        default: fc.integer(),
        multipleOf: fc.constantFrom(2, 0.5),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record<JsonSchema>({ type: fc.constant('boolean'), default: fc.boolean() }, { requiredKeys: ['type'] }),
    fc.constant<JsonSchema>({ 'x-kubernetes-int-or-string': true }),
    fc.constant<JsonSchema>({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
    fc.record<JsonSchema>(
      {
        type: fc.constant('array'),
        items: tie('schema') as fc.Arbitrary<JsonSchema>,
        maxItems: fc.nat(4),
        'x-kubernetes-list-type': fc.constantFrom('atomic', 'set'),
        'x-kubernetes-validations': fc.constant([{ rule: 'self.all(x, self.exists(y, x == y))' }, { rule: 'self[0] != self[1]' }]),
      },
      { requiredKeys: ['type', 'items'] },
    ),
    fc.record<JsonSchema>(
      {
        type: fc.constant('object'),
        properties: fc.dictionary(names, tie('schema') as fc.Arbitrary<JsonSchema>, { maxKeys: 4 }),
        required: fc.array(names, { maxLength: 2 }),
        'x-kubernetes-validations': fc.constant([
          { rule: '!has(self.a) || self == oldSelf', messageExpression: "'was ' + string(self.a)" },
        ]),
      },
      { requiredKeys: ['type', 'properties'] },
    ),
    fc.record<JsonSchema>({ type: fc.constant('object'), additionalProperties: tie('schema') as fc.Arbitrary<JsonSchema> }),
  ),
}));
const root = fc.dictionary(names, schema, { maxKeys: 4 }).map((properties): JsonSchema => ({ type: 'object', properties }));
const value = fc.dictionary(names, fc.jsonValue({ maxDepth: 4 }), { maxKeys: 5 });
const clone = (object: object) => JSON.parse(JSON.stringify(object)) as Record<string, unknown>;

/** fast-check prints the seed of a run that fails. */
const runs = { numRuns: 300 };

test('pruning and defaulting twice is the same as doing it once', () => {
  fc.assert(
    fc.property(root, value, (rules, given) => {
      const node = customResourceNode(rules, false);
      const object = clone(given);
      try {
        checkBody(object, node);
      } catch (error) {
        if (error instanceof DecodeError) return;
        throw error;
      }
      setDefaults(object, rules);
      const once = JSON.stringify(object);
      assert.deepEqual(checkBody(object, node).unknownFields, []);
      assert.equal(setDefaults(object, rules), false);
      assert.equal(JSON.stringify(object), once);
    }),
    runs,
  );
});

test('validation says something about any object of any schema, and never breaks', () => {
  fc.assert(
    fc.property(root, value, value, (rules, given, before) => {
      for (const old of [undefined, before, given]) {
        for (const { field, message } of [
          ...validateValue(given, rules, old),
          ...validateListTypes(given, rules),
          ...validateRules(given, rules, old),
        ])
          assert.ok(field !== '' && message !== '');
      }
    }),
    runs,
  );
});

test('what is unchanged is never complained about by the schema', () => {
  fc.assert(
    fc.property(root, value, (rules, given) => {
      assert.deepEqual(validateValue(given, rules, structuredClone(given)), []);
    }),
    runs,
  );
});

test('any schema is judged, and its rules with it', () => {
  fc.assert(
    fc.property(root, (rules) => {
      for (const { field } of [...validateStructuralSchema(rules, 'schema'), ...validateCelRules(rules, 'schema')])
        assert.match(field, /^schema/);
      assert.ok(schemaType(rules, true));
    }),
    runs,
  );
});
