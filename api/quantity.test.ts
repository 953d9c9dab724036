import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  QuantityError,
  quantityMilliValue,
  quantityValue,
} from './quantity.ts';

const canonical: [string, string][] = [
  ['0', '0'],
  ['1000m', '1'],
  ['0.5', '500m'],
  ['1.5Gi', '1536Mi'],
  ['1024Ki', '1Mi'],
  ['1000Ki', '1000Ki'],
  ['1000000', '1M'],
  ['1e3', '1e3'],
  ['1500e3', '1500e3'],
  ['12e6', '12e6'],
  ['100Mi', '100Mi'],
  ['0.1Gi', '107374182400m'],
  ['-1000m', '-1'],
  ['+5', '5'],
  ['.5', '500m'],
  ['5.', '5'],
  ['1.0000000001', '1000000001n'],
  ['123456789', '123456789'],
  ['512', '512'],
];
for (const [text, expected] of canonical) {
  test(`${text} is written ${expected}`, () => assert.equal(canonicalQuantity(text), expected));
}

for (const text of ['', '.', 'a', '1 ', '1mi', '1MiB', '1ee3', '--1', '1K']) {
  test(`${JSON.stringify(text)} is no quantity`, () => assert.throws(() => parseQuantity(text), QuantityError));
}

test('values round up', () => {
  assert.equal(quantityValue('100m'), 1);
  assert.equal(quantityMilliValue('1.0001'), 1001);
  assert.equal(quantityValue('1Gi'), 1073741824);
});

test('equal amounts compare equal whatever their form', () => {
  assert.equal(compareQuantities('1Ki', '1024'), 0);
  assert.ok(compareQuantities('999m', '1') < 0);
});

test('the canonical form keeps the amount and is its own canonical form', () => {
  const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'e-2');
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.integer({ min: 0, max: 999 }), suffix, (whole, part, end) => {
      const quantity = parseQuantity(`${whole}.${part}${end}`);
      const text = formatQuantity(quantity);
      assert.equal(parseQuantity(text).nano, quantity.nano);
      assert.equal(canonicalQuantity(text), text);
    }),
    { verbose: 1 },
  );
});
