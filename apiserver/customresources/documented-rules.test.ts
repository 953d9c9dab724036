import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { JsonSchema } from '../../api/apiextensions.ts';
import { validateCelRules } from './cel-rule-checks.ts';
import { validateRules } from './cel-rules.ts';

interface Documented {
  rule: string;
  optionalOldSelf?: boolean;
  schema: JsonSchema;
  before?: object;
  keeps: object;
  breaks: object;
}

const documented = parse(readFileSync(new URL('testdata/documented-rules.yaml', import.meta.url), 'utf8')) as Documented[];

for (const { rule, optionalOldSelf, schema, before, keeps, breaks } of documented) {
  test(`the documentation's ${rule} is kept and broken`, () => {
    const validation = { rule, message: 'broken', ...(optionalOldSelf && { optionalOldSelf }) };
    const root: JsonSchema = { type: 'object', ...schema, 'x-kubernetes-validations': [validation] };
    assert.deepEqual(validateCelRules(root, 'schema'), []);
    assert.deepEqual(validateRules(keeps, root, before), []);
    assert.deepEqual(
      validateRules(breaks, root, before).map(({ field, message }) => `${field}: ${message}`),
      ['<nil>: Invalid value: broken'],
    );
  });
}
