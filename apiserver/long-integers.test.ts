import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../api/json.ts';
import { applyPatch, define, mergePatch, widget, widgets, widgetsPath } from './customresources/definition-fixture.ts';
import { decodeMessage } from './protobuf/decode.ts';
import { encodeMessage } from './protobuf/encode.ts';
import { messageOf } from './protobuf/message.ts';
import { builtInName } from './schema/schema.ts';
import { startServer } from './server-fixture.ts';

const max = '9223372036854775807';
const odd = '9007199254740993';
const jsonPatch = { 'content-type': 'application/json-patch+json' };

/** The tests' own JSON would round what they mean to send. */
const spec = (name: string, text: string) => JSON.stringify(widget(name, { spec: 'SPEC' })).replace('"SPEC"', text);

test('integers of 64 bits in custom resources are exact through every way of writing and reading', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  const { ask } = server;
  const integer = { type: 'integer', format: 'int64' } as const;
  const rules = [{ rule: `!has(self.long) || self.long != ${odd}`, message: 'no such number' }];
  const properties = {
    long: { ...integer, minimum: 0 },
    list: { type: 'array', items: integer, 'x-kubernetes-list-type': 'set' },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    small: { type: 'integer', format: 'int32' },
    again: { ...integer, default: 'DEFAULT' },
  };
  const definition = widgets(
    { spec: { type: 'object', properties, 'x-kubernetes-validations': rules } as never },
    {
      additionalPrinterColumns: [{ name: 'N', type: 'integer', jsonPath: '.spec.long' }],
    },
  );
  await define(server, JSON.stringify(definition).replace('"DEFAULT"', max) as never);
  const path = `${widgetsPath}/a`;
  const holds = async (what: string, headers = {}) => {
    const answer = await ask('GET', path, undefined, headers);
    assert.ok(answer.text.includes(what), `${what} is not in ${answer.text}`);
  };

  const created = await ask('POST', widgetsPath, spec('a', `{"long":${max},"list":[${odd}],"free":{"deep":[-${max}]}}`));
  assert.equal(created.status, 201, created.text);
  for (const what of [`"long":${max}`, `"list":[${odd}]`, `"deep":[-${max}]`, `"again":${max}`]) await holds(what);
  await holds(`long: ${max}`, { accept: 'application/yaml' });
  await holds(`[${JSON.stringify('a')},${max}]`, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  assert.ok((await ask('GET', widgetsPath)).text.includes(`"long":${max}`));

  assert.equal((await ask('PATCH', path, `{"spec":{"long":${max.slice(0, -1)}6}}`, mergePatch)).status, 200);
  await holds('"long":9223372036854775806');
  const operations = `[{"op":"test","path":"/spec/long","value":9223372036854775806},{"op":"copy","from":"/spec/free","path":"/spec/free/more"},
    {"op":"add","path":"/spec/list/-","value":${odd.slice(0, -1)}5}]`;
  const patched = await ask('PATCH', path, operations, jsonPatch);
  assert.equal(patched.status, 200, patched.text);
  await holds(`"free":{"deep":[-${max}],"more":{"deep":[-${max}]}}`);
  await holds('9007199254740995');
  const rounded = '[{"op":"test","path":"/spec/long","value":9223372036854775807}]';
  assert.equal((await ask('PATCH', path, rounded, jsonPatch)).status, 422);

  const { resourceVersion } = patched.json.metadata;
  const next = spec('a', `{"long":${max}}`).replace('"metadata":{', `"metadata":{"resourceVersion":"${resourceVersion}",`);
  const replaced = await ask('PUT', path, next);
  assert.equal(replaced.status, 200, replaced.text);
  await holds(`"long":${max}`);
  for (const body of [
    spec('b', `{"long":${max},"list":[${odd}]}`),
    `apiVersion: example.com/v1\nkind: Widget\nspec:\n  long: ${max}\n  list: [${odd}]\n`,
  ]) {
    const applied = await ask('PATCH', `${widgetsPath}/b?fieldManager=me`, body, applyPatch);
    assert.ok(applied.status < 300, applied.text);
    assert.ok(applied.text.includes(`"long":${max}`) && applied.text.includes(`v:${odd}`), applied.text);
  }

  const refused = async (text: string, why: string) => {
    const answer = await ask('POST', widgetsPath, spec('c', text));
    assert.equal(answer.status, 422, answer.text);
    assert.ok(answer.json.message.includes(why), answer.json.message);
  };
  await refused(`{"long":${odd}}`, 'no such number');
  await refused(`{"long":-${odd}}`, 'should be greater than or equal to 0');
  await refused(`{"list":[${odd},${odd}]}`, `Duplicate value: ${odd}`);
  await refused(`{"small":${odd}}`, 'format int32');
  // Beyond 64 bits it is a float64.
  await refused('{"long":9223372036854775808}', 'must be of type');
  const free = await ask('POST', widgetsPath, spec('d', '{"free":{"float":9223372036854775808,"whole":1.0,"exponent":1e3}}'));
  assert.equal(free.status, 201, free.text);
  assert.ok(
    free.text.includes('"exponent":1000,"float":9223372036854775808,"whole":1}') || free.text.includes('"float":9223372036854776000'),
    free.text,
  );
});

test('built-in kinds hold integers of 64 bits, in protobuf too, and refuse what Go does not read as one', async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  const { ask } = server;
  const pods = '/api/v1/namespaces/default/pods';
  const pod = (name: string, seconds: string) =>
    `{"metadata":{"name":"${name}"},"spec":{"containers":[{"name":"a","image":"b"}],"tolerations":[{"key":"k","operator":"Exists","effect":"NoExecute","tolerationSeconds":${seconds}}]}}`;
  const created = await ask('POST', pods, pod('a', max));
  assert.equal(created.status, 201, created.text);
  assert.ok((await ask('GET', `${pods}/a`)).text.includes(`"tolerationSeconds":${max}`));
  const message = messageOf(builtInName('', 'v1', 'Pod') ?? '');
  assert.ok(message);
  const { tolerations } = decodeMessage(message, encodeMessage(message, parseJson(created.text) as object))['spec'] as {
    tolerations: { tolerationSeconds: unknown }[];
  };
  assert.equal(tolerations[0]?.tolerationSeconds, BigInt(max));
  for (const seconds of ['1.0', '1e3', '9223372036854775808', '1.50']) {
    const answer = await ask('POST', pods, pod('b', seconds));
    assert.equal(answer.status, 400, answer.text);
    assert.ok(answer.json.message.includes(`json: cannot unmarshal number ${seconds} into Go struct field`), answer.json.message);
    assert.ok(answer.json.message.endsWith('of type int64'), answer.json.message);
  }
  const far = await ask('DELETE', `${pods}/a?gracePeriodSeconds=${max}`);
  assert.ok(far.status < 500, far.text);
});
