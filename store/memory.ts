// The store that lives in this process only: for tests, simulations and `import`ed clusters. Writes are done when the
// call is made, in the order of the calls, so that a run on a virtual clock repeats exactly.

import type { Version } from './history.ts';
import { MvccStore } from './mvcc-store.ts';
import type { Store } from './store.ts';

/** What a memory store held at one revision; immutable, and shared by all stores started from it. */
export interface MemorySnapshot {
  readonly revision: number;
  readonly versions: readonly Version[];
}

export interface MemoryStore extends Store {
  /** What the store holds now, in time proportional to the number of keys; values are shared, not copied. */
  snapshot(): MemorySnapshot;
}

export interface MemoryStoreOptions {
  /** Start with this, at its revision; what came before counts as compacted. Default: empty, at revision 0. */
  from?: MemorySnapshot;
}

export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new InMemoryStore(undefined, options.from);
}

class InMemoryStore extends MvccStore implements MemoryStore {
  snapshot(): MemorySnapshot {
    const versions = this.history.live().map((version) => ({ ...version, previous: undefined }));
    return { revision: this.history.revision, versions };
  }
}
