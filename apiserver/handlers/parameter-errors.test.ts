// What Kubernetes answers to requests that ask for what cannot be read or is not served: a table of code, reason and message.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { configMaps } from '../../api/core.ts';
import type { ApiRequest } from '../../client/transport.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const one = `${collection}/a`;
let fixture: ServerFixture;
before(async () => {
  fixture = await startServer();
  await fixture.client.create(configMaps, { metadata: { namespace: 'default', name: 'a' } });
});
after(() => fixture.close());

const merge = { 'content-type': 'application/merge-patch+json' };
const apply = { 'content-type': 'application/apply-patch+yaml' };
const applied = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } };
const optionsOf = (verb: string, why: string) => `${verb}Options.meta.k8s.io "" is invalid: ${why}`;
const long = 'm'.repeat(129);
const tooLong = 'fieldManager: Too long: may not be more than 128 bytes';
const syntax = (text: string) => `strconv.ParseInt: parsing "${text}": invalid syntax`;

type Row = [
  method: ApiRequest['method'],
  path: string,
  body: unknown,
  headers: Record<string, string>,
  code: number,
  reason: string,
  message: string | RegExp,
];
const rows: Row[] = [
  ['GET', `${collection}?limit=x`, undefined, {}, 400, 'BadRequest', syntax('x')],
  ['GET', `${collection}?timeoutSeconds=x`, undefined, {}, 400, 'BadRequest', syntax('x')],
  ['GET', `${collection}?labelSelector=a%3D%3D%3D`, undefined, {}, 400, 'BadRequest', /^unable to parse requirement: /],
  ['GET', `${collection}?fieldSelector=a`, undefined, {}, 400, 'BadRequest', `invalid selector: 'a'; can't understand 'a'`],
  [
    'GET',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles?fieldSelector=spec.x%3D1',
    undefined,
    {},
    400,
    'BadRequest',
    '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
  [
    'GET',
    '/api/v1/nodes?fieldSelector=metadata.namespace%3Da',
    undefined,
    {},
    400,
    'BadRequest',
    'field label not supported: metadata.namespace',
  ],
  ['GET', '/apis/batch/v1/jobs?fieldSelector=a%3D1', undefined, {}, 400, 'BadRequest', 'field label "a" not supported for batchv1.Job'],
  [
    'GET',
    one,
    undefined,
    { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
    406,
    'NotAcceptable',
    'you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)',
  ],
  ['GET', `${one}?resourceVersion=x`, undefined, {}, 500, '', /^resourceVersion: Invalid value: "x": strconv\.ParseUint/],
  [
    'GET',
    `${collection}?timeout=x`,
    undefined,
    {},
    400,
    'BadRequest',
    /^invalid timeout specified in the request URL - time: invalid duration "x"$/,
  ],

  [
    'POST',
    `${collection}?dryRun=Some`,
    {},
    {},
    422,
    'Invalid',
    optionsOf('Create', 'dryRun: Unsupported value: ["Some"]: supported values: "All"'),
  ],
  [
    'POST',
    `${collection}?dryRun=`,
    {},
    {},
    422,
    'Invalid',
    optionsOf('Create', 'dryRun: Unsupported value: [""]: supported values: "All"'),
  ],
  ['POST', `${collection}?fieldManager=${long}`, {}, {}, 422, 'Invalid', optionsOf('Create', tooLong)],
  ['PUT', `${one}?fieldManager=a%C2%AD`, {}, {}, 422, 'Invalid', /invalid character U\+00AD \(at position 1\)$/],
  [
    'POST',
    `${collection}?fieldValidation=Maybe`,
    {},
    {},
    422,
    'Invalid',
    optionsOf('Create', 'fieldValidation: Unsupported value: "Maybe": supported values: "", "Ignore", "Strict", "Warn"'),
  ],
  [
    'PATCH',
    `${one}?fieldManager=${long}&force=true&dryRun=x`,
    {},
    merge,
    422,
    'Invalid',
    optionsOf(
      'Patch',
      `[force: Forbidden: may not be specified for non-apply patch, ${tooLong}, dryRun: Unsupported value: ["x"]: supported values: "All"]`,
    ),
  ],
  ['PATCH', one, applied, apply, 422, 'Invalid', optionsOf('Patch', 'fieldManager: Required value: is required for apply patch')],

  ['DELETE', `${one}?gracePeriodSeconds=x`, undefined, {}, 400, 'BadRequest', syntax('x')],
  ['DELETE', `${one}?gracePeriodSeconds=`, undefined, {}, 400, 'BadRequest', syntax('')],
  [
    'DELETE',
    `${one}?propagationPolicy=Sideways`,
    undefined,
    {},
    422,
    'Invalid',
    optionsOf('Delete', 'propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"'),
  ],
  [
    'DELETE',
    one,
    { propagationPolicy: 'Orphan', orphanDependents: true },
    {},
    422,
    'Invalid',
    optionsOf('Delete', 'propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set'),
  ],
  [
    'DELETE',
    `${one}?dryRun=x`,
    undefined,
    {},
    422,
    'Invalid',
    optionsOf('Delete', 'dryRun: Unsupported value: ["x"]: supported values: "All"'),
  ],
  ['DELETE', `${one}?uid=other`, undefined, {}, 409, 'Conflict', /the UID in the precondition \(other\) does not match/],
  ['DELETE', one, {}, { 'content-type': 'text/plain' }, 415, 'UnsupportedMediaType', /^the body of the request was in an unknown format/],

  [
    'POST',
    collection,
    '{}',
    { 'content-type': 'text/plain' },
    415,
    'UnsupportedMediaType',
    /accepted media types include: application\/json/,
  ],
  [
    'PATCH',
    one,
    '{}',
    { 'content-type': 'application/json' },
    415,
    'UnsupportedMediaType',
    'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
  ],
  [
    'POST',
    collection,
    `{"data":{"x":"${'x'.repeat(3 << 20)}"}}`,
    {},
    413,
    'RequestEntityTooLarge',
    'Request entity too large: limit is 3145728',
  ],
  [
    'GET',
    collection,
    undefined,
    { accept: 'text/html' },
    406,
    'NotAcceptable',
    /^only the following media types are accepted: application\/json/,
  ],
  ['GET', '/api/v1/namespaces/default/nothings', undefined, {}, 404, 'NotFound', 'the server could not find the requested resource'],
  ['GET', '/apis/none/v1/things', undefined, {}, 404, 'NotFound', 'the server could not find the requested resource'],
  ['GET', `${collection}/b`, undefined, {}, 404, 'NotFound', 'configmaps "b" not found'],
  ['POST', one, {}, {}, 405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  ['PUT', '/version', {}, {}, 405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  ['PUT', collection, {}, {}, 405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource'],
];

test('what cannot be read or is not served is refused with the code, reason and message of Kubernetes', async () => {
  const wrong: unknown[] = [];
  for (const [method, path, body, headers, code, reason, message] of rows) {
    const { status, json } = await fixture.ask(method, path, body, headers);
    const isRight =
      status === code &&
      json.code === code &&
      (json.reason ?? '') === reason &&
      (typeof message === 'string' ? json.message === message : message.test(json.message));
    if (!isRight) wrong.push([method, path.slice(0, 100), status, json.reason, json.message, message]);
  }
  assert.deepEqual(wrong, []);
  assert.equal((await fixture.ask('GET', one)).status, 200, 'nothing was done');
  // Kubernetes takes it, and no cluster role is in a namespace.
  const inNamespace = await fixture.ask('GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles?fieldSelector=metadata.namespace%3Da');
  assert.deepEqual([inNamespace.status, inNamespace.json.items], [200, []]);
});
