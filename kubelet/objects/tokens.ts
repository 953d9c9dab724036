// Service account tokens for pods, by TokenRequest: bound to the pod, renewed when four fifths of their time are over.

import { type Pod, serviceAccounts } from '../../api/core.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { TokenSource } from '../volumes/payload.ts';

interface TokenRequest extends KubeObject {
  spec: { audiences: string[]; expirationSeconds: number; boundObjectRef: { kind: string; apiVersion: string; name: string; uid: string } };
  status?: { token: string; expirationTimestamp: string };
}

interface CachedToken {
  token: string;
  renewAtMs: number;
}

const expirationSecondsDefault = 3607;
const cachedMax = 2048;
/** A token is renewed after a day at the latest. */
const ageMsMax = 24 * 3600_000;

export class Tokens implements TokenSource {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #cache = new Map<string, CachedToken>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async token(pod: Pod, request: { audience?: string; expirationSeconds?: number }): Promise<string> {
    const { name = '', namespace = 'default', uid = '' } = pod.metadata ?? {};
    const account = pod.spec?.serviceAccountName ?? 'default';
    const expirationSeconds = request.expirationSeconds ?? expirationSecondsDefault;
    const key = [uid, account, request.audience, expirationSeconds].join('\0');
    const nowMs = this.#clock.nowMs();
    const cached = this.#cache.get(key);
    if (cached && nowMs < cached.renewAtMs) return cached.token;
    const body: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: request.audience ? [request.audience] : [],
        expirationSeconds,
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
      },
    };
    const answer = await this.#client.createSubresource(serviceAccounts, { namespace, name: account }, 'token', body);
    const status = 'spec' in answer ? answer.status : undefined;
    if (!status?.token) throw new Error(`failed to fetch token: no token in the answer for service account ${namespace}/${account}`);
    const lifeMs = Date.parse(status.expirationTimestamp) - nowMs;
    const [oldest] = this.#cache.keys();
    if (this.#cache.size >= cachedMax && oldest !== undefined) this.#cache.delete(oldest);
    this.#cache.set(key, { token: status.token, renewAtMs: nowMs + Math.min(ageMsMax, lifeMs * 0.8) });
    return status.token;
  }
}
