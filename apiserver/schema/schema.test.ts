import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type DefinitionFacts, definitionDigest, definitionFacts, expectedDigests } from './definition-facts.ts';
import { openApiDefinition } from './openapi-definitions.ts';
import { compiledModels, definitionNode, schemaOf } from './schema.ts';

const published = (name: string) => openApiDefinition(name, { refPrefix: '#/definitions/', version: 2, describes: false });

test('every definition has the digest of its facts in Kubernetes 1.36', () => {
  const expected = expectedDigests();
  assert.deepEqual([...compiledModels().names].sort(), [...expected.keys()].sort());
  const wrong = compiledModels().names.filter((name) => definitionDigest(published(name)) !== expected.get(name));
  assert.deepEqual(wrong, []);
});

test('no definition differs from the table that SCHEMA_FACTS names', (t) => {
  const file = process.env['SCHEMA_FACTS'];
  if (!file) {
    console.error('NOT COMPARED: SCHEMA_FACTS does not name a table of definitions; only their digests were checked');
    t.skip('SCHEMA_FACTS is not set');
    return;
  }
  const expected = JSON.parse(readFileSync(file, 'utf8')) as Record<string, DefinitionFacts>;
  for (const [name, facts] of Object.entries(expected)) {
    const mine = definitionFacts(published(name));
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
