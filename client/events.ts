// Records events about objects, as client-go's correlator does: the same event again counts up the one that
// is there (by PATCH), many similar ones become one, and an object that causes a flood is cut off.

import { type CoreEvent, events } from '../api/core.ts';
import { isStatus } from '../api/status.ts';
import type { KubeObject } from '../api/wire.ts';
import { type Clock, timestamp } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Client } from './client.ts';

export type EventType = 'Normal' | 'Warning';

export interface EventRecorder {
  /** Never fails and never waits; what cannot be kept up with is dropped. `fieldPath`: the part of the object meant. */
  record(about: KubeObject, type: EventType, reason: string, message: string, fieldPath?: string): void;
  /** Resolves when what was recorded so far is written or given up. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface EventRecorderOptions {
  client: Client;
  clock: Clock;
  random: Random;
  log: Log;
  /** `source.component` and `reportingComponent`. */
  component: string;
  /** `source.host`: the node's name, for kubelets and proxies. */
  host?: string;
}

const queueMax = 1000;
const remembered = 4096;
const messageLengthMax = 1024;
/** This many different messages of a reason within the interval, and the rest are combined. */
const similarMax = 10;
const similarSecondsMax = 600;
/** A token bucket per object. */
const spamBurst = 25;
const spamRefillPerSecond = 1 / 300;

interface Written {
  name: string;
  namespace: string;
  count: number;
  firstTimestamp: string;
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, clock, random, log, component, host } = options;
  const written = new LastUsed<Written>(remembered);
  const similar = new LastUsed<{ messages: Set<string>; lastMs: number }>(remembered);
  const buckets = new LastUsed<{ tokens: number; lastMs: number }>(remembered);
  const queue: { event: CoreEvent; key: string }[] = [];
  let draining: Promise<void> | undefined;
  let isClosed = false;

  function isSpam(objectKey: string): boolean {
    const nowMs = clock.monotonicMs();
    const bucket = buckets.get(objectKey) ?? { tokens: spamBurst, lastMs: nowMs };
    bucket.tokens = Math.min(spamBurst, bucket.tokens + ((nowMs - bucket.lastMs) / 1000) * spamRefillPerSecond);
    bucket.lastMs = nowMs;
    buckets.set(objectKey, bucket);
    if (bucket.tokens < 1) return true;
    bucket.tokens--;
    return false;
  }

  /** The event with its message combined when it has too many like it, and the key it counts under. */
  function aggregate(event: CoreEvent, objectKey: string): { event: CoreEvent; key: string } {
    const { type = '', reason = '', message = '' } = event;
    const reasonKey = `${objectKey}\n${type}\n${reason}\n${event.involvedObject.fieldPath ?? ''}`;
    const nowMs = clock.monotonicMs();
    const known = similar.get(reasonKey);
    const record = known && nowMs - known.lastMs <= similarSecondsMax * 1000 ? known : { messages: new Set<string>(), lastMs: nowMs };
    record.lastMs = nowMs;
    record.messages.add(message);
    similar.set(reasonKey, record);
    if (record.messages.size < similarMax) return { event, key: `${reasonKey}\n${message}` };
    const [oldest] = record.messages;
    if (oldest !== undefined) record.messages.delete(oldest);
    return { event: { ...event, message: `(combined from similar events): ${message}` }, key: reasonKey };
  }

  async function write({ event, key }: { event: CoreEvent; key: string }): Promise<void> {
    const known = written.get(key);
    const { namespace = 'default' } = event.metadata;
    if (known) {
      const count = known.count + 1;
      const patch = { count, lastTimestamp: event.lastTimestamp, message: event.message };
      try {
        await client.patch(events, known, 'strategic', patch);
        written.set(key, { ...known, count });
        return;
      } catch (error) {
        // Events expire: one that is gone is told anew.
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }
    const created = await client.create(events, event);
    written.set(key, { name: created.metadata.name ?? '', namespace, count: 1, firstTimestamp: event.firstTimestamp ?? '' });
  }

  async function drain(): Promise<void> {
    for (let next = queue.shift(); next; next = queue.shift()) {
      try {
        await write(next);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        log.debug(`event ${next.event.reason} was not recorded: ${error.message}`);
      }
    }
    draining = undefined;
  }

  return {
    record(about, type, reason, message, fieldPath) {
      const { name = '', namespace, uid, resourceVersion } = about.metadata ?? {};
      const involvedObject = {
        ...(about.apiVersion ? { apiVersion: about.apiVersion } : {}),
        ...(about.kind ? { kind: about.kind } : {}),
        name,
        ...(namespace ? { namespace } : {}),
        ...(uid ? { uid } : {}),
        ...(resourceVersion ? { resourceVersion } : {}),
        ...(fieldPath ? { fieldPath } : {}),
      };
      const objectKey = `${about.apiVersion}\n${about.kind}\n${namespace}\n${name}\n${uid}`;
      if (isClosed || isSpam(objectKey)) return;
      if (queue.length >= queueMax) {
        log.warn(`event ${reason} about ${name} dropped: ${queueMax} are waiting already`);
        return;
      }
      const now = timestamp(clock);
      const event: CoreEvent = {
        metadata: { name: eventName(name, clock, random), namespace: namespace ?? 'default' },
        involvedObject,
        reason,
        message: message.slice(0, messageLengthMax),
        source: { component, ...(host ? { host } : {}) },
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
        type,
        reportingComponent: component,
        reportingInstance: host ?? '',
      };
      queue.push(aggregate(event, objectKey));
      draining ??= drain();
    },
    async flush() {
      await draining;
    },
    async close() {
      isClosed = true;
      await draining;
    },
  };
}

/** `<object>.<nanoseconds in hex>`; the digits below our clock's are drawn, so that names do not repeat. */
function eventName(name: string, clock: Clock, random: Random): string {
  const nanoseconds = BigInt(Math.floor(clock.nowMs())) * 1_000_000n + BigInt(Math.floor(random.float() * 1_000_000));
  return `${name}.${nanoseconds.toString(16)}`;
}

/** A map that forgets what was used longest ago. */
class LastUsed<V> {
  readonly #entries = new Map<string, V>();
  readonly #max: number;
  constructor(max: number) {
    this.#max = max;
  }
  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }
  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#max && oldest !== undefined) this.#entries.delete(oldest);
  }
}
