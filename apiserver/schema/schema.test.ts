import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type OpenApiSchema, openApiDefinition } from './openapi-definitions.ts';
import { compiledModels, definitionNode, schemaOf } from './schema.ts';

/** What can be compared about a definition: everything but its prose. */
interface Facts {
  [key: string]: unknown;
}

function typeFacts(schema: OpenApiSchema): unknown {
  if (schema['$ref']) return `#${String(schema['$ref']).replace('#/definitions/', '')}`;
  if (schema['type'] === 'array') return ['[]', typeFacts(schema['items'] as OpenApiSchema)];
  if (schema['additionalProperties']) return ['{}', typeFacts(schema['additionalProperties'] as OpenApiSchema)];
  return schema['format'] ? `${schema['type']}:${schema['format']}` : schema['type'];
}

function fieldFacts(schema: OpenApiSchema): unknown {
  const beside = Object.entries(schema).filter(([key]) => key.startsWith('x-') || key === 'default' || key === 'enum');
  return beside.length === 0 ? typeFacts(schema) : { t: typeFacts(schema), ...Object.fromEntries(beside) };
}

function definitionFacts(schema: OpenApiSchema): Facts {
  const facts: Facts = {};
  const kinds = schema['x-kubernetes-group-version-kind'] as { group: string; version: string; kind: string }[] | undefined;
  if (kinds) facts['gvk'] = kinds.map(({ group, version, kind }) => [group, version, kind]);
  const properties = schema['properties'] as Record<string, OpenApiSchema> | undefined;
  if (properties) facts['properties'] = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, fieldFacts(field)]));
  else if (schema['type']) facts['type'] = typeFacts(schema);
  if (schema['required']) facts['required'] = schema['required'];
  for (const key of ['x-kubernetes-map-type', 'x-kubernetes-unions']) if (schema[key]) facts[key] = schema[key];
  return facts;
}

/** The same text whatever the order of keys and of `required`. */
function canonical(value: unknown, key = ''): string {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item));
    return `[${(key === 'required' ? items.sort() : items).join(',')}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v, k)}`).join(',')}}`;
}
const digest = (facts: unknown) => createHash('sha256').update(canonical(facts)).digest('hex').slice(0, 12);
const factsOf = (name: string) => definitionFacts(openApiDefinition(name, { refPrefix: '#/definitions/', version: 2, describes: false }));

test('every definition has the digest of its facts in Kubernetes 1.36', () => {
  const lines = readFileSync(new URL('./testdata/definitions.digest', import.meta.url), 'utf8')
    .trim()
    .split('\n');
  const expected = new Map(lines.map((line) => line.split(' ') as [string, string]));
  assert.deepEqual([...compiledModels().names].sort(), [...expected.keys()].sort());
  const wrong = compiledModels().names.filter((name) => digest(factsOf(name)) !== expected.get(name));
  assert.deepEqual(wrong, []);
});

test('no definition differs from the table that SCHEMA_FACTS names', (t) => {
  const file = process.env['SCHEMA_FACTS'];
  if (!file) {
    console.error('NOT COMPARED: SCHEMA_FACTS does not name a table of definitions; only their digests were checked');
    t.skip('SCHEMA_FACTS is not set');
    return;
  }
  const expected = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Facts>;
  for (const [name, facts] of Object.entries(expected)) {
    const mine = factsOf(name);
    for (const side of [mine, facts]) if (Array.isArray(side['required'])) side['required'] = [...side['required']].sort();
    assert.deepEqual(mine, facts, name);
  }
  assert.deepEqual([...compiledModels().names].sort(), Object.keys(expected).sort());
});

test('a kind is found by group, version and kind, and its fields lead on', () => {
  const spec = schemaOf('apps', 'v1', 'Deployment')?.fields.get('spec');
  assert.equal(spec?.type, 'object');
  assert.equal(spec?.goType, 'v1.DeploymentSpec');
  const strategy = spec?.type === 'object' ? spec.fields.get('strategy') : undefined;
  assert.deepEqual(strategy?.patch, { retainKeys: true });
  assert.equal(schemaOf('apps', 'v1', 'Nothing'), undefined);
});

test('list types, keys, merge keys and defaults stand on the nodes', () => {
  const container = definitionNode('io.k8s.api.core.v1.Container');
  assert.ok(container?.type === 'object');
  const ports = container.fields.get('ports');
  assert.ok(ports?.type === 'list' && ports.item.type === 'object');
  assert.equal(ports.listType, 'map');
  assert.deepEqual(ports.keys, ['containerPort', 'protocol']);
  assert.equal(ports.patch?.mergeKey, 'containerPort');
  assert.equal(ports.item.fields.get('protocol')?.default, 'TCP');
});

test('a definition may refer to itself', () => {
  const props = definitionNode('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps');
  assert.ok(props?.type === 'object');
  const allOf = props.fields.get('allOf');
  assert.ok(allOf?.type === 'list');
  assert.equal(allOf.item, props);
});
