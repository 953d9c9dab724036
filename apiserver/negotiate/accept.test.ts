import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAccept } from './accept.ts';

const chosen = (header: string) => {
  const { format, as, asVersion, isPretty } = readAccept(header, true, 'all');
  return [format, as && `${as}.${asVersion}`, isPretty && 'pretty'].filter(Boolean).join(' ');
};

test('the clause of the highest quality wins, and the first of those that are equal', () => {
  assert.equal(chosen('application/json;q=0.5, application/yaml'), 'yaml');
  assert.equal(chosen('application/json;q=0.5,application/vnd.kubernetes.protobuf;q=0.9,application/yaml;q=0.1'), 'protobuf');
  assert.equal(chosen('application/vnd.kubernetes.protobuf,application/json'), 'protobuf');
  assert.equal(chosen('text/html, application/yaml;q=0.2, */*;q=0.1'), 'yaml');
});

test('what names a type goes before what has a star', () => {
  assert.equal(chosen('*/*, application/yaml'), 'yaml');
  assert.equal(chosen('application/*, application/yaml'), 'yaml');
  assert.equal(chosen('*'), 'json');
  assert.equal(chosen('application / *'), 'json');
});

test('of several transforms the first that is served is taken, and its version heard', () => {
  const table = (version: string) => `application/json;as=Table;v=${version};g=meta.k8s.io`;
  assert.equal(chosen([table('v1'), table('v1beta1'), 'application/json'].join(',')), 'json Table.v1');
  assert.equal(chosen([table('v2'), table('v1beta1'), 'application/json'].join(', ')), 'json Table.v1beta1');
  assert.equal(chosen('application/json;as=Chair;v=v1;g=meta.k8s.io,application/yaml'), 'yaml');
  assert.equal(chosen('application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json;q=0.1'), 'json');
  assert.equal(
    chosen('application/json;g=meta.k8s.io,application/yaml;q=0.1'),
    'yaml',
    'a group without a kind is no transform that is known',
  );
});

test('a clause may ask for indented JSON, and for streams and versions only as they are', () => {
  assert.equal(chosen('application/json;pretty=1'), 'json pretty');
  assert.equal(chosen('application/json;pretty=true'), 'json');
  assert.equal(chosen('application/json;stream=watch'), 'json');
  assert.equal(chosen('application/json;stream=other,application/yaml;q=0.1'), 'yaml');
});

test('when nothing that is asked for is spoken, all that is spoken is told', () => {
  const all = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
  for (const header of ['application/cbor', 'text/plain', 'json', 'a/b/c'])
    assert.throws(() => readAccept(header, true, 'all'), {
      reason: 'NotAcceptable',
      message: `only the following media types are accepted: ${all}`,
    });
  assert.throws(() => readAccept('application/json;as=Table;v=v1;g=meta.k8s.io', false), {
    message: 'only the following media types are accepted: application/json, application/yaml',
  });
});
