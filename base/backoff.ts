// Exponential back-off as a value: who waits, and on which clock, is the caller's business.

import type { Random } from './random.ts';

export interface BackoffOptions {
  baseMs: number;
  capMs: number;
  /** Default 2. */
  factor?: number;
  /** Fraction of the delay added at random, 0 to 1. Default 0. */
  jitter?: number;
}

/** The delay in milliseconds before retry number `attempt` (0 is the first retry). */
export function backoffMs(attempt: number, options: BackoffOptions, random?: Random): number {
  const { baseMs, capMs, factor = 2, jitter = 0 } = options;
  const delayMs = Math.min(capMs, baseMs * factor ** Math.min(attempt, 64));
  return jitter && random ? delayMs * (1 + jitter * random.float()) : delayMs;
}
