import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { type ServerFixture, startServer } from '../server-fixture.ts';
import { serviceAccountAdmission } from './service-account.ts';

const path = '/api/v1/namespaces/default';
const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' };
let server: ServerFixture;
before(async () => {
  const admission = serviceAccountAdmission({ clock: systemClock, random: seededRandom(3) });
  server = await startServer({ admission: [admission], begin: [admission.begin] });
  const accounts = [
    { metadata: { name: 'free' }, imagePullSecrets: [{ name: 'pull' }] },
    { metadata: { name: 'silent' }, automountServiceAccountToken: false },
    { metadata: { name: 'strict', annotations }, secrets: [{ name: 'own' }], imagePullSecrets: [{ name: 'pull' }] },
  ];
  for (const account of accounts) assert.equal((await server.ask('POST', `${path}/serviceaccounts`, account)).status, 201);
});
after(() => server.close());

const container = (more: object = {}) => ({ name: 'c', image: 'x', ...more });
const pod = (spec: object, metadata: object = {}) => ({
  metadata: { name: 'p', ...metadata },
  spec: { containers: [container()], serviceAccountName: 'free', ...spec },
});
const tryPod = (body: unknown) => server.ask('POST', `${path}/pods?dryRun=All`, body);
const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount';

test('every container finds the token, where it has nothing else', async () => {
  const own = { name: 'v', mountPath: tokenPath };
  const spec = {
    initContainers: [container({ name: 'i' })],
    containers: [container(), container({ name: 'd', volumeMounts: [own] })],
    volumes: [{ name: 'v', emptyDir: {} }],
  };
  const { json } = await tryPod(pod(spec));
  const volume = json.spec.volumes[1];
  assert.match(volume.name, /^kube-api-access-[a-z0-9]{5}$/);
  assert.equal(volume.projected.sources.length, 3);
  const mount = [{ name: volume.name, readOnly: true, mountPath: tokenPath }];
  const mounts = [...json.spec.initContainers, ...json.spec.containers].map(({ volumeMounts }) => volumeMounts);
  assert.deepEqual(mounts, [mount, mount, [own]]);
});

const automounts: [string, object, boolean][] = [
  ['the pod, against its account', { serviceAccountName: 'silent', automountServiceAccountToken: true }, true],
  ['the account, when the pod says nothing', { serviceAccountName: 'silent' }, false],
  ['the pod, when its account says nothing', { automountServiceAccountToken: false }, false],
];
for (const [title, spec, isMounted] of automounts) {
  test(`whether the token is mounted says ${title}`, async () => {
    const { json } = await tryPod(pod(spec));
    assert.equal((json.spec.volumes ?? []).length > 0, isMounted);
  });
}

test("a pod pulls with its account's secrets, unless it names its own", async () => {
  assert.deepEqual((await tryPod(pod({}))).json.spec.imagePullSecrets, [{ name: 'pull' }]);
  assert.deepEqual((await tryPod(pod({ imagePullSecrets: [{ name: 'mine' }] }))).json.spec.imagePullSecrets, [{ name: 'mine' }]);
});

const fromSecret = (name: string) => ({ env: [{ name: 'E', valueFrom: { secretKeyRef: { name, key: 'k' } } }] });
const allFrom = (name: string) => ({ envFrom: [{ secretRef: { name } }] });
const strict = (spec: object) => pod({ serviceAccountName: 'strict', ...spec });
const mirror = (spec: object) => pod({ serviceAccountName: '', ...spec }, { annotations: { 'kubernetes.io/config.mirror': 'x' } });
const not = 'is not allowed because service account strict does not reference that';
const refused: [string, object, string][] = [
  [
    'an account that is not there',
    pod({ serviceAccountName: 'none' }),
    'error looking up service account default/none: serviceaccount "none" not found',
  ],
  [
    'a foreign secret as a volume',
    strict({ volumes: [{ name: 'v', secret: { secretName: 'other' } }] }),
    `volume with secret.secretName="other" ${not} secret`,
  ],
  [
    'a foreign secret in a variable',
    strict({ containers: [container(fromSecret('other'))] }),
    `container c with envVar E referencing secret.secretName="other" ${not} secret`,
  ],
  [
    'a foreign secret in all variables of an init container',
    strict({ initContainers: [container({ name: 'i', ...allFrom('other') })] }),
    `init container i with envFrom referencing secret.secretName="other" ${not} secret`,
  ],
  [
    'pulling with a foreign secret',
    strict({ imagePullSecrets: [{ name: 'pull' }, { name: 'other' }] }),
    `imagePullSecrets[1].name="other" ${not} imagePullSecret`,
  ],
  ['a mirror pod with an account', mirror({ serviceAccountName: 'free' }), 'a mirror pod may not reference service accounts'],
  ['a mirror pod with a secret', mirror({ containers: [container(fromSecret('own'))] }), 'a mirror pod may not reference secrets'],
  [
    'a mirror pod with a token',
    mirror({ volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }] }),
    'a mirror pod may not use ServiceAccountToken volume projections',
  ],
];
for (const [title, body, why] of refused) {
  test(`refused: ${title}`, async () => assert.equal((await tryPod(body)).json.message, `pods "p" is forbidden: ${why}`));
}

test('a pod that is still to be named is refused by what its name is made from', async () => {
  const { json } = await tryPod({ metadata: { generateName: 'p-' }, spec: { containers: [container()], serviceAccountName: 'none' } });
  assert.match(json.message, /^pods "p-" is forbidden: error looking up service account/);
});

test('secrets that the account lists are free to use, and ephemeral containers get no others', async () => {
  const spec = { containers: [container({ ...fromSecret('own'), ...allFrom('own') })], serviceAccountName: 'strict' };
  const made = await server.ask('POST', `${path}/pods`, { metadata: { name: 'strict' }, spec });
  assert.equal(made.status, 201, made.text);
  const debug = (more: object) =>
    server.ask(
      'PATCH',
      `${path}/pods/strict/ephemeralcontainers`,
      { spec: { ephemeralContainers: [{ name: 'e', image: 'x', ...more }] } },
      { 'content-type': 'application/strategic-merge-patch+json' },
    );
  const { status, json } = await debug(fromSecret('other'));
  assert.deepEqual(
    [status, json.message],
    [500, `ephemeral container e with envVar E referencing secret.secretName="other" ${not} secret`],
  );
  assert.equal((await debug(fromSecret('own'))).status, 200);
});
