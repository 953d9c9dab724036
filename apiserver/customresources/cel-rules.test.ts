import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonSchema } from '../../api/apiextensions.ts';
import { validateCelRules } from './cel-rule-checks.ts';
import { validateRules } from './cel-rules.ts';
import { validateStructuralSchema } from './structural-schema.ts';

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
    'spec: Invalid value: replicas should be greater than or equal to minReplicas.',
  ]);
  assert.deepEqual(texts({ spec: { ...good, namespaces: ['kube-system'] } }), ['spec.namespaces: Invalid value: not allowed: kube-system']);
});

test('a rule about a change runs only where there was a value before', () => {
  assert.deepEqual(texts({ spec: { ...good, fixed: 'y' } }), []);
  assert.deepEqual(texts({ spec: { ...good, fixed: 'y' } }, { spec: good }), ['spec.fixed: Invalid value: "y": Value is immutable']);
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

test('sets and map lists are compared and added as what they are', () => {
  const text: JsonSchema = { type: 'string' };
  const set: JsonSchema = { type: 'array', 'x-kubernetes-list-type': 'set', items: text };
  const keyed: JsonSchema = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name', 'in'],
    items: { type: 'object', properties: { name: text, in: text, value: { type: 'integer' } } },
  };
  const plain: JsonSchema = { type: 'array', items: text };
  const object = {
    set: ['a', 'b'],
    same: ['b', 'a'],
    more: ['c', 'a'],
    plain: ['a', 'b'],
    turned: ['b', 'a'],
    map: [
      { name: 'x', in: '1', value: 1 },
      { name: 'x', in: '2', value: 2 },
    ],
    mapTurned: [
      { name: 'x', in: '2', value: 2 },
      { name: 'x', in: '1', value: 1 },
    ],
    patch: [
      { name: 'y', in: '1', value: 4 },
      { name: 'x', in: '1', value: 3 },
    ],
  };
  const properties = { set, same: set, more: set, plain, turned: plain, map: keyed, mapTurned: keyed, patch: keyed };
  const rules = [
    'self.set == self.same && self.set != self.more && self.plain != self.turned',
    "self.set + self.more == ['a', 'b', 'c'] && (self.set + self.more)[2] == 'c' && (self.plain + self.turned).size() == 4",
    'self.map == self.mapTurned && self.map != self.patch',
    '(self.map + self.patch).size() == 3 && (self.map + self.patch)[0].value == 3 && (self.map + self.patch)[2].name == "y"',
    'self.map.map(m, m.__in__) == ["1", "2"] && self.map.filter(m, m.value > 1).size() == 1',
  ].map((rule) => ({ rule }));
  assert.deepEqual(validateRules(object, { type: 'object', properties, 'x-kubernetes-validations': rules }, undefined), []);
});

test('a rule costs what it really does: only what is looked at, and no more than its budget', () => {
  const list = Array.from({ length: 100_000 }, (_, i) => i);
  const rule = (text: string): JsonSchema => ({
    type: 'object',
    properties: { list: { type: 'array', items: { type: 'integer' } } },
    'x-kubernetes-validations': [{ rule: text }],
  });
  const messages = (text: string) => validateRules({ list }, rule(text), undefined).map(({ message }) => message);
  assert.deepEqual(messages('self.list.exists(x, x == 3) || self.list.all(x, self.list.all(y, x <= y))'), []);
  assert.deepEqual(messages('self.list.all(x, x >= 0)'), []);
  assert.deepEqual(messages('self.list.all(x, self.list.all(y, x + y >= 0))'), [
    `Invalid value: "object": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: self.list.all(x, self.list.all(y, x + y >= 0))`,
  ]);
  const many: JsonSchema = {
    type: 'object',
    properties: { list: { type: 'array', items: { type: 'integer' } } },
    'x-kubernetes-validations': Array.from({ length: 20 }, () => ({ rule: 'self.list.all(x, x >= 0)' })),
  };
  assert.deepEqual(
    validateRules({ list }, many, undefined).map(({ message }) => message),
    ['Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run'],
  );
});

test('what broke a rule before and has not changed is warned of', () => {
  const bad = { spec: { ...good, replicas: 0 } };
  const warnings: string[] = [];
  assert.deepEqual(
    validateRules({ ...bad, status: 1 }, schema, bad, (text) => warnings.push(text)),
    [],
  );
  assert.deepEqual(warnings, ['spec: Invalid value: replicas should be greater than or equal to minReplicas.']);
});

test('what an object says it is must keep the rules though it has not changed', () => {
  const kind: JsonSchema = { type: 'string', 'x-kubernetes-validations': [{ rule: "self == 'Pod'" }] };
  const inner: JsonSchema = { type: 'object', properties: { kind } };
  const object = { kind: 'Baz', spec: { kind: 'Baz' } };
  assert.deepEqual(
    validateRules(object, { type: 'object', properties: { kind, spec: inner } }, object).map(({ field }) => field),
    ['kind'],
  );
});

test('an evaluation that takes too many steps is cut off', () => {
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
  assert.match(validateRules({ a: 'a' }, notEvenAPattern, undefined)[0]?.message ?? '', /rule compile error.*invalid matches argument/s);
});

const typed: JsonSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        count: { type: 'integer' },
        name: { type: 'string' },
        short: { type: 'string', maxLength: 10 },
        names: { type: 'array', maxItems: 10, items: { type: 'string', maxLength: 20 } },
        limits: { type: 'object', maxProperties: 10, additionalProperties: { type: 'integer' } },
        port: { 'x-kubernetes-int-or-string': true },
        'my-field': { type: 'boolean' },
        namespace: { type: 'string' },
        at: { type: 'string', format: 'date-time' },
      },
    },
  },
};
const problemsOf = (...rules: string[]) =>
  validateCelRules({ ...typed, 'x-kubernetes-validations': rules.map((rule) => ({ rule })) }, 'schema').map(({ message }) =>
    message.replace(/^Invalid value: .*?}: (?=compil|cel )/s, ''),
  );

