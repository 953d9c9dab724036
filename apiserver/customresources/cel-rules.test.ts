import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonSchema } from '../../api/apiextensions.ts';
import { validateCelRules, validateRules } from './cel-rules.ts';

const schema: JsonSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      'x-kubernetes-validations': [
        { rule: 'self.minReplicas <= self.replicas', message: 'replicas should be greater than or equal to minReplicas.' },
        {
          rule: 'self.namespaces.all(n, n != "kube-system")',
          messageExpression: '"not allowed: " + self.namespaces[0]',
          fieldPath: '.namespaces',
        },
      ],
      properties: {
        replicas: { type: 'integer' },
        minReplicas: { type: 'integer' },
        namespaces: { type: 'array', items: { type: 'string' } },
        fixed: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'Value is immutable' }] },
        'dashed-name': { type: 'string' },
      },
    },
  },
};
const texts = (value: object, old?: object) => validateRules(value, schema, old).map(({ field, message }) => `${field}: ${message}`);
const good = { replicas: 2, minReplicas: 1, namespaces: ['a'], fixed: 'x' };

test('a rule that fails names its field and says its message', () => {
  assert.deepEqual(texts({ spec: good }), []);
  assert.deepEqual(texts({ spec: { ...good, replicas: 0 } }), [
    'spec: Invalid value: "object": replicas should be greater than or equal to minReplicas.',
  ]);
  assert.deepEqual(texts({ spec: { ...good, namespaces: ['kube-system'] } }), [
    'spec.namespaces: Invalid value: "object": not allowed: kube-system',
  ]);
});

test('a rule about a change runs only where there was a value before', () => {
  assert.deepEqual(texts({ spec: { ...good, fixed: 'y' } }), []);
  assert.deepEqual(texts({ spec: { ...good, fixed: 'y' } }, { spec: good }), ['spec.fixed: Invalid value: "string": Value is immutable']);
});

test('what broke a rule before may stay, as long as it does not change', () => {
  const bad = { spec: { ...good, replicas: 0 } };
  assert.deepEqual(texts(bad, bad), []);
});

test('a rule that fails to evaluate is a problem of the object', () => {
  assert.match(texts({ spec: { replicas: 1 } })[0] ?? '', /evaluating rule: replicas should be/);
});

test('rules that do not compile, or are no condition, are refused', () => {
  const broken: JsonSchema = {
    type: 'object',
    'x-kubernetes-validations': [{ rule: 'self.' }, { rule: '1 + 1' }, { rule: 'nothing == 1' }],
  };
  assert.deepEqual(
    validateCelRules(broken, 'schema').map(({ field }) => field),
    [0, 1, 2].map((i) => `schema.x-kubernetes-validations[${i}].rule`),
  );
});

test('an evaluation that would take too many steps is cut off before it begins', () => {
  const costly: JsonSchema = {
    type: 'object',
    properties: {
      list: {
        type: 'array',
        items: { type: 'integer' },
        'x-kubernetes-validations': [{ rule: 'self.all(a, self.all(b, self.all(c, a + b + c >= 0)))' }],
      },
    },
  };
  const [error] = validateRules({ list: Array.from({ length: 2000 }, (_, i) => i) }, costly, undefined);
  assert.match(error?.message ?? '', /cost limit exceeded/);
});

test('patterns are matched in time linear in the text, whatever they are', () => {
  const matching: JsonSchema = {
    type: 'object',
    properties: { a: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self.matches("^(a+)+$")' }] } },
  };
  assert.deepEqual(validateRules({ a: 'aaa' }, matching, undefined), []);
  // JavaScript's own expressions would not come back from this.
  assert.equal(validateRules({ a: `${'a'.repeat(60)}!` }, matching, undefined).length, 1);
  const notEvenAPattern: JsonSchema = {
    type: 'object',
    properties: { a: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self.matches("(?=a)")' }] } },
  };
  assert.match(validateRules({ a: 'a' }, notEvenAPattern, undefined)[0]?.message ?? '', /evaluating rule/);
});
