// One priority level's queues: fair queuing for requests, which take seats for a time that is known only when they are
// done. Virtual time R advances at the rate at which each busy queue is served; the request that would finish first in
// it, were all queues served at once, goes next (KEP-1040; k8s.io/apiserver/pkg/util/flowcontrol/fairqueuing).

import type { Clock } from '../../base/clock.ts';
import type { RequestInfo } from '../context.ts';
import type { UserInfo } from '../resources/resource.ts';
import type { SeatDemand } from './seat-demand.ts';
import { maxSeatsOf, type WorkEstimate } from './work-estimate.ts';

/** The service time that is assumed of a request until it is known, in seconds. */
const estimatedServiceSeconds = 0.003;

export interface QueueSetOptions {
  /** Below 0: exempt, everything is executed at once; 0: what finds no seat is rejected. */
  queueCount: number;
  queueLengthMax: number;
}

/** Told of what becomes of requests. */
export interface QueueSetObserver {
  rejected(schema: string, reason: RejectReason): void;
  queued(schema: string, queueLength: number): void;
  notAccommodated(schema: string): void;
  /** Requests or seats that wait or are in use are others than before. */
  changed(queues: QueueSet): void;
}

export type RejectReason = 'concurrency-limit' | 'queue-full' | 'time-out' | 'cancelled';

export class QueuedRequest {
  readonly schema: string;
  readonly distinguisher: string;
  readonly user: UserInfo;
  readonly info: RequestInfo;
  readonly work: WorkEstimate;
  readonly seats: number;
  readonly arrivalMs: number;
  readonly arrivalR: number;
  readonly queue: Queue | undefined;
  startMs = 0;
  state: 'waiting' | 'executing' | 'rejected' | 'done' = 'waiting';
  /** Called once, when a request that had to wait goes ahead or is rejected. */
  onDecided: ((isExecuted: boolean) => void) | undefined;

  constructor(asked: Asked, arrivalMs: number, arrivalR: number, queue: Queue | undefined) {
    this.schema = asked.schema;
    this.distinguisher = asked.distinguisher;
    this.user = asked.user;
    this.info = asked.info;
    this.work = asked.work;
    this.seats = maxSeatsOf(asked.work);
    this.arrivalMs = arrivalMs;
    this.arrivalR = arrivalR;
    this.queue = queue;
  }

  /** In seat-seconds, by the service time that is assumed. */
  get totalWork(): number {
    const { initialSeats, finalSeats, additionalMs } = this.work;
    return initialSeats * estimatedServiceSeconds + (finalSeats * additionalMs) / 1000;
  }
}

export interface Asked {
  schema: string;
  distinguisher: string;
  user: UserInfo;
  info: RequestInfo;
  work: WorkEstimate;
  /** The queues that the request's flow may use. */
  hand: readonly number[];
}

export class Queue {
  readonly waiting: QueuedRequest[] = [];
  readonly executing = new Set<QueuedRequest>();
  /** Of those executing, and of those done whose seats are still taken. */
  seatsInUse = 0;
  /** Seat-seconds of the waiting. */
  workWaiting = 0;
  /** When, in virtual time, the queue's next request begins. */
  nextDispatchR = 0;

  get isActive(): boolean {
    return this.waiting.length > 0 || this.executing.size > 0;
  }
}

export class QueueSet {
  readonly #clock: Clock;
  readonly #demand: SeatDemand;
  readonly #observer: QueueSetObserver;
  #options: QueueSetOptions = { queueCount: 0, queueLengthMax: 0 };
  #seatsMax = 0;
  queues: Queue[] = [];
  /** Those that never were in a queue. */
  readonly queueless = new Set<QueuedRequest>();
  currentR = 0;
  #lastMs: number;
  #robin = 0;
  #enqueued = 0;
  #activeQueues = 0;
  waiting = 0;
  executing = 0;
  seatsInUse = 0;
  seatsWaiting = 0;
  dispatched = 0;
  rejectedCount = 0;
  timedOut = 0;
  cancelled = 0;

