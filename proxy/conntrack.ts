// UDP has no end of connection: a client that goes on sending keeps the endpoint it was first given. When that endpoint
// goes, or a service gets its first one, the kernel's memory of such flows is deleted.

import type { Log } from '../base/log.ts';
import { run } from './nft.ts';
import type { Plan } from './plan.ts';

export interface StaleFlow {
  readonly address: string;
  readonly port: number;
  /** Flows to this endpoint only; undefined: flows that were translated to none. */
  readonly endpoint?: string;
}

/** Flows that `after` leaves pointing at nothing. */
export function staleFlows(before: Plan, after: Plan): StaleFlow[] {
  const stale: StaleFlow[] = [];
  for (const [key, { protocol, address, port, endpoints }] of before) {
    if (protocol !== 'udp') continue;
    const next = after.get(key)?.endpoints ?? [];
    if (next === endpoints) continue;
    const kept = new Set(next.map((e) => `${e.address}:${e.port}`));
    const gone = new Set(endpoints.filter((e) => !kept.has(`${e.address}:${e.port}`)).map((e) => e.address));
    for (const endpoint of gone) stale.push({ address, port, endpoint });
  }
  for (const [key, { protocol, address, port, endpoints }] of after) {
    if (protocol === 'udp' && endpoints.length > 0 && !before.get(key)?.endpoints.length) stale.push({ address, port });
  }
  return stale;
}

/** Each is a process of its own; flows past this many are left to their timeout (30 s to 3 min). */
const flowsMax = 200;

/** Runs conntrack once for each flow; where the tool is missing this is said, and flows end by their timeout. */
export async function deleteStaleConntrack(flows: readonly StaleFlow[], options: { log: Log; within?: readonly string[] }): Promise<void> {
  for (const { address, port, endpoint } of flows.slice(0, flowsMax)) {
    const command = ['conntrack', '-D', '-p', 'udp', '--orig-dst', address, '--dport', String(port)];
    const { code, stderr } = await run([...command, ...(endpoint ? ['--reply-src', endpoint] : ['--reply-src', address])], options);
    // 1: there was no such flow.
    if (code !== 0 && code !== 1) {
      options.log.warn('could not delete stale UDP flows', { address, port, error: stderr.trim() });
      return;
    }
  }
}
