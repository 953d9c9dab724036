// Ending a pod's containers: preStop, SIGTERM, and SIGKILL when the grace period is over; app containers together,
// then sidecars in reverse order. A grace period may be shortened while it runs.

import type { Container, Pod } from '../../api/core.ts';
import { isSidecar } from '../../api/pods.ts';
import { isAbortError } from '../../base/abort.ts';
import { HookError, runHook } from '../containers/hooks.ts';
import type { KubeletContext } from '../context.ts';
import { recordPodEvent } from '../context.ts';
import { containersOf, fieldPathOf, type NamedContainer } from './names.ts';
import type { ContainerState, PodState } from './pod-state.ts';

/** Any container gets this long, whatever is asked, so that it can end by itself. */
const graceSecondsMin = 2;

export interface KillInput {
  pod: Pod;
  container: ContainerState;
  named: NamedContainer | undefined;
  podIp: string;
  graceSeconds: number;
  /** For the Killing event. */
  message: string;
  /** Ends the wait for preStop; the container is then stopped with what is left. */
  signal: AbortSignal;
}

/** Resolves when the container no longer runs. @throws RuntimeError */
export async function killContainer(context: KubeletContext, input: KillInput): Promise<void> {
  const { runtime, clock } = context;
  const { pod, container, named, signal } = input;
  const fieldPath = named ? fieldPathOf(named.kind, named.container.name) : undefined;
  recordPodEvent(context, pod, 'Normal', 'Killing', input.message, fieldPath);
  const startMs = clock.monotonicMs();
  const graceMs = input.graceSeconds * 1000;
  const preStop = named?.container.lifecycle?.preStop;
  if (named && preStop && graceMs > 0 && container.state === 'running') await runPreStop(context, input, named.container, graceMs);
  const leftMs = signal.aborted ? 0 : graceMs - (clock.monotonicMs() - startMs);
  const seconds = input.graceSeconds === 0 ? 0 : Math.max(graceSecondsMin, Math.ceil(leftMs / 1000));
  await runtime.stopContainer(container.id, seconds);
}

async function runPreStop(context: KubeletContext, input: KillInput, container: Container, graceMs: number): Promise<void> {
  const { runtime, clock } = context;
  const handler = container.lifecycle?.preStop;
  if (!handler) return;
  const giveUp = new AbortController();
  const timer = clock.setTimer(graceMs, () => giveUp.abort());
  const ends = AbortSignal.any([giveUp.signal, input.signal]);
  const ended = new Promise<void>((resolve) => ends.addEventListener('abort', () => resolve(), { once: true }));
  const hook = runHook(runtime, clock, {
    handler,
    container,
    containerId: input.container.id,
    podIp: input.podIp,
    timeoutMs: graceMs,
    signal: ends,
  });
  try {
    await Promise.race([hook, ended]);
  } catch (error) {
    if (isAbortError(error, ends)) return;
    if (!(error instanceof HookError)) throw error;
    recordPodEvent(
      context,
      input.pod,
      'Warning',
      'FailedPreStopHook',
      'PreStopHook failed',
      input.named ? fieldPathOf(input.named.kind, container.name) : undefined,
    );
    context.log.warn('preStop hook failed', { container: container.name, error: error.message });
  } finally {
    timer.cancel();
    hook.catch(() => undefined);
  }
}

export interface KillPodInput {
  pod: Pod;
  state: PodState;
  graceSeconds: number;
  signal: AbortSignal;
  /** Default `Stopping container x`. */
  message?: (name: string) => string;
}

/** Ends what runs, then stops the sandboxes. @throws RuntimeError */
export async function killPod(context: KubeletContext, input: KillPodInput): Promise<void> {
  const { pod, state, graceSeconds, signal } = input;
  const { runtime, clock } = context;
  const named = new Map(containersOf(pod).map((n) => [n.container.name, n]));
  const running = state.containers.filter((c) => c.state === 'running' || c.state === 'unknown');
  const isSidecarState = (c: ContainerState) => {
    const n = named.get(c.name);
    return n?.kind === 'init' && isSidecar(n.container);
  };
  const podIp = state.sandboxes[0]?.ips[0] ?? context.hostIps[0] ?? '';
  const startMs = clock.monotonicMs();
  const kill = (container: ContainerState) => {
    const leftSeconds = Math.max(0, graceSeconds - Math.floor((clock.monotonicMs() - startMs) / 1000));
    const message = input.message?.(container.name) ?? `Stopping container ${container.name}`;
    return killContainer(context, { pod, container, named: named.get(container.name), podIp, graceSeconds: leftSeconds, message, signal });
  };
  await Promise.all(running.filter((c) => !isSidecarState(c)).map(kill));
  const order = (pod.spec?.initContainers ?? []).map((c) => c.name);
  const sidecars = running.filter(isSidecarState).sort((a, b) => order.indexOf(b.name) - order.indexOf(a.name));
  for (const sidecar of sidecars) await kill(sidecar);
  await Promise.all(state.sandboxes.filter((s) => s.isReady).map((s) => runtime.stopPodSandbox(s.id)));
}
