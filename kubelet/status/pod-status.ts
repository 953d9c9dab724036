// A pod's status from what is known of it: pure. Conditions, reasons and messages are those of
// pkg/kubelet/status and pkg/kubelet/kubelet_pods.go.

import { type Condition, conditionOf } from '../../api/conditions.ts';
import type { Container, ContainerStatus, Pod, PodStatus } from '../../api/core.ts';
import { isSidecar, qosClassOf } from '../../api/pods.ts';
import { compact } from '../compact.ts';
import { currentSandbox } from '../pods/plan.ts';
import type { ContainerState, PodState } from '../pods/pod-state.ts';

/** Why a container does not run yet. */
export interface WaitingReason {
  reason: string;
  message: string;
}

/** How the probes of one container stand. */
export interface ProbeReadiness {
  isReady: boolean;
  isStarted: boolean;
}

export interface StatusInput {
  pod: Pod;
  state: PodState;
  /** By container name. */
  waiting: ReadonlyMap<string, WaitingReason>;
  readinessOf(containerId: string, container: Container): ProbeReadiness;
  terminationMessageOf(container: ContainerState): string;
  runtimeName: string;
  hostIps: readonly string[];
  startTime: string;
  /** The pod is ended for good with this (admission, eviction, deadline). */
  failure?: { reason: string; message: string } | undefined;
  /** Nothing of the pod will run again: statuses must not claim that it does. */
  isTerminated?: boolean;
  nowMs: number;
}

/** `previous` is the status in the API: what others own in it is carried over. */
export function podStatus(input: StatusInput): PodStatus {
  const { pod, state, failure } = input;
  const spec = pod.spec;
  const previous = pod.status ?? {};
  const initStatuses = statusesOf(input, spec?.initContainers ?? [], previous.initContainerStatuses, true);
  const statuses = statusesOf(input, spec?.containers ?? [], previous.containerStatuses, false);
  const ephemeral = statusesOf(input, (spec?.ephemeralContainers ?? []) as Container[], previous.ephemeralContainerStatuses, false);
  const phase = phaseOf(input, initStatuses, statuses);
  const sandbox = state.sandboxes[0];
  const isHostNetwork = spec?.hostNetwork === true;
  const ips = isHostNetwork ? (sandbox || failure ? [...input.hostIps] : []) : (sandbox?.ips ?? []);
  const keptIps = ips.length || phase === 'Pending' ? ips : (previous.podIPs ?? []).map((p) => p.ip);
  const conditions = conditionsOf(input, phase, initStatuses, statuses);
  return compact({
    phase,
    observedGeneration: pod.metadata?.generation,
    conditions,
    reason: phase === 'Failed' ? failure?.reason : undefined,
    message: phase === 'Failed' ? failure?.message : undefined,
    hostIP: input.hostIps[0],
    hostIPs: input.hostIps.length ? input.hostIps.map((ip) => ({ ip })) : undefined,
    podIP: keptIps[0],
    podIPs: keptIps.length ? keptIps.map((ip) => ({ ip })) : undefined,
    startTime: previous.startTime ?? input.startTime,
    initContainerStatuses: initStatuses.length ? initStatuses : undefined,
    containerStatuses: statuses,
    ephemeralContainerStatuses: ephemeral.length ? ephemeral : undefined,
    qosClass: previous.qosClass ?? qosClassOf(pod),
  }) as PodStatus;
}

function statusesOf(
  input: StatusInput,
  containers: readonly Container[],
  previous: readonly ContainerStatus[] | undefined,
  isInit: boolean,
): ContainerStatus[] {
  return containers.map((container) =>
    containerStatus(
      input,
      container,
      previous?.find((s) => s.name === container.name),
      isInit,
    ),
  );
}

