// What is said of policies and bindings when they are written: each expression is checked with what its place may see.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type PolicyFixture, policyGroup, rulesFor, startPolicyServer } from './policy-fixture.ts';

let server: PolicyFixture;
before(async () => {
  server = await startPolicyServer();
});
after(() => server.close());

const matchConstraints = rulesFor('', 'configmaps');
const valid = { matchConstraints, validations: [{ expression: 'true' }] };
const path = `${policyGroup}/validatingadmissionpolicies`;
let count = 0;

/** The problems of a policy, as its causes have them; none when it is taken. */
async function problemsOf(spec: object, where = path): Promise<string[]> {
  const { status, json, text } = await server.ask('POST', where, { metadata: { name: `written-${count++}` }, spec });
  if (status === 201) return [];
  assert.equal(status, 422, text);
  return json.details.causes.map(({ field, message }: { field: string; message: string }) => `${field}: ${message}`);
}
const shown = (expression: string) => `Invalid value: ${JSON.stringify(expression)}: `;
const undeclared = (expression: string, name: string) =>
  `${shown(expression)}compilation failed: ERROR: <input>:1:1: undeclared reference to '${name}' (in container '')\n | ${expression}\n | ^`;

test('every place has its variables and no others', async () => {
  const everywhere = "object == null || oldObject == null || request.name == '' || namespaceObject == null";
  const param = { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } };
  const variables = [{ name: 'v', expression: 'object.data' }];
  assert.deepEqual(
    await problemsOf({
      ...valid,
      ...param,
      variables,
      validations: [{ expression: `${everywhere} || params == null || 'a' in variables.v` }],
    }),
    [],
  );
  const cases: [spec: object, problem: string][] = [
    [{ validations: [{ expression: 'params == null' }] }, `spec.validations[0].expression: ${undeclared('params == null', 'params')}`],
    [
      { validations: [{ expression: 'variables.v == null' }] },
      `spec.validations[0].expression: ${undeclared('variables.v == null', 'variables')}`,
    ],
    [
      { variables, matchConditions: [{ name: 'c', expression: 'variables.v == null' }] },
      `spec.matchConditions[0].expression: ${undeclared('variables.v == null', 'variables')}`,
    ],
    [
      { validations: [{ expression: 'true', messageExpression: "authorizer.path('/').check('get').reason()" }] },
      `spec.validations[0].messageExpression: ${undeclared("authorizer.path('/').check('get').reason()", 'authorizer')}`,
    ],
    [{ validations: [{ expression: 'Object{} == object' }] }, ''],
  ];
  for (const [spec, problem] of cases) {
    const found = await problemsOf({ ...valid, ...spec });
    if (problem) assert.deepEqual(found, [problem]);
    else assert.match(found[0] ?? '', /compilation failed: ERROR: <input>:1:7: undeclared reference to 'Object' \(in container ''\)/);
  }
});

test('every place has its types', async () => {
  const cases: [spec: object, problem: string][] = [
    [
      { validations: [{ expression: 'object.data' }] },
      `spec.validations[0].expression: ${shown('object.data')}must evaluate to bool but got dyn`,
    ],
    [{ validations: [{ expression: "'a'" }] }, `spec.validations[0].expression: ${shown("'a'")}must evaluate to bool but got string`],
    [
      { validations: [{ expression: 'true', messageExpression: '1' }] },
      `spec.validations[0].messageExpression: ${shown('1')}must evaluate to string but got int`,
    ],
    [
      { matchConditions: [{ name: 'c', expression: '[true]' }] },
      `spec.matchConditions[0].expression: ${shown('[true]')}must evaluate to bool but got list(bool)`,
    ],
    [
      { auditAnnotations: [{ key: 'k', valueExpression: 'true' }] },
      `spec.auditAnnotations[0].valueExpression: ${shown('true')}must evaluate to one of [string null_type] but got bool`,
    ],
  ];
  for (const [spec, problem] of cases) assert.deepEqual(await problemsOf({ ...valid, ...spec }), [problem]);
});

test('variables see those before them, with their types', async () => {
  const spec = (...expressions: string[]) => ({
    ...valid,
    variables: expressions.map((expression, i) => ({ name: `v${i}`, expression })),
    validations: [{ expression: 'variables.v0 == 1' }],
  });
  assert.deepEqual(await problemsOf(spec('1', 'variables.v0 + 1')), []);
  const [later] = await problemsOf(spec('variables.v1', '1'));
  assert.match(
    later ?? '',
    /^spec\.variables\[0\]\.expression: .*compilation failed: ERROR: <input>:1:10: undefined field 'v1'\n \| variables\.v1\n \| \.{9}\^$/s,
  );
  const [mistyped] = await problemsOf(spec("'text'"));
  assert.match(
    mistyped ?? '',
    /^spec\.validations\[0\]\.expression: .*found no matching overload for '_==_' applied to '\(string, int\)'/s,
  );
  const [broken, ...rest] = await problemsOf(spec('1 +'));
  assert.match(broken ?? '', /^spec\.variables\[0\]\.expression: .*Syntax error: mismatched input '<EOF>'/s);
  assert.deepEqual(rest, [], 'what uses a variable that does not compile is not blamed');
});

