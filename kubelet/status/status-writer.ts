// Puts pods' statuses into the API: the newest of each pod only, one request per pod at a time, nothing when nothing
// changed.

import { isDeepStrictEqual } from 'node:util';
import { type Pod, type PodStatus, pods } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Client } from '../../client/client.ts';
import { ownedConditionTypes } from './pod-status.ts';

interface Slot {
  pod: Pod;
  wanted: PodStatus;
  written: PodStatus | undefined;
  writing: Promise<void> | undefined;
}

export interface StatusWriterOptions {
  client: Client;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

const retryMs = 1_000;
const retriesMax = 10;

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #slots = new Map<string, Slot>();

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** What the API has or will have. */
  wanted(uid: string): PodStatus | undefined {
    return this.#slots.get(uid)?.wanted;
  }

  /** Queues `status` as the newest of `pod`, which carries the status the API is known to have. */
  set(uid: string, pod: Pod, status: PodStatus): void {
    let slot = this.#slots.get(uid);
    if (!slot) {
      slot = { pod, wanted: status, written: pod.status, writing: undefined };
      this.#slots.set(uid, slot);
    }
    slot.pod = pod;
    slot.wanted = status;
    slot.writing ??= this.#write(slot);
  }

  /** Resolves when the newest status of the pod is in the API, or cannot get there. */
  async flush(uid: string): Promise<void> {
    await this.#slots.get(uid)?.writing;
  }

  async flushAll(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.writing));
  }

  forget(uid: string): void {
    this.#slots.delete(uid);
  }

  async #write(slot: Slot): Promise<void> {
    const { client, clock, log, signal } = this.#options;
    let failures = 0;
    // A turn later, so that several changes of one pass become one request.
    await Promise.resolve();
    while (!signal.aborted) {
      const { pod, wanted } = slot;
      const status = statusPatch(slot.written ?? {}, wanted);
      if (Object.keys(status).length === 0) break;
      const { name = '', namespace, uid } = pod.metadata ?? {};
      try {
        const patch = { metadata: { uid }, status };
        await client.patch(pods, { namespace, name }, 'strategic', patch, { subresource: 'status' });
        slot.written = wanted;
        failures = 0;
      } catch (error) {
        // Gone, or another pod of that name by now: nothing to tell any more.
        if (isStatus(error, 'NotFound', 'Conflict', 'Invalid') || ++failures > retriesMax) {
          if (!isStatus(error, 'NotFound', 'Conflict'))
            log.error('pod status not written', { pod: `${namespace}/${name}`, error: String(error) });
          break;
        }
        log.warn('pod status not written yet', { pod: `${namespace}/${name}`, error: String(error) });
        await sleep(clock, retryMs, signal).catch(() => undefined);
      }
    }
    slot.writing = undefined;
  }
}

/** A strategic merge patch from `before` to `after`: conditions merge by their type, so those of others are left alone. */
export function statusPatch(before: PodStatus, after: PodStatus): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const old = before as Record<string, unknown>;
  const next = after as Record<string, unknown>;
  for (const key of kubeletFields) {
    if (isDeepStrictEqual(next[key], old[key])) continue;
    const value = next[key];
    // The API merges lists of addresses by address; these are to be replaced.
    patch[key] = key.endsWith('IPs') && Array.isArray(value) ? [...value, { $patch: 'replace' }] : (value ?? null);
  }
  const conditions = (after.conditions ?? []).filter((c) => ownedConditionTypes.includes(c.type));
  const known = (before.conditions ?? []).filter((c) => ownedConditionTypes.includes(c.type));
  if (!isDeepStrictEqual(conditions, known)) patch['conditions'] = conditions;
  return patch;
}

const kubeletFields = [
  'phase',
  'reason',
  'message',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'observedGeneration',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
  'qosClass',
];
