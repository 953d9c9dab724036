// Lets each request wait for its turn, or refuses it when too many wait already. Long-running requests have no turn but
// for watches, which take one until they have begun.

import type { Clock } from '../../base/clock.ts';
import { type ApiContext, type Filter, send } from '../context.ts';
import type { FlowControl, Started } from '../flowcontrol/flow-control.ts';
import type { FlowMetrics } from '../flowcontrol/flow-metrics.ts';
import type { QueuedRequest } from '../flowcontrol/queue-set.ts';

const reads = new Set(['get', 'list', 'watch', 'head', 'options']);

/** Requests that are worked on. */
export interface InFlight {
  mutating: number;
  readOnly: number;
}

/** A request may wait for a quarter of the time it has. */
const waitFraction = 4;

export interface FairnessOptions {
  flowControl: FlowControl;
  metrics: FlowMetrics;
  clock: Clock;
  inFlight: InFlight;
  requestTimeoutMs: number;
}

export function priorityAndFairness(options: FairnessOptions): Filter {
  const { flowControl, metrics, clock, inFlight } = options;
  return async (ctx, next) => {
    const { info, query, user, isLongRunning } = ctx.state;
    const isWatch = info.verb === 'watch';
    if (isLongRunning && !isWatch) return next();
    const started = flowControl.start(user, info, query);
    const { flow, request } = started;
    ctx.set('X-Kubernetes-PF-PriorityLevel-UID', flow.level.configuration.metadata?.uid ?? '');
    ctx.set('X-Kubernetes-PF-FlowSchema-UID', flow.uid);
    if (!request) return refuse(ctx, started);
    const { level } = flow;
    const kind = reads.has(info.verb) ? 'readOnly' : 'mutating';
    if (request.state === 'waiting') {
      metrics.utilization.waiting(kind, 1);
      const isExecuted = await turnOf(ctx, started, request, options);
      metrics.utilization.waiting(kind, -1);
      ctx.state.waitedSeconds = (clock.monotonicMs() - request.arrivalMs) / 1000;
      metrics.waited(level.name, request, ctx.state.waitedSeconds, isExecuted);
      if (!isExecuted) return refuse(ctx, started);
    } else if (!level.isExempt) metrics.waited(level.name, request, 0, true);

    inFlight[kind]++;
    metrics.utilization.executing(kind, inFlight[kind]);
    let isFinished = false;
    const finish = () => {
      if (isFinished) return;
      isFinished = true;
      inFlight[kind]--;
      metrics.utilization.executing(kind, inFlight[kind]);
      flowControl.finish(started, request);
      metrics.executed(level.name, request, (clock.monotonicMs() - request.startMs) / 1000);
    };
    if (!isWatch) {
      try {
        return await next();
      } finally {
        finish();
      }
    }
    ctx.state.watchBegun = finish;
    const forget = flowControl.watches.add(info, query.get('fieldSelector'));
    try {
      await next();
    } finally {
      finish();
      forget();
    }
  };
}

/** Whether the request's turn comes while it may wait and its client is there. */
function turnOf(
  ctx: ApiContext,
  { flow }: Started,
  request: QueuedRequest,
  { clock, requestTimeoutMs }: FairnessOptions,
): Promise<boolean> {
  const { queues } = flow.level;
  const { signal } = ctx.state.exchange;
  const allottedMs = ctx.state.deadline?.allottedMs ?? requestTimeoutMs;
  return new Promise((resolve) => {
    const timer = clock.setTimer(Math.min(allottedMs / waitFraction, 60_000), () => queues.abandon(request, 'time-out'));
    const onGone = () => queues.abandon(request, 'cancelled');
    request.onDecided = (isExecuted) => {
      timer.cancel();
      signal.removeEventListener('abort', onGone);
      resolve(isExecuted);
    };
    signal.addEventListener('abort', onGone, { once: true });
    if (signal.aborted) onGone();
  });
}

/** Not a Status: a server that has too much to do says so in as few words as Kubernetes. */
function refuse(ctx: ApiContext, { flow }: Started): void {
  const { retryAfter } = flow.level;
  retryAfter.noteDropped();
  ctx.set('Retry-After', String(retryAfter.seconds));
  ctx.set('X-Content-Type-Options', 'nosniff');
  send(ctx, 429, 'text/plain; charset=utf-8', 'Too many requests, please try again later.\n');
}
