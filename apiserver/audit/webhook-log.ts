// Audit events for a service outside: gathered, and sent as an EventList when there are many or when they have waited long
// enough (batch mode of --audit-webhook-config-file). Requests never wait for it; what it cannot take in time is dropped,
// and said to be.

import { type Clock, sleep, type Timer } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { AskReview } from '../reviews/review-client.ts';
import type { AuditLog } from './log-file.ts';

export interface WebhookAuditOptions {
  ask: AskReview;
  clock: Clock;
  log: Log;
  /** How many events may wait. Default 10,000. */
  bufferMax?: number;
  /** How many are sent at once. Default 400. */
  batchMax?: number;
  /** How long an event waits for others. Default 30 s. */
  waitMsMax?: number;
}

/** A service that does not answer does not hold up the end. */
const closeMsMax = 5_000;

export function openWebhookAudit(options: WebhookAuditOptions): AuditLog {
  const { ask, clock, log, bufferMax = 10_000, batchMax = 400, waitMsMax = 30_000 } = options;
  const waiting: object[] = [];
  let timer: Timer | undefined;
  let sending: Promise<void> | undefined;
  let isClosed = false;

  function send(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    sending ??= sendAll().finally(() => {
      sending = undefined;
    });
    return sending;
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const items = waiting.splice(0, batchMax);
      try {
        await ask({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items });
      } catch (error) {
        log.error(`${items.length} audit events are lost: ${error instanceof Error ? error.message : String(error)}`);
      }
      // What is not a whole batch may wait for more, unless nobody will come back for it.
      if (waiting.length < batchMax && !isClosed) break;
    }
    if (waiting.length > 0) timer ??= clock.setTimer(waitMsMax, () => void send());
  }

  return {
    write(event) {
      if (isClosed) return;
      if (waiting.length >= bufferMax) {
        log.error('an audit event is lost: the webhook is too slow, and its buffer full');
        return;
      }
      waiting.push(event);
      if (waiting.length >= batchMax) void send();
      else if (!sending) timer ??= clock.setTimer(waitMsMax, () => void send());
    },
    async close() {
      isClosed = true;
      await Promise.race([send(), sleep(clock, closeMsMax)]);
    },
  };
}

/** Every event to each of `logs`. */
export function auditToAll(logs: readonly AuditLog[]): AuditLog {
  return {
    write: (event) => {
      for (const log of logs) log.write(event);
    },
    async close() {
      await Promise.all(logs.map((log) => log.close()));
    },
  };
}
