import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '../server-fixture.ts';

const json = (kind: string, version: string) => ({ accept: `application/json;v=${version};g=config.k8s.io;as=${kind}` });

test('a server tells what it is: people in text, programs as an object that they have to name', async (t) => {
  const { ask, close, clock } = await startServer();
  t.after(close);
  await clock.step(3_725_000);
  const { text, headers } = await ask('GET', '/statusz');
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
  assert.match(text, /^\nkube-apiserver statusz\nWarning: This endpoint is not meant to be machine parseable, /);
  assert.match(text, /\nStarted.{1,3}[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}\nUp.{1,3}1 hr 02 min 05 sec\nGo version/);
  assert.match(text, /\nEmulation version.{1,3}1\.36\nPaths.{1,3}\/flagz \/healthz \/livez \/metrics \/readyz \/statusz \/version\n$/);
  assert.equal((await ask('GET', '/statusz', undefined, { accept: 'text/plain' })).status, 200);

  const { json: status, headers: told } = await ask('GET', '/statusz', undefined, json('Statusz', 'v1beta1'));
  assert.equal(told.warning, undefined);
  assert.deepEqual([status.kind, status.apiVersion, status.metadata], ['Statusz', 'config.k8s.io/v1beta1', { name: 'kube-apiserver' }]);
  assert.deepEqual([status.uptimeSeconds, status.binaryVersion, status.emulationVersion], [3725, '1.36.0+t8s', '1.36']);
  assert.deepEqual(status.paths, ['/flagz', '/healthz', '/livez', '/metrics', '/readyz', '/statusz', '/version']);
  const old = await ask('GET', '/statusz', undefined, json('Statusz', 'v1alpha1'));
  assert.equal(old.headers.warning, '299 - "This version of the statusz endpoint is deprecated. Please use a newer version."');
  const refused = await ask('GET', '/statusz', undefined, { accept: 'application/json' });
  assert.deepEqual([refused.status, refused.json.reason], [406, 'NotAcceptable']);
  assert.equal((await ask('GET', '/statusz', undefined, json('Flagz', 'v1beta1'))).status, 406);
});

test('a server tells what it was started with', async (t) => {
  const { ask, close } = await startServer({ flags: { 'b-flag': '2', 'a-flag': 'true' } });
  t.after(close);
  assert.match((await ask('GET', '/flagz')).text, /^\nkube-apiserver flagz\nWarning: .*\na-flag.{1,2}true\nb-flag.{1,2}2\n$/);
  const { json: flagz } = await ask('GET', '/flagz', undefined, json('Flagz', 'v1beta1'));
  assert.deepEqual([flagz.kind, flagz.flags], ['Flagz', { 'b-flag': '2', 'a-flag': 'true' }]);
  const { text } = await ask('GET', '/flagz', undefined, { accept: 'application/yaml;v=v1beta1;g=config.k8s.io;as=Flagz' });
  assert.match(text, /^kind: Flagz\napiVersion: config\.k8s\.io\/v1beta1\n/);
});
