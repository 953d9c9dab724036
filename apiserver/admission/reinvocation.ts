// Seeing a request a second time: webhooks and policies that could not know what later plug-ins would change are invoked once more,
// if they ask for it and something has changed.

import { isDeepStrictEqual } from 'node:util';
import { copyJson } from '../../api/copy-json.ts';
import type { KubeObject } from '../../api/wire.ts';

/** One request's way through the plug-ins that change it, which all see it a second time when one of them wants that. */
export class Reinvocation {
  /** This is the second time. */
  isAgain = false;
  isWanted = false;
  readonly #memories = new Map<string, InvocationMemory>();

  /** What `plugin` keeps from the first time to the second. */
  memoryOf(plugin: string): InvocationMemory {
    const memory = this.#memories.get(plugin) ?? new InvocationMemory(this);
    this.#memories.set(plugin, memory);
    return memory;
  }
}

/** What one plug-in has invoked, by names that stay the same from one time to the next. */
export class InvocationMemory {
  readonly #reinvocation: Reinvocation;
  readonly #invoked = new Set<string>();
  readonly #due = new Set<string>();
  #lastOutput: KubeObject | undefined;

  constructor(reinvocation: Reinvocation) {
    this.#reinvocation = reinvocation;
  }

  /** Before anything is invoked: other plug-ins may have changed the object since. */
  begin(object: KubeObject | undefined): void {
    if (this.#reinvocation.isAgain && !isDeepStrictEqual(this.#lastOutput, object)) this.#recall();
  }

  /** Whether `name` is to be invoked now: the second time only what asked for it, and was changed after. */
  isDue(name: string): boolean {
    return !this.#reinvocation.isAgain || this.#due.has(name);
  }

  /** `name` has been invoked, and wants to be once more should anything change. */
  mayRepeat(name: string): void {
    this.#invoked.add(name);
  }

  /** The object has been changed. */
  changed(): void {
    this.#recall();
    this.#reinvocation.isWanted = true;
  }

  end(object: KubeObject | undefined): void {
    // Nobody asks after the second time.
    if (!this.#reinvocation.isAgain) this.#lastOutput = object && copyJson(object);
  }

  #recall(): void {
    for (const name of this.#invoked) this.#due.add(name);
    this.#invoked.clear();
  }
}
