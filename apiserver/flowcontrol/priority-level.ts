// One priority level as it runs: its seats, the bounds between which they are lent and borrowed, and its queues.

import type { PriorityLevelConfiguration } from '../../api/flowcontrol.ts';
import type { Clock } from '../../base/clock.ts';
import { QueueSet, type QueueSetObserver } from './queue-set.ts';
import { RetryAfter } from './retry-after.ts';
import { SeatDemand } from './seat-demand.ts';
import { type Claim, shareSeats } from './share-seats.ts';

/** No single request may take more than this part of a level's seats. */
const requestSeatsFractionMax = 0.15;

export class PriorityLevel {
  readonly name: string;
  configuration: PriorityLevelConfiguration;
  readonly demand: SeatDemand;
  readonly queues: QueueSet;
  readonly retryAfter: RetryAfter;
  /** Its object is gone; it serves what it has still in hand. */
  isQuiescing = false;
  nominalSeats = 0;
  minSeats = 0;
  maxSeats = 0;
  currentSeats = 0;
  target = 0;
  /** 0: no bound of its own. */
  requestSeatsMax = 0;
  #isNew = true;

  constructor(configuration: PriorityLevelConfiguration, clock: Clock, observer: QueueSetObserver) {
    this.name = configuration.metadata?.name ?? '';
    this.configuration = configuration;
    this.demand = new SeatDemand(clock);
    this.queues = new QueueSet(clock, this.demand, observer);
    this.retryAfter = new RetryAfter(clock);
  }

  get isExempt(): boolean {
    return this.configuration.spec?.type === 'Exempt';
  }

  get queueCount(): number {
    return this.configuration.spec?.limited?.limitResponse?.queuing?.queues ?? 0;
  }

  /** How many requests may wait. */
  get queuePlaces(): number {
    return this.queueCount * (this.configuration.spec?.limited?.limitResponse?.queuing?.queueLengthLimit ?? 0);
  }

  get handSize(): number {
    return this.configuration.spec?.limited?.limitResponse?.queuing?.handSize ?? 0;
  }

  get shares(): number {
    const { limited, exempt } = this.configuration.spec ?? {};
    return (limited ?? exempt)?.nominalConcurrencyShares ?? 0;
  }

  /** Works out the seats from this level's part of all shares. */
  apply(serverSeats: number, shareSum: number): void {
    const { limited, exempt } = this.configuration.spec ?? {};
    const nominal = shareSum > 0 ? Math.ceil((serverSeats * this.shares) / shareSum) : 0;
    const lendable = Math.round((nominal * ((limited ?? exempt)?.lendablePercent ?? 0)) / 100);
    const borrowing = limited?.borrowingLimitPercent;
    this.nominalSeats = nominal;
    this.minSeats = nominal - lendable;
    this.maxSeats = nominal + (borrowing === undefined ? serverSeats : Math.round((nominal * borrowing) / 100));
    const queuing = limited?.limitResponse?.queuing;
    if (queuing) {
      const byHand = Math.floor(nominal / (queuing.handSize ?? 1));
      this.requestSeatsMax = Math.max(1, Math.min(Math.ceil(nominal * requestSeatsFractionMax), byHand));
    } else this.requestSeatsMax = 0;
    if (this.#isNew) this.currentSeats = nominal - Math.floor(lendable / 2);
    this.#isNew = false;
    this.queues.configure({
      queueCount: this.isExempt ? -1 : (queuing?.queues ?? 0),
      queueLengthMax: queuing?.queueLengthLimit ?? 0,
    });
  }
}

/** Lets each level have what it needs of what others do not: called every ten seconds. Answers the fraction of its target that each got. */
export function borrowSeats(levels: readonly PriorityLevel[]): number {
  const nominalSum = levels.reduce((sum, level) => sum + level.nominalSeats, 0);
  for (const { demand } of levels) demand.update();
  let left = nominalSum;
  for (const level of levels) {
    if (!level.isExempt) continue;
    level.currentSeats = Math.max(level.minSeats, level.demand.highWatermark);
    level.target = level.currentSeats;
    left -= level.currentSeats;
  }
  const limited = levels.filter((level) => !level.isExempt);
  const claims: Claim[] = limited.map(({ minSeats, maxSeats, nominalSeats, demand }) => {
    const lowerBound = Math.max(minSeats, Math.min(nominalSeats, demand.highWatermark));
    return { lowerBound, upperBound: maxSeats, target: Math.max(lowerBound, demand.smoothed) };
  });
  const minSum = limited.reduce((sum, { minSeats }) => sum + minSeats, 0);
  const lowerSum = claims.reduce((sum, { lowerBound }) => sum + lowerBound, 0);
  let fairFraction = 0;
  const shared = left > lowerSum ? shareSeats(nominalSum, claims) : undefined;
  if (shared) fairFraction = shared.fairFraction;
  for (const [i, level] of limited.entries()) {
    const { lowerBound, target } = claims[i] as Claim;
    level.target = target;
    if (left <= minSum) level.currentSeats = level.minSeats;
    else if (left <= lowerSum)
      level.currentSeats = level.minSeats + Math.round(((lowerBound - level.minSeats) * (left - minSum)) / (lowerSum - minSum));
    else if (shared) level.currentSeats = Math.round(shared.shares[i] as number);
  }
  for (const level of levels) level.queues.limit(level.currentSeats);
  return fairFraction;
}
