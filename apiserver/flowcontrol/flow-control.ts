// Priority and fairness: which flow schema a request belongs to, which priority level works on it, and in what order.
// Follows the flow schemas and priority levels as they are written; what is missing of the mandatory ones is made up.

import type { FlowSchema, PriorityLevelConfiguration } from '../../api/flowcontrol.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { RequestInfo } from '../context.ts';
import { mandatoryFlowSchemas, mandatoryPriorityLevels } from '../resources/flowcontrol-bootstrap.ts';
import type { UserInfo } from '../resources/resource.ts';
import type { FlowMetrics } from './flow-metrics.ts';
import { matchesSchema } from './match.ts';
import { borrowSeats, PriorityLevel } from './priority-level.ts';
import type { QueuedRequest } from './queue-set.ts';
import { dealHand, hashFlow } from './shuffle-sharding.ts';
import { WatchCounts } from './watch-counts.ts';
import { estimateWork, maxSeatsOf, type WorkSources } from './work-estimate.ts';

const borrowingPeriodMs = 10_000;
/** Hands that are remembered per schema; dealing one anew costs microseconds. */
const handsMax = 1000;

export interface FlowControlOptions {
  clock: Clock;
  metrics: FlowMetrics;
  /** How many seats there are in all. */
  seats: number;
  /** What is stored of the kind that a request names. */
  stored: WorkSources['stored'];
}

/** A flow schema that is in force. */
interface Flow {
  readonly schema: FlowSchema;
  readonly name: string;
  readonly uid: string;
  readonly level: PriorityLevel;
  readonly hands: Map<string, number[]>;
}

export interface Started {
  readonly flow: { readonly name: string; readonly uid: string; readonly level: PriorityLevel };
  /** Undefined: rejected. */
  readonly request: QueuedRequest | undefined;
}

export class FlowControl {
  readonly watches = new WatchCounts();
  readonly #clock: Clock;
  readonly #metrics: FlowMetrics;
  readonly #seats: number;
  readonly #sources: WorkSources;
  #levels = new Map<string, PriorityLevel>();
  #flows: Flow[] = [];
  #timer: Timer;
  readonly #singleQueue: readonly number[] = [0];

  constructor({ clock, metrics, seats, stored }: FlowControlOptions) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#seats = seats;
    this.#sources = { stored, watchers: (info) => this.watches.interestedIn(info) };
    this.configure([], []);
    this.#timer = clock.setTimer(borrowingPeriodMs, () => this.#borrow());
  }

  get levels(): readonly PriorityLevel[] {
    return [...this.#levels.values()];
  }

  /** Takes over what is configured; levels that are gone finish what they have begun. */
  configure(schemas: readonly FlowSchema[], configurations: readonly PriorityLevelConfiguration[]): void {
    const levels = new Map<string, PriorityLevel>();
    for (const configuration of [...configurations, ...mandatoryPriorityLevels]) {
      const name = configuration.metadata?.name ?? '';
      if (levels.has(name)) continue;
      const level = this.#levels.get(name) ?? new PriorityLevel(configuration, this.#clock, this.#metrics.observe(name));
      level.configuration = configuration;
      level.isQuiescing = false;
      levels.set(name, level);
    }
    for (const [name, level] of this.#levels) {
      if (levels.has(name) || level.queues.isIdle) continue;
      level.isQuiescing = true;
      levels.set(name, level);
    }
    const all = [...levels.values()];
    const shareSum = all.reduce((sum, { shares }) => sum + shares, 0);
    for (const level of all) level.apply(this.#seats, shareSum);
    this.#levels = levels;
    this.#flows = this.#flowsOf(schemas);
    this.#metrics.configured(all, borrowSeats(all));
  }

  #flowsOf(schemas: readonly FlowSchema[]): Flow[] {
    const flows: Flow[] = [];
    const precedence = ({ schema }: Flow) => schema.spec?.matchingPrecedence ?? 1000;
    for (const schema of [...schemas, ...mandatoryFlowSchemas]) {
      const level = this.#levels.get(schema.spec?.priorityLevelConfiguration?.name ?? '');
      const { name = '', uid = '' } = schema.metadata ?? {};
      if (!level || level.isQuiescing || flows.some((flow) => flow.name === name)) continue;
      flows.push({ schema, name, uid, level, hands: new Map() });
    }
    return flows.sort((a, b) => precedence(a) - precedence(b) || (a.name < b.name ? -1 : 1));
  }

  /** Finds a request its place. Whoever was given one that executes must `finish` it. */
  start(user: UserInfo, info: RequestInfo, query: URLSearchParams): Started {
    const flow = this.#flowOf(user, info);
    const { level, name } = flow;
    const work = estimateWork(info, query, level.requestSeatsMax, this.#sources);
    this.#metrics.estimated(level.name, name, maxSeatsOf(work));
    const { queueCount } = level;
    const distinguisher = queueCount > 1 ? distinguisherOf(flow.schema, user, info) : '';
    const hand = queueCount > 1 ? this.#handOf(flow, distinguisher) : this.#singleQueue;
    const request = level.queues.start({ schema: name, distinguisher, user, info, work, hand });
    return { flow, request };
  }

  /** The request is done (a watch: has begun). */
  finish({ flow }: Started, request: QueuedRequest): void {
    flow.level.queues.finish(request);
    if (flow.level.isQuiescing && flow.level.queues.isIdle) this.#levels.delete(flow.level.name);
  }

  close(): void {
    this.#timer.cancel();
  }

  #flowOf(user: UserInfo, info: RequestInfo): Flow {
    for (const flow of this.#flows) if (matchesSchema(flow.schema.spec?.rules ?? [], user, info)) return flow;
    // Users outside of both groups that everybody is in match not even the last schema.
    return this.#flows.find(({ name }) => name === 'catch-all') as Flow;
  }

  #handOf({ name, level, hands }: Flow, distinguisher: string): readonly number[] {
    let hand = hands.get(distinguisher);
    if (!hand) {
      if (hands.size >= handsMax) hands.clear();
      hand = dealHand(hashFlow(name, distinguisher), level.queueCount, level.handSize);
      hands.set(distinguisher, hand);
    }
    return hand;
  }

  #borrow(): void {
    const all = this.levels;
    this.#metrics.configured(all, borrowSeats(all));
    this.#timer = this.#clock.setTimer(borrowingPeriodMs, () => this.#borrow());
  }
}

function distinguisherOf({ spec }: FlowSchema, user: UserInfo, info: RequestInfo): string {
  switch (spec?.distinguisherMethod?.type) {
    case 'ByUser':
      return user.name;
    case 'ByNamespace':
      return info.namespace;
    default:
      return '';
  }
}
