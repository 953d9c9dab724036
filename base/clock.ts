// Time, injected. Nothing outside base/ may read the wall clock or set a timer; everything takes a Clock,
// so that a whole cluster can run on a VirtualClock (virtual-clock.ts).

/** A pending timer; `cancel()` is idempotent and has no effect once it has fired. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time, in milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Milliseconds from an arbitrary origin; never goes backwards. For measuring durations. */
  monotonicMs(): number;
  /** Calls `fire` once, after at least `delayMs`. Does not keep a process alive by itself. */
  setTimer(delayMs: number, fire: () => void): Timer;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, fire) {
    const handle = setTimeout(fire, Math.min(delayMs, 2 ** 31 - 1));
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Resolves after `delayMs` on `clock`.
 * @throws the signal's reason, when `signal` aborts first.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Kubernetes' `metav1.Time` on the wire: RFC 3339 in UTC with whole seconds. */
export function timestamp(clock: Clock): string {
  return `${new Date(clock.nowMs()).toISOString().slice(0, 19)}Z`;
}

/** Kubernetes' `metav1.MicroTime` on the wire: RFC 3339 in UTC with six decimals. */
export function microTimestamp(clock: Clock): string {
  return `${new Date(clock.nowMs()).toISOString().slice(0, 23)}000Z`;
}
