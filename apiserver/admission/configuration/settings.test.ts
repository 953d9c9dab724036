import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { seededRandom } from '../../../base/random.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { AdmissionConfigurationError, type PluginName } from '../plugin-order.ts';
import { readAdmissionSettings } from './settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'admission-'));
after(() => rmSync(directory, { recursive: true }));

let count = 0;
function written(content: unknown, name = `file-${++count}.yaml`): string {
  const file = join(directory, name);
  writeFileSync(file, typeof content === 'string' ? content : stringify(content));
  return file;
}
const read = (file: string, enable: PluginName[] = []) =>
  readAdmissionSettings({ file, enable, clock: new VirtualClock(), random: seededRandom(1) });
const apiVersion = 'apiserver.config.k8s.io/v1';
const telling = (name: string, configuration: unknown) =>
  written({ apiVersion, kind: 'AdmissionConfiguration', plugins: [{ name, configuration }] });

const podSecurity = (more: object) => ({
  apiVersion: 'pod-security.admission.config.k8s.io/v1',
  kind: 'PodSecurityConfiguration',
  ...more,
});
const events = (limits: unknown) => ({ apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1', kind: 'Configuration', limits });

test('what a plug-in is told stands in the file, or in one that it names, relative to itself', async () => {
  const inside = await read(telling('PodSecurity', podSecurity({ defaults: { enforce: 'baseline', 'enforce-version': 'v1.30' } })));
  assert.deepEqual(inside.podSecurity?.defaults.enforce, { level: 'baseline', minor: 30 });
  written(podSecurity({ exemptions: { usernames: ['alice'] } }), 'own.yaml');
  const named = await read(
    written({
      apiVersion: 'apiserver.config.k8s.io/v1alpha1',
      kind: 'AdmissionConfiguration',
      plugins: [{ name: 'PodSecurity', path: 'own.yaml' }],
    }),
  );
  assert.deepEqual(named.podSecurity?.exemptions.usernames, ['alice']);
  assert.equal(named.podSecurity?.defaults.enforce.level, 'privileged');
});

test('a file from before there were versions is for the plug-ins that knew it', async () => {
  const { nodeSelectors } = await read(written({ podNodeSelectorPluginConfig: { clusterDefaultNodeSelector: 'a=b' } }), [
    'PodNodeSelector',
  ]);
  assert.deepEqual(nodeSelectors, { clusterDefaultNodeSelector: 'a=b' });
});

test('what plug-ins that do not run are told is not looked at', async () => {
  const { eventLimits } = await read(telling('EventRateLimit', events([])));
  assert.equal(eventLimits, undefined);
});

const refused: [string, () => string, PluginName[], string | RegExp][] = [
  [
    'a file that is not there',
    () => join(directory, 'none'),
    [],
    /^unable to read admission control configuration from ".*none" \[open .*none: no such file or directory\]$/,
  ],
  [
    'another kind',
    () => written({ apiVersion, kind: 'Thing' }),
    [],
    'failed to read plugin config: no kind "Thing" is registered for version "apiserver.config.k8s.io/v1"',
  ],
  ['no kind', () => written({ plugins: [] }), [], `failed to read plugin config: Object 'Kind' is missing in '{"plugins":[]}'`],
  [
    'a field that is not known',
    () => written({ apiVersion, kind: 'AdmissionConfiguration', plugins: [{ name: 'A', pat: 'b' }] }),
    [],
    'failed to read plugin config: strict decoding error: unknown field "plugins[0].pat"',
  ],
  [
    'a level that is not known',
    () => telling('PodSecurity', podSecurity({ defaults: { enforce: 'strict' } })),
    [],
    `couldn't init admission plugin "PodSecurity": defaults.enforce: Invalid value: "strict": must be one of privileged, baseline, restricted`,
  ],
  [
    'exemptions that make no sense',
    () => telling('PodSecurity', podSecurity({ exemptions: { namespaces: ['a', 'a'], usernames: [''] } })),
    [],
    `couldn't init admission plugin "PodSecurity": [exemptions.namespaces[1]: Duplicate value: "a", exemptions.usernames[0]: Invalid value: "": username must not be empty]`,
  ],
  [
    'event limits without limits',
    () => telling('EventRateLimit', events([])),
    ['EventRateLimit'],
    `couldn't init admission plugin "EventRateLimit": limits: Invalid value: []: must not be empty`,
  ],
  [
    'event limits that limit nothing',
    () => telling('EventRateLimit', events([{ type: 'Node', qps: 0, burst: 1 }])),
    ['EventRateLimit'],
    `couldn't init admission plugin "EventRateLimit": [limits[0].type: Unsupported value: "Node": supported values: "Namespace", "Server", "SourceAndObject", "User", limits[0].qps: Invalid value: 0: must be positive]`,
  ],
  [
    'an image policy without a configuration',
    () => telling('Priority', {}),
    ['ImagePolicyWebhook'],
    `couldn't init admission plugin "ImagePolicyWebhook": no config specified`,
  ],
  [
    'an image policy that is remembered too long',
    () => telling('ImagePolicyWebhook', { imagePolicy: { allowTTL: 5405 } }),
    ['ImagePolicyWebhook'],
    `couldn't init admission plugin "ImagePolicyWebhook": valid value is between 1s and 30m0s, got 1h30m5s`,
  ],
  [
    'tolerations that cannot be',
    () =>
      telling('PodTolerationRestriction', {
        apiVersion: 'podtolerationrestriction.admission.k8s.io/v1alpha1',
        kind: 'Configuration',
        default: [{ operator: 'Exist', key: 'a' }],
      }),
    ['PodTolerationRestriction'],
    `couldn't init admission plugin "PodTolerationRestriction": invalid config: [podtolerationrestriction.default[0].operator: Unsupported value: "Exist": supported values: "Equal", "Exists"]`,
  ],
];
for (const [title, file, enable, message] of refused) {
  test(`refused: ${title}`, async () => {
    await assert.rejects(read(file(), enable), (error) => {
      assert.ok(error instanceof AdmissionConfigurationError);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });
  });
}
