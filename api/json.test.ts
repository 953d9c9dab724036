import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { longInteger, markedJson, parseJson, parseMarked, stringifyJson, throughJson, wireInteger } from './json.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

test('integers of 64 bits are read and written exactly, and only those that numbers cannot hold are bigints', () => {
  for (const text of ['9007199254740991', '-9007199254740991', '0', '12', '1e3', '1.5'])
    assert.equal(typeof parseJson(`{"a":${text}}`)?.['a' as never], 'number', text);
  for (const text of ['9007199254740992', '9007199254740993', '9223372036854775807', '-9223372036854775808', '1000000000000000000']) {
    assert.deepEqual(parseJson(`[${text}]`), [BigInt(text)]);
    assert.equal(stringifyJson(parseJson(`{"a":[${text},"${text}"]}`)), `{"a":[${text},"${text}"]}`);
  }
  // Beyond 64 bits, or written as a fraction, it is a float64 in Kubernetes.
  for (const text of ['9223372036854775808', '-9223372036854775809', '1e18', '9007199254740993.0', '123456789012345678901234'])
    assert.deepEqual(parseJson(`[${text}]`), [Number(text)]);
  assert.equal(longInteger('12'), undefined);
  assert.equal(wireInteger(12n), 12);
  assert.equal(stringifyJson({ a: 2n ** 62n }, 2), '{\n  "a": 4611686018427387904\n}');
  assert.throws(() => parseJson('{"a":1234567890123456789'), SyntaxError);
  const loop: { self?: unknown } = {};
  loop.self = loop;
  assert.throws(() => stringifyJson(loop), TypeError);
});

test(`whatever is written is read back the same (seed ${seed})`, () => {
  const integers = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(wireInteger);
  const value = fc.letrec((tie) => ({
    value: fc.oneof(integers, fc.string(), fc.constant(null), fc.boolean(), tie('list'), tie('object')),
    list: fc.array(tie('value'), { maxLength: 4 }),
    object: fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  }));
  fc.assert(
    fc.property(value.value, (any) => {
      assert.deepEqual(parseJson(stringifyJson(any)), any);
      assert.deepEqual(parseMarked(markedJson(any)), any);
      assert.deepEqual(throughJson(any), any);
    }),
    { seed, numRuns: 300 },
  );
});
