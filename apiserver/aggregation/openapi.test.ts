// OpenAPI of other servers: merged, converted, and kept.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toOpenApiV3 } from './convert-openapi.ts';
import { mergeOpenApi, ofPaths } from './merge-openapi.ts';
import { type RemoteAnswer, RemoteOpenApi } from './remote-openapi.ts';

const ref = (name: string) => ({ $ref: `#/definitions/${name}` });
const answering = (...names: string[]) => ({ get: { responses: { 200: names.map(ref) } } });

test('of a document are kept the paths that are asked for, and the definitions that they or nobody uses', () => {
  const document = {
    info: 'i',
    paths: { '/apis/a/v1/x': answering('A'), '/other': answering('C', 'B') },
    definitions: { A: { properties: { b: ref('B') } }, B: {}, C: {}, Loose: {} },
  };
  const kept = ofPaths(document, '/apis/a/v1/');
  assert.deepEqual(Object.keys(kept['paths'] as object), ['/apis/a/v1/x']);
  assert.deepEqual(Object.keys(kept['definitions'] as object), ['A', 'B', 'Loose']);
});

test('merging keeps paths that are there, shares what means the same, and renames what does not', () => {
  const kind = (name: string) => ({ group: 'g', kind: name, version: 'v1' });
  const ours = {
    paths: { '/p': answering('A') },
    definitions: { A: { type: 'object' }, Same: { type: 'string', 'x-kubernetes-group-version-kind': [kind('One')] } },
  };
  const theirs = (type: string) => ({
    paths: { '/p': answering('B'), [`/${type}`]: answering('A') },
    definitions: { A: { type, items: ref('A') }, Same: { type: 'string', 'x-kubernetes-group-version-kind': [kind('Two')] } },
  });
  const merged = mergeOpenApi(ours, [theirs('array'), theirs('list'), theirs('array')]);
  const definitions = merged['definitions'] as Record<string, Record<string, unknown>>;
  assert.deepEqual(Object.keys(definitions), ['A', 'Same', 'A_v2', 'A_v3', 'A_v4']);
  assert.deepEqual(definitions['A_v3'], { type: 'list', items: ref('A_v3') });
  assert.deepEqual(definitions['Same']?.['x-kubernetes-group-version-kind'], [kind('One'), kind('Two')]);
  const paths = merged['paths'] as Record<string, unknown>;
  assert.deepEqual([paths['/p'], paths['/list']], [answering('A'), answering('A_v3')]);
  assert.equal(ours.definitions.Same['x-kubernetes-group-version-kind'].length, 1, 'ours is not changed');
});

test('a document of version 2 becomes one of version 3', () => {
  const parameters = [
    { name: 'body', in: 'body', required: true, schema: ref('A') },
    { name: 'limit', in: 'query', type: 'integer', uniqueItems: true },
  ];
  const post = {
    operationId: 'create',
    consumes: ['application/json'],
    produces: ['application/json', 'application/yaml'],
    schemes: ['https'],
    parameters,
    responses: { 201: { description: 'Created', schema: ref('A') }, 401: { description: 'Unauthorized' } },
  };
  const schema = { $ref: '#/components/schemas/A' };
  assert.deepEqual(
    toOpenApiV3({
      swagger: '2.0',
      info: { title: 't' },
      paths: { '/x': { post, parameters: [{ name: 'name', in: 'path', required: true, type: 'string' }] } },
      definitions: {
        A: { type: 'object', properties: { b: { description: 'of b', ...ref('B') }, c: ref('B') } },
        B: { type: 'array', items: ref('A') },
      },
      securityDefinitions: { BearerToken: { type: 'apiKey' } },
    }),
    {
      openapi: '3.0.0',
      info: { title: 't' },
      paths: {
        '/x': {
          post: {
            operationId: 'create',
            parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', uniqueItems: true } }],
            requestBody: { content: { 'application/json': { schema } } },
            responses: {
              201: { description: 'Created', content: { 'application/json': { schema }, 'application/yaml': { schema } } },
              401: { description: 'Unauthorized' },
            },
          },
          parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }],
        },
      },
      components: {
        schemas: {
          A: {
            type: 'object',
            properties: {
              b: { description: 'of b', allOf: [{ $ref: '#/components/schemas/B' }] },
              c: { $ref: '#/components/schemas/B' },
            },
          },
          B: { type: 'array', items: schema },
        },
        securitySchemes: { BearerToken: { type: 'apiKey' } },
      },
    },
  );
});

test('a server without documents of version 3 has them made of version 2, until it has its own', async () => {
  const remote = new RemoteOpenApi();
  const service = { group: 'a', version: 'v1' };
  const document = { paths: { '/apis/a/v1/x': answering('A') }, definitions: { A: {} } };
  const answers = new Map<string, RemoteAnswer>([
    ['/openapi/v2', { status: 200, etag: '"e"', body: document }],
    ['/openapi/v3', { status: 404, etag: undefined, body: undefined }],
  ]);
  const etags: (string | undefined)[] = [];
  const ask = async (path: string, etag?: string) => {
    if (path === '/openapi/v2') etags.push(etag);
    return answers.get(path) as RemoteAnswer;
  };
  await remote.refresh('v1.a', service, ask);
  assert.match(remote.v3Paths().get('apis/a/v1') ?? '', /^\/openapi\/v3\/apis\/a\/v1\?hash=[0-9A-F]{128}$/);
  assert.equal(JSON.parse(String(remote.converted('apis/a/v1')?.bytes)).openapi, '3.0.0');
  assert.equal(remote.generation, 1);
  answers.set('/openapi/v2', { status: 304, etag: undefined, body: undefined });
  await remote.refresh('v1.a', service, ask);
  assert.deepEqual([etags, remote.generation, remote.v2(['v1.a']).length], [[undefined, '"e"'], 1, 1], 'what has not changed is kept');
  const paths = { 'apis/a/v1': { serverRelativeURL: '/openapi/v3/apis/a/v1?hash=1' }, 'apis/b/v1': { serverRelativeURL: '/b' } };
  answers.set('/openapi/v3', { status: 200, etag: undefined, body: { paths } });
  await remote.refresh('v1.a', service, ask);
  assert.deepEqual([...remote.v3Paths()], [['apis/a/v1', '/openapi/v3/apis/a/v1?hash=1']]);
  assert.equal(remote.converted('apis/a/v1'), undefined);
  remote.keepOnly(new Set());
  assert.deepEqual([remote.v3Paths().size, remote.v2(['v1.a']), remote.generation], [0, [], 3]);
});