function containerStatus(
  input: StatusInput,
  container: Container,
  previous: ContainerStatus | undefined,
  isInit: boolean,
): ContainerStatus {
  const { state, pod } = input;
  const all = state.containers.filter((c) => c.name === container.name && c.state !== 'created');
  const [current, before] = all;
  const waiting = input.waiting.get(container.name);
  const isSidecarContainer = isInit && isSidecar(container);
  if (!current) return withoutContainer(input, container, previous, waiting, isInit);
  const readiness = current.state === 'running' ? input.readinessOf(current.id, container) : { isReady: false, isStarted: false };
  const status: ContainerStatus = compact({
    name: container.name,
    state: stateOf(input, current),
    lastState: before ? stateOf(input, before) : (previous?.restartCount ?? 0) > 0 && previous?.lastState ? previous.lastState : {},
    ready: isInit && !isSidecarContainer ? current.state === 'exited' && current.exitCode === 0 : readiness.isReady,
    restartCount: current.restartCount,
    image: current.image || (container.image ?? ''),
    imageID: current.imageId,
    containerID: `${input.runtimeName}://${current.id}`,
    started: isInit && !isSidecarContainer ? false : readiness.isStarted,
    resources:
      container.resources && Object.keys(container.resources).length && current.state === 'running' ? container.resources : undefined,
    allocatedResources: container.resources?.requests && current.state === 'running' ? container.resources.requests : undefined,
  });
  // A container that has ended and is to run again waits, with its end as the last state.
  if (current.state !== 'running' && waiting && !input.failure && !input.isTerminated && willRestart(pod, container, current, isInit)) {
    status.lastState = status.state ?? {};
    status.state = { waiting: compact({ reason: waiting.reason, message: waiting.message || undefined }) };
    if (isInit && !isSidecarContainer) status.ready = false;
  }
  return status;
}

function willRestart(pod: Pod, container: Container, current: ContainerState, isInit: boolean): boolean {
  const policy = pod.spec?.restartPolicy ?? 'Always';
  if (isInit && isSidecar(container)) return true;
  if (current.state === 'unknown') return true;
  if (isInit) return policy !== 'Never' && current.exitCode !== 0;
  return policy === 'Always' || (policy === 'OnFailure' && current.exitCode !== 0);
}

function withoutContainer(
  input: StatusInput,
  container: Container,
  previous: ContainerStatus | undefined,
  waiting: WaitingReason | undefined,
  isInit: boolean,
): ContainerStatus {
  const hasInit = (input.pod.spec?.initContainers ?? []).length > 0;
  // The runtime has lost what the API says had run or ended: an end is kept, a run cannot have gone on.
  if (previous?.state?.terminated) return previous;
  if (input.isTerminated && previous?.state?.running) {
    const terminated = {
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
      message: 'The container could not be located when the pod was terminated',
      ...(previous.containerID ? { containerID: previous.containerID } : {}),
    };
    return { ...previous, ready: false, started: false, state: { terminated } };
  }
  const reason = waiting ?? { reason: hasInit ? 'PodInitializing' : 'ContainerCreating', message: '' };
  const isDoneInit =
    isInit && !isSidecar(container) && input.state.containers.some((c) => input.pod.spec?.containers.some((r) => r.name === c.name));
  if (isDoneInit && previous) return previous;
  return {
    name: container.name,
    state: { waiting: compact({ reason: reason.reason, message: reason.message || undefined }) },
    lastState: previous?.state?.running
      ? {
          terminated: {
            exitCode: 137,
            reason: 'ContainerStatusUnknown',
            message: 'The container could not be located when the pod was deleted.  The container used to be Running',
          },
        }
      : (previous?.lastState ?? {}),
    ready: false,
    restartCount: previous?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
    started: false,
  };
}

function stateOf(input: StatusInput, container: ContainerState): NonNullable<ContainerStatus['state']> {
  if (container.state === 'running') return { running: { startedAt: iso(container.startedAtMs) } };
  const containerID = `${input.runtimeName}://${container.id}`;
  if (container.state === 'unknown') {
    return {
      terminated: {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: 'The container status is unknown to the runtime',
        containerID,
      },
    };
  }
  const message = input.terminationMessageOf(container);
  return {
    terminated: compact({
      exitCode: container.exitCode,
      reason: container.reason || (container.exitCode === 0 ? 'Completed' : 'Error'),
      message: message || undefined,
      startedAt: container.startedAtMs > 0 ? iso(container.startedAtMs) : undefined,
      finishedAt: container.finishedAtMs > 0 ? iso(container.finishedAtMs) : undefined,
      containerID,
    }),
  };
}

function phaseOf(input: StatusInput, initStatuses: readonly ContainerStatus[], statuses: readonly ContainerStatus[]): string {
  const previous = input.pod.status?.phase;
  if (previous === 'Failed' || previous === 'Succeeded') return previous;
  const phase = input.failure ? 'Failed' : phaseOfContainers(input, initStatuses, statuses);
  // A pod has not ended while anything of it runs: a sidecar, or a container that is being stopped.
  const isRunning = [...initStatuses, ...statuses].some((s) => s.state?.running);
  return isRunning && (phase === 'Failed' || phase === 'Succeeded') ? (previous ?? 'Running') : phase;
}

