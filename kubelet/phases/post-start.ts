// The container's postStart handler; a container whose handler fails is ended.

import { StartFailure } from '../containers/config-error.ts';
import { HookError, runHook } from '../containers/hooks.ts';
import { recordPodEvent } from '../context.ts';
import { fieldPathOf } from '../pods/names.ts';
import { killContainer } from '../pods/termination.ts';
import type { ContainerPhase } from './phase.ts';

/** A handler has no deadline of its own; it ends with its pod, and after this at the latest. */
const timeoutMs = 3_600_000;

export const postStartPhase: ContainerPhase = {
  name: 'post-start',
  async run({ pod: start, named, containerId = '' }) {
    const { context, pod, signal, podIps } = start;
    const handler = named.container.lifecycle?.postStart;
    if (!handler) return undefined;
    const podIp = podIps[0] ?? '';
    try {
      const ended = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
      const hook = runHook(context.runtime, context.clock, { handler, container: named.container, containerId, podIp, timeoutMs, signal });
      await Promise.race([hook, ended]);
    } catch (error) {
      if (!(error instanceof HookError)) throw error;
      recordPodEvent(context, pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', fieldPathOf(named.kind, named.container.name));
      const state = await context.states.read(pod.metadata?.uid ?? '');
      const container = state.containers.find((c) => c.id === containerId);
      const graceSeconds = pod.spec?.terminationGracePeriodSeconds ?? 30;
      if (container) await killContainer(context, { pod, container, named, podIp, graceSeconds, message: 'FailedPostStartHook', signal });
      throw new StartFailure('PostStartHookError', `PostStartHook failed: ${error.message}`);
    }
    return undefined;
  },
};
