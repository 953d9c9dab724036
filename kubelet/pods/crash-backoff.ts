// The back-off between restarts of a crashing container: 10 s doubling to 5 min, forgotten after 10 min of running.

export interface CrashBackoffEntry {
  readonly delayMs: number;
  /** When the last restart was decided. */
  readonly atMs: number;
}

export const crashBackoffMsBase = 10_000;
export const crashBackoffMsMax = 300_000;

/** How long a restart at `nowMs` still has to wait after an exit at `finishedAtMs`; 0: none. */
export function crashBackoffRemainingMs(entry: CrashBackoffEntry | undefined, finishedAtMs: number, nowMs: number): number {
  if (!entry || isExpired(entry, finishedAtMs)) return 0;
  return Math.max(0, finishedAtMs + entry.delayMs - nowMs);
}

/** The entry after a restart at `nowMs`, following an exit at `finishedAtMs`. */
export function nextCrashBackoff(entry: CrashBackoffEntry | undefined, finishedAtMs: number, nowMs: number): CrashBackoffEntry {
  const delayMs = !entry || isExpired(entry, finishedAtMs) ? crashBackoffMsBase : Math.min(crashBackoffMsMax, entry.delayMs * 2);
  return { delayMs, atMs: nowMs };
}

const isExpired = (entry: CrashBackoffEntry, finishedAtMs: number) => finishedAtMs - entry.atMs > 2 * crashBackoffMsMax;
