// The checks of the Pod Security Standards, levels baseline and restricted, in their latest version
// (https://kubernetes.io/docs/concepts/security/pod-security-standards/).

import type { Container, Pod } from '../../api/core.ts';

type Spec = NonNullable<Pod['spec']>;
type Check = (spec: Spec, pod: Pod) => string | undefined;

const containersOf = (spec: Spec): Container[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...((spec.ephemeralContainers ?? []) as Container[]),
];
const quote = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(', ');
const plural = (word: string, names: readonly unknown[]) => (names.length === 1 ? word : `${word}s`);
const named = (containers: readonly Container[]) => `${plural('container', containers)} ${quote(containers.map(({ name }) => name))}`;

function badContainers(spec: Spec, isBad: (container: Container) => boolean): Container[] {
  return containersOf(spec).filter(isBad);
}

const baselineCapabilities = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' '),
);
const safeSysctls = new Set(
  `kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.ip_unprivileged_port_start net.ipv4.tcp_syncookies
   net.ipv4.ping_group_range net.ipv4.ip_local_reserved_ports net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout
   net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes net.ipv4.tcp_rmem net.ipv4.tcp_wmem`.split(/\s+/),
);
const seLinuxTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']);
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

const baseline: Check[] = [
  (spec) => {
    const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]).map((field) => `${field}=true`);
    return used.length ? `host namespaces (${used.join(', ')})` : undefined;
  },
  (spec) => {
    const bad = badContainers(spec, ({ securityContext }) => securityContext?.privileged === true);
    return bad.length ? `privileged (${named(bad)} must not set securityContext.privileged=true)` : undefined;
  },
  (spec) => {
    const added = new Set<string>();
    const bad = badContainers(spec, ({ securityContext }) => {
      const extra = (securityContext?.capabilities?.add ?? []).filter((name) => !baselineCapabilities.has(name));
      for (const name of extra) added.add(name);
      return extra.length > 0;
    });
    if (bad.length === 0) return undefined;
    return `non-default capabilities (${named(bad)} must not include ${quote([...added].sort())} in securityContext.capabilities.add)`;
  },
  (spec) => {
    const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
    return names.length ? `hostPath volumes (${plural('volume', names)} ${quote(names)})` : undefined;
  },
  (spec) => {
    const ports = new Set<number>();
    const bad = badContainers(spec, (container) => {
      const used = (container.ports ?? []).flatMap(({ hostPort }) => (hostPort ? [hostPort] : []));
      for (const port of used) ports.add(port);
      return used.length > 0;
    });
    const list = [...ports].map(String).sort();
    return bad.length
      ? `hostPort (${named(bad)} ${bad.length === 1 ? 'uses' : 'use'} ${plural('hostPort', list)} ${list.join(', ')})`
      : undefined;
  },
  (spec) => {
    const bad = badContainers(spec, ({ securityContext }) => (securityContext?.procMount ?? 'Default') !== 'Default');
    const values = [...new Set(bad.map(({ securityContext }) => securityContext?.procMount ?? ''))].sort();
    return bad.length ? `procMount (${named(bad)} must not set securityContext.procMount to ${quote(values)})` : undefined;
  },
  (spec) => {
    const isBad = (type: string | undefined) => type === 'Unconfined';
    const bad = badContainers(spec, ({ securityContext }) => isBad(securityContext?.seccompProfile?.type));
    const setters = [...(isBad(spec.securityContext?.seccompProfile?.type) ? ['pod'] : []), ...(bad.length ? [named(bad)] : [])];
    return setters.length
      ? `seccompProfile (${setters.join(' and ')} must not set securityContext.seccompProfile.type to "Unconfined")`
      : undefined;
  },
  (spec) => {
    const options = [spec.securityContext, ...containersOf(spec).map(({ securityContext }) => securityContext)].map(
      (each) => each?.seLinuxOptions,
    );
    const isBad = options.some((each) => each && (!seLinuxTypes.has(each.type ?? '') || each.user || each.role));
    return isBad ? 'seLinuxOptions (pod or containers set forbidden securityContext.seLinuxOptions)' : undefined;
  },
  (spec) => {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safeSysctls.has(name));
    return names.length ? `forbidden sysctls (${names.join(', ')})` : undefined;
  },
  (spec) => {
    const bad = badContainers(spec, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true);
    return bad.length ? `hostProcess (${named(bad)} must not set securityContext.windowsOptions.hostProcess=true)` : undefined;
  },
];

