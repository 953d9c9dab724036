import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../../api/json.ts';
import { DecodeError } from './check.ts';
import { parseYamlBody } from './yaml-body.ts';

test('JSON is read as the same YAML is', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  // A comment makes it YAML only.
  const asYaml = (text: string) => parseYamlBody(`# comment\n${text}`).value;
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.jsonValue({ maxDepth: 3 })),
      fc.boolean(),
      (object, isIndented) => {
        const text = JSON.stringify(object, null, isIndented ? 2 : 0);
        assert.deepEqual(parseYamlBody(text).value, parseJson(text));
        assert.deepEqual(asYaml(text), parseJson(text));
      },
    ),
    { seed, numRuns: 200 },
  );
});

test('flow YAML that is not JSON is read, too', () => {
  assert.deepEqual(parseYamlBody('{a: yes, b: 0o7, "c": [1, 2,]}').value, { a: true, b: '0o7', c: [1, 2] });
});

test('a key given twice is named with its line, and the last one counts', () => {
  assert.deepEqual(parseYamlBody('{\n "a": 1,\n "a": 2}'), { value: { a: 2 }, duplicates: ['line 3: key "a" already set in map'] });
});

test('what is neither is refused, and so is what goes too deep', () => {
  assert.throws(() => parseYamlBody('{"a": '), DecodeError);
  assert.throws(() => parseYamlBody('{"a":'.repeat(20_000)), DecodeError);
});
