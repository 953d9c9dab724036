// Puts pods' statuses into the API: the newest of each pod only, one request per pod at a time, nothing when nothing
// changed.

import { isDeepStrictEqual } from 'node:util';
import { type Pod, type PodStatus, pods } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Client } from '../../client/client.ts';

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
  set(pod: Pod, status: PodStatus): void {
    const uid = pod.metadata?.uid ?? '';
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
    while (!isDeepStrictEqual(slot.wanted, slot.written) && !signal.aborted) {
      const { pod, wanted } = slot;
      const { name = '', namespace, uid } = pod.metadata ?? {};
      try {
        const patch = { metadata: { uid }, status: mergePatch(slot.written ?? {}, wanted) };
        await client.patch(pods, { namespace, name }, 'merge', patch, { subresource: 'status' });
        slot.written = wanted;
        failures = 0;
      } catch (error) {
        // Gone, or another pod of that name by now: nothing to tell any more.
        if (isStatus(error, 'NotFound', 'Conflict', 'Invalid') || ++failures > retriesMax) {
          if (!isStatus(error, 'NotFound', 'Conflict')) log.error('pod status not written', { pod: `${namespace}/${name}`, error: String(error) });
          break;
        }
        log.warn('pod status not written yet', { pod: `${namespace}/${name}`, error: String(error) });
        await sleep(clock, retryMs, signal).catch(() => undefined);
      }
    }
    slot.writing = undefined;
  }
}

/**
 * An RFC 7386 merge patch from `before` to `after`. Lists are replaced whole: the kubelet owns those of a status, and
 * has carried over what others own in them.
 */
export function mergePatch(before: object, after: object): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const old = before as Record<string, unknown>;
  const next = after as Record<string, unknown>;
  for (const key of Object.keys(old)) if (!(key in next) && kubeletOwned.has(key)) patch[key] = null;
  for (const [key, value] of Object.entries(next)) if (!isDeepStrictEqual(value, old[key])) patch[key] = value;
  return patch;
}

const kubeletOwned = new Set([
  'phase',
  'reason',
  'message',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
  'qosClass',
]);
