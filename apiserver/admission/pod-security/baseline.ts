// The checks of level baseline: known ways to more privileges are closed
// (https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline).

import type { LifecycleHandler, Probe } from '../../../api/pod-parts.ts';
import {
  type Check,
  type CheckPod,
  containersOf,
  contextsOf,
  named,
  plural,
  procMount,
  quoted,
  type SecurityContext,
  seccompViolation,
  setters,
  sorted,
  unlessOwnUsers,
} from './check.ts';

const usual = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' '),
);

const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';
const isGoodAppArmor = (type: string | undefined) => type === 'RuntimeDefault' || type === 'Localhost';

const appArmorProfile: CheckPod = (spec, annotations) => {
  const isBad = ({ appArmorProfile: profile }: Partial<SecurityContext>) => profile !== undefined && !isGoodAppArmor(profile.type);
  const types = contextsOf(spec).flatMap((context) => (isBad(context) ? [context.appArmorProfile?.type ?? ''] : []));
  const noted = Object.entries(annotations)
    .filter(([key, value]) => key.startsWith(appArmorAnnotation) && value && value !== 'runtime/default' && !value.startsWith('localhost/'))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const who = [setters(spec, isBad), noted.length ? plural('annotation', noted.length) : ''].filter(Boolean).join(' and ');
  const values = [...sorted(types), ...sorted(noted)];
  if (!who) return undefined;
  return {
    reason: plural('forbidden AppArmor profile', values.length),
    detail: `${who} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

const capabilities: CheckPod = (spec) => {
  const bad = containersOf(spec).filter(({ securityContext }) => securityContext?.capabilities?.add?.some((name) => !usual.has(name)));
  const names = bad.flatMap(({ securityContext }) => securityContext?.capabilities?.add ?? []).filter((name) => !usual.has(name));
  if (bad.length === 0) return undefined;
  const detail = `${named(bad)} must not include ${quoted(sorted(names))} in securityContext.capabilities.add`;
  return { reason: 'non-default capabilities', detail };
};

const hostNamespaces: CheckPod = (spec) => {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]).map((field) => `${field}=true`);
  return used.length ? { reason: 'host namespaces', detail: used.join(', ') } : undefined;
};

const hostPathVolumes: CheckPod = ({ volumes = [] }) => {
  const names = volumes.filter(({ hostPath }) => hostPath).map(({ name }) => name);
  return names.length ? { reason: 'hostPath volumes', detail: `${plural('volume', names.length)} ${quoted(names)}` } : undefined;
};

const hostPorts: CheckPod = (spec) => {
  const bad = containersOf(spec).filter(({ ports }) => ports?.some(({ hostPort }) => hostPort));
  const ports = sorted(bad.flatMap((container) => container.ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : [])));
  if (bad.length === 0) return undefined;
  const uses = `${bad.length === 1 ? 'uses' : 'use'} ${plural('hostPort', ports.length)} ${ports.join(', ')}`;
  return { reason: 'hostPort', detail: `${named(bad)} ${uses}` };
};

const hostsOf = (handler: Probe | LifecycleHandler | undefined): string[] =>
  [handler?.httpGet?.host, handler?.tcpSocket?.host].flatMap((host) => (host ? [host] : []));

const probeHosts: CheckPod = (spec) => {
  const found = containersOf(spec).flatMap((container) => {
    const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
    const hosts = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(hostsOf);
    return hosts.length ? [{ name: container.name, hosts }] : [];
  });
  if (found.length === 0) return undefined;
  const names = sorted(found.map(({ name }) => name));
  const hosts = sorted(found.flatMap((each) => each.hosts));
  const who = `${plural('container', names.length)} ${quoted(names)} ${names.length === 1 ? 'uses' : 'use'}`;
  return { reason: 'probe or lifecycle host', detail: `${who} ${plural('probe or lifecycle host', hosts.length)} ${quoted(hosts)}` };
};

const privileged: CheckPod = (spec) => {
  const bad = containersOf(spec).filter(({ securityContext }) => securityContext?.privileged);
  return bad.length ? { reason: 'privileged', detail: `${named(bad)} must not set securityContext.privileged=true` } : undefined;
};

function seLinuxOptions(...extraTypes: string[]): CheckPod {
  const allowed = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', ...extraTypes]);
  return (spec) => {
    const isBad = ({ seLinuxOptions: options }: Partial<SecurityContext>) =>
      options !== undefined && (!allowed.has(options.type ?? '') || Boolean(options.user) || Boolean(options.role));
    const who = setters(spec, isBad);
    if (!who) return undefined;
    const bad = contextsOf(spec).flatMap((context) => (isBad(context) ? [context.seLinuxOptions ?? {}] : []));
    const types = sorted(bad.flatMap(({ type = '' }) => (allowed.has(type) ? [] : [type])));
    const said = [
      ...(types.length ? [`${plural('type', types.length)} ${quoted(types)}`] : []),
      ...(bad.some(({ user }) => user) ? ['user may not be set'] : []),
      ...(bad.some(({ role }) => role) ? ['role may not be set'] : []),
    ];
    return { reason: 'seLinuxOptions', detail: `${who} set forbidden securityContext.seLinuxOptions: ${said.join('; ')}` };
  };
}

const seccompAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';

/** Before seccomp profiles had fields. */
const seccompAnnotations: CheckPod = (spec, annotations) => {
  const keys = [seccompAnnotation, ...containersOf(spec).map(({ name }) => `container.seccomp.security.alpha.kubernetes.io/${name}`)];
  const bad = keys.filter((key) => {
    const value = annotations[key];
    return value !== undefined && value !== 'runtime/default' && value !== 'docker/default' && !value.startsWith('localhost/');
  });
  if (bad.length === 0) return undefined;
  const said = sorted(bad.map((key) => `${key}=${JSON.stringify(annotations[key])}`));
  return { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', said.length)} ${said.join(', ')}` };
};