function phaseOfContainers(input: StatusInput, initStatuses: readonly ContainerStatus[], statuses: readonly ContainerStatus[]): string {
  const { pod } = input;
  const policy = pod.spec?.restartPolicy ?? 'Always';
  const failedInit = initStatuses.some((status, index) => {
    const container = pod.spec?.initContainers?.[index];
    return container && !isSidecar(container) && (status.state?.terminated?.exitCode ?? 0) !== 0;
  });
  if (failedInit && policy === 'Never') return 'Failed';
  const running = statuses.filter((s) => s.state?.running).length;
  const ended = statuses.filter((s) => s.state?.terminated);
  const restarting = statuses.filter((s) => s.state?.waiting && s.lastState?.terminated).length;
  const waiting = statuses.length - running - ended.length - restarting;
  const succeeded = ended.filter((s) => s.state?.terminated?.exitCode === 0).length;
  const failed = ended.length - succeeded;
  if (input.isTerminated) return failed > 0 || waiting + running + restarting > 0 || failedInit ? 'Failed' : 'Succeeded';
  if (waiting > 0) return 'Pending';
  if (running > 0 || restarting > 0) return 'Running';
  if (policy === 'Always') return 'Running';
  if (failed === 0) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

/** The conditions that are the kubelet's to write; PodScheduled is the scheduler's, others are anyone's. */
export const ownedConditionTypes: readonly string[] = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady'];

type PodCondition = NonNullable<PodStatus['conditions']>[number];

function conditionsOf(
  input: StatusInput,
  phase: string,
  initStatuses: readonly ContainerStatus[],
  statuses: readonly ContainerStatus[],
): PodCondition[] {
  const { pod, state } = input;
  const others = (pod.status?.conditions ?? []).filter((c) => !ownedConditionTypes.includes(c.type));
  const sandboxReady = currentSandbox(pod, state) !== undefined && !input.isTerminated;
  const containersReady = containersReadyCondition(pod, phase, [...initStatuses, ...statuses]);
  const made: Condition[] = [
    { type: 'PodReadyToStartContainers', status: sandboxReady ? 'True' : 'False' },
    initializedCondition(pod, phase, initStatuses, statuses),
    readyCondition(pod, containersReady),
    containersReady,
  ];
  const conditions = made.map((condition) => {
    const before = conditionOf(pod.status?.conditions, condition.type);
    const isSame = before?.status === condition.status && before.lastTransitionTime;
    return {
      ...condition,
      observedGeneration: pod.metadata?.generation,
      lastProbeTime: null,
      lastTransitionTime: isSame ? before.lastTransitionTime : iso(input.nowMs),
    };
  });
  const scheduled = conditionOf(others, 'PodScheduled');
  const kept = others.filter((c) => c !== scheduled);
  const scheduledCondition = scheduled ?? {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: iso(input.nowMs),
  };
  return [...conditions.map((c) => compact(c)), scheduledCondition, ...kept] as PodCondition[];
}

function initializedCondition(
  pod: Pod,
  phase: string,
  initStatuses: readonly ContainerStatus[],
  statuses: readonly ContainerStatus[],
): Condition {
  const type = 'Initialized';
  if (phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' };
  if (statuses.some((s) => s.started || s.state?.running || s.state?.terminated || s.lastState?.terminated))
    return { type, status: 'True' };
  const incomplete = (pod.spec?.initContainers ?? []).filter((container, index) => {
    const status = initStatuses[index];
    return isSidecar(container) ? !status?.started : !status?.ready;
  });
  if (incomplete.length === 0) return { type, status: 'True' };
  const message = `containers with incomplete status: [${incomplete.map((c) => c.name).join(' ')}]`;
  return { type, status: 'False', reason: 'ContainersNotInitialized', message };
}

function containersReadyCondition(pod: Pod, phase: string, statuses: readonly ContainerStatus[]): Condition {
  const type = 'ContainersReady';
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const counted = [...(pod.spec?.initContainers ?? []).filter(isSidecar), ...(pod.spec?.containers ?? [])];
  const unready = counted.filter((container) => !statuses.find((s) => s.name === container.name)?.ready);
  if (unready.length === 0) return { type, status: 'True' };
  const message = `containers with unready status: [${unready.map((c) => c.name).join(' ')}]`;
  return { type, status: 'False', reason: 'ContainersNotReady', message };
}

function readyCondition(pod: Pod, containersReady: Condition): Condition {
  const type = 'Ready';
  if (containersReady.status !== 'True') return { ...containersReady, type };
  const messages = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = conditionOf(pod.status?.conditions, conditionType);
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    return condition.status === 'True'
      ? []
      : [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (messages.length === 0) return { type, status: 'True' };
  return { type, status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
