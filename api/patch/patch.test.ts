import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StatusError } from '../status.ts';
import { jsonPatch, jsonPatchOperationsMax } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';

const current = Object.freeze({ a: Object.freeze({ b: 1 }), list: Object.freeze(['x', 'y']) });

function refusal(apply: () => unknown): StatusError {
  try {
    apply();
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error;
  }
  return assert.fail('was applied');
}

test('a JSON patch applies its operations in order and leaves the object alone', () => {
  const patched = jsonPatch(current, [
    { op: 'test', path: '/a/b', value: 1 },
    { op: 'add', path: '/list/-', value: 'z' },
    { op: 'remove', path: '/list/0' },
    { op: 'replace', path: '/a/b', value: { c: 2 } },
    { op: 'copy', from: '/a/b/c', path: '/d' },
    { op: 'move', from: '/a/b', path: '/a/e' },
    { op: 'add', path: '/a/x~1y', value: null },
  ]);
  assert.deepEqual(patched, { a: { e: { c: 2 }, 'x/y': null }, list: ['y', 'z'], d: 2 });
  assert.deepEqual(current, { a: { b: 1 }, list: ['x', 'y'] });
});

test('a JSON patch whose operation cannot be done is unprocessable', () => {
  for (const operation of [
    { op: 'remove', path: '/nothing' },
    { op: 'replace', path: '/nothing', value: 1 },
    { op: 'test', path: '/a/b', value: 2 },
    { op: 'add', path: '/no/where', value: 1 },
    { op: 'add', path: '/list/9', value: 1 },
    { op: 'mend', path: '/a' },
    { op: 'add', value: 1 },
    { op: 'add', path: '/__proto__/x', value: 1 },
  ]) {
    const error = refusal(() => jsonPatch(current, [operation]));
    assert.deepEqual(
      [error.code, error.message],
      [422, 'the server rejected our request due to an error in our request'],
      JSON.stringify(operation),
    );
  }
});

test('a JSON patch of too many operations is too large, and one that is no list is a bad request', () => {
  const many = Array.from({ length: jsonPatchOperationsMax + 1 }, () => ({ op: 'test', path: '/a/b', value: 1 }));
  const error = refusal(() => jsonPatch(current, many));
  assert.deepEqual(
    [error.code, error.message],
    [413, 'Request entity is too large: The allowed maximum operations in a JSON patch is 10000, got 10001'],
  );
  assert.equal(refusal(() => jsonPatch(current, { op: 'add' })).code, 400);
});

test('a merge patch sets, merges and deletes', () => {
  assert.deepEqual(mergePatch(current, { a: { b: null, c: { d: null, e: 1 } }, list: ['z'], f: null }), {
    a: { c: { e: 1 } },
    list: ['z'],
  });
  assert.equal(refusal(() => mergePatch(current, [1])).message, 'Invalid JSON Patch');
});

test('a merge patch of an object without nulls, onto nothing, is the object', () => {
  const value = fc.dictionary(
    fc.string(),
    fc.jsonValue({ maxDepth: 3 }).filter((item) => !JSON.stringify(item).includes('null')),
  );
  fc.assert(
    fc.property(value, (object) => {
      const plain = JSON.parse(JSON.stringify(object)) as object;
      assert.deepEqual(mergePatch({}, plain), plain);
    }),
  );
});

test('any JSON patch ends in an object or a refusal', () => {
  const pointer = fc
    .array(fc.constantFrom('a', 'b', 'list', '0', '-', 'x', ''), { maxLength: 3 })
    .map((parts) => parts.map((part) => `/${part}`).join(''));
  const operation = fc.record({
    op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
    path: pointer,
    from: pointer,
    value: fc.jsonValue({ maxDepth: 2 }),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 5 }), (patch) => {
      try {
        jsonPatch(current, patch);
      } catch (error) {
        assert.ok(error instanceof StatusError, String(error));
      }
    }),
  );
});
