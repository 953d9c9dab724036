// The kernel as service proxy: keeps one nftables table equal to a plan, by difference. On start it takes over what is
// there already; a service's numbered endpoints and its count change in one transaction, so no connection falls between.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Applier } from './applier.ts';
import { deleteStaleConntrack, staleFlows } from './conntrack.ts';
import { applied, type Change, difference, keepPlaces, type RuleSet, transactions } from './difference.ts';
import { readRuleSet, recognised } from './kernel-table.ts';
import { Nft, NftError, run } from './nft.ts';
import { type Frontend, type Plan, planOf } from './plan.ts';
import { frontendRules, type RulesOptions, ruleSetOf } from './rules.ts';
import { claimServiceCidr, releaseServiceCidr } from './service-route.ts';

export interface NftablesOptions extends RulesOptions {
  /** Of the cluster: its table is `t8s-<name>`, so several clusters can share a machine. */
  clusterName: string;
  nodeAddresses: readonly string[];
  clock: Clock;
  log: Log;
  /** A command prefix to run tools under, for instance to enter a network namespace. */
  within?: readonly string[];
}

/** True where nft is to be had and the kernel does what the rules need. */
export async function isNftablesUsable(within: readonly string[] = []): Promise<boolean> {
  const probe = 'add table ip t8s-probe; add chain ip t8s-probe c { type nat hook prerouting priority -105; }; '.concat(
    'add rule ip t8s-probe c meta l4proto tcp dnat ip to numgen random mod 1 map { 0 : 127.0.0.1 }; delete table ip t8s-probe',
  );
  return (await run(['nft', '-c', '-f', '-'], { within, input: `${probe}\n` })).code === 0;
}

export class Nftables implements Applier {
  readonly name = 'nftables';
  readonly #options: NftablesOptions;
  readonly #nft: Nft;
  readonly #table: string;
  /** What the kernel has, as far as we know; undefined until it has been read. */
  #current: RuleSet | undefined;
  #plan: Plan = new Map();
  /** What nothing refers to any more, left for packets that are under way until the next reconciliation but one. */
  #idle = new Set<string>();
  #rulesOf = new WeakMap<Frontend, [string, string][]>();
  #unsupported = new Set<string>();

  constructor(options: NftablesOptions) {
    this.#options = options;
    this.#nft = new Nft(options);
    this.#table = tableName(options.clusterName);
  }

