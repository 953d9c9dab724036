import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reviewSelectors, selectorsFrom, selectorsOfReview } from './selectors.ts';

test('selectors go to another server as requirements; comparisons of numbers, which have no name there, stay away', () => {
  const selectors = selectorsFrom('spec.nodeName=a,metadata.name!=b', 'app=web,tier in (x,y),!old,new,zone!=z,size>3');
  assert.deepEqual(reviewSelectors(selectors), {
    fieldSelector: {
      requirements: [
        { key: 'spec.nodeName', operator: 'In', values: ['a'] },
        { key: 'metadata.name', operator: 'NotIn', values: ['b'] },
      ],
    },
    labelSelector: {
      requirements: [
        { key: 'app', operator: 'In', values: ['web'] },
        { key: 'new', operator: 'Exists' },
        { key: 'old', operator: 'DoesNotExist' },
        { key: 'tier', operator: 'In', values: ['x', 'y'] },
        { key: 'zone', operator: 'NotIn', values: ['z'] },
      ],
    },
  });
  assert.deepEqual(reviewSelectors(selectorsFrom('', 'size>3')), {});
});

test('selectors that cannot be read, or select everything, limit nothing', () => {
  assert.deepEqual(selectorsFrom('a', 'a b'), {});
  assert.deepEqual(selectorsFrom('', ''), {});
  assert.deepEqual(selectorsFrom(null, undefined), {});
});

test('requirements that are sent come back as the same selectors', () => {
  const selectors = selectorsFrom('spec.nodeName=a', 'tier in (x,y),!old,new');
  assert.deepEqual(selectorsOfReview(reviewSelectors(selectors)), { selectors, problems: [] });
});
