// Security contexts of pod and container, joined and put into CRI's terms.

import type { Container, Pod } from '../../api/core.ts';
import type * as cri from '../../runtime/cri-types.ts';
import { compact } from '../compact.ts';
import { formatPod } from '../pods/names.ts';
import { configError } from './config-error.ts';

const maskedPathsDefault = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPathsDefault = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** The user an image runs as, as far as it says. */
export interface ImageUser {
  uid?: number | undefined;
  username?: string | undefined;
}

/** The namespaces a pod shares with its node and between its containers. */
export function namespaceOptions(pod: Pod): cri.NamespaceOption {
  const spec = pod.spec;
  return {
    network: spec?.hostNetwork ? 'NODE' : 'POD',
    ipc: spec?.hostIPC ? 'NODE' : 'POD',
    pid: spec?.hostPID ? 'NODE' : spec?.shareProcessNamespace ? 'POD' : 'CONTAINER',
  };
}

/** The groups processes of a pod have beside their own. */
function supplementalGroups(pod: Pod): number[] {
  const context = pod.spec?.securityContext;
  const groups = [...(context?.supplementalGroups ?? [])];
  if (context?.fsGroup !== undefined) groups.push(context.fsGroup);
  return groups;
}

export function sandboxSecurityContext(pod: Pod): cri.LinuxSandboxSecurityContext {
  const context = pod.spec?.securityContext;
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  // A runtime starts no privileged container where this says no; it asks each time, so those that come later count too.
  const isPrivileged = [...containers, ...initContainers, ...ephemeralContainers].some((c) => c.securityContext?.privileged);
  return compact({
    namespaceOptions: namespaceOptions(pod),
    privileged: isPrivileged,
    runAsUser: context?.runAsUser === undefined ? undefined : { value: context.runAsUser },
    // CRI takes a group only beside a user.
    runAsGroup: context?.runAsGroup === undefined || context.runAsUser === undefined ? undefined : { value: context.runAsGroup },
    supplementalGroups: supplementalGroups(pod),
    selinuxOptions: context?.seLinuxOptions,
    seccomp: seccompProfile(context?.seccompProfile) ?? { profileType: 'RuntimeDefault' as const },
  });
}

interface Profile {
  type: string;
  localhostProfile?: string;
}

function seccompProfile(profile: Profile | undefined, rootDirectory = '/var/lib/kubelet'): cri.SecurityProfile | undefined {
  if (!profile) return undefined;
  if (profile.type === 'Localhost') {
    return { profileType: 'Localhost', localhostRef: `${rootDirectory}/seccomp/${profile.localhostProfile ?? ''}` };
  }
  return { profileType: profile.type === 'Unconfined' ? 'Unconfined' : 'RuntimeDefault' };
}

export interface SecurityInput {
  pod: Pod;
  container: Container;
  image: ImageUser;
  rootDirectory: string;
  /** The container whose processes an ephemeral one is to see. */
  targetId?: string;
}

/** @throws StartFailure CreateContainerConfigError when runAsNonRoot does not hold */
export function containerSecurityContext(input: SecurityInput): cri.LinuxContainerSecurityContext {
  const { pod, container, image, targetId } = input;
  const own = container.securityContext;
  const shared = pod.spec?.securityContext;
  const runAsUser = own?.runAsUser ?? shared?.runAsUser;
  const runAsGroup = own?.runAsGroup ?? shared?.runAsGroup;
  verifyNonRoot(input, own?.runAsNonRoot ?? shared?.runAsNonRoot ?? false, runAsUser);
  const isPrivileged = own?.privileged === true;
  const seccomp = isPrivileged ? undefined : seccompProfile(own?.seccompProfile ?? shared?.seccompProfile, input.rootDirectory);
  const isUnmasked = own?.procMount === 'Unmasked' || isPrivileged;
  const imageUser = image.uid !== undefined ? { runAsUser: { value: image.uid } } : image.username ? { runAsUsername: image.username } : {};
  const namespaces = namespaceOptions(pod);
  return compact({
    ...(runAsUser !== undefined ? { runAsUser: { value: runAsUser } } : imageUser),
    runAsGroup: runAsGroup === undefined ? undefined : { value: runAsGroup },
    privileged: isPrivileged,
    readonlyRootfs: own?.readOnlyRootFilesystem === true,
    noNewPrivs: own?.allowPrivilegeEscalation === false,
    capabilities: own?.capabilities
      ? { addCapabilities: bareNames(own.capabilities.add), dropCapabilities: bareNames(own.capabilities.drop) }
      : undefined,
    supplementalGroups: supplementalGroups(pod),
    selinuxOptions: own?.seLinuxOptions ?? shared?.seLinuxOptions,
    namespaceOptions: targetId ? { ...namespaces, pid: 'TARGET' as const, targetId } : namespaces,
    // Absent is unconfined to CRI, and that is Kubernetes' default too.
    seccomp: seccomp ?? { profileType: 'Unconfined' as const },
    maskedPaths: isUnmasked ? [] : maskedPathsDefault,
    readonlyPaths: isUnmasked ? [] : readonlyPathsDefault,
  });
}

/** Runtimes know capabilities without their prefix, and ignore prefixed ones in silence. */
const bareNames = (names: readonly string[] | undefined) => (names ?? []).map((name) => name.replace(/^CAP_/i, ''));

function verifyNonRoot({ pod, container, image }: SecurityInput, isRequired: boolean, runAsUser: number | undefined): void {
  if (!isRequired) return;
  const subject = `(pod: "${formatPod(pod)}", container: ${container.name})`;
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw configError(`container's runAsUser breaks non-root policy ${subject}`);
    return;
  }
  if (image.uid === 0) throw configError(`container has runAsNonRoot and image will run as root ${subject}`);
  if (image.uid === undefined && image.username) {
    const why = `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root`;
    throw configError(`${why} ${subject}`);
  }
  // An image that names no user runs as root.
  if (image.uid === undefined) throw configError(`container has runAsNonRoot and image will run as root ${subject}`);
}
