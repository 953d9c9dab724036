import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonSchema } from '../../api/apiextensions.ts';
import { schemaType } from '../customresources/schema-type.ts';
import { compileChecked } from './environment.ts';

const list = (item: JsonSchema, maxItems?: number): JsonSchema => ({ type: 'array', items: item, ...(maxItems && { maxItems }) });
const map = (value: JsonSchema, maxProperties?: number): JsonSchema => ({
  type: 'object',
  additionalProperties: value,
  ...(maxProperties && { maxProperties }),
});
const text = (maxLength?: number): JsonSchema => ({ type: 'string', ...(maxLength && { maxLength }) });
const [number, string, boolean] = [{ type: 'number' }, { type: 'string' }, { type: 'boolean' }];

/** What Kubernetes estimates, by its own table of costs that must stay (TestCostEstimation). */
const costs: readonly (readonly [rule: string, schema: JsonSchema, cost: number])[] = [
  ['self.all(x, true)', list(number), 4718591],
  ['self.all(x, true)', list(number, 10), 32],
  ['self.all(x, true)', list(string), 3145727],
  ['self.all(x, true)', list(string, 20), 62],
  ['self.all(x, true)', list(boolean), 1887437],
  ['self.all(x, true)', list(list(number)), 3145727],
  ['self.all(x, true)', list({ type: 'object', required: ['required'], properties: { required: string } }, 50), 152],
  ['self.all(x, true)', map(number), 1348169],
  ['self.all(x, true)', map(number, 10), 32],
  ['self.all(x, true)', map(string), 1179647],
  ['self.all(x, true)', map(boolean), 943718],
  ['has(self.x)', map(number), 0],
  ["self.contains('test')", text(), 314574],
  ["self.contains('test')", text(10), 5],
  ["self.startsWith('test')", text(), 2],
  ["self.endsWith('test')", text(), 2],
  ["size(self + 'hello') > size('hello')", text(), 314578],
  ["size(self + 'hello') > size('hello')", text(4), 7],
  ['self[1] == 0.0', list(number), 2],
  ['self[1] == self[1]', list(string), 314577],
  ['self.all(x, self.all(y, true))', list(number, 10), 352],
  ['self.all(x, self.all(y, self.all(z, true)))', list(number, 10), 3552],
  ["self.matches('x')", text(), 314574],
  ["''.matches('(((((((((())))))))))[0-9]')", text(), 7],
  ["self.matches('')", text(), 1],
  ['self["x"] == 0.0', map(number), 2],
  ["self == 'x'", text(), 2],
  ['self.all(x, x == 0.0)', list(number), 6291454],
  ['self.all(x, true)', list({ 'x-kubernetes-int-or-string': true }), 4718591],
  ['self[0] == 5', list({ 'x-kubernetes-int-or-string': true }), 3],
];

for (const [rule, schema, cost] of costs) {
  test(`${rule} costs ${cost} over ${JSON.stringify(schema)}`, () => {
    const self = schemaType(schema);
    assert.ok(self);
    assert.equal(compileChecked(rule, { self }).cost, cost);
  });
}
