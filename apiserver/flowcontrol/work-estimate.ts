// How many seats a request takes: a list by the bytes it brings together at once, a write by the watches that hear of it
// after it is answered (k8s.io/apiserver/pkg/util/flowcontrol/request).

import type { RequestInfo } from '../context.ts';

/** What a request costs while it is worked on, and for a time afterwards. */
export interface WorkEstimate {
  initialSeats: number;
  /** Taken for `additionalMs` after the answer. */
  finalSeats: number;
  additionalMs: number;
}

export const maxSeatsOf = ({ initialSeats, finalSeats }: WorkEstimate) => Math.max(initialSeats, finalSeats);

const oneSeat: WorkEstimate = Object.freeze({ initialSeats: 1, finalSeats: 0, additionalMs: 0 });
const bytesPerSeat = 100_000;
/** What a list from the cache holds at a time, as it is sent in pieces. */
const streamedBytesMax = 1_000_000;
const listSeatsMax = 100;
const mutatingSeatsMax = 10;
const watchesPerSeat = 10;
const eventMs = 5;

export interface WorkSources {
  /** Of the kind that `info` names; undefined: there is none. */
  stored(info: RequestInfo): { count: number; bytes: number } | undefined;
  watchers(info: RequestInfo): number;
}

/** `levelSeatsMax`: no request of the level may take more; 0: its own bound only. */
export function estimateWork(info: RequestInfo, query: URLSearchParams, levelSeatsMax: number, sources: WorkSources): WorkEstimate {
  switch (info.verb) {
    case 'list':
    case 'watch':
      return estimateList(info, query, levelSeatsMax, sources);
    case 'create':
    case 'update':
    case 'patch':
    case 'delete':
      return estimateWrite(info, levelSeatsMax, sources);
    default:
      return oneSeat;
  }
}

function estimateList(info: RequestInfo, query: URLSearchParams, levelSeatsMax: number, sources: WorkSources): WorkEstimate {
  const stored = info.name ? undefined : sources.stored(info);
  if (!stored || stored.count === 0) return oneSeat;
  const resourceVersion = query.get('resourceVersion') ?? '';
  if (info.verb === 'watch') {
    const initial = query.get('sendInitialEvents');
    const wantsState = (initial !== null && initial !== 'false' && initial !== '0') || resourceVersion === '' || resourceVersion === '0';
    if (!wantsState) return oneSeat;
  }
  const limit = Number(query.get('limit')) || 0;
  const isFromStore = info.verb === 'list' && isExact(query, resourceVersion, limit);
  const limited = limit > 0 ? Math.min(limit, stored.count) : stored.count;
  const hasSelector = Boolean(query.get('labelSelector') || query.get('fieldSelector'));
  const loaded = isFromStore && hasSelector ? Math.max(limited, stored.count / 2) : limited;
  const bytes = loaded * (stored.bytes / stored.count);
  const bytesAtOnce = isFromStore ? bytes : Math.min(bytes, streamedBytesMax);
  const seatsMax = levelSeatsMax ? Math.min(levelSeatsMax, listSeatsMax) : listSeatsMax;
  const seats = Math.max(1, Math.min(seatsMax, Math.ceil(bytesAtOnce / bytesPerSeat)));
  return seats === 1 ? oneSeat : { initialSeats: seats, finalSeats: 0, additionalMs: 0 };
}

/** Whether a list is of one revision of the past, which is read from the store. */
function isExact(query: URLSearchParams, resourceVersion: string, limit: number): boolean {
  const match = query.get('resourceVersionMatch') ?? '';
  if (match === 'Exact') return true;
  if (match !== '') return false;
  return Boolean(query.get('continue')) || (limit > 0 && resourceVersion !== '' && resourceVersion !== '0');
}

function estimateWrite(info: RequestInfo, levelSeatsMax: number, { watchers }: WorkSources): WorkEstimate {
  // A token is no object; nobody hears of it.
  if (info.resource === 'serviceaccounts' && info.subresource === 'token') return oneSeat;
  const count = watchers(info);
  if (count < watchesPerSeat) return oneSeat;
  const seatsMax = levelSeatsMax ? Math.min(levelSeatsMax, mutatingSeatsMax) : mutatingSeatsMax;
  const seats = Math.ceil(count / watchesPerSeat);
  // The same work on fewer seats takes longer.
  const finalSeats = Math.min(seats, seatsMax);
  return { initialSeats: 1, finalSeats, additionalMs: (seats * eventMs) / finalSeats };
}
