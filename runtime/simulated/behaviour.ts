// How a simulated container behaves: read from annotations of the container, else of its pod. A key may end in the container's
// name, `simulated.t8s.io/exit-after-seconds.web`, to mean only that one.

import { RuntimeError } from '../runtime.ts';

/** What every annotation begins with. */
export const simulatedPrefix = 'simulated.t8s.io/';

export interface Behaviour {
  /** From StartContainer to its answer. Default 0. */
  startMs: number;
  /** After this long it ends by itself. Default: it runs until it is stopped. */
  exitAfterSeconds: number | undefined;
  /** With which it ends by itself. Default 0. */
  exitCode: number;
  /** With which it ends on its stop signal. Default 143, as a program without a handler does. */
  stopExitCode: number;
  /** From the stop signal to its end; beyond the grace period it is killed. Default 0. */
  stopMs: number;
  /** Lines it writes to its standard output as it starts. */
  log: string[];
  /** Of a command run in it. Default 0. */
  execExitCode: number;
  execOutput: string;
  /** HTTP, TCP and gRPC probes succeed from this long after the start... Default 0. */
  readyAfterSeconds: number;
  /** ...until this long after it. Default: to the end. */
  unreadyAfterSeconds: number | undefined;
  cpuCores: number;
  memoryBytes: number;
}

/** Lines a container's log keeps: the newest. */
export const logLinesMax = 1000;

/** @throws RuntimeError 'InvalidArgument' for a value that is no number where one is wanted. */
export function behaviourOf(containerName: string, container: Annotations = {}, pod: Annotations = {}): Behaviour {
  const value = (key: string) => {
    const full = `${simulatedPrefix}${key}`;
    return container[full] ?? pod[`${full}.${containerName}`] ?? pod[full];
  };
  const number = (key: string) => {
    const text = value(key);
    if (text === undefined) return undefined;
    const parsed = Number(text);
    if (text.trim() !== '' && Number.isFinite(parsed) && parsed >= 0) return parsed;
    throw new RuntimeError(
      'InvalidArgument',
      `annotation ${simulatedPrefix}${key}: want a number of at least 0, got ${JSON.stringify(text)}`,
    );
  };
  const log = value('log');
  return {
    startMs: number('start-ms') ?? 0,
    exitAfterSeconds: number('exit-after-seconds'),
    exitCode: number('exit-code') ?? 0,
    stopExitCode: number('stop-exit-code') ?? 143,
    stopMs: number('stop-ms') ?? 0,
    log: log === undefined ? [] : log.split('\n').slice(-logLinesMax),
    execExitCode: number('exec-exit-code') ?? 0,
    execOutput: value('exec-output') ?? '',
    readyAfterSeconds: number('ready-after-seconds') ?? 0,
    unreadyAfterSeconds: number('unready-after-seconds'),
    cpuCores: number('cpu-cores') ?? 0.001,
    memoryBytes: number('memory-bytes') ?? 1024 * 1024,
  };
}

/** What a pod's annotations say of its sandbox and its images. */
export function podBehaviourOf(pod: Annotations = {}): { sandboxMs: number; pullMs: number; pullError: string | undefined } {
  const { [`${simulatedPrefix}pull-error`]: pullError } = pod;
  const duration = (key: string) => behaviourOf('', { [`${simulatedPrefix}start-ms`]: pod[`${simulatedPrefix}${key}`] ?? '0' }).startMs;
  return { sandboxMs: duration('sandbox-ms'), pullMs: duration('pull-ms'), pullError };
}

type Annotations = Record<string, string>;