test('what a policy says must fit together', async () => {
  const cases: [spec: object, problems: string[]][] = [
    [
      { matchConstraints },
      [
        'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
        'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
      ],
    ],
    [{ validations: valid.validations }, ['spec.matchConstraints: Required value']],
    [{ ...valid, matchConstraints: {} }, ['spec.matchConstraints.resourceRules: Required value']],
    [{ ...valid, failurePolicy: 'Maybe' }, ['spec.failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore"']],
    [
      { ...valid, validations: [{ expression: 'true', reason: 'NotFound' }] },
      ['spec.validations[0].reason: Unsupported value: "NotFound": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"'],
    ],
  ];
  for (const [spec, problems] of cases) assert.deepEqual(await problemsOf(spec), problems);
});

test('a binding chooses its actions: at least one, none twice, and not both Deny and Warn', async () => {
  const bindings = `${policyGroup}/validatingadmissionpolicybindings`;
  const problems = (validationActions: string[] | undefined, more: object = {}) =>
    problemsOf({ policyName: 'p', ...(validationActions && { validationActions }), ...more }, bindings);
  for (const actions of [['Deny'], ['Warn'], ['Audit'], ['Deny', 'Audit'], ['Audit', 'Warn']])
    assert.deepEqual(await problems(actions), []);
  const both =
    'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
  assert.deepEqual(await problems(['Deny', 'Warn']), [`spec.validationActions: Invalid value: ["Deny","Warn"]: ${both}`]);
  assert.deepEqual(await problems(['Deny', 'Deny']), ['spec.validationActions[1]: Duplicate value: "Deny"']);
  assert.deepEqual(await problems([]), ['spec.validationActions: Required value: at least one validation action is required']);
  assert.deepEqual(await problems(['Refuse']), [
    'spec.validationActions[0]: Unsupported value: "Refuse": supported values: "Audit", "Deny", "Warn"',
  ]);
  assert.deepEqual(await problems(['Deny'], { paramRef: { parameterNotFoundAction: 'Deny' } }), [
    'spec.paramRef: Required value: one of name or selector must be specified',
  ]);
  assert.deepEqual(await problems(['Deny'], { matchResources: { matchPolicy: 'Almost' } }), [
    'spec.matchResouces.matchPolicy: Unsupported value: "Almost": supported values: "Equivalent", "Exact"',
  ]);
});

test("a policy's generation grows with its spec, and its status is written on its own", async () => {
  const made = await server.ask('POST', path, { metadata: { name: 'written-status' }, spec: valid, status: { observedGeneration: 9 } });
  assert.deepEqual([made.json.metadata.generation, made.json.status], [1, {}]);
  const at = `${path}/written-status`;
  const merge = { 'content-type': 'application/merge-patch+json' };
  const labelled = await server.ask('PATCH', at, { metadata: { labels: { a: 'b' } } }, merge);
  assert.equal(labelled.json.metadata.generation, 1);
  const changed = await server.ask('PATCH', at, { spec: { failurePolicy: 'Ignore' }, status: { observedGeneration: 9 } }, merge);
  assert.deepEqual([changed.json.metadata.generation, changed.json.status], [2, {}]);
  const status = {
    observedGeneration: 2,
    typeChecking: { expressionWarnings: [{ fieldRef: 'spec.validations[0].expression', warning: 'w' }] },
  };
  const written = await server.ask('PATCH', `${at}/status`, { spec: { failurePolicy: 'Fail' }, status }, merge);
  assert.deepEqual([written.json.spec.failurePolicy, written.json.status, written.json.metadata.generation], ['Ignore', status, 2]);
  const wrong = await server.ask(
    'PATCH',
    `${at}/status`,
    { status: { typeChecking: { expressionWarnings: [{ fieldRef: ' ', warning: '' }] } } },
    merge,
  );
  assert.deepEqual(
    wrong.json.details.causes.map(({ field }: { field: string }) => field),
    ['status.typeChecking.expressionWarnings[0].warning', 'status.typeChecking.expressionWarnings[0].fieldRef'],
  );
});