  async apply(next: Plan): Promise<void> {
    if (!this.#current) {
      await this.#prepareMachine();
      this.#current = await this.#read();
    }
    const before = this.#plan;
    const placed = placedLike(before, next);
    this.#warnOfUnsupported(placed);
    await this.#become(placed);
    await deleteStaleConntrack(staleFlows(before, placed), this.#options);
  }

  async reconcile(): Promise<number> {
    if (!this.#current) return 0;
    await this.#prepareMachine();
    this.#current = await this.#read();
    const idle = this.#idle;
    this.#idle = new Set();
    const repaired = await this.#become(this.#plan, idle);
    if (repaired > 0)
      this.#options.log.warn('repaired the service rules: something else had changed them', { table: this.#table, repaired });
    return repaired;
  }

  async close({ remove }: { remove: boolean }): Promise<void> {
    if (remove) {
      await this.#nft.transact([`add table ip ${this.#table}`, `delete table ip ${this.#table}`]);
      await releaseServiceCidr(this.#options);
      this.#current = undefined;
    }
    await this.#nft.close();
  }

  async #read(): Promise<RuleSet> {
    const listed = await this.#nft.listTable(this.#table);
    return listed ? readRuleSet(listed) : new Map();
  }

  /** Brings the kernel from `#current` to `plan`, and removes `idle` too; answers the number of changes to what is in use. */
  async #become(plan: Plan, idle: ReadonlySet<string> = new Set()): Promise<number> {
    const desired = ruleSetOf(plan, this.#options, (frontend) => {
      let rules = this.#rulesOf.get(frontend);
      if (!rules) {
        rules = frontendRules(frontend, this.#options);
        this.#rulesOf.set(frontend, rules);
      }
      return rules;
    });
    const current = recognised(this.#current ?? new Map<string, string>(), desired);
    const all = difference(current, desired);
    const inUse = all.filter((change) => change.after !== undefined || !canIdle(change));
    const changes = all.filter((change) => change.after !== undefined || !canIdle(change) || idle.has(change.key));
    const idling = all.filter((change) => change.after === undefined && canIdle(change) && !idle.has(change.key));
    for (const { key } of idling) this.#idle.add(key);
    for (const key of desired.keys()) this.#idle.delete(key);
    if (changes.length > 0) {
      try {
        const { prepare, commit } = transactions(this.#table, changes);
        if (prepare.length > 0) await this.#nft.transact([`add table ip ${this.#table}`, ...prepare]);
        await this.#nft.transact(commit);
        this.#current = applied(current, changes);
      } catch (error) {
        if (!(error instanceof NftError)) throw error;
        // The kernel is not where we thought: say it all anew, still in one transaction.
        this.#options.log.warn('could not change the service rules by difference; writing them anew', {
          table: this.#table,
          error: error.message,
        });
        this.#current = undefined;
        const { prepare, commit } = transactions(this.#table, difference(new Map(), desired));
        const renew = [`add table ip ${this.#table}`, `delete table ip ${this.#table}`, `add table ip ${this.#table}`];
        await this.#nft.transact([...renew, ...prepare, ...commit]);
        this.#current = desired;
      }
    }
    this.#plan = plan;
    return inUse.length;
  }

  async #prepareMachine(): Promise<void> {
    const { within = [], log } = this.#options;
    const settings = ['net/ipv4/ip_forward', 'net/bridge/bridge-nf-call-iptables'];
    if (this.#options.nodeAddresses.some((address) => address.startsWith('127.'))) settings.push('net/ipv4/conf/all/route_localnet');
    for (const setting of settings) {
      const { code, stderr } = await run(['sh', '-c', `read v </proc/sys/${setting} && [ "$v" = 1 ] || echo 1 >/proc/sys/${setting}`], {
        within,
      });
      if (code !== 0) log.warn('could not set a kernel setting that services need', { setting, error: stderr.trim() });
    }
    await claimServiceCidr(this.#options);
  }

  #warnOfUnsupported(plan: Plan): void {
    for (const { protocol, of } of plan.values()) {
      if (protocol !== 'sctp' || this.#unsupported.has(of)) continue;
      this.#unsupported.add(of);
      this.#options.log.warn('SCTP services are not proxied', { service: of });
    }
  }
}

/**
 * A packet under way across a transaction may still go to a chain that was found before it, or be a pod's to itself. Such
 * leftovers do nothing on their own, so they are removed later. Chains that are not ours to know are not left.
 */
function canIdle({ key, before }: Change): boolean {
  if (key.startsWith('element hairpin ')) return true;
  const isOurs = /^(chain|set) ((outside-|always-)?(tcp|udp)-to-\d|affinity-)/.test(key);
  return isOurs && !(before ?? '').includes('#foreign');
}

/** nft names are at most 256 bytes of letters, digits, `/ \ _ . -`. */
export function tableName(clusterName: string): string {
  return `t8s-${clusterName.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 200)}`;
}

/** `next` with its endpoints at the places they had in `before`; unchanged frontends stay the same objects. */
function placedLike(before: Plan, next: Plan): Plan {
  return planOf(
    [...next].map(([key, frontend]) => {
      const old = before.get(key);
      if (!old || old === frontend) return frontend;
      const placed = { ...frontend, endpoints: keepPlaces(old.endpoints, frontend.endpoints) };
      return JSON.stringify(placed) === JSON.stringify(old) ? old : placed;
    }),
  );
}
