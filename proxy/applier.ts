// The seam between what services mean (plan.ts) and what makes it so on a machine. Implementations: nftables.ts (the
// kernel) and userspace.ts (sockets of this process).

import type { Plan } from './plan.ts';

export interface Applier {
  readonly name: 'nftables' | 'userspace';
  /** Makes the machine do what `plan` says, wherever it stands now. Calls do not overlap; the caller waits. */
  apply(plan: Plan): Promise<void>;
  /** Looks at what is really there and repairs it; answers how many things were not as they should be. */
  reconcile(): Promise<number>;
  /** Stops. With `remove`, services stop answering too; without, the kernel goes on serving them. */
  close(options: { remove: boolean }): Promise<void>;
}
