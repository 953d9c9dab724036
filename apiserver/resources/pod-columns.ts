// A pod's row in a table: how many containers are ready, one word for its state, how often it restarted.

import { conditionOf, isConditionTrue } from '../../api/conditions.ts';
import type { ContainerStatus, Pod } from '../../api/core.ts';
import { isPodTerminal, isSidecar } from '../../api/pods.ts';
import { ageColumn, humanDuration, nameColumn, text, wide } from './columns.ts';
import type { Column } from './resource.ts';

interface Summary {
  ready: number;
  total: number;
  reason: string;
  restarts: number;
  lastRestartMs: number;
}

/** What kubectl's STATUS, READY and RESTARTS columns say of a pod. */
export function summarizePod(pod: Pod): Summary {
  const { spec, status = {} } = pod;
  const sidecars = new Set(spec?.initContainers?.filter(isSidecar).map(({ name }) => name) ?? []);
  const scheduled = conditionOf(status.conditions, 'PodScheduled');
  const reason = scheduled?.reason === 'SchedulingGated' ? 'SchedulingGated' : status.reason || status.phase || '';
  const summary: Summary = { ready: 0, total: (spec?.containers?.length ?? 0) + sidecars.size, reason, restarts: 0, lastRestartMs: 0 };
  const started = { ...summary };
  const isInitializing = initStage(pod, sidecars, summary, started);
  if (!isInitializing || isConditionTrue(status.conditions, 'Initialized')) {
    summary.restarts = started.restarts;
    summary.lastRestartMs = started.lastRestartMs;
    runStage(pod, summary);
  }
  if (pod.metadata?.deletionTimestamp) {
    if (status.reason === 'NodeLost') summary.reason = 'Unknown';
    else if (!isPodTerminal(pod)) summary.reason = 'Terminating';
  }
  return summary;
}

/** Reads the init containers up to the first that is not done; `sidecarsOnly` counts the restarts of sidecars alone. */
function initStage(pod: Pod, sidecars: ReadonlySet<string>, summary: Summary, sidecarsOnly: Summary): boolean {
  const statuses = pod.status?.initContainerStatuses ?? [];
  for (const [i, status] of statuses.entries()) {
    const isSidecarStatus = sidecars.has(status.name);
    countRestarts(status, summary);
    if (isSidecarStatus) countRestarts(status, sidecarsOnly);
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecarStatus && status.started) {
      if (status.ready) summary.ready++;
      continue;
    }
    if (terminated) summary.reason = `Init:${endReason(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') summary.reason = `Init:${waiting.reason}`;
    else summary.reason = `Init:${i}/${pod.spec?.initContainers?.length ?? 0}`;
    return true;
  }
  return false;
}

function runStage(pod: Pod, summary: Summary): void {
  let isAnyRunning = false;
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    countRestarts(status, summary);
    const { waiting, terminated, running } = status.state ?? {};
    if (waiting?.reason) summary.reason = waiting.reason;
    else if (terminated) summary.reason = endReason(terminated);
    else if (status.ready && running) {
      isAnyRunning = true;
      summary.ready++;
    }
  }
  if (summary.reason === 'Completed' && isAnyRunning)
    summary.reason = isConditionTrue(pod.status?.conditions, 'Ready') ? 'Running' : 'NotReady';
}

type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;

function endReason({ reason, signal, exitCode }: Terminated): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

function countRestarts(status: ContainerStatus, summary: Summary): void {
  summary.restarts += status.restartCount ?? 0;
  const finishedAt = status.lastState?.terminated?.finishedAt;
  if (finishedAt) summary.lastRestartMs = Math.max(summary.lastRestartMs, Date.parse(finishedAt));
}

function restartsText(pod: Pod, nowMs: number): string {
  const { restarts, lastRestartMs } = summarizePod(pod);
  return restarts && lastRestartMs ? `${restarts} (${humanDuration(nowMs - lastRestartMs)} ago)` : String(restarts);
}

function gatesText({ spec, status }: Pod): string {
  const gates = spec?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  return `${gates.filter(({ conditionType }) => isConditionTrue(status?.conditions, conditionType)).length}/${gates.length}`;
}

export const podColumns: Column<Pod>[] = [
  nameColumn(),
  text('Ready', 'How many of its containers are ready, of how many.', (pod) => {
    const { ready, total } = summarizePod(pod);
    return `${ready}/${total}`;
  }),
  text('Status', 'The state of its containers, in one word.', (pod) => summarizePod(pod).reason),
  text('Restarts', 'How often its containers restarted, and when last.', restartsText),
  ageColumn(),
  wide('IP', 'Its address inside the cluster.', (pod) => pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>'),
  wide('Node', 'The node it is assigned to.', (pod) => pod.spec?.nodeName || '<none>'),
  wide('Nominated Node', 'The node on which room is being made for it.', (pod) => pod.status?.nominatedNodeName || '<none>'),
  wide('Readiness Gates', 'How many of its readiness gates are open.', gatesText),
];
