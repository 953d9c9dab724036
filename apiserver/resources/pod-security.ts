// The rules of security contexts, of a pod and of its containers: ids, seccomp, AppArmor, sysctls, Windows options.

import type { PodSpec } from '../../api/core.ts';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../../api/field-error.ts';
import type { AppArmorProfile, PodSecurityContext, SeccompProfile, SecurityContext, WindowsOptions } from '../../api/pod-parts.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123SubdomainProblems, idProblems } from '../../api/validation/formats.ts';
import { localDescendingPathErrors } from './paths.ts';

export function podSecurityErrors(context: PodSecurityContext | undefined, spec: PodSpec, at: string, errors: FieldError[]): void {
  if (!context) return;
  for (const field of ['fsGroup', 'runAsUser', 'runAsGroup'] as const) idErrors(context[field], `${at}.${field}`, errors);
  eachAt(context.supplementalGroups, `${at}.supplementalGroups`, (group, each) => idErrors(group, each, errors));
  if (spec.shareProcessNamespace && spec.hostPID)
    errors.push(invalid(`${at}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'));
  if (context.sysctls?.length) sysctlErrors(context, spec, `${at}.sysctls`, errors);
  enumErrors(context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${at}.fsGroupChangePolicy`, errors);
  seccompErrors(context.seccompProfile, `${at}.seccompProfile`, errors);
  windowsErrors(context.windowsOptions, `${at}.windowsOptions`, errors);
  appArmorErrors(context.appArmorProfile, `${at}.appArmorProfile`, errors);
  enumErrors(context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${at}.supplementalGroupsPolicy`, errors);
  enumErrors(context.seLinuxChangePolicy, ['MountOption', 'Recursive'], `${at}.seLinuxChangePolicy`, errors);
}

/** Adds the problem of a value, when set, that is none of `supported`. */
export function enumErrors(value: string | undefined, supported: readonly string[], at: string, errors: FieldError[]): void {
  if (value !== undefined && !supported.includes(value)) errors.push(notSupported(at, value, supported));
}

function idErrors(id: number | undefined, at: string, errors: FieldError[]): void {
  if (id === undefined) return;
  for (const problem of idProblems(id)) errors.push(invalid(at, id, problem));
}

const sysctlSegment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const sysctlFormat = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`;
const sysctlPattern = new RegExp(sysctlFormat);
const ipcSysctls = /^(kernel\.shm|kernel\.msg|kernel\.sem$|fs\.mqueue\.)/;

function sysctlErrors({ sysctls }: PodSecurityContext, spec: PodSpec, at: string, errors: FieldError[]): void {
  const names = new Set<string>();
  eachAt(sysctls, at, ({ name = '' }, each) => {
    if (!name) errors.push(required(`${each}.name`));
    else if (name.length > 253 || !sysctlPattern.test(name))
      errors.push(invalid(`${each}.name`, name, `must have at most 253 characters and match regex ${sysctlFormat}`));
    else if (names.has(name)) errors.push(duplicate(`${each}.name`, name));
    const dotted = dottedSysctl(name);
    if (spec.hostNetwork && dotted.startsWith('net.'))
      errors.push(invalid(`${each}.name`, name, "may not be specified when 'hostNetwork' is true"));
    else if (spec.hostIPC && ipcSysctls.test(dotted))
      errors.push(invalid(`${each}.name`, name, "may not be specified when 'hostIPC' is true"));
    names.add(name);
  });
}

/** With slashes as separators, dots and slashes change places. */
function dottedSysctl(name: string): string {
  const first = name.search(/[./]/);
  return first === -1 || name[first] === '.' ? name : name.replace(/[./]/g, (c) => (c === '.' ? '/' : '.'));
}

const seccompTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function seccompErrors(profile: SeccompProfile | undefined, at: string, errors: FieldError[]): void {
  if (!profile) return;
  if (!profile.type) errors.push(required(`${at}.type`, 'type is required when seccompProfile is set'));
  else if (!seccompTypes.includes(profile.type)) errors.push(notSupported(`${at}.type`, profile.type, seccompTypes));
  if (profile.type !== 'Localhost') {
    if (profile.localhostProfile !== undefined)
      errors.push(invalid(`${at}.localhostProfile`, profile, 'can only be set when seccomp type is Localhost'));
  } else if (profile.localhostProfile === undefined)
    errors.push(required(`${at}.localhostProfile`, 'must be set when seccomp type is Localhost'));
  else localDescendingPathErrors(profile.localhostProfile, `${at}.localhostProfile`, errors);
}

function appArmorErrors(profile: AppArmorProfile | undefined, at: string, errors: FieldError[]): void {
  if (!profile) return;
  const { type = '', localhostProfile } = profile;
  if (type === 'Localhost') {
    const trimmed = localhostProfile?.trim();
    if (localhostProfile !== undefined && trimmed !== localhostProfile)
      errors.push(invalid(`${at}.localhostProfile`, localhostProfile, 'must not be padded with whitespace'));
    else if (!trimmed) errors.push(required(`${at}.localhostProfile`, 'must be set when AppArmor type is Localhost'));
    if (Buffer.byteLength(localhostProfile ?? '') > 4095) errors.push(tooLong(`${at}.localhostProfile`, 4095));
  } else if (type === 'RuntimeDefault' || type === 'Unconfined') {
    if (localhostProfile !== undefined)
      errors.push(invalid(`${at}.localhostProfile`, localhostProfile, 'can only be set when AppArmor type is Localhost'));
  } else if (type === '') errors.push(required(`${at}.type`, 'type is required when appArmorProfile is set'));
  else errors.push(notSupported(`${at}.type`, type, ['Localhost', 'RuntimeDefault', 'Unconfined']));
}

function windowsErrors(options: WindowsOptions | undefined, at: string, errors: FieldError[]): void {
  if (!options) return;
  const { gmsaCredentialSpecName: specName, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  if (specName === '') errors.push(invalid(`${at}.gmsaCredentialSpecName`, specName, 'gmsaCredentialSpecName cannot be an empty string'));
  else if (specName !== undefined)
    for (const problem of dns1123SubdomainProblems(specName)) errors.push(invalid(`${at}.gmsaCredentialSpecName`, specName, problem));
  if (spec === '') errors.push(invalid(`${at}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec cannot be an empty string'));
  else if (spec !== undefined && Buffer.byteLength(spec) > 64 * 1024)
    errors.push(invalid(`${at}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec size must be under 64 KiB'));
  if (user === '') errors.push(invalid(`${at}.runAsUserName`, user, 'runAsUserName cannot be an empty string'));
  else if (user !== undefined && /\p{Cc}/u.test(user))
    errors.push(invalid(`${at}.runAsUserName`, user, 'runAsUserName cannot contain control characters'));
  else if (user !== undefined && user.split('\\').length > 2)
    errors.push(invalid(`${at}.runAsUserName`, user, 'runAsUserName cannot contain more than one backslash'));
}

/** Adds the problems of a container's security context. */
export function securityContextErrors(
  context: SecurityContext | undefined,
  at: string,
  errors: FieldError[],
  usesHostUsers: boolean,
): void {
  if (!context) return;
  idErrors(context.runAsUser, `${at}.runAsUser`, errors);
  idErrors(context.runAsGroup, `${at}.runAsGroup`, errors);
  if (context.procMount !== undefined) {
    enumErrors(context.procMount, ['Default', 'Unmasked'], `${at}.procMount`, errors);
    if (usesHostUsers && context.procMount === 'Unmasked')
      errors.push(invalid(`${at}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  seccompErrors(context.seccompProfile, `${at}.seccompProfile`, errors);
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged) errors.push(invalid(at, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN'))
      errors.push(invalid(at, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'));
  }
  windowsErrors(context.windowsOptions, `${at}.windowsOptions`, errors);
  appArmorErrors(context.appArmorProfile, `${at}.appArmorProfile`, errors);
}

const linuxPodFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const;
const linuxContainerFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;

/** Adds the problems of fields that the pod's operating system does not have. */
export function osErrors(spec: PodSpec, at: string, errors: FieldError[]): void {
  const name = spec.os?.name;
  if (!spec.os) return;
  if (!name) errors.push(required(`${at}.os.name`, 'cannot be empty'));
  else if (name !== 'linux' && name !== 'windows') errors.push(notSupported(`${at}.os.name`, name, ['linux', 'windows']));
  else if (name === 'linux') {
    const why = 'windows options cannot be set for a linux pod';
    if (spec.securityContext?.windowsOptions) errors.push(forbidden(`${at}.securityContext.windowsOptions`, why));
    visitContainers(spec, at, ({ securityContext }, each) => {
      if (securityContext?.windowsOptions) errors.push(forbidden(`${each}.securityContext.windowsOptions`, why));
    });
  } else windowsPodErrors(spec, at, errors);
}

function windowsPodErrors(spec: PodSpec, at: string, errors: FieldError[]): void {
  const why = 'cannot be set for a windows pod';
  for (const field of ['hostUsers', 'shareProcessNamespace'] as const)
    if (spec[field] !== undefined) errors.push(forbidden(`${at}.${field}`, why));
  for (const field of ['hostPID', 'hostIPC'] as const) if (spec[field]) errors.push(forbidden(`${at}.${field}`, why));
  for (const field of linuxPodFields)
    if (spec.securityContext?.[field] !== undefined) errors.push(forbidden(`${at}.securityContext.${field}`, why));
  visitContainers(spec, at, ({ securityContext }, each) => {
    for (const field of linuxContainerFields)
      if (securityContext?.[field] !== undefined) errors.push(forbidden(`${each}.securityContext.${field}`, why));
  });
}

type AnyContainer = { name: string; securityContext?: SecurityContext };

/** Calls `visit` with every container of a pod, init containers first, and its path. */
export function visitContainers(spec: PodSpec, at: string, visit: (container: AnyContainer, at: string) => void): void {
  eachAt(spec.initContainers, `${at}.initContainers`, visit);
  eachAt(spec.containers, `${at}.containers`, visit);
  eachAt(spec.ephemeralContainers, `${at}.ephemeralContainers`, visit);
}

/** Adds the problems of annotations that older versions used for seccomp and AppArmor profiles. */
export function profileAnnotationErrors(
  annotations: Readonly<Record<string, string>> | undefined,
  spec: PodSpec,
  at: string,
  errors: FieldError[],
): void {
  for (const key in annotations) {
    const value = annotations[key] as string;
    if (key === 'seccomp.security.alpha.kubernetes.io/pod' || key.startsWith('container.seccomp.security.alpha.kubernetes.io/'))
      seccompAnnotationErrors(value, `${at}.${key}`, errors);
    else if (key.startsWith(appArmorPrefix)) {
      const name = key.slice(appArmorPrefix.length);
      let isFound = false;
      visitContainers(spec, '', (container) => {
        isFound ||= container.name === name;
      });
      if (!isFound) errors.push(invalid(`${at}[${key}]`, name, 'container not found'));
      if (value !== '' && value !== 'runtime/default' && value !== 'unconfined' && !value.startsWith('localhost/'))
        errors.push(invalid(`${at}[${key}]`, value, `invalid AppArmor profile name: ${JSON.stringify(value)}`));
    }
  }
}

export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';

function seccompAnnotationErrors(value: string, at: string, errors: FieldError[]): void {
  if (value === 'runtime/default' || value === 'docker/default' || value === 'unconfined') return;
  if (value.startsWith('localhost/')) localDescendingPathErrors(value.slice('localhost/'.length), at, errors);
  else errors.push(invalid(at, value, 'must be a valid seccomp profile'));
}