const safe = `kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range
  net.ipv4.ip_unprivileged_port_start`.split(/\s+/);
const keepalive = ['tcp_keepalive_time', 'tcp_fin_timeout', 'tcp_keepalive_intvl', 'tcp_keepalive_probes'].map(
  (name) => `net.ipv4.${name}`,
);

function sysctls(...more: string[]): CheckPod {
  const allowed = new Set([...safe, ...more]);
  return ({ securityContext }) => {
    const names = (securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !allowed.has(name));
    return names.length ? { reason: 'forbidden sysctls', detail: names.join(', ') } : undefined;
  };
}
const reserved = 'net.ipv4.ip_local_reserved_ports';

const windowsHostProcess: CheckPod = (spec) => {
  const who = setters(spec, ({ windowsOptions }) => windowsOptions?.hostProcess === true);
  return who ? { reason: 'hostProcess', detail: `${who} must not set securityContext.windowsOptions.hostProcess=true` } : undefined;
};

const since0 = (check: CheckPod) => [{ since: 0, check }];

export const baselineChecks: readonly Check[] = (
  [
    { id: 'appArmorProfile', versions: since0(appArmorProfile) },
    { id: 'capabilities_baseline', versions: since0(capabilities) },
    { id: 'hostNamespaces', versions: since0(hostNamespaces) },
    { id: 'hostPathVolumes', versions: since0(hostPathVolumes) },
    { id: 'hostPorts', versions: since0(hostPorts) },
    { id: 'hostProbesAndHostLifecycle', versions: [{ since: 34, check: probeHosts }] },
    { id: 'privileged', versions: since0(privileged) },
    {
      id: 'procMount',
      versions: [
        { since: 0, check: procMount },
        { since: 35, check: unlessOwnUsers(procMount) },
      ],
    },
    {
      id: 'seLinuxOptions',
      versions: [
        { since: 0, check: seLinuxOptions() },
        { since: 31, check: seLinuxOptions('container_engine_t') },
      ],
    },
    {
      id: 'seccompProfile_baseline',
      versions: [
        { since: 0, check: seccompAnnotations },
        { since: 19, check: seccompViolation },
      ],
    },
    {
      id: 'sysctls',
      versions: [
        { since: 0, check: sysctls() },
        { since: 27, check: sysctls(reserved) },
        { since: 29, check: sysctls(reserved, ...keepalive) },
        { since: 32, check: sysctls(reserved, ...keepalive, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem') },
      ],
    },
    { id: 'windowsHostProcess', versions: since0(windowsHostProcess) },
  ] satisfies Omit<Check, 'level'>[]
).map((check) => ({ ...check, level: 'baseline' }));
