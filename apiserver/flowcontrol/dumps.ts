// /debug/api_priority_and_fairness/*: what the queues hold at this moment, for people.

import { apiVersionOf } from '../../api/kind.ts';
import { type ApiContext, send } from '../context.ts';
import type { FlowControl } from './flow-control.ts';
import type { QueuedRequest } from './queue-set.ts';

const root = '/debug/api_priority_and_fairness/';

export function flowControlDumps(flowControl: FlowControl, nowMs: () => { wall: number; monotonic: number }): (ctx: ApiContext) => boolean {
  const dumps: Record<string, (ctx: ApiContext) => string[][]> = {
    dump_priority_levels: () => levelRows(flowControl),
    dump_queues: () => queueRows(flowControl),
    dump_requests: (ctx) => {
      const { wall, monotonic } = nowMs();
      return requestRows(flowControl, Boolean(ctx.state.query.get('includeRequestDetails')), wall - monotonic);
    },
  };
  return (ctx) => {
    const { path } = ctx.state.info;
    const dump = path.startsWith(root) && Object.hasOwn(dumps, path.slice(root.length)) ? dumps[path.slice(root.length)] : undefined;
    if (!dump) return false;
    send(ctx, 200, 'text/plain; charset=utf-8', aligned(dump(ctx)));
    return true;
  };
}

/** Columns of one width, eight at least, as Go's tabwriter sets them; the last one is as long as it is. */
function aligned(rows: string[][]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.slice(0, -1).entries()) widths[i] = Math.max(widths[i] ?? 8, cell.length + 2);
  const line = (row: string[]) => row.map((cell, i) => (i === row.length - 1 ? cell : `${cell},`.padEnd(widths[i] ?? 0))).join('');
  return `${rows.map(line).join('\n')}\n`;
}

function levelRows({ levels }: FlowControl): string[][] {
  const head =
    'PriorityLevelName ActiveQueues IsIdle IsQuiescing WaitingRequests ExecutingRequests DispatchedRequests RejectedRequests TimedoutRequests CancelledRequests';
  const rows = levels.map(({ name, queues, isQuiescing }) => [
    name,
    queues.queues.filter(({ waiting }) => waiting.length > 0).length,
    queues.isIdle,
    isQuiescing,
    queues.waiting,
    queues.executing,
    queues.dispatched,
    queues.rejectedCount,
    queues.timedOut,
    queues.cancelled,
  ]);
  rows.sort((a, b) => ((a[0] as string) < (b[0] as string) ? -1 : 1));
  return [head.split(' '), ...rows.map((row) => row.map(String))];
}

const seatSeconds = (value: number) => `${value.toFixed(8)}ss`;

function queueRows({ levels }: FlowControl): string[][] {
  const head =
    'PriorityLevelName Index PendingRequests ExecutingRequests SeatsInUse NextDispatchR InitialSeatsSum MaxSeatsSum TotalWorkSum';
  const rows = levels.flatMap(({ name, queues }) =>
    queues.queues.map(({ waiting, executing, seatsInUse, nextDispatchR, workWaiting }, index) => [
      name,
      String(index),
      String(waiting.length),
      String(executing.size),
      String(seatsInUse),
      seatSeconds(nextDispatchR),
      String(waiting.reduce((sum, { work }) => sum + work.initialSeats, 0)),
      String(waiting.reduce((sum, { seats }) => sum + seats, 0)),
      seatSeconds(workWaiting),
    ]),
  );
  return [head.split(' '), ...rows];
}

/** `offsetMs`: wall time less the monotonic time that requests are stamped with. */
function requestRows({ levels }: FlowControl, withDetails: boolean, offsetMs: number): string[][] {
  const head =
    'PriorityLevelName FlowSchemaName QueueIndex RequestIndexInQueue FlowDistingsher ArriveTime InitialSeats FinalSeats AdditionalLatency StartTime';
  const details = ' UserName Verb APIPath Namespace Name APIVersion Resource SubResource';
  const time = (ms: number) => (ms === 0 ? '0001-01-01T00:00:00Z' : new Date(ms + offsetMs).toISOString());
  const rowOf = (level: string, queueIndex: number, index: number, request: QueuedRequest) => {
    const { user, info, work } = request;
    const row = [
      level,
      request.schema,
      String(queueIndex),
      String(index),
      request.distinguisher,
      time(request.arrivalMs),
      String(work.initialSeats),
      String(work.finalSeats),
      work.additionalMs === 0 ? '0s' : `${work.additionalMs}ms`,
      time(request.startMs),
    ];
    if (!withDetails) return row;
    return [...row, user.name, info.verb, info.path, info.namespace, info.name, apiVersionOf(info), info.resource, info.subresource];
  };
  const rows = levels.flatMap(({ name, queues }) => [
    ...queues.queues.flatMap(({ waiting, executing }, at) => [
      ...waiting.map((request, index) => rowOf(name, at, index, request)),
      ...[...executing].map((request) => rowOf(name, at, -1, request)),
    ]),
    ...[...queues.queueless].map((request) => rowOf(name, -1, -1, request)),
  ]);
  return [(withDetails ? head + details : head).split(' '), ...rows];
}
