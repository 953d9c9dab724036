import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dns1123LabelProblems, nameIsDnsSubdomain, portNameProblems, qualifiedNameProblems, relaxedEnvVarNameProblems } from './formats.ts';
import { cidrErrors, formatIp, ipErrors, parseIp } from './ip.ts';
import { annotationsBytesMax, validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';
import { semanticEqual } from './semantic-equal.ts';

test('a generated name may end in a dash, since a suffix follows', () => {
  assert.equal(nameIsDnsSubdomain('web-', true).length, 0);
  assert.equal(nameIsDnsSubdomain('web-', false).length, 1);
});

test('a label with dots is told so instead of the whole format', () => {
  assert.deepEqual(dns1123LabelProblems('a.b'), ['must not contain dots']);
  assert.deepEqual(dns1123LabelProblems('a'.repeat(64)), ['must be no more than 63 characters']);
});

test('a qualified name has at most one prefix, and each part its own problems', () => {
  assert.equal(qualifiedNameProblems('example.com/My.Name').length, 0);
  assert.deepEqual(qualifiedNameProblems('/a'), ['prefix part must be non-empty']);
  assert.match(
    qualifiedNameProblems('a/b/c')[0] ?? '',
    /with an optional DNS subdomain prefix and '\/' \(e\.g\. 'example\.com\/MyName'\)$/,
  );
  assert.deepEqual(qualifiedNameProblems('a'.repeat(64)), ['name part must be no more than 63 bytes']);
});

test('port names and environment variables follow their own formats', () => {
  assert.deepEqual(portNameProblems('a--b'), ['must not contain consecutive hyphens']);
  assert.deepEqual(portNameProblems('123'), ['must contain at least one letter (a-z)']);
  assert.equal(relaxedEnvVarNameProblems('MY VAR!').length, 0);
  assert.equal(relaxedEnvVarNameProblems('A=B').length, 1);
});

test('addresses are canonical or told how they would be', () => {
  assert.equal(formatIp(parseIp('2001:DB8:0:0:0:0:0:1')!), '2001:db8::1');
  assert.deepEqual(ipErrors('ip', '2001:DB8::1')[0]?.message, 'Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")');
  assert.match(ipErrors('ip', '10.0.0.256')[0]?.message ?? '', /must be a valid IP address/);
  assert.match(cidrErrors('c', '10.0.0.1/8')[0]?.message ?? '', /must not have bits set beyond the prefix length/);
  assert.deepEqual(cidrErrors('c', 'fd00::/64'), []);
  for (const text of ['1::2::3', ':1', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1.2.3.4.5', '::1.2.3'])
    assert.equal(parseIp(text), undefined, text);
});

test('annotations together are bounded in bytes, not in characters', () => {
  const meta = (length: number) => ({ name: 'a', namespace: 'b', annotations: { k: 'ä'.repeat(length) } });
  assert.deepEqual(validateObjectMeta(meta(annotationsBytesMax / 2 - 1), { namespaced: true }), []);
  assert.deepEqual(validateObjectMeta(meta(annotationsBytesMax / 2), { namespaced: true }), [
    { type: 'FieldValueTooLong', field: 'metadata.annotations', message: 'Too long: may not be more than 262144 bytes' },
  ]);
});

test('an object being deleted takes no new finalizers, and identities never change', () => {
  const old = { name: 'a', uid: '1', resourceVersion: '5', deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['x.io/a'] };
  const texts = validateObjectMetaUpdate({ ...old, uid: '2', finalizers: ['x.io/a', 'x.io/b'] }, old).map(
    (e) => `${e.field}: ${e.message}`,
  );
  assert.deepEqual(texts, [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x.io/b"}',
    'metadata.uid: Invalid value: "2": field is immutable',
  ]);
});

test('what is left out equals what is empty', () => {
  assert.ok(semanticEqual({ a: [], b: {}, c: '', d: 0, e: false, f: 1 }, { f: 1 }));
  assert.ok(!semanticEqual({ a: [1, 2] }, { a: [2, 1] }));
  assert.ok(!semanticEqual({ a: 1 }, {}));
});
