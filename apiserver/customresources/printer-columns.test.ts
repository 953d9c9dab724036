import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../api/wire.ts';
import { compileJsonPath, JsonPathError } from './json-path.ts';
import { printerColumns } from './printer-columns.ts';

const nowMs = Date.parse('2026-01-02T00:00:00Z');
const object = {
  metadata: { name: 'a', labels: { 'app.kubernetes.io/name': 'web' } },
  spec: {
    replicas: 3,
    ratio: 1.5,
    paused: false,
    text: 'x',
    nothing: null,
    map: { a: 1 },
    list: [1, 'two'],
    at: '2026-01-01T23:00:00Z',
    later: '2026-01-03T00:00:00Z',
    never: '',
    bad: 'soon',
  },
  status: {
    conditions: [
      { type: 'Available', status: 'True', weight: 1 },
      { type: 'Ready', status: 'False', weight: 5, reason: 'Waiting' },
    ],
  },
} as KubeObject;

/** What a column of a type shows of a path. */
const cell = (type: string, jsonPath: string) => printerColumns([{ name: 'C', type, jsonPath }])[1]?.cell(object, nowMs);

test('columns show values of their own type, and nothing of others', () => {
  const cells: readonly (readonly [type: string, path: string, shown: unknown])[] = [
    ['integer', '.spec.replicas', 3],
    ['integer', '.spec.ratio', 1],
    ['integer', '.spec.text', null],
    ['number', '.spec.ratio', 1.5],
    ['number', '.spec.replicas', 3],
    ['boolean', '.spec.paused', false],
    ['boolean', '.spec.text', null],
    ['string', '.spec.text', 'x'],
    ['string', '.spec.replicas', '3'],
    ['string', '.spec.paused', 'false'],
    ['string', '.spec.map', '{"a":1}'],
    ['string', '.spec.list', '[1,"two"]'],
    ['string', '.spec.nothing', '<no value>'],
    ['string', '.spec.absent', null],
    ['string', '.spec.absent.deeper', null],
    ['integer', '.spec.nothing', null],
    ['date', '.spec.at', '60m'],
    ['date', '.spec.later', '<invalid>'],
    ['date', '.spec.bad', '<invalid>'],
    ['date', '.spec.never', '<unknown>'],
    ['date', '.spec.replicas', null],
    ['date', '.spec.absent', null],
  ];
  for (const [type, path, shown] of cells) assert.equal(cell(type, path), shown, `${type} ${path}`);
});

test('paths go through lists, filters, wildcards, slices and unions, and the first value found is shown', () => {
  const cells: readonly (readonly [path: string, shown: unknown])[] = [
    ['.status.conditions[?(@.type=="Ready")].status', 'False'],
    [".status.conditions[?(@.type=='Ready')].reason", 'Waiting'],
    ['.status.conditions[?(@.type=="Lost")].status', null],
    ['.status.conditions[?(@.weight>2)].type', 'Ready'],
    ['.status.conditions[?(@.weight<=1)].type', 'Available'],
    ['.status.conditions[?(@.type!="Available")].type', 'Ready'],
    ['.status.conditions[?(@.reason)].type', 'Ready'],
    ['.status.conditions[*].type', 'Available'],
    ['.status.conditions[1].type', 'Ready'],
    ['.status.conditions[-1].type', 'Ready'],
    ['.status.conditions[1:].type', 'Ready'],
    ['.status.conditions[0:2:1].type', 'Available'],
    ['.status.conditions[5].type', null],
    ['.spec.list[0,1]', '1'],
    ['.metadata.labels.app\\.kubernetes\\.io/name', 'web'],
    ["['metadata']['name']", 'a'],
    ['..reason', 'Waiting'],
    ['.spec[?(@.a==1)]', null],
    ['.spec.text[0]', null],
  ];
  for (const [path, shown] of cells) assert.equal(cell('string', path), shown, path);
  assert.deepEqual(compileJsonPath('.status.conditions[*].weight')(object), [1, 5]);
});

test('a table ends before the first column whose path does not read', () => {
  for (const path of ['.a[', '.a[?(@.b==1]', '.a[x]', '.a....b']) assert.throws(() => compileJsonPath(path), JsonPathError, path);
  const columns = printerColumns([
    { name: 'One', type: 'string', jsonPath: '.spec.text' },
    { name: 'Broken', type: 'string', jsonPath: '.spec[' },
    { name: 'Two', type: 'string', jsonPath: '.spec.text' },
  ]);
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['Name', 'One'],
  );
  assert.deepEqual(
    printerColumns(undefined).map(({ name, type }) => `${name} ${type}`),
    ['Name string', 'Age date'],
  );
});
