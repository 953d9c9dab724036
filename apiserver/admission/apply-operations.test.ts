import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonPatch } from '../../api/patch/json-patch.ts';
import { applyOperations, OperationError, type PatchOperation } from './apply-operations.ts';

const key = fc.constantFrom('a', 'b', 'c~d', 'e/f', '0', '1');
/** As JSON brings it: there is no -0. */
const value = fc.json({ maxDepth: 2 }).map((text): unknown => JSON.parse(text));
const document = fc.dictionary(key, fc.oneof(value, fc.array(value, { maxLength: 3 }), fc.dictionary(key, value)));
const pointer = fc
  .array(fc.oneof(key, fc.constant('-')), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''));
const operation: fc.Arbitrary<PatchOperation> = fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path: pointer, value }),
  fc.record({ op: fc.constant('remove'), path: pointer }),
  fc.record({ op: fc.constantFrom('move', 'copy'), from: pointer, path: pointer }),
);

test('operations that apply give what RFC 6902 says, and leave what they were given as it was', () => {
  let applied = 0;
  fc.assert(
    fc.property(document, fc.array(operation, { maxLength: 4 }), (given, operations) => {
      const before = JSON.stringify(given);
      let result: object;
      try {
        result = applyOperations(given, operations);
      } catch (error) {
        assert.ok(error instanceof OperationError, String(error));
        assert.equal(JSON.stringify(given), before);
        return;
      }
      applied++;
      assert.equal(JSON.stringify(given), before);
      assert.deepEqual(result, jsonPatch(given, operations));
    }),
    { numRuns: 2000 },
  );
  assert.ok(applied > 200, `${applied} of them applied`);
});

test("what does not apply says so in Kubernetes' words", () => {
  const cases: [operation: PatchOperation, message: string][] = [
    [{ op: 'add', path: '/x/y', value: 1 }, 'add operation does not apply: doc is missing path: "/x/y": missing value'],
    [
      { op: 'add', path: '/list/7', value: 1 },
      "error in add for path: '/list/7': Unable to access invalid index: 7: invalid index referenced",
    ],
    [{ op: 'remove', path: '/x' }, "error in remove for path: '/x': Unable to remove nonexistent key: x: missing value"],
    [{ op: 'replace', path: '/x', value: 1 }, 'replace operation does not apply: doc is missing key: /x: missing value'],
    [{ op: 'test', path: '/a', value: 2 }, 'testing value /a failed: test failed'],
    [{ op: 'else', path: '/a' }, 'Unexpected kind: else'],
  ];
  for (const [each, message] of cases) assert.throws(() => applyOperations({ a: 1, list: [] }, [each]), { message });
});
