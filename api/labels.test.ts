import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSelector, parseSelector, SelectorError, selectorMatches, selectorOf } from './labels.ts';

const cases: [string, Record<string, string>, boolean][] = [
  ['', { a: '1' }, true],
  ['a=1', { a: '1' }, true],
  ['a==1', { a: '2' }, false],
  ['a!=1', {}, true],
  ['a!=1', { a: '1' }, false],
  ['a in (1,2)', { a: '2' }, true],
  ['a in (1,2)', {}, false],
  ['a notin (1,2)', {}, true],
  ['a notin (1, 2)', { a: '1' }, false],
  ['a', { a: '' }, true],
  ['!a', { a: '' }, false],
  ['!a,b', { b: 'x' }, true],
  ['a=', { a: '' }, true],
  ['a in (,x)', { a: '' }, true],
  ['a>5', { a: '6' }, true],
  ['a<5', { a: '6' }, false],
  ['a>5', { a: 'x' }, false],
  ['app.kubernetes.io/name=web,tier in (front)', { 'app.kubernetes.io/name': 'web', tier: 'front' }, true],
];

for (const [text, labels, expected] of cases) {
  test(`selector ${JSON.stringify(text)} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(labels)}`, () => {
    assert.equal(selectorMatches(parseSelector(text), labels), expected);
  });
}

for (const text of ['a=b=c', 'a in 1', ',', 'a,', 'a in (1', '!a=b', 'a b', '-a=1', 'a=-', 'a>x', `a=${'x'.repeat(64)}`]) {
  test(`selector ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => parseSelector(text), SelectorError);
  });
}

test('a formatted selector reads back as itself', () => {
  for (const text of ['a=1,b!=2,c in (x,y),d notin (z),e,!f']) {
    assert.equal(formatSelector(parseSelector(text)), text);
  }
});

test('an absent LabelSelector selects nothing and an empty one everything', () => {
  assert.equal(selectorOf(undefined), undefined);
  assert.equal(selectorMatches(selectorOf({}) ?? [{ key: 'x', operator: 'exists', values: [] }], {}), true);
});

test('matchLabels and matchExpressions must all hold', () => {
  const selector = selectorOf({ matchLabels: { a: '1' }, matchExpressions: [{ key: 'b', operator: 'In', values: ['2', '3'] }] });
  assert.ok(selector);
  assert.equal(selectorMatches(selector, { a: '1', b: '3' }), true);
  assert.equal(selectorMatches(selector, { a: '1' }), false);
  assert.throws(() => selectorOf({ matchExpressions: [{ key: 'b', operator: 'Near' }] }), SelectorError);
});

test('a label named like an object property is not found where it is absent', () => {
  assert.equal(selectorMatches(parseSelector('constructor'), {}), false);
});
