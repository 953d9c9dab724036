// The golden pairs of api/patch/strategic-merge-patch.ts, here because they need the built-in schema.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { strategicMergePatch } from '../../api/patch/strategic-merge-patch.ts';
import { StatusError } from '../../api/status.ts';
import { definitionNode } from './schema.ts';

const folder = join(import.meta.dirname, 'testdata/strategic-merge');
const pod = definitionNode('io.k8s.api.core.v1.Pod')!;

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const item of Object.values(Object.freeze(value))) deepFreeze(item);
  return value;
}

for (const file of readdirSync(folder)) {
  test(`a strategic merge patch ${file.replace('.yaml', '').replaceAll('-', ' ')}`, () => {
    const text = readFileSync(join(folder, file), 'utf8');
    const schema = definitionNode(/^# (\S+):/.exec(text)?.[1] ?? '') ?? assert.fail('no such definition');
    const [current, patch, expected] = parseAllDocuments(text).map((document) => deepFreeze(document.toJS() as object));
    assert.deepEqual(strategicMergePatch(current!, patch, schema), expected);
  });
}

function refusal(current: object, patch: unknown): StatusError {
  try {
    strategicMergePatch(current, patch, pod);
  } catch (error) {
    assert.ok(error instanceof StatusError);
    return error;
  }
  return assert.fail('was applied');
}

test('a patch that breaks the rules of its directives is refused', () => {
  const spec = { containers: [{ name: 'a' }, { name: 'b' }], volumes: [{ name: 'v' }] };
  assert.equal(refusal({ spec }, []).message, 'invalid JSON document');
  assert.equal(
    refusal({ spec }, { spec: { containers: [{ image: 'x' }] } }).message,
    'map: map[image:x] does not contain declared merge key: name',
  );
  assert.equal(refusal({ spec }, { $patch: 'mend' }).message, 'unknown patch type: mend in map: map[$patch:mend]');
  const retains = refusal({ spec }, { spec: { volumes: [{ name: 'v', $retainKeys: ['name'], emptyDir: {} }] } });
  assert.deepEqual([retains.code, retains.message], [400, 'invalid patch format of retainKeys']);
  const order = refusal(
    { spec },
    { spec: { '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }], containers: [{ name: 'b' }, { name: 'a' }] } },
  );
  assert.match(order.message, /^The order in patch list:\n\[map\[name:b\] map\[name:a\]\]\n doesn't match \$setElementOrder list:\n/);
});
