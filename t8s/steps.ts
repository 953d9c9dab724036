// What a person sees while a cluster starts: one line per step, with how long it took.

import type { Clock } from '../base/clock.ts';

export interface Steps {
  /** Runs `work` and prints `title` with its time; a detail returned by `work` is printed too when it is a string. */
  run<T>(title: string, work: () => Promise<T>): Promise<T>;
  say(text: string): void;
}

/** Steps printed on `out`. */
export function printedSteps(out: NodeJS.WritableStream, clock: Clock): Steps {
  return {
    async run(title, work) {
      const startMs = clock.monotonicMs();
      const result = await work();
      out.write(`  ${title.padEnd(56)} ${formatSeconds(clock.monotonicMs() - startMs)}\n`);
      return result;
    },
    say: (text) => void out.write(`${text}\n`),
  };
}

function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
