// The checks that level restricted adds to baseline: the practice of hardening
// (https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted).

import {
  type Check,
  type CheckPod,
  containersOf,
  isGoodSeccomp,
  named,
  plural,
  procMount,
  quoted,
  seccompViolation,
  setters,
  sorted,
  unlessOwnUsers,
  unlessWindows,
} from './check.ts';

const privilegeEscalation: CheckPod = (spec) => {
  const bad = containersOf(spec).filter(({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (bad.length === 0) return undefined;
  return { reason: 'allowPrivilegeEscalation != false', detail: `${named(bad)} must set securityContext.allowPrivilegeEscalation=false` };
};

const capabilities: CheckPod = (spec) => {
  const isExtra = (name: string) => name !== 'NET_BIND_SERVICE';
  const keeping = containersOf(spec).filter(({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'));
  const adding = containersOf(spec).filter(({ securityContext }) => securityContext?.capabilities?.add?.some(isExtra));
  const added = sorted(adding.flatMap(({ securityContext }) => securityContext?.capabilities?.add ?? []).filter(isExtra));
  const said = [
    ...(keeping.length ? [`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length ? [`${named(adding)} must not include ${quoted(added)} in securityContext.capabilities.add`] : []),
  ];
  return said.length ? { reason: 'unrestricted capabilities', detail: said.join('; ') } : undefined;
};

const allowedVolumes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

const volumeTypes: CheckPod = ({ volumes = [] }) => {
  const bad = volumes.filter((volume) => !allowedVolumes.some((type) => type in volume));
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map((volume) => Object.keys(volume).find((key) => key !== 'name') ?? 'unknown'));
  const who = `${plural('volume', bad.length)} ${quoted(bad.map(({ name }) => name))} ${bad.length === 1 ? 'uses' : 'use'}`;
  return { reason: 'restricted volume types', detail: `${who} ${plural('restricted volume type', types.length)} ${quoted(types)}` };
};

const nonRoot: CheckPod = (spec) => {
  const reason = 'runAsNonRoot != true';
  const who = setters(spec, ({ runAsNonRoot }) => runAsNonRoot === false);
  if (who) return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  if (spec.securityContext?.runAsNonRoot) return undefined;
  const silent = containersOf(spec).filter(({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  return silent.length ? { reason, detail: `pod or ${named(silent)} must set securityContext.runAsNonRoot=true` } : undefined;
};

const notUserZero: CheckPod = (spec) => {
  const who = setters(spec, ({ runAsUser }) => runAsUser === 0);
  return who ? { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` } : undefined;
};

const seccomp: CheckPod = (spec) => {
  const bad = seccompViolation(spec);
  if (bad) return bad;
  if (isGoodSeccomp(spec.securityContext?.seccompProfile?.type)) return undefined;
  const silent = containersOf(spec).filter(({ securityContext }) => securityContext?.seccompProfile === undefined);
  const wanted = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  return silent.length ? { reason: 'seccompProfile', detail: `pod or ${named(silent)} must set ${wanted}` } : undefined;
};

/** A check from some version on that from 1.25 on leaves Windows pods alone. */
const windowsSince25 = (since: number, check: CheckPod, overrides: string[] = []) => [
  { since, check, overrides },
  { since: 25, check: unlessWindows(check), overrides },
];
const ownUsersSince35 = (since: number, check: CheckPod) => [
  { since, check },
  { since: 35, check: unlessOwnUsers(check) },
];

export const restrictedChecks: readonly Check[] = (
  [
    { id: 'allowPrivilegeEscalation', versions: windowsSince25(8, privilegeEscalation) },
    { id: 'capabilities_restricted', versions: windowsSince25(22, capabilities, ['capabilities_baseline']) },
    { id: 'procMount_restricted', versions: [{ since: 35, check: procMount, overrides: ['procMount'] }] },
    { id: 'restrictedVolumes', versions: [{ since: 0, check: volumeTypes, overrides: ['hostPathVolumes'] }] },
    { id: 'runAsNonRoot', versions: ownUsersSince35(0, nonRoot) },
    { id: 'runAsUser', versions: ownUsersSince35(23, notUserZero) },
    { id: 'seccompProfile_restricted', versions: windowsSince25(19, seccomp, ['seccompProfile_baseline']) },
  ] satisfies Omit<Check, 'level'>[]
).map((check) => ({ ...check, level: 'restricted' }));