test('rules are checked against the types of the schema, in the words of cel-go', () => {
  const wrong: Record<string, string> = {
    'self.spec.missing > 0': "1:10: undefined field 'missing'\n | self.spec.missing > 0\n | .........^",
    'has(self.spec.missing)': "1:4: undefined field 'missing'\n | has(self.spec.missing)\n | ...^",
    'self.metadata.labels.size() > 0': "1:14: undefined field 'labels'\n | self.metadata.labels.size() > 0\n | .............^",
    "self.spec.count == 'a'":
      "1:17: found no matching overload for '_==_' applied to '(int, string)'\n | self.spec.count == 'a'\n | ................^",
    'self.spec.name.startsWith(1)':
      "1:26: found no matching overload for 'startsWith' applied to 'string.(int)'\n | self.spec.name.startsWith(1)\n | .........................^",
    'self.spec.count.all(x, true)':
      "1:10: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)\n | self.spec.count.all(x, true)\n | .........^",
    'self.spec.names.all(x, x)': "1:24: expected type 'bool' but found 'string'\n | self.spec.names.all(x, x)\n | .......................^",
    'unknown == 1': "1:1: undeclared reference to 'unknown' (in container '')\n | unknown == 1\n | ^",
    'nothing(1)': "1:8: undeclared reference to 'nothing' (in container '')\n | nothing(1)\n | .......^",
    'self.': "1:6: Syntax error: no viable alternative at input '.'\n | self.\n | .....^",
    for: '1:1: reserved identifier: for\n | for\n | ^',
    "[1, 'a'].size() == 2": "1:5: expected type 'int' but found 'string'\n | [1, 'a'].size() == 2\n | ....^",
  };
  for (const [rule, text] of Object.entries(wrong))
    assert.deepEqual(problemsOf(rule), [`compilation failed: ERROR: <input>:${text}`], rule);
  assert.deepEqual(problemsOf('1 + 1'), ['cel expression must evaluate to a bool']);
});

test('a rule that does not compile is shown with all its fields', () => {
  const schema = { ...typed, 'x-kubernetes-validations': [{ rule: 'x', message: 'no x' }] };
  assert.deepEqual(
    validateCelRules(schema, 'schema').map(({ message }) => message.split('\n', 1)[0]),
    [
      'Invalid value: {"Rule":"x","Message":"no x","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: ' +
        "compilation failed: ERROR: <input>:1:1: undeclared reference to 'x' (in container '')",
    ],
  );
});

