import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StatusError } from '../../api/status.ts';
import { type DecodeOptions, decodeBody, decodeObject, type FieldValidation } from './decode.ts';
import { goSyntaxError } from './json-scan.ts';
import { schemaOf } from './schema.ts';

function optionsFor(kind: string, group = '', version = 'v1'): DecodeOptions {
  return { contentType: 'application/json', kind: { group, version, kind }, schema: schemaOf(group, version, kind)! };
}
const pod = optionsFor('Pod');

function decode(body: unknown, options: Partial<DecodeOptions> = {}) {
  return decodeBody(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), { ...pod, ...options });
}
function refusal(body: unknown, options: Partial<DecodeOptions> = {}): string {
  try {
    decode(body, options);
  } catch (error) {
    assert.ok(error instanceof StatusError);
    assert.equal(error.reason, 'BadRequest');
    return error.message;
  }
  return assert.fail('was decoded');
}
const strict: { fieldValidation: FieldValidation } = { fieldValidation: 'Strict' };

test('a body that says no apiVersion and kind is taken for what its path calls for', () => {
  assert.deepEqual(decode({ metadata: { name: 'a' } }).object, { metadata: { name: 'a' }, apiVersion: 'v1', kind: 'Pod' });
});

test('a value of a wrong type is refused with its struct, its path and its type in Go', () => {
  const wrong = (body: object) => refusal(body).replace('Pod in version "v1" cannot be handled as a Pod: ', '');
  assert.equal(
    wrong({ spec: { containers: 'x' } }),
    'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container',
  );
  assert.equal(
    wrong({ spec: { containers: [{ env: [{ value: 1 }] }] } }),
    'json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string',
  );
  assert.equal(
    wrong({ metadata: { labels: { a: true } } }),
    'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string',
  );
  assert.equal(
    wrong({ spec: { containers: [{ imagePullPolicy: {} }] } }),
    'json: cannot unmarshal object into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy',
  );
  assert.equal(
    wrong({ spec: { priority: 2 ** 31 } }),
    'json: cannot unmarshal number 2147483648 into Go struct field PodSpec.spec.priority of type int32',
  );
});

test('an integer written with a fraction is refused, though JavaScript would read the same number', () => {
  assert.match(
    refusal('{"spec":{"priority":1.0}}'),
    /cannot unmarshal number 1\.0 into Go struct field PodSpec\.spec\.priority of type int32$/,
  );
  assert.match(refusal('{"spec":{"priority":1e3}}'), /cannot unmarshal number 1e3 into/);
});

test('unknown fields leave the object, and are warned of, ignored or refused as asked', () => {
  const body = { spec: { foo: 1, containers: [{ name: 'a', imagee: 'b' }] } };
  const { object, warnings } = decode(body);
  assert.deepEqual(object, { spec: { containers: [{ name: 'a' }] }, apiVersion: 'v1', kind: 'Pod' });
  assert.deepEqual(warnings, ['unknown field "spec.foo"', 'unknown field "spec.containers[0].imagee"']);
  assert.deepEqual(decode(body, { fieldValidation: 'Ignore' }).warnings, []);
  assert.equal(
    refusal(body, strict),
    'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.foo", unknown field "spec.containers[0].imagee"',
  );
});

test('a field whose name differs in case is unknown', () => {
  assert.deepEqual(decode({ Spec: {} }).warnings, ['unknown field "Spec"']);
});

test('duplicate fields are named with their path, but not within what is unknown anyway', () => {
  const body = '{"metadata":{"labels":{"a":"1","a":"2"}},"spec":{"containers":[{},{"name":"a","name":"b"}]},"x":{"y":1,"y":2}}';
  assert.deepEqual(decode(body).warnings, [
    'duplicate field "metadata.labels.a"',
    'duplicate field "spec.containers[1].name"',
    'unknown field "x"',
  ]);
});

test('nulls count as absent, but in a list or map stand for the empty value', () => {
  const { object } = decode({ metadata: { creationTimestamp: null, labels: { a: null }, finalizers: [null] }, spec: null });
  assert.deepEqual(object, { metadata: { labels: { a: '' }, finalizers: [''] }, apiVersion: 'v1', kind: 'Pod' });
});

test('quantities and times come out in their canonical form', () => {
  const { object } = decode(
    '{"metadata":{"deletionTimestamp":"2024-03-01T01:30:00.5+02:00"},"spec":{"overhead":{"cpu":0.5,"memory":"1024Mi","a":1}}}',
  );
  assert.deepEqual(object, {
    metadata: { deletionTimestamp: '2024-02-29T23:30:00Z' },
    spec: { overhead: { cpu: '500m', memory: '1Gi', a: '1' } },
    apiVersion: 'v1',
    kind: 'Pod',
  });
  const lease = decodeBody(
    Buffer.from('{"spec":{"renewTime":"2024-01-01T00:00:00.123456+00:00"}}'),
    optionsFor('Lease', 'coordination.k8s.io'),
  );
  assert.deepEqual((lease.object as { spec?: object }).spec, { renewTime: '2024-01-01T00:00:00.123456Z' });
});

