import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthorizerValue, Decisions } from './authorizer.ts';
import { compileChecked } from './environment.ts';
import { plan } from './interpreter.ts';
import { parseCel } from './parser.ts';
import { dynType } from './types.ts';

const text = (length: number) => 'x'.repeat(length);
const authorizer = new AuthorizerValue(new Decisions(() => ({ decision: 'allow' })), { name: 'ann', groups: [] }, {});
const values = {
  input: { key: 'v', nested: { field: 1n } },
  items: ['v'],
  none: [],
  long: text(500),
  short: 'idc',
  yes: true,
  no: false,
  x: 1n,
  bytes: new Uint8Array(500),
  authorizer,
};
const names = new Set(Object.keys(values));

/** What a run costs where nothing is worked out beforehand, by the tables of cel-go's and of Kubernetes' own tests. */
const costs: readonly (readonly [expression: string, cost: number])[] = [
  ["'Hello World!'", 0],
  ['input', 1],
  ["input['key']", 2],
  ['items[0]', 2],
  ['input.key', 2],
  ["input['ke' + 'y']", 3],
  ['items[3 - 3]', 3],
  ['has(input.key)', 1],
  ['has(input.nested.field)', 2],
  ['[1, 2, 3]', 10],
  ["{'a': 1, 'b': 2}", 30],
  ['none.all(x, true)', 2],
  ['[1, 2, 3].all(x, true)', 20],
  ["long.matches('[0-9]')", 103],
  ["'123'.matches('[0-9]')", 2],
  ['false || false', 0],
  ['yes || no || yes', 1],
  ['no || no || yes', 3],
  ['no && yes && yes', 1],
  ['1 < 2', 1],
  ['1 == 2', 1],
  ['2 in [1, 2, 3]', 13],
  ['1 + 1', 1],
  ['true ? 1 : 2', 0],
  ['size("123")', 1],
  ["'12345678901234567890' == '123456789012345678901234567890'", 2],
  ['string(bytes)', 51],
  ['bytes(long)', 51],
  ['string(1)', 1],
  ['long.contains(long)', 2502],
  ['short.startsWith(long)', 3],
  ['short.endsWith(long)', 3],
  ['short.size()', 2],
  ['(x > 2 ? none : items).all(y, true)', 6],
  ['true ? false : 1 > 3', 0],
  ['false ? false : 1 > 3', 1],
  ["[{'k1': 1}, {'k2': 2}].all(x, true)", 77],
  ['[1, 2, 3, 4, 5].filter(x, x % 2 == 0)', 62],
  ['[1, 2, 3, 4, 5].map(x, x)', 86],
  ['[1, 2, 3, 4, 5].map(x, x).filter(x, x % 2 == 0)', 138],
  ['[1, 2, 3, 4, 5].map(x, x).exists(x, x == 5) == true', 118],
  ['[1, 2, 3, 4, 5].map(x, [x, x]).all(y, y.all(y, y == 1))', 171],
  ['[1, 2, 3].all(i, i in [1, 2, 3].map(j, j + j))', 86],
  ["'ABCDEFGHIJ abcdefghij'.lowerAscii() == 'abcdefghij ABCDEFGHIJ'.lowerAscii()", 9],
  ["strings.quote('ABCDEFGHIJ abcdefghij')", 3],
  ["'abc 123 def 123'.replace('123', '456')", 3],
  ["'abc 123 def 123'.split(' ')", 3],
  ["'abc 123 def 123'.find('123')", 2],
  ["['aa', 'bb', 'cc', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].join(' ')", 15],
  ["authorizer.path('/healthz').check('get').allowed()", 350_003],
  ["authorizer.group('').resource('pods').fieldSelector('spec.nodeName=example-node-name.fully.qualified.domain.name.example.com')", 1821],
  ["quantity('50k').add(20).sub(quantity('100k')).asInteger() > 0", 6],
  ["format.named('dns1123Subdomain').value().validate('my-name')", 17],
  ["format.named('dns1123Label').value().validate('my-name')", 10],
  ['sets.contains([1, 2, 3, 4], [2, 3])', 29],
  ['sets.equivalent([1, 1], [1])', 25],
  ["semver('1234.56789012345.67890123456789').major()", 5],
  ["{'a': 1, 'b': 2}.existsOne(k, v, v > 0)", 40],
  ["{'a': 1, 'b': 2}.transformMapEntry(k, v, v < 5, {k: v + 1})", 135],
  ['[1, 2].transformList(i, v, v < 5, v + 1)', 53],
];

test('a run costs what it costs in cel-go', () => {
  for (const [expression, cost] of costs) {
    const meter = { cost: 0, limit: 1_000_000 };
    const run = plan(parseCel(expression), names, { isFolding: false });
    run(values, meter);
    assert.equal(meter.cost, cost, expression);
  }
});

test('what is made of constants alone costs nothing', () => {
  const costOf = (expression: string) => {
    const meter = { cost: 0, limit: 1_000_000 };
    compileChecked(expression, { x: { type: dynType, sizeMax: 0 } }).evaluate({ x: 1n }, meter);
    return meter.cost;
  };
  assert.equal(costOf('x in [1, 2, 3]'), 1);
  assert.equal(costOf("[1, 2, 3].size() == 3 && {'a': [1]}.size() == 1 && duration('1h') == duration('60m')"), 5);
});

test('a run ends when it has cost too much, whatever might decide', () => {
  const costly = compileChecked('items.exists(x, items.exists(y, x + y < 0)) || true', { items: { type: dynType, sizeMax: 0 } });
  const items = Array.from({ length: 1000 }, (_, i) => BigInt(i));
  const meter = { cost: 0, limit: 5000 };
  assert.throws(() => costly.evaluate({ items }, meter), /^CelCostError: operation cancelled: actual cost limit exceeded$/);
  assert.ok(meter.cost > 5000 && meter.cost < 5200, String(meter.cost));
  const early = { cost: 0, limit: 5000 };
  assert.equal(compileChecked('items.exists(x, x == 3)', { items: { type: dynType, sizeMax: 0 } }).evaluate({ items }, early), true);
  assert.ok(early.cost < 50, 'what comes after the decision is not paid for');
});
