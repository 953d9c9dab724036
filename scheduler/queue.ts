// Pods that wait for a node: in line by priority and age, backing off after a failure, or set aside until something
// in the cluster changes that might help them.

import { type BackoffOptions, backoffMs } from '../base/backoff.ts';
import type { Clock, Timer } from '../base/clock.ts';

interface Waiting {
  key: string;
  /** When it came, monotonic. */
  sinceMs: number;
  priority: number;
  attempts: number;
  state: 'active' | 'backing off' | 'aside' | 'in flight';
  /** When its back-off ends, monotonic. */
  backoffUntilMs: number;
  /** The cluster changed while it was in flight. */
  missedChange: boolean;
}

const backoff: BackoffOptions = { baseMs: 1000, capMs: 10_000 };
/** Set aside no longer than this, whatever happened. */
const asideMsMax = 5 * 60_000;

/** Told of each pod that comes into line or leaves it for another place, and why, in Kubernetes' words. */
export type QueueObserver = (queue: 'active' | 'backoff' | 'unschedulable', event: string) => void;

export class SchedulingQueue {
  readonly #waiting = new Map<string, Waiting>();
  /** Priority to those in line, in the order in which they came. */
  readonly #lines = new Map<number, Set<Waiting>>();
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #observe: QueueObserver;
  #timer: Timer | undefined;

  /** `wake` is called whenever `take` may have something to give. */
  constructor(clock: Clock, wake: () => void, observe: QueueObserver = () => {}) {
    this.#clock = clock;
    this.#wake = wake;
    this.#observe = observe;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** How many wait where; those in flight are in none of these. */
  get counts(): { active: number; backoff: number; unschedulable: number } {
    const counts = { active: 0, backoff: 0, unschedulable: 0 };
    for (const { state } of this.#waiting.values()) {
      if (state === 'active') counts.active++;
      else if (state === 'backing off') counts.backoff++;
      else if (state === 'aside') counts.unschedulable++;
    }
    return counts;
  }

  /** How often it was taken, and for how long it is here; undefined when it is not. */
  historyOf(key: string): { attempts: number; seconds: number } | undefined {
    const known = this.#waiting.get(key);
    return known && { attempts: known.attempts, seconds: (this.#clock.monotonicMs() - known.sinceMs) / 1000 };
  }

  /** Whether `take` would give something. */
  get hasActive(): boolean {
    return this.#lines.size > 0;
  }

  /** In line now; a change of a pod that is set aside brings it back too. */
  add(key: string, priority: number): void {
    const known = this.#waiting.get(key);
    if (known) {
      if (known.priority !== priority && known.state === 'active') this.#leaveLine(known);
      const wasInLine = known.state === 'active';
      known.priority = priority;
      if (wasInLine) this.#joinLine(known);
      else if (known.state === 'in flight') known.missedChange = true;
      else if (known.state === 'aside') this.#activate(known, 'UnschedulablePodUpdate');
      return;
    }
    const waiting: Waiting = {
      key,
      sinceMs: this.#clock.monotonicMs(),
      priority,
      attempts: 0,
      state: 'active',
      backoffUntilMs: 0,
      missedChange: false,
    };
    this.#waiting.set(key, waiting);
    this.#observe('active', 'UnschedulablePodAdd');
    this.#joinLine(waiting);
    this.#wake();
  }

  remove(key: string): void {
    const known = this.#waiting.get(key);
    if (known) this.#leaveLine(known);
    this.#waiting.delete(key);
  }

  /** The first in line, which is then in flight until `failed` or `remove`. */
  take(): string | undefined {
    const priority = Math.max(...this.#lines.keys());
    const [first] = this.#lines.get(priority) ?? [];
    if (!first) return undefined;
    this.#leaveLine(first);
    first.state = 'in flight';
    first.attempts++;
    first.missedChange = false;
    return first.key;
  }

  /** It found no node (`isUnschedulable`: set aside until something changes) or could not be bound (tried again after its back-off). */
  failed(key: string, isUnschedulable: boolean): void {
    const each = this.#waiting.get(key);
    if (!each) return;
    each.backoffUntilMs = this.#clock.monotonicMs() + backoffMs(each.attempts - 1, backoff);
    each.state = isUnschedulable && !each.missedChange ? 'aside' : 'backing off';
    this.#observe(each.state === 'aside' ? 'unschedulable' : 'backoff', 'ScheduleAttemptFailure');
    this.#arm();
  }

  /** Something changed that may let pods fit: everything set aside comes back, after its back-off. `event`: as Kubernetes labels it. */
  clusterChanged(event: string): void {
    for (const each of this.#waiting.values()) {
      if (each.state === 'aside') this.#activate(each, event);
      else if (each.state === 'in flight') each.missedChange = true;
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#waiting.clear();
    this.#lines.clear();
  }

  #activate(each: Waiting, event: string): void {
    const isBackingOff = each.backoffUntilMs > this.#clock.monotonicMs();
    this.#observe(isBackingOff ? 'backoff' : 'active', event);
    if (isBackingOff) {
      each.state = 'backing off';
      this.#arm();
    } else {
      this.#joinLine(each);
      this.#wake();
    }
  }

  #joinLine(each: Waiting): void {
    each.state = 'active';
    const line = this.#lines.get(each.priority) ?? new Set();
    line.add(each);
    this.#lines.set(each.priority, line);
  }

  #leaveLine(each: Waiting): void {
    const line = this.#lines.get(each.priority);
    line?.delete(each);
    if (line?.size === 0) this.#lines.delete(each.priority);
  }

  /** One timer, for whichever comes back first. */
  #arm(): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const each of this.#waiting.values()) nextMs = Math.min(nextMs, this.#returnsAt(each));
    this.#timer?.cancel();
    this.#timer = undefined;
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#clock.setTimer(Math.max(0, nextMs - this.#clock.monotonicMs()), () => {
      const nowMs = this.#clock.monotonicMs();
      for (const each of this.#waiting.values()) this.#comeBack(each, nowMs);
      this.#arm();
      this.#wake();
    });
  }

  #comeBack(each: Waiting, nowMs: number): void {
    if (this.#returnsAt(each) > nowMs) return;
    this.#observe('active', each.state === 'aside' ? 'UnschedulableTimeout' : 'BackoffComplete');
    this.#joinLine(each);
  }

  #returnsAt({ state, backoffUntilMs }: Waiting): number {
    if (state === 'backing off') return backoffUntilMs;
    return state === 'aside' ? backoffUntilMs + asideMsMax : Number.POSITIVE_INFINITY;
  }
}
