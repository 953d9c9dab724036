// How long each priority level was how busy: time-weighted histograms of requests, seats and demand as fractions of what
// the level may have, and of all requests that read and that write.

import type { Registry } from 'prom-client';
import type { Clock } from '../../base/clock.ts';
import { TimedHistogram, type TimedRatio } from '../../client/metrics/timed-histogram.ts';
import type { PriorityLevel } from './priority-level.ts';
import type { QueueSet } from './queue-set.ts';

const prefix = 'apiserver_flowcontrol';

interface LevelRatios {
  waiting: TimedRatio;
  executing: TimedRatio;
  seats: TimedRatio;
  demand: TimedRatio;
}

interface KindRatios {
  waiting: TimedRatio;
  executing: TimedRatio;
}

export class Utilization {
  readonly #requests: TimedHistogram;
  readonly #seats: TimedHistogram;
  readonly #demand: TimedHistogram;
  readonly #levels = new Map<string, LevelRatios>();
  readonly #kinds: Record<'readOnly' | 'mutating', KindRatios>;
  readonly #waiting = { readOnly: 0, mutating: 0 };

  constructor(registry: Registry, clock: Clock) {
    const histogram = (name: string, help: string, labelNames: string[], buckets: number[]) =>
      new TimedHistogram({ name: `${prefix}_${name}`, help, labelNames, buckets, registers: [registry] }, clock);
    this.#requests = histogram(
      'priority_level_request_utilization',
      'Observations, at the end of every nanosecond, of number of requests (as a fraction of the relevant limit) waiting or in any stage of execution (but only initial stage for WATCHes)',
      ['phase', 'priority_level'],
      [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1],
    );
    this.#seats = histogram(
      'priority_level_seat_utilization',
      'Observations, at the end of every nanosecond, of utilization of seats for any stage of execution (but only initial stage for WATCHes)',
      ['phase', 'priority_level'],
      [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
    );
    this.#demand = histogram(
      'demand_seats',
      'Observations, at the end of every nanosecond, of (the number of seats each priority level could use) / (nominal number of seats for that level)',
      ['priority_level'],
      [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.8, 4, 6],
    );
    const current = histogram(
      'read_vs_write_current_requests',
      'Observations, at the end of every nanosecond, of the number of requests (as a fraction of the relevant limit) waiting or in regular stage of execution',
      ['phase', 'request_kind'],
      [0, 0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
    );
    const kind = (request_kind: string) => ({
      waiting: current.of({ phase: 'waiting', request_kind }),
      executing: current.of({ phase: 'executing', request_kind }),
    });
    this.#kinds = { readOnly: kind('readOnly'), mutating: kind('mutating') };
  }

  /** The levels in force, each time they or their seats change. */
  configured(levels: readonly PriorityLevel[]): void {
    const serverSeats = levels.reduce((sum, { nominalSeats }) => sum + nominalSeats, 0);
    let waitingMax = 0;
    for (const level of levels) {
      const ratios = this.#of(level.name);
      const seats = level.currentSeats > 0 ? level.currentSeats : Math.max(1, Math.round(serverSeats / 10));
      const places = level.queuePlaces;
      waitingMax += places;
      ratios.waiting.setDenominator(Math.max(1, places));
      for (const ratio of [ratios.executing, ratios.seats, ratios.demand]) ratio.setDenominator(seats);
    }
    for (const { waiting, executing } of Object.values(this.#kinds)) {
      waiting.setDenominator(Math.max(1, waitingMax));
      executing.setDenominator(Math.max(1, serverSeats));
    }
  }

  /** To be called whenever a level's requests or seats change. */
  observer(level: string): (queues: QueueSet) => void {
    const { waiting, executing, seats, demand } = this.#of(level);
    return (queues) => {
      waiting.set(queues.waiting);
      executing.set(queues.executing);
      seats.set(queues.seatsInUse);
      demand.set(queues.seatsInUse + queues.seatsWaiting);
    };
  }

  waiting(kind: 'readOnly' | 'mutating', change: 1 | -1): void {
    this.#waiting[kind] += change;
    this.#kinds[kind].waiting.set(this.#waiting[kind]);
  }

  executing(kind: 'readOnly' | 'mutating', count: number): void {
    this.#kinds[kind].executing.set(count);
  }

  #of(level: string): LevelRatios {
    let ratios = this.#levels.get(level);
    if (!ratios) {
      ratios = {
        waiting: this.#requests.of({ phase: 'waiting', priority_level: level }),
        executing: this.#requests.of({ phase: 'executing', priority_level: level }),
        seats: this.#seats.of({ phase: 'executing', priority_level: level }),
        demand: this.#demand.of({ priority_level: level }),
      };
      this.#levels.set(level, ratios);
    }
    return ratios;
  }
}
