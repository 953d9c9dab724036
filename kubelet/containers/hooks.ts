// Lifecycle handlers: postStart and preStop by exec, HTTP or sleep.

import type { Container } from '../../api/core.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { type ContainerRuntime, RuntimeError } from '../../runtime/runtime.ts';
import { formatDuration } from '../go-duration.ts';
import { probeHttp } from '../probes/probe-once.ts';

export type Handler = NonNullable<NonNullable<Container['lifecycle']>['preStop']>;

export interface HookInput {
  handler: Handler;
  container: Container;
  containerId: string;
  podIp: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/** A handler that did not succeed; the message is for an event. */
export class HookError extends Error {
  override name = 'HookError';
}

/** @throws HookError; the signal's reason when aborted */
export async function runHook(runtime: ContainerRuntime, clock: Clock, input: HookInput): Promise<void> {
  const { handler, container, containerId, podIp, timeoutMs, signal } = input;
  if (handler.exec) {
    const command = [...(handler.exec.command ?? [])];
    try {
      const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, Math.ceil(timeoutMs / 1000));
      if (exitCode === 0) return;
      const output = Buffer.concat([stdout, stderr]).toString('utf8').slice(0, 1024);
      throw new HookError(`command '${command.join(' ')}' exited with ${exitCode}: ${output}`);
    } catch (error) {
      if (error instanceof RuntimeError) throw new HookError(error.message);
      throw error;
    }
  }
  if (handler.httpGet) {
    const outcome = await probeHttp(handler.httpGet, container, podIp, { timeoutMs, clock });
    if (outcome.result === 'failure') throw new HookError(outcome.output);
    return;
  }
  if (handler.sleep) {
    const seconds = Number(handler.sleep.seconds);
    if (seconds * 1000 > timeoutMs) {
      await sleep(clock, timeoutMs, signal);
      throw new HookError(`container terminated before sleep hook finished after ${formatDuration(timeoutMs)}`);
    }
    await sleep(clock, seconds * 1000, signal);
    return;
  }
  throw new HookError(`invalid handler: ${JSON.stringify(handler)}`);
}
