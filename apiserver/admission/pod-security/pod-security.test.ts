import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Pod } from '../../../api/core.ts';
import { type ServerFixture, startServer } from '../../server-fixture.ts';
import { builtInAdmission } from '../built-in.ts';
import { podSecurityViolations } from './evaluate.ts';
import { type Level, policyOf } from './policy.ts';

const prefix = 'pod-security.kubernetes.io/';
const latest = Number.POSITIVE_INFINITY;

/** A pod that satisfies the restricted level, changed as the test wants. */
function hardened(change: (spec: NonNullable<Pod['spec']>, pod: Pod) => void = () => {}): Pod {
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const pod: Pod = {
    metadata: { name: 'p' },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{ name: 'a', image: 'i', securityContext }],
    },
  };
  change(pod.spec as NonNullable<Pod['spec']>, pod);
  return pod;
}

function broken(level: Level, minor: number, pod: Pod): string[] {
  return podSecurityViolations({ level, minor }, pod).map(({ reason, detail }) => `${reason} (${detail})`);
}

describe('levels', () => {
  test('each way to more privileges has its words', () => {
    const pod = hardened((spec, { metadata }) => {
      spec.hostPID = true;
      spec.initContainers = [
        {
          name: 'b',
          image: 'i',
          ports: [{ containerPort: 1, hostPort: 80 }],
          livenessProbe: { httpGet: { host: '1.2.3.4', port: 1 } },
          securityContext: {
            privileged: true,
            procMount: 'Unmasked',
            capabilities: { add: ['SYS_ADMIN', 'NET_RAW'] },
            appArmorProfile: { type: 'Unconfined' },
          },
        },
      ];
      spec.volumes = [{ name: 'v', hostPath: { path: '/' } }];
      spec.securityContext = {
        seccompProfile: { type: 'Unconfined' },
        seLinuxOptions: { type: 'spc_t', role: 'r' },
        sysctls: [{ name: 'kernel.msgmax', value: '1' }],
        windowsOptions: { hostProcess: true },
      };
      Object.assign(metadata ?? {}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' } });
    });
    assert.deepEqual(broken('baseline', latest, pod), [
      'forbidden AppArmor profiles (container "b" and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/a="unconfined"")',
      'non-default capabilities (container "b" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
      'host namespaces (hostPID=true)',
      'hostPath volumes (volume "v")',
      'hostPort (container "b" uses hostPort 80)',
      'probe or lifecycle host (container "b" uses probe or lifecycle host "1.2.3.4")',
      'privileged (container "b" must not set securityContext.privileged=true)',
      'procMount (container "b" must not set securityContext.procMount to "Unmasked")',
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; role may not be set)',
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
      'forbidden sysctls (kernel.msgmax)',
      'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
    ]);
  });

  test('restricted wants pods to give up what they do not need', () => {
    assert.deepEqual(broken('restricted', latest, hardened()), []);
    const lax = hardened((spec) => {
      spec.securityContext = { runAsUser: 0 };
      spec.containers.push({ name: 'b', image: 'i' });
      spec.volumes = [
        { name: 'v', hostPath: { path: '/' } },
        { name: 'n', nfs: { server: 's', path: '/' } },
      ];
    });
    assert.deepEqual(broken('restricted', latest, lax), [
      'allowPrivilegeEscalation != false (container "b" must set securityContext.allowPrivilegeEscalation=false)',
      'unrestricted capabilities (container "b" must set securityContext.capabilities.drop=["ALL"])',
      'restricted volume types (volumes "v", "n" use restricted volume types "hostPath", "nfs")',
      'runAsNonRoot != true (pod or containers "a", "b" must set securityContext.runAsNonRoot=true)',
      'runAsUser=0 (pod must not set runAsUser=0)',
      'seccompProfile (pod or containers "a", "b" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ]);
  });

  test('a version of the standards is what it was in that version of Kubernetes', () => {
    const bare: Pod = { spec: { containers: [{ name: 'a', image: 'i' }] } };
    const reasons = (minor: number, pod: Pod) => podSecurityViolations({ level: 'restricted', minor }, pod).map(({ reason }) => reason);
    assert.deepEqual(reasons(7, bare), ['runAsNonRoot != true']);
    assert.deepEqual(reasons(18, bare), ['allowPrivilegeEscalation != false', 'runAsNonRoot != true']);
    assert.deepEqual(reasons(19, bare), ['allowPrivilegeEscalation != false', 'runAsNonRoot != true', 'seccompProfile']);
    assert.equal(reasons(22, bare).length, 4);
    const windows = hardened((spec) => Object.assign(spec, { os: { name: 'windows' }, containers: [{ name: 'a', image: 'i' }] }));
    assert.deepEqual([reasons(24, windows).length, reasons(25, windows).length], [2, 0]);
    const keepalive = hardened((spec) =>
      Object.assign(spec.securityContext ?? {}, { sysctls: [{ name: 'net.ipv4.tcp_fin_timeout', value: '1' }] }),
    );
    assert.deepEqual([reasons(28, keepalive), reasons(29, keepalive)], [['forbidden sysctls'], []]);
    const ownUsers = hardened((spec) =>
      Object.assign(spec, { hostUsers: false, securityContext: { runAsUser: 0, seccompProfile: { type: 'Localhost' } } }),
    );
    assert.deepEqual([reasons(34, ownUsers), reasons(35, ownUsers)], [['runAsNonRoot != true', 'runAsUser=0'], []]);
    assert.deepEqual(reasons(900, ownUsers), [], 'a version to come is the latest');
  });
});

test('labels make a policy even when they cannot be read', () => {
  const { policy } = policyOf({ [`${prefix}enforce`]: 'baseline', [`${prefix}enforce-version`]: 'v1.25' });
  assert.deepEqual(policy.enforce, { level: 'baseline', minor: 25 });
  assert.deepEqual(policy.warn, { level: 'baseline', minor: 25 }, 'warnings follow what is enforced');
  const { policy: strict, errors } = policyOf({ [`${prefix}enforce`]: 'tight', [`${prefix}audit`]: 'x', [`${prefix}warn-version`]: '1.2' });
  assert.deepEqual([strict.enforce.level, strict.audit.level, strict.warn.level], ['restricted', 'privileged', 'privileged']);
  assert.deepEqual(
    errors.map(({ field, message }) => `${field}: ${message}`),
    [
      'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "tight": must be one of privileged, baseline, restricted',
      'metadata.labels[pod-security.kubernetes.io/audit]: Invalid value: "x": must be one of privileged, baseline, restricted',
      'metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
    ],
  );
});

describe('on a server', () => {
  let server: ServerFixture;
  before(async () => {
    server = await startServer({ admission: builtInAdmission });
  });
  after(() => server.close());
  const addNamespace = (name: string, labels = {}) => server.ask('POST', '/api/v1/namespaces', { metadata: { name, labels } });
  const addPod = (namespace: string, name: string, spec: object) =>
    server.ask('POST', `/api/v1/namespaces/${namespace}/pods`, { metadata: { name }, spec });
  const bare = { containers: [{ name: 'a', image: 'i' }] };
  const relabel = (namespace: string, labels: object) =>
    server.ask('PATCH', `/api/v1/namespaces/${namespace}`, { metadata: { labels } }, { 'content-type': 'application/merge-patch+json' });

  test('a namespace refuses pods below its level, and warns of templates', async () => {
    await addNamespace('strict', { [`${prefix}enforce`]: 'restricted', [`${prefix}warn`]: 'baseline' });
    const refused = await addPod('strict', 'lax', bare);
    assert.equal(refused.status, 403);
    assert.match(
      refused.json.message,
      /^pods "lax" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(/,
    );
    assert.equal((await addPod('strict', 'good', hardened().spec ?? {})).status, 201);
    const template = { metadata: { labels: { a: 'b' } }, spec: { hostNetwork: true, ...bare } };
    const deployment = { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } };
    const warned = await server.ask('POST', '/apis/apps/v1/namespaces/strict/deployments', deployment);
    assert.match(warned.headers['warning'] ?? '', /would violate PodSecurity .*baseline:latest.*: host namespaces \(hostNetwork=true\)/);
  });

  test('labels that mean nothing are refused', async () => {
    const refused = await addNamespace('odd', { [`${prefix}enforce`]: 'tight' });
    assert.equal(refused.status, 422);
    assert.match(refused.json.message, /must be one of privileged, baseline, restricted$/);
  });

  test('whoever raises the level is told of the pods that break it; those may be labelled still, but get no other image', async () => {
    await addNamespace('old');
    for (const name of ['b', 'a', 'c']) await addPod('old', name, bare);
    await addPod('old', 'host', { ...hardened().spec, hostNetwork: true });
    const { headers } = await relabel('old', { [`${prefix}enforce`]: 'restricted' });
    const warnings = [...(headers['warning'] ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
      text.replaceAll('\\"', '"'),
    );
    assert.deepEqual(warnings, [
      'existing pods in namespace "old" violate the new PodSecurity enforce level "restricted:latest"',
      'a (and 2 other pods): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile',
      'host: host namespaces',
    ]);
    const change = (body: object) =>
      server.ask('PATCH', '/api/v1/namespaces/old/pods/a', body, { 'content-type': 'application/strategic-merge-patch+json' });
    assert.equal((await change({ metadata: { labels: { a: 'b' } } })).status, 200);
    assert.equal((await change({ spec: { containers: [{ name: 'a', image: 'j' }] } })).status, 403);
  });
});
