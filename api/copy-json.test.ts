import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { copyJson } from './copy-json.ts';

test('a copy is equal to what was copied, and shares nothing with it', () => {
  const shares = (a: unknown, b: unknown): boolean =>
    typeof a === 'object' &&
    a !== null &&
    (a === b || Object.entries(a).some(([key, value]) => shares(value, (b as Record<string, unknown>)[key])));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copied = copyJson(value);
      assert.deepEqual(copied, value);
      assert.equal(shares(copied, value), false);
    }),
  );
});

test('keys that mean something to JavaScript are keys like any other', () => {
  const text = '{"__proto__":{"a":1},"constructor":2}';
  assert.equal(JSON.stringify(copyJson(JSON.parse(text))), text);
});
