// Random histories of applies and updates, with what sigs.k8s.io/structured-merge-diff makes of each: one history a line in
// testdata/merges.jsonl. `st` is a struct, `at` an atomic one, `m` and `mm` maps, `al` an atomic list, `set` a set and
// `lm` a map list whose items nest; updates repeat items, too.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { JsonSchema } from '../../api/apiextensions.ts';
import { StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { customResourceNode } from '../customresources/schema-node.ts';
import { applyPatch } from './apply-patch.ts';
import type { Json } from './compare.ts';
import { onlyVersion } from './kind-versions.ts';
import { trackUpdate } from './track-update.ts';

interface Operation {
  op: 'apply' | 'update';
  manager: string;
  object: Json;
  force?: boolean;
}
interface Outcome {
  object?: Json;
  /** FieldsV1 below `f:spec`, by `MANAGER OPERATION`. */
  managers?: Record<string, Json>;
  conflicts?: string[];
}
type Sample = KubeObject & { spec?: Json };

const text: JsonSchema = { type: 'string' };
const struct: JsonSchema = { type: 'object', properties: { a: text, b: text } };
const set: JsonSchema = { type: 'array', items: text, 'x-kubernetes-list-type': 'set' };
const mapList = (depth: number): JsonSchema => ({
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: { type: 'object', properties: { name: text, v: text, st: struct, set, ...(depth > 0 ? { lm: mapList(depth - 1) } : {}) } },
});
const spec: JsonSchema = {
  type: 'object',
  properties: {
    num: { type: 'number' },
    text,
    st: struct,
    at: { ...struct, 'x-kubernetes-map-type': 'atomic' },
    m: { type: 'object', additionalProperties: text },
    mm: { type: 'object', additionalProperties: struct },
    set,
    al: { ...set, 'x-kubernetes-list-type': 'atomic' },
    lm: mapList(3),
  },
};
const versions = onlyVersion('v1', customResourceNode({ type: 'object', properties: { spec } }, false));
const head = { apiVersion: 'v1', kind: 'Sample', metadata: { name: 's' } };

async function after(live: Sample | undefined, { op, manager, object, force = false }: Operation): Promise<Sample> {
  const request = { manager, subresource: '', versions, time: '2024-01-01T00:00:00Z', resets: [] };
  const next = { ...head, spec: object };
  if (op === 'apply') return applyPatch({ ...request, live, applied: next, force, kind: 'Sample' });
  const managedFields = await trackUpdate({ ...request, old: live, new: next });
  return { ...next, metadata: { ...head.metadata, ...(managedFields ? { managedFields } : {}) } };
}

function outcomeOf({ spec: object = {}, metadata }: Sample): Outcome {
  const managers = (metadata?.managedFields ?? []).map(({ manager, operation, fieldsV1 }) => {
    const { '.': _, ...fields } = (fieldsV1 as Record<string, Json>)['f:spec'] ?? {};
    return [`${manager} ${operation}`, fields] as const;
  });
  return { object, managers: Object.fromEntries(managers.filter(([, fields]) => Object.keys(fields).length > 0)) };
}

/** `a Apply .lm[name="p"].v` for each. */
const conflictsIn = (error: StatusError) =>
  (error.details?.causes ?? [])
    .map(({ message = '', field = '' }) => {
      const [, manager, update] = /^conflict with "(\w+)"( using v1)?$/.exec(message) ?? [];
      return `${manager} ${update ? 'Update' : 'Apply'} ${field.replace(/^\.spec/, '')}`;
    })
    .sort();

test('every history of applies and updates ends as structured-merge-diff ends it', async () => {
  const histories = readFileSync(`${import.meta.dirname}/testdata/merges.jsonl`, 'utf8')
    .trim()
    .split('\n');
  assert.ok(histories.length >= 40);
  for (const [i, line] of histories.entries()) {
    const { ops, results } = JSON.parse(line) as { ops: Operation[]; results: Outcome[] };
    let live: Sample | undefined;
    for (const [j, operation] of ops.entries()) {
      const where = `line ${i + 1}, operation ${j}`;
      try {
        live = await after(live, operation);
        assert.deepEqual(outcomeOf(live), results[j], where);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        assert.deepEqual({ conflicts: conflictsIn(error) }, results[j], where);
      }
    }
  }
});