test('rules may use everything that the schema has', () => {
  assert.deepEqual(
    problemsOf(
      'self.spec.count < 5 && self.spec.count < 5.5 && self.metadata.name != ""',
      "self.spec.port == 5 || self.spec.port == '5%' || type(self.spec.port) == int",
      'self.spec.my__dash__field && self.spec.__namespace__ != "x"',
      "self.spec.at > timestamp('2024-01-01T00:00:00Z') && self.spec.at - timestamp('2024-01-01T00:00:00Z') < duration('1h')",
      "self.spec.limits.all(k, self.spec.limits[k] > 0 && k.startsWith('a')) && 'x' in self.spec.limits",
      "self.spec.?short.orValue('x') == 'x' && quantity(self.spec.short).isGreaterThan(quantity('1Gi'))",
      "self.spec.names.map(n, n.size()).sum() > 3 && sets.contains(self.spec.names, ['a']) && self.spec.names.isSorted()",
      "self.spec.limits.transformMap(k, v, v + 1)['a'] == 2 && '%s'.format([self.spec.name]) == 'a'",
    ),
    [],
  );
});

test('rules that can cost too much are refused, with by how much', () => {
  const advice = 'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared';
  const list = (items: JsonSchema, rule: string, maxItems?: number): JsonSchema => ({
    type: 'object',
    properties: { list: { type: 'array', ...(maxItems && { maxItems }), items: { ...items, 'x-kubernetes-validations': [{ rule }] } } },
  });
  const messages = (schema: JsonSchema) => validateCelRules(schema, 'schema').map(({ field, message }) => `${field}: ${message}`);
  const matching = { type: 'string', maxLength: 10 };
  assert.deepEqual(messages(list(matching, "self.matches('^a+$')", 100)), []);
  const rule = 'schema.properties[list].items.x-kubernetes-validations[0].rule';
  assert.deepEqual(messages(list(matching, "self.matches('^a+$')", 10_000_000)), [
    `${rule}: Forbidden: estimated rule cost exceeds budget by factor of 6.0x (${advice})`,
  ]);
  assert.deepEqual(messages(list({ type: 'string' }, "self.contains('abc')")), [
    `${rule}: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (${advice})`,
    `${rule}: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
    `schema: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x (${advice})`,
  ]);
});

test('oldSelf may not be used where items cannot be told apart', () => {
  const items: JsonSchema = { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] };
  const schema: JsonSchema = { type: 'object', properties: { list: { type: 'array', maxItems: 10, items } } };
  assert.deepEqual(
    validateCelRules(schema, 'schema').map(({ message }) => message),
    ['Invalid value: "self >= oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[list]'],
  );
});

test('items that cannot be told apart stay as long as their list does not change', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: {
      list: { type: 'array', items: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > 0', message: 'must be positive' }] } },
    },
  };
  assert.deepEqual(validateRules({ list: [0, 1] }, schema, { list: [0, 1] }), []);
  assert.deepEqual(
    validateRules({ list: [0, 2] }, schema, { list: [0, 1] }).map(({ field, message }) => `${field}: ${message}`),
    ['list[0]: Invalid value: 0: must be positive'],
  );
});

test('a rule that fails to evaluate fails even where nothing has changed', () => {
  const bad = { spec: { replicas: 1 } };
  assert.match(texts(bad, bad)[0] ?? '', /^spec: Invalid value: "object": no such key: minReplicas evaluating rule: replicas should be/);
});

test('rules may not stand in the branches of a schema', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: { a: { type: 'integer' } },
    allOf: [{ 'x-kubernetes-validations': [{ rule: 'true' }] }],
  };
  assert.deepEqual(
    validateStructuralSchema(schema, 'schema').map(({ field, message }) => `${field}: ${message}`),
    ['schema.allOf[0].x-kubernetes-validations: Forbidden: must be empty to be structural'],
  );
});

test('the rules of one object share a budget, and end when it is spent', () => {
  const inner: JsonSchema = {
    type: 'array',
    items: { type: 'integer' },
    'x-kubernetes-validations': [{ rule: 'self.all(a, self.all(b, a + b >= 0))' }],
  };
  const schema: JsonSchema = { type: 'object', properties: { list: { type: 'array', items: inner } } };
  const object = (count: number) => ({ list: Array.from({ length: count }, () => Array.from({ length: 100 }, (_, i) => i)) });
  assert.deepEqual(validateRules(object(100), schema, undefined), []);
  assert.deepEqual(
    validateRules(object(500), schema, undefined).map(({ message }) => message),
    ['Invalid value: "array": validation failed due to running out of cost budget, no further validation rules will be run'],
  );
});

test('a stored rule that does not compile is a problem of the object', () => {
  const schema: JsonSchema = { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.nothing' }] };
  assert.match(
    validateRules({}, schema, undefined)[0]?.message ?? '',
    /^Invalid value: "object": rule compile error: compilation failed: ERROR: <input>:1:5/,
  );
});