test('quantities, times and base64 are refused in the words of Go', () => {
  assert.match(refusal({ spec: { overhead: { cpu: 'x' } } }), /: quantities must match the regular expression '\^\(\[\+-\]\?\[0-9\.\]\+\)/);
  assert.match(
    refusal({ metadata: { creationTimestamp: 'yesterday' } }),
    /: parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"$/,
  );
  assert.match(
    refusal({ metadata: { creationTimestamp: '2024-02-30T00:00:00Z' } }),
    /: parsing time "2024-02-30T00:00:00Z": day out of range$/,
  );
  const secret = () => decodeBody(Buffer.from('{"data":{"a":"ab!="}}'), optionsFor('Secret'));
  assert.throws(secret, { message: 'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 2' });
});

test('what a patch made is refused as an invalid patch', () => {
  const make = () => decodeObject({ spec: { foo: 1 } }, { ...pod, ...strict });
  assert.throws(make, (error) => {
    assert.ok(error instanceof StatusError);
    assert.equal(error.message, ' "" is invalid: patch: Invalid value: "{\\"spec\\":{}}": strict decoding error: unknown field "spec.foo"');
    return error.reason === 'Invalid';
  });
});

test('a body of another kind is refused', () => {
  assert.equal(
    refusal({ kind: 'Service' }),
    'Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion',
  );
  assert.match(
    refusal({ apiVersion: 'v9', kind: 'Pod' }),
    /^Pod in version "v9" cannot be handled as a Pod: no kind "Pod" is registered for version "v9" in scheme/,
  );
});

test('what is no JSON is refused with the head of the body', () => {
  const head = "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: ";
  assert.equal(refusal(''), `${head}unexpected end of JSON input (<empty>)`);
  assert.equal(refusal('{"kind":"Pod"'), `${head}unexpected end of JSON input ({"kind":"Pod")`);
  assert.equal(refusal('xyz'), `${head}invalid character 'x' looking for beginning of value (78797a)`);
  assert.match(refusal(`${'['.repeat(5000)}`), /exceeded max depth/);
});

test('syntax errors name the character and the state as Go does', () => {
  const errors: [string, string][] = [
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['{"a":1}}', "invalid character '}' after top-level value"],
    ['{"a":"\n"}', "invalid character '\\n' in string literal"],
    ['{"a":"\\x"}', "invalid character 'x' in string escape code"],
    ['{"a":1.}', "invalid character '}' after decimal point in numeric literal"],
    ['{"a":-}', "invalid character '}' in numeric literal"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
  ];
  for (const [text, message] of errors) assert.equal(goSyntaxError(text), message, text);
});

test('YAML bodies are read as Go reads them', () => {
  const yaml = { contentType: 'application/yaml; charset=utf-8' };
  const { object } = decode(
    'metadata:\n  name: a\n  labels: {t: "yes"}\nspec:\n  hostNetwork: yes\n  priority: 010\n  hostname: 1:30\n  nodeName: 2024-01-01\n',
    yaml,
  );
  assert.deepEqual(object, {
    metadata: { name: 'a', labels: { t: 'yes' } },
    spec: { hostNetwork: true, priority: 8, hostname: '1:30', nodeName: '2024-01-01' },
    apiVersion: 'v1',
    kind: 'Pod',
  });
  const twice = 'metadata:\n  name: a\n  name: b\nx: 1\n';
  assert.deepEqual(decode(twice, yaml).warnings, ['line 3: key "name" already set in map', 'unknown field "x"']);
  assert.match(
    refusal(twice, { ...yaml, ...strict }),
    /strict decoding error: yaml: unmarshal errors:\n {2}line 3: key "name" already set in map, unknown field "x"$/,
  );
  assert.match(
    refusal('a: [', yaml),
    /^the object provided is unrecognized \(must be of type Pod\): error converting YAML to JSON: yaml: line /,
  );
});

test('aliases that multiply without end are refused', () => {
  let text = 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n';
  for (let i = 1; i < 9; i++) text += `a${i}: &a${i} [${`*a${i - 1},`.repeat(10)}]\n`;
  assert.match(refusal(text, { contentType: 'application/yaml' }), /error converting YAML to JSON/);
});

test('other content types are not supported here', () => {
  assert.throws(
    () => decode({}, { contentType: 'text/plain' }),
    (error) => error instanceof StatusError && error.code === 415,
  );
});

/** Whatever comes in, an object or a StatusError comes out. */
function decodesOrRefuses(body: Uint8Array, contentType: string): void {
  try {
    JSON.stringify(decodeBody(body, { ...pod, contentType }).object);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
  }
}

test('bodies of any bytes end in an object or a refusal', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom('application/json', 'application/yaml'), decodesOrRefuses), {
    numRuns: 500,
  });
});

test('mutated pods end in an object or a refusal', () => {
  const seed = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', labels: { a: 'b' }, creationTimestamp: '2024-01-01T00:00:00Z' },
    spec: { containers: [{ name: 'c', ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } } }], overhead: { cpu: 1.5 } },
  });
  const edit = fc.record({
    at: fc.nat(seed.length),
    length: fc.nat(9),
    text: fc.oneof(fc.json({ maxDepth: 2 }), fc.string({ maxLength: 5 })),
  });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 4 }), fc.constantFrom('application/json', 'application/yaml'), (edits, contentType) => {
      let text = seed;
      for (const { at, length, text: inserted } of edits) text = text.slice(0, at) + inserted + text.slice(at + length);
      decodesOrRefuses(Buffer.from(text), contentType);
    }),
    { numRuns: 1000 },
  );
});

test('any object, put where a pod or its parts belong, ends in an object or a refusal', () => {
  fc.assert(
    fc.property(fc.object({ maxDepth: 4 }), fc.constantFrom('metadata', 'spec', 'status'), (value, field) => {
      const text = JSON.stringify({ [field]: value });
      decodesOrRefuses(Buffer.from(text), 'application/json');
    }),
    { numRuns: 500 },
  );
});