  constructor(clock: Clock, demand: SeatDemand, observer: QueueSetObserver) {
    this.#clock = clock;
    this.#demand = demand;
    this.#observer = observer;
    this.#lastMs = clock.monotonicMs();
  }

  get isIdle(): boolean {
    return this.waiting === 0 && this.executing === 0;
  }

  get seatsMax(): number {
    return this.#seatsMax;
  }

  configure(options: QueueSetOptions): void {
    this.#syncTime();
    this.#options = options;
    while (this.queues.length < options.queueCount) this.queues.push(new Queue());
    this.#dropSpareQueues();
    this.#dispatchAll();
  }

  /** Sets how many seats there are. */
  limit(seatsMax: number): void {
    this.#syncTime();
    this.#seatsMax = seatsMax;
    this.#dispatchAll();
  }

  /** Undefined: rejected. A request that is `waiting` is decided later, and told so. */
  start(asked: Asked): QueuedRequest | undefined {
    this.#syncTime();
    const { queueCount, queueLengthMax } = this.#options;
    const nowMs = this.#clock.monotonicMs();
    if (queueCount < 1) {
      const request = new QueuedRequest(asked, nowMs, this.currentR, undefined);
      if (!this.#hasSeatsFor(request.seats)) return this.#reject(asked.schema, 'concurrency-limit');
      this.queueless.add(request);
      this.#execute(request, nowMs);
      return request;
    }
    const queue = this.#shortest(asked.hand);
    if (this.seatsInUse >= this.#seatsMax && queue.waiting.length >= queueLengthMax) {
      this.#boundNextDispatch(queue);
      return this.#reject(asked.schema, 'queue-full');
    }
    const request = new QueuedRequest(asked, nowMs, this.currentR, queue);
    if (!queue.isActive) {
      queue.nextDispatchR = this.currentR;
      this.#activeQueues++;
    }
    queue.waiting.push(request);
    queue.workWaiting += request.totalWork;
    this.waiting++;
    this.seatsWaiting += request.seats;
    this.#noteDemand();
    this.#boundNextDispatch(queue);
    this.#observer.queued(asked.schema, queue.waiting.length);
    this.#dispatchAll();
    return request;
  }

  /** Takes a request that waits out of its queue: its time is over, or its client is gone. */
  abandon(request: QueuedRequest, reason: 'time-out' | 'cancelled'): void {
    if (request.state !== 'waiting') return;
    this.#syncTime();
    const queue = request.queue as Queue;
    queue.waiting.splice(queue.waiting.indexOf(request), 1);
    this.#leaveWaiting(request, queue);
    if (!queue.isActive) this.#activeQueues--;
    if (reason === 'time-out') this.timedOut++;
    else this.cancelled++;
    this.#reject(request.schema, reason);
    this.#noteDemand();
    this.#boundNextDispatch(queue);
    this.#dropSpareQueues();
    request.state = 'rejected';
    request.onDecided?.(false);
    this.#dispatchAll();
  }

  /** A request that was executed is answered; its seats are free at once, or after its additional time. */
  finish(request: QueuedRequest): void {
    if (request.state !== 'executing') return;
    this.#syncTime();
    const { queue, work } = request;
    request.state = 'done';
    this.executing--;
    if (queue) {
      queue.executing.delete(request);
      const servedSeconds = (this.#clock.monotonicMs() - request.startMs) / 1000;
      // The queue was charged with the service time that was assumed.
      queue.nextDispatchR -= work.initialSeats * (estimatedServiceSeconds - servedSeconds);
      this.#boundNextDispatch(queue);
      if (!queue.isActive) this.#activeQueues--;
    } else this.queueless.delete(request);
    const release = () => {
      this.seatsInUse -= request.seats;
      if (queue) queue.seatsInUse -= request.seats;
      this.#noteDemand();
      this.#dropSpareQueues();
      this.#dispatchAll();
    };
    // Nobody waits for a seat of an exempt level, so nothing need be kept from anyone.
    if (work.additionalMs <= 0 || this.#options.queueCount < 0) release();
    else
      this.#clock.setTimer(work.additionalMs, () => {
        this.#syncTime();
        release();
      });
  }

  #syncTime(): void {
    const nowMs = this.#clock.monotonicMs();
    const elapsedSeconds = (nowMs - this.#lastMs) / 1000;
    this.#lastMs = nowMs;
    if (this.#activeQueues === 0) return;
    this.currentR += (elapsedSeconds * Math.min(this.seatsInUse + this.seatsWaiting, this.#seatsMax)) / this.#activeQueues;
  }

  /** Of the hand the queue with the least work waiting; the first one that is looked at changes, so that equals take turns. */
  #shortest(hand: readonly number[]): Queue {
    const offset = this.#enqueued++ % hand.length;
    let best: Queue | undefined;
    for (let i = 0; i < hand.length; i++) {
      const queue = this.queues[hand[(offset + i) % hand.length] as number] as Queue;
      if (!best || queue.workWaiting < best.workWaiting) best = queue;
    }
    return best as Queue;
  }

  #hasSeatsFor(seats: number): boolean {
    if (this.#options.queueCount < 0) return true;
    // What is wider than the level goes alone.
    if (seats > this.#seatsMax) return this.executing === 0;
    return this.seatsInUse + seats <= this.#seatsMax;
  }

  #dispatchAll(): void {
    while (this.waiting > 0 && this.seatsInUse < this.#seatsMax && this.#dispatchOne());
  }

  #dispatchOne(): boolean {
    let best: Queue | undefined;
    let bestAt = 0;
    let bestFinishR = Number.POSITIVE_INFINITY;
    const { queues } = this;
    let at = this.#robin;
    for (let i = 0; i < queues.length; i++) {
      at = at + 1 >= queues.length ? 0 : at + 1;
      const queue = queues[at] as Queue;
      const oldest = queue.waiting[0];
      if (!oldest) continue;
      const finishR = queue.nextDispatchR + oldest.totalWork;
      if (finishR >= bestFinishR) continue;
      bestFinishR = finishR;
      best = queue;
      bestAt = at;
    }
    const request = best?.waiting[0];
    if (!best || !request) return false;
    if (!this.#hasSeatsFor(request.seats)) {
      this.#observer.notAccommodated(request.schema);
      return false;
    }
    this.#robin = bestAt;
    best.waiting.shift();
    this.#leaveWaiting(request, best);
    best.executing.add(request);
    best.seatsInUse += request.seats;
    best.nextDispatchR += request.totalWork;
    this.#boundNextDispatch(best);
    this.#execute(request, this.#clock.monotonicMs());
    return true;
  }

  #execute(request: QueuedRequest, nowMs: number): void {
    request.state = 'executing';
    request.startMs = nowMs;
    this.executing++;
    this.dispatched++;
    this.seatsInUse += request.seats;
    this.#noteDemand();
    request.onDecided?.(true);
  }

  #leaveWaiting(request: QueuedRequest, queue: Queue): void {
    queue.workWaiting = queue.waiting.length === 0 ? 0 : queue.workWaiting - request.totalWork;
    this.waiting--;
    this.seatsWaiting -= request.seats;
  }

  #reject(schema: string, reason: RejectReason): undefined {
    this.rejectedCount++;
    this.#observer.rejected(schema, reason);
  }

  #noteDemand(): void {
    this.#demand.set(this.seatsInUse + this.seatsWaiting);
    this.#observer.changed(this);
  }

  /** A queue that was empty for a time must not be paid for it: its next request begins no earlier than it came. */
  #boundNextDispatch(queue: Queue): void {
    const oldest = queue.waiting[0];
    if (oldest && queue.nextDispatchR < oldest.arrivalR) queue.nextDispatchR = oldest.arrivalR;
  }

  /** After a configuration with fewer queues, the last ones go when they are empty; nothing new comes to them. */
  #dropSpareQueues(): void {
    const kept = Math.max(0, this.#options.queueCount);
    if (this.queues.length <= kept) return;
    while (this.queues.length > kept) {
      const last = this.queues.at(-1) as Queue;
      if (last.isActive || last.seatsInUse > 0) return;
      this.queues.pop();
    }
    if (this.#robin >= this.queues.length) this.#robin = 0;
  }
}
