import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldSelectorMatches, formatFieldSelector, parseFieldSelector } from './fields.ts';
import { SelectorError } from './labels.ts';

test('field requirements are read with =, == and !=', () => {
  assert.deepEqual(parseFieldSelector('metadata.name=a,status.phase!=Running,spec.nodeName=='), [
    { field: 'metadata.name', operator: '=', value: 'a' },
    { field: 'status.phase', operator: '!=', value: 'Running' },
    { field: 'spec.nodeName', operator: '=', value: '' },
  ]);
});

test('escaped characters survive a round trip', () => {
  const selector = [{ field: 'x', operator: '=' as const, value: 'a,b=c\\d' }];
  assert.deepEqual(parseFieldSelector(formatFieldSelector(selector)), selector);
});

for (const text of ['name', 'a=b=c', 'a=\\x']) {
  test(`field selector ${JSON.stringify(text)} is refused`, () => assert.throws(() => parseFieldSelector(text), SelectorError));
}

test('all requirements must hold', () => {
  const valueOfField = (field: string) => ({ a: '1', b: '2' })[field] ?? '';
  assert.equal(fieldSelectorMatches(parseFieldSelector('a=1,b!=3'), valueOfField), true);
  assert.equal(fieldSelectorMatches(parseFieldSelector('a=1,b!=2'), valueOfField), false);
});
