// How many watches hear of a write, which is part of what the write costs
// (k8s.io/apiserver/pkg/util/flowcontrol/watch_tracker.go).

import type { RequestInfo } from '../context.ts';

/** Watches of one node's pods, of which a write to a pod reaches one at most, are not counted. */
const indexedField = { resource: 'pods', pattern: /(?:^|,)spec\.nodeName==?([^,]*)/ };

const keyOf = (info: RequestInfo, namespace: string, name: string) => `${info.group}/${info.resource}/${namespace}/${name}`;

export class WatchCounts {
  readonly #counts = new Map<string, number>();

  /** Counts a watch until the function it returns is called. */
  add(info: RequestInfo, fieldSelector: string | null): () => void {
    if (info.resource === indexedField.resource && fieldSelector && indexedField.pattern.exec(fieldSelector)?.[1]) return () => {};
    const key = keyOf(info, info.namespace, info.name);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#counts.get(key) ?? 0) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    };
  }

  /** The watches that may be told of what `info` writes. */
  interestedIn(info: RequestInfo): number {
    if (this.#counts.size === 0) return 0;
    let count = this.#counts.get(keyOf(info, '', '')) ?? 0;
    if (info.namespace) count += this.#counts.get(keyOf(info, info.namespace, '')) ?? 0;
    if (info.name) count += this.#counts.get(keyOf(info, info.namespace, info.name)) ?? 0;
    return count;
  }
}
