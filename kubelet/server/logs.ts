// GET /containerLogs: a container's log, now or before its restart.

import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { StatusError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import type { KubeletContext } from '../context.ts';
import { readLog } from '../logs/log-reader.ts';
import { containersOf } from '../pods/names.ts';
import type { ContainerState } from '../pods/pod-state.ts';
import type { PodWorker } from '../pods/pod-worker.ts';
import { isTrue } from './route.ts';

/** @throws StatusError */
export async function serveLogs(
  context: KubeletContext,
  worker: PodWorker,
  container: string,
  exchange: { request: IncomingMessage; response: ServerResponse; query: URLSearchParams },
): Promise<void> {
  const { request, response, query } = exchange;
  const { clock } = context;
  const isPrevious = isTrue(query.get('previous'));
  const source = await sourceOf(context, worker, container, isPrevious);
  await materializeLog(context, source);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const isRunning = async () => {
    const status = await context.runtime.containerStatus(source.id);
    return status?.state === 'CONTAINER_RUNNING';
  };
  const numeric = (name: string) => readInteger(query, name);
  const tailLines = numeric('tailLines');
  const limitBytes = numeric('limitBytes');
  const sinceMs = sinceOf(query, clock);
  const stream = query.get('stream');
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  request.resume();
  const lines = readLog(source.logPath, {
    clock,
    signal: AbortSignal.any([gone.signal, context.signal]),
    isRunning,
    follow: isTrue(query.get('follow')) && !isPrevious,
    timestamps: isTrue(query.get('timestamps')),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(stream === 'Stdout' ? { stream: 'stdout' as const } : stream === 'Stderr' ? { stream: 'stderr' as const } : {}),
  });
  try {
    for await (const chunk of lines) {
      if (response.write(chunk)) continue;
      await new Promise<void>((resolve) => {
        response.once('drain', resolve);
        response.once('close', resolve);
      });
    }
  } catch (error) {
    // The file may go while it is read: the container is being removed.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  response.end();
}

/** A runtime without log files is asked for what the file would hold; it is then read as any other. */
async function materializeLog({ runtime }: KubeletContext, { id, logPath }: ContainerState): Promise<void> {
  if (!runtime.readLog) return;
  await mkdir(dirname(logPath), { recursive: true });
  await writeFile(logPath, await runtime.readLog(id));
}

async function sourceOf(context: KubeletContext, worker: PodWorker, container: string, isPrevious: boolean): Promise<ContainerState> {
  const pod = worker.pod.metadata?.name;
  if (!containersOf(worker.pod).some((n) => n.container.name === container)) {
    throw new StatusError('NotFound', `container ${container} not found in pod ${pod}`);
  }
  const state = await context.states.read(worker.uid);
  const all = state.containers.filter((c) => c.name === container && c.state !== 'created');
  const [current, before] = all;
  if (isPrevious) {
    const ended = current?.state === 'exited' && isWaiting(worker, container) ? current : before;
    if (!ended) throw new StatusError('BadRequest', `previous terminated container "${container}" in pod "${pod}" not found`);
    return ended;
  }
  if (!current) {
    const reason = waitingReason(worker, container) ?? 'ContainerCreating';
    const why = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'].includes(reason)
      ? `trying and failing to pull image`
      : reason;
    throw new StatusError('BadRequest', `container "${container}" in pod "${pod}" is waiting to start: ${why}`);
  }
  return current;
}

const waitingReason = (worker: PodWorker, name: string) =>
  [...(worker.status?.containerStatuses ?? []), ...(worker.status?.initContainerStatuses ?? [])].find((s) => s.name === name)?.state
    ?.waiting?.reason;
const isWaiting = (worker: PodWorker, name: string) => waitingReason(worker, name) !== undefined;

function readInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^\d+$/.test(text)) throw new StatusError('BadRequest', `Unable to parse query: ${name} must be a number`);
  return Number(text);
}

function sinceOf(query: URLSearchParams, clock: Clock): number | undefined {
  const seconds = readInteger(query, 'sinceSeconds');
  if (seconds !== undefined) return clock.nowMs() - seconds * 1000;
  const time = query.get('sinceTime');
  if (!time) return undefined;
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new StatusError('BadRequest', `Unable to parse query: sinceTime must be a time`);
  return ms;
}