const restricted: Check[] = [
  (spec) => {
    const bad = badContainers(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
    return bad.length
      ? `allowPrivilegeEscalation != false (${named(bad)} must set securityContext.allowPrivilegeEscalation=false)`
      : undefined;
  },
  (spec) => {
    const bad = badContainers(spec, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'));
    const adding = badContainers(spec, ({ securityContext }) =>
      (securityContext?.capabilities?.add ?? []).some((name) => name !== 'NET_BIND_SERVICE'),
    );
    const said = [];
    if (bad.length) said.push(`${named(bad)} must set securityContext.capabilities.drop=["ALL"]`);
    if (adding.length) {
      const added = adding
        .flatMap(({ securityContext }) => securityContext?.capabilities?.add ?? [])
        .filter((name) => name !== 'NET_BIND_SERVICE');
      said.push(`${named(adding)} must not include ${quote([...new Set(added)].sort())} in securityContext.capabilities.add`);
    }
    return said.length ? `unrestricted capabilities (${said.join('; ')})` : undefined;
  },
  (spec) => {
    const bad = (spec.volumes ?? []).filter((volume) => !allowedVolumes.some((type) => type in volume));
    const types = bad.map((volume) => Object.keys(volume).find((key) => key !== 'name') ?? 'unknown');
    if (bad.length === 0) return undefined;
    const names = bad.map(({ name }) => name);
    const uses = `${bad.length === 1 ? 'uses' : 'use'} restricted volume ${plural('type', [...new Set(types)])}`;
    return `restricted volume types (${plural('volume', names)} ${quote(names)} ${uses} ${quote([...new Set(types)].sort())})`;
  },
  (spec) => {
    const podSays = spec.securityContext?.runAsNonRoot;
    const denying = badContainers(spec, ({ securityContext }) => securityContext?.runAsNonRoot === false);
    if (denying.length) return `runAsNonRoot != true (${named(denying)} must not set securityContext.runAsNonRoot=false)`;
    if (podSays) return undefined;
    const silent = badContainers(spec, ({ securityContext }) => securityContext?.runAsNonRoot !== true);
    return silent.length ? `runAsNonRoot != true (pod or ${named(silent)} must set securityContext.runAsNonRoot=true)` : undefined;
  },
  (spec) => {
    const bad = badContainers(spec, ({ securityContext }) => securityContext?.runAsUser === 0);
    const setters = [...(spec.securityContext?.runAsUser === 0 ? ['pod'] : []), ...(bad.length ? [named(bad)] : [])];
    return setters.length ? `runAsUser=0 (${setters.join(' and ')} must not set runAsUser=0)` : undefined;
  },
  (spec) => {
    const isGood = (type: string | undefined) => type === 'RuntimeDefault' || type === 'Localhost';
    const podType = spec.securityContext?.seccompProfile?.type;
    const silent = badContainers(spec, ({ securityContext }) => !isGood(securityContext?.seccompProfile?.type ?? podType));
    const wanted = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
    return silent.length ? `seccompProfile (pod or ${named(silent)} must set ${wanted})` : undefined;
  },
];

/** Baseline checks that a stricter one of the restricted level stands in for: capabilities, hostPath volumes, seccomp. */
const overridden = new Set([2, 3, 6]);

export type Level = 'privileged' | 'baseline' | 'restricted';

/** What of the level a pod breaks, each with who does it. */
export function podSecurityViolations(level: Level, pod: Pod): string[] {
  const { spec } = pod;
  if (!spec || level === 'privileged') return [];
  const checks = level === 'baseline' ? baseline : [...baseline.filter((_, index) => !overridden.has(index)), ...restricted];
  return checks.flatMap((check) => check(spec, pod) ?? []);
}
