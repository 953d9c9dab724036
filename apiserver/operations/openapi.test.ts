// Holds the OpenAPI documents that are served, of both versions, to what Kubernetes 1.36 publishes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { definitionDigest, expectedDigests } from '../schema/definition-facts.ts';
import type { OpenApiSchema } from '../schema/openapi-definitions.ts';
import { clientMethods, methodOf } from './client-methods.ts';
import { type ListeningServer, startListeningServer } from './listening-server.ts';
import { notServed } from './not-served.ts';
import { listedOperations, nameOf } from './table.ts';

interface PublishedParameter {
  name: string;
  in: string;
}
interface Reference {
  $ref?: string;
  type?: string;
}
interface PublishedOperation {
  responses: Record<string, { schema?: Reference; content?: Record<string, { schema: Reference }> }>;
  operationId: string;
  parameters?: PublishedParameter[];
  requestBody?: object;
  'x-kubernetes-action'?: string;
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string };
}
type Paths = Record<string, Record<string, PublishedOperation> & { parameters?: PublishedParameter[] }>;
interface Document {
  paths: Paths;
  definitions?: Record<string, OpenApiSchema>;
  components?: { schemas: Record<string, OpenApiSchema> };
}

let server: ListeningServer;
let v2: Document;
let v3: Map<string, Document>;

before(async () => {
  server = await startListeningServer();
  v2 = (await server.ask('GET', '/openapi/v2')).json as Document;
  const index = (await server.ask('GET', '/openapi/v3')).json as { paths: Record<string, { serverRelativeURL: string }> };
  v3 = new Map();
  for (const [name, { serverRelativeURL }] of Object.entries(index.paths)) {
    v3.set(name, (await server.ask('GET', serverRelativeURL)).json as Document);
  }
});
after(() => server.close());

const wrong = (definitions: Record<string, OpenApiSchema>) => {
  const expected = expectedDigests();
  return Object.entries(definitions)
    .filter(([name, schema]) => definitionDigest(schema) !== expected.get(name))
    .map(([name]) => name);
};

test('version 2 serves every definition with the digest of its facts in Kubernetes 1.36, and no other', () => {
  const definitions = v2.definitions ?? {};
  assert.deepEqual(Object.keys(definitions).sort(), [...expectedDigests().keys()].sort());
  assert.deepEqual(wrong(definitions), []);
});

test('version 3 serves no definition but with the digest of its facts in Kubernetes 1.36', () => {
  const served = new Set<string>();
  for (const [name, { components }] of v3) {
    assert.deepEqual(wrong(components?.schemas ?? {}), [], name);
    for (const schema of Object.keys(components?.schemas ?? {})) served.add(schema);
  }
  // What only versions that are not stable refer to is in version 2 alone.
  const unstable = (name: string) => /\.v\d+(alpha|beta)\d+\./.test(name) || name.endsWith('.meta.v1.GroupResource');
  assert.deepEqual(
    [...expectedDigests().keys()].filter((name) => !served.has(name) && !unstable(name)),
    [],
  );
});

const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];

/** One line for each operation of a document, as the check-list has them. */
function linesOf({ paths }: Document): string[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      if (!operation) return [];
      const { group = '', version = '', kind = '' } = operation['x-kubernetes-group-version-kind'] ?? {};
      return [[method.toUpperCase(), path, operation['x-kubernetes-action'] ?? '', group, version, kind, operation.operationId].join(' ')];
    }),
  );
}

test('both versions publish the operations of the check-list that are served, and no other', () => {
  const listed = listedOperations()
    .filter((operation) => !notServed.has(nameOf(operation)))
    .map((o) => [o.method, o.path, o.action, o.group, o.version, o.kind, o.operationId].join(' '))
    .sort();
  assert.deepEqual(linesOf(v2).sort(), listed);
  assert.deepEqual([...v3.values()].flatMap(linesOf).sort(), listed);
});

/** The kind of the answer: the last word of its definition's name. */
function returnsOf(operation: PublishedOperation | undefined): string {
  const { schema, content } = operation?.responses['200'] ?? {};
  const answer = schema ?? Object.values(content ?? {})[0]?.schema;
  return answer?.$ref?.split('.').at(-1) ?? answer?.type ?? 'void';
}

test('both versions publish the parameters and answers that Kubernetes does', () => {
  const known = clientMethods();
  const different: string[] = [];
  for (const operation of listedOperations()) {
    if (notServed.has(nameOf(operation)) || operation.action.startsWith('watch')) continue;
    const { operationId, path, method } = operation;
    const generated = methodOf(known, operationId);
    assert.ok(generated, `${operationId} has no method`);
    // A second parameter of a name is numbered.
    const expected = generated.parameters.map((name) => name.replace(/^path2$/, 'path')).sort();
    for (const { paths } of [v2, ...[...v3.values()].filter(({ paths }) => path in paths)]) {
      const item = paths[path] ?? {};
      const own = item[method.toLowerCase()];
      const body = own?.requestBody ? [{ name: 'body' }] : [];
      const published = [...(item.parameters ?? []), ...(own?.parameters ?? []), ...body].map(({ name }) => name).sort();
      const returns = returnsOf(own);
      if (returns !== generated.returns) different.push(`${operationId}: ${returns} instead of ${generated.returns}`);
      if (published.join() !== expected.join()) different.push(`${operationId}: ${published.join()} instead of ${expected.join()}`);
    }
  }
  assert.deepEqual(different, []);
});
