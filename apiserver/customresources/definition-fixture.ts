// What the tests of custom resources share: a definition is posted, and waited for until it is established.

import assert from 'node:assert/strict';
import type { CustomResourceDefinition, CustomResourceVersion, JsonSchema } from '../../api/apiextensions.ts';
import type { ServerFixture } from '../server-fixture.ts';

export const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
export const mergePatch = { 'content-type': 'application/merge-patch+json' };
export const applyPatch = { 'content-type': 'application/apply-patch+yaml' };

/** Asks until the answer is as wished; at most as often as a definition can take turns of the event loop. */
export async function eventually(ask: () => Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (await ask()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`not in time: ${what}`);
}

/** Posts a definition; resolves once it is established. */
export async function define(server: ServerFixture, body: object): Promise<void> {
  const created = await server.ask('POST', definitionsPath, body);
  assert.equal(created.status, 201, created.text);
  const { name } = created.json.metadata;
  await eventually(async () => (await conditionsOf(server, name))['Established']?.status === 'True', `${name} is established`);
}

export interface ShownCondition {
  status: string;
  reason: string;
  message: string;
}

/** The conditions of a definition by their types. */
export async function conditionsOf(server: ServerFixture, name: string): Promise<Record<string, ShownCondition>> {
  const { json } = await server.ask('GET', `${definitionsPath}/${name}`);
  const conditions: (ShownCondition & { type: string })[] = json.status?.conditions ?? [];
  return Object.fromEntries(conditions.map(({ type, status, reason, message }) => [type, { status, reason, message }]));
}

/** A namespaced kind `Widget` of example.com with one version, whose objects hold what `properties` say. */
export function widgets(
  properties: Record<string, JsonSchema>,
  version: Partial<CustomResourceVersion> = {},
  spec: Partial<CustomResourceDefinition['spec']> = {},
): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${spec.names?.plural ?? 'widgets'}.${spec.group ?? 'example.com'}` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties } }, ...version }],
      ...spec,
    },
  };
}

export const widgetsPath = '/apis/example.com/v1/namespaces/default/widgets';

export const widget = (name: string, fields: object = {}, metadata: object = {}) => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name, ...metadata },
  ...fields,
});
