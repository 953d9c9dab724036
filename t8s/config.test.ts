import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigError, readConfig } from './config.ts';

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 't8s-config-'));
});
after(() => rmSync(directory, { recursive: true }));

const fileOf = (content: string) => {
  const file = join(directory, `${Math.abs(hash(content))}.yaml`);
  writeFileSync(file, content);
  return file;
};
const hash = (content: string) => [...content].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) | 0, 7);

test('without flags the cluster is named t8s and lies under the data directory of its user', () => {
  assert.equal(readConfig({}, {}, true).dataDirectory, '/var/lib/t8s/t8s');
  assert.equal(readConfig({}, { XDG_DATA_HOME: '/x' }, false).dataDirectory, '/x/t8s/t8s');
  assert.equal(readConfig({ name: 'other' }, {}, true).dataDirectory, '/var/lib/t8s/other');
});

test('a flag wins over the file', () => {
  const config = fileOf('port: 7000\nname: filed\nnodes: 3\n');
  const read = readConfig({ config, port: '7001' }, {}, true);
  assert.deepEqual([read.port, read.name, read.nodes], [7001, 'filed', 3]);
});

const refused: [string, RegExp][] = [
  ['port: 0', /port: want a whole number from 1 to 65535/],
  ['port: many', /port: want a whole number/],
  ['nodes: -1', /nodes: want a whole number from 0/],
  ['runtime: docker', /runtime: want containerd, simulated or the path/],
  ['podCidr: 10.0.0.0', /podCidr: want an IPv4 range/],
  ['colour: red', /unknown setting "colour"/],
  ['name: Big', /name: want at most 40 lower-case/],
  ['etcdServers: [localhost]', /etcdServers: want http/],
  ['authorizationMode: RBAC,Magic', /authorizationMode: "Magic" is none of Node, RBAC/],
  ['authorizationMode: Webhook', /Webhook and authorizationWebhookConfigFile go together/],
  ['oidcIssuerUrl: http://a', /oidcIssuerUrl: want a URL that begins with https/],
  ['oidcIssuerUrl: https://a', /oidcIssuerUrl and oidcClientId go together/],
  ['oidcRequiredClaim: a', /oidcRequiredClaim: want name=value/],
  ['auditLogPath: /tmp/a', /want auditPolicyFile/],
  ['auditPolicyFile: /tmp/a', /auditPolicyFile wants auditLogPath or auditWebhookConfigFile/],
  ['requestTimeout: 5', /requestTimeout: want a duration such as 1m30s, got 5/],
  ['maxRequestsInflight: 0', /maxRequestsInflight: want a whole number from 1/],
  ['corsAllowedOrigins: example.com', /corsAllowedOrigins: "example.com" does not pin to start and end of the host/],
  ['strictTransportSecurityDirectives: max-age=1,forever', /"forever" is none of max-age=SECONDS, includeSubDomains, preload/],
  ['- a', /want a map of settings/],
  ['a: [', /a\.yaml|\.yaml: /],
];
for (const [content, message] of refused) {
  test(`a file with ${JSON.stringify(content)} is refused by name`, () => {
    assert.throws(
      () => readConfig({ config: fileOf(content) }, {}, true),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
  });
}

test('a missing file is named', () => {
  assert.throws(() => readConfig({ config: join(directory, 'absent') }, {}, true), /--config .*absent/);
});

test('labels of metrics are allowed as kube-apiserver takes them, or as a map', () => {
  const flag = "apiserver_request_total,verb='GET,LIST',workqueue_depth,name=job";
  const wanted = { 'apiserver_request_total,verb': 'GET,LIST', 'workqueue_depth,name': 'job' };
  assert.deepEqual(readConfig({ allowMetricLabels: flag }, {}, true).allowMetricLabels, wanted);
  const config = fileOf("allowMetricLabels: { 'apiserver_request_total,verb': 'GET,LIST', 'workqueue_depth,name': job }\n");
  assert.deepEqual(readConfig({ config }, {}, true).allowMetricLabels, wanted);
  assert.throws(() => readConfig({ allowMetricLabels: 'verb=GET' }, {}, true), /want metric,label='value1,value2'/);
});

test('what bounds requests is read as kube-apiserver reads it', () => {
  const read = readConfig({ requestTimeout: '1m30s', shutdownDelayDuration: '500ms', minRequestTimeout: '60' }, {}, true);
  assert.deepEqual([read.requestTimeout, read.shutdownDelayDuration, read.minRequestTimeout], [90_000, 500, 60]);
  assert.deepEqual([read.maxRequestsInflight, read.maxMutatingRequestsInflight], [400, 200]);
  const browsers = readConfig(
    { corsAllowedOrigins: '//a\\.com(:|$),^https://b$', strictTransportSecurityDirectives: 'max-age=1,preload' },
    {},
    true,
  );
  assert.deepEqual(browsers.corsAllowedOrigins, ['//a\\.com(:|$)', '^https://b$']);
  assert.deepEqual(browsers.strictTransportSecurityDirectives, ['max-age=1', 'preload']);
});

test('how long events are kept is a duration as Go writes it', () => {
  assert.deepEqual([readConfig({}, {}, true).eventTtl, readConfig({ eventTtl: '1h30m' }, {}, true).eventTtl], [3600, 5400]);
  for (const eventTtl of ['', '0s', '5', '1d']) assert.throws(() => readConfig({ eventTtl }, {}, true), ConfigError, eventTtl);
});
