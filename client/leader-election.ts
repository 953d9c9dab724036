// One of several does the work: whoever holds a Lease. The rules are client-go's: a holder that cannot renew
// gives up before anyone else may take over, and clocks of different machines are never compared.

import { type Lease, leases } from '../api/core.ts';
import { isStatus } from '../api/status.ts';
import { backoffMs } from '../base/backoff.ts';
import { type Clock, microTimestamp, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Client } from './client.ts';

export interface LeaderElectionOptions {
  client: Client;
  clock: Clock;
  random: Random;
  log: Log;
  /** Ends the candidacy; a lease that is held is given back. */
  signal: AbortSignal;
  /** Of the Lease. */
  namespace: string;
  name: string;
  /** Different for each candidate. */
  identity: string;
  /** How long others wait for a silent holder. Default 15. */
  leaseSeconds?: number;
  /** How long a holder tries to renew before it gives up; less than `leaseSeconds`. Default 10. */
  renewDeadlineSeconds?: number;
  /** Between tries. Default 2. */
  retrySeconds?: number;
  /** The work; its signal aborts when the lease is lost. The candidacy goes on once it has returned. */
  lead(signal: AbortSignal): Promise<void>;
}

/** Returns when `signal` aborts and the work, if any, has ended. */
export async function runForLeader(options: LeaderElectionOptions): Promise<void> {
  const { clock, random, log, signal, retrySeconds = 2 } = options;
  const candidate = new Candidate(options);
  while (!signal.aborted) {
    if (await candidate.tryOnce()) {
      log.info(`became leader`, { lease: options.name, identity: options.identity });
      await leadWhileHeld(options, candidate);
      log.info(`stopped leading`, { lease: options.name, identity: options.identity });
    }
    const delayMs = backoffMs(0, { baseMs: retrySeconds * 1000, capMs: retrySeconds * 1000, jitter: 1.2 }, random);
    await sleep(clock, delayMs, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

async function leadWhileHeld(options: LeaderElectionOptions, candidate: Candidate): Promise<void> {
  const { clock, signal, retrySeconds = 2, renewDeadlineSeconds = 10 } = options;
  const term = new AbortController();
  const onAbort = () => term.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  // Fires even while a renewal hangs: nobody may lead on a lease that others may already have taken.
  let deadline = clock.setTimer(renewDeadlineSeconds * 1000, onAbort);
  const renewing = (async () => {
    while (!term.signal.aborted) {
      await sleep(clock, retrySeconds * 1000, term.signal).catch((error: unknown) => {
        if (!term.signal.aborted) throw error;
      });
      if (term.signal.aborted || !(await candidate.tryOnce())) continue;
      deadline.cancel();
      deadline = clock.setTimer(renewDeadlineSeconds * 1000, onAbort);
    }
  })();
  try {
    await options.lead(term.signal);
  } finally {
    term.abort();
    deadline.cancel();
    signal.removeEventListener('abort', onAbort);
    await renewing;
    deadline.cancel();
    await candidate.release();
  }
}

class Candidate {
  readonly #options: LeaderElectionOptions;
  /** The lease as last seen, and when we saw it change, on our own clock. */
  #seen: { lease: Lease; atMs: number } | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
  }

  /** Takes or renews the lease. False when another holds it, or the server does not answer well. */
  async tryOnce(): Promise<boolean> {
    const { log } = this.#options;
    try {
      return await this.#acquireOrRenew();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      log.debug(`lease ${this.#options.name}: ${error.message}`);
      return false;
    }
  }

  async #acquireOrRenew(): Promise<boolean> {
    const { client, clock, namespace, name, identity, leaseSeconds = 15 } = this.#options;
    const now = microTimestamp(clock);
    const claim = { holderIdentity: identity, leaseDurationSeconds: leaseSeconds, renewTime: now };
    let lease: Lease;
    try {
      lease = await client.get(leases, { namespace, name });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
      const spec = { ...claim, acquireTime: now, leaseTransitions: 0 };
      this.#observe(await client.create(leases, { metadata: { namespace, name }, spec }));
      return true;
    }
    const seen = this.#observe(lease);
    const { holderIdentity = '', leaseDurationSeconds = leaseSeconds, acquireTime = now, leaseTransitions = 0 } = lease.spec ?? {};
    const isOurs = holderIdentity === identity;
    const isValid = seen.atMs + leaseDurationSeconds * 1000 > clock.monotonicMs();
    if (holderIdentity && !isOurs && isValid) return false;
    const spec = isOurs
      ? { ...claim, acquireTime, leaseTransitions }
      : { ...claim, acquireTime: now, leaseTransitions: leaseTransitions + 1 };
    // With the resourceVersion that was read: of two candidates one gets a conflict.
    this.#observe(await client.update(leases, { ...lease, spec }));
    return true;
  }

  /** Gives the lease back, so that the next leader need not wait. */
  async release(): Promise<void> {
    const { client, clock, identity, log } = this.#options;
    const lease = this.#seen?.lease;
    if (!lease || lease.spec?.holderIdentity !== identity) return;
    const now = microTimestamp(clock);
    const { leaseTransitions = 0 } = lease.spec;
    try {
      await client.update(leases, {
        ...lease,
        spec: { holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now, leaseTransitions },
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      log.debug(`lease ${this.#options.name} was not given back: ${error.message}`);
    }
  }

  #observe(lease: Lease): { lease: Lease; atMs: number } {
    if (!this.#seen || this.#seen.lease.metadata?.resourceVersion !== lease.metadata?.resourceVersion) {
      this.#seen = { lease, atMs: this.#options.clock.monotonicMs() };
    }
    return this.#seen;
  }
}
