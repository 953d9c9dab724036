// Plays testdata/<plural>/<case>.input.yaml: defaults, validates and prints each object, and compares with
// <case>.output.yaml. T8S_WRITE_GOLDEN=1 writes the outputs anew; read their difference before committing it.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { apiVersionOf } from '../../api/kind.ts';
import { validateObjectMeta } from '../../api/validation/object-meta.ts';
import type { KubeObject } from '../../api/wire.ts';
import { systemRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { allResources } from './all.ts';

const folder = join(import.meta.dirname, 'testdata');
const nowMs = Date.parse('2026-01-01T12:00:00Z');

function play(object: KubeObject): unknown {
  const resource = allResources.find(({ kind }) => kind.kind === object.kind && apiVersionOf(kind) === object.apiVersion);
  assert.ok(resource, `no resource of kind ${object.kind} in ${object.apiVersion}`);
  const context = { clock: new VirtualClock(nowMs), random: systemRandom, user: { name: 'test', groups: [] }, warn: () => {} };
  resource.defaults?.(object);
  const once = structuredClone(object);
  resource.defaults?.(object);
  assert.deepEqual(object, once, 'defaults are idempotent');
  const errors = [
    ...validateObjectMeta(object.metadata ?? {}, {
      namespaced: resource.kind.namespaced,
      ...(resource.validateName ? { validateName: resource.validateName } : {}),
    }),
    ...resource.validate(object, context),
  ];
  const row = Object.fromEntries(resource.columns.map((column) => [column.name, column.cell(object, nowMs)]));
  if (errors.length) return { errors: errors.map(({ type, field, message }) => `${type} ${field}: ${message}`) };
  return { object, row };
}

for (const plural of readdirSync(folder)) {
  for (const file of readdirSync(join(folder, plural)).filter((name) => name.endsWith('.input.yaml'))) {
    const name = file.slice(0, -'.input.yaml'.length);
    test(`${plural}: ${name.replaceAll('-', ' ')}`, () => {
      const actual = play(parse(readFileSync(join(folder, plural, file), 'utf8')));
      const outputFile = join(folder, plural, `${name}.output.yaml`);
      if (process.env['T8S_WRITE_GOLDEN']) writeFileSync(outputFile, stringify(actual, { lineWidth: 0 }));
      assert.deepEqual(JSON.parse(JSON.stringify(actual)), parse(readFileSync(outputFile, 'utf8')));
    });
  }
}
