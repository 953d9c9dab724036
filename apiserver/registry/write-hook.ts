// What a kind takes from the whole cluster with each write (a service's addresses and ports): taken before the write is
// validated, given back when it fails or when the object goes.

import type { KubeObject } from '../../api/wire.ts';

export interface Taking {
  /** The write is stored. */
  commit(): Promise<void>;
  /** The write was refused or failed. */
  rollback(): Promise<void>;
}

export interface WriteHook {
  /** Fills in what `object` leaves to the server. Mutates `object`. @throws StatusError when something is taken already */
  begin(object: KubeObject, old: KubeObject | undefined, isDryRun: boolean): Promise<Taking>;
  /** The object is gone. */
  released(object: KubeObject): Promise<void>;
}
