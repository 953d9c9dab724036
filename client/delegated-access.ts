// Who may ask a component that serves something itself: client certificates are read here, tokens and permissions are
// asked of the API server (TokenReview, SubjectAccessReview), as Kubernetes' components delegate both.

import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { tokenReviews } from '../api/authentication.ts';
import { type NonResourceAttributes, type ResourceAttributes, subjectAccessReviews } from '../api/authorization.ts';
import { StatusError } from '../api/status.ts';
import type { Clock } from '../base/clock.ts';
import type { Client } from './client.ts';

export interface Asker {
  name: string;
  groups: readonly string[];
  uid?: string | undefined;
  extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

export type AccessAttributes = { resourceAttributes: ResourceAttributes } | { nonResourceAttributes: NonResourceAttributes };

export interface DelegatedAccessOptions {
  /** In the component's own name, which may create reviews. */
  client: Client;
  clock: Clock;
  /** How long answers are remembered. Default 10 seconds each, as the controller manager's and the scheduler's. */
  tokenSeconds?: number;
  allowedSeconds?: number;
  deniedSeconds?: number;
}

const anonymous: Asker = Object.freeze({ name: 'system:anonymous', groups: Object.freeze(['system:unauthenticated']) });
const rememberedMax = 1024;

export class DelegatedAccess {
  readonly #options: Required<DelegatedAccessOptions>;
  readonly #users: Remembered<Promise<Asker | undefined>>;
  readonly #decisions: Remembered<Promise<boolean>>;

  constructor(options: DelegatedAccessOptions) {
    this.#options = { tokenSeconds: 10, allowedSeconds: 10, deniedSeconds: 10, ...options };
    this.#users = new Remembered(options.clock);
    this.#decisions = new Remembered(options.clock);
  }

  /** Without credentials: system:anonymous. The server must ask for client certificates. @throws StatusError Unauthorized for bad ones */
  async userOf(request: IncomingMessage): Promise<Asker> {
    const socket = request.socket as TLSSocket;
    if (socket.authorized) {
      const { subject } = socket.getPeerCertificate();
      const groups = ([] as string[]).concat(subject?.O ?? []);
      if (subject?.CN) return { name: String(subject.CN), groups: [...groups, 'system:authenticated'] };
    }
    const token = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) return anonymous;
    const user = await this.#users.get(token, () => ({ value: this.#review(token), seconds: this.#options.tokenSeconds }));
    if (!user) throw new StatusError('Unauthorized', 'Unauthorized');
    return user;
  }

  /** Whether the API server lets this user do it. @throws what the request for it throws */
  async isAllowed(user: Asker, attributes: AccessAttributes): Promise<boolean> {
    const key = JSON.stringify([user.name, user.uid, user.groups, user.extra, attributes]);
    const { allowedSeconds, deniedSeconds } = this.#options;
    const isAllowed = await this.#decisions.get(key, () => ({
      value: this.#decide(user, attributes),
      seconds: Math.max(allowedSeconds, deniedSeconds),
    }));
    this.#decisions.limit(key, isAllowed ? allowedSeconds : deniedSeconds);
    return isAllowed;
  }

  async #review(token: string): Promise<Asker | undefined> {
    const { status } = await this.#options.client.create(tokenReviews, { spec: { token } });
    if (!status?.authenticated) return undefined;
    const { username = '', groups = [], uid, extra } = status.user ?? {};
    return { name: username, groups, uid, extra };
  }

  async #decide(user: Asker, attributes: AccessAttributes): Promise<boolean> {
    const { name, groups, uid, extra } = user;
    const spec = {
      user: name,
      groups: [...groups],
      ...(uid ? { uid } : {}),
      ...(extra ? { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) } : {}),
      ...attributes,
    };
    const { status } = await this.#options.client.create(subjectAccessReviews, { spec });
    return status?.allowed === true;
  }
}

/** Answers for a while; those that fail are forgotten at once. */
class Remembered<V extends Promise<unknown>> {
  readonly #clock: Clock;
  readonly #entries = new Map<string, { value: V; sinceMs: number; seconds: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string, ask: () => { value: V; seconds: number }): V {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#entries.get(key);
    if (known && nowMs - known.sinceMs < known.seconds * 1000) return known.value;
    this.#entries.delete(key);
    const { value, seconds } = ask();
    this.#entries.set(key, { value, sinceMs: nowMs, seconds });
    value.catch(() => this.#entries.delete(key));
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > rememberedMax && oldest !== undefined) this.#entries.delete(oldest);
    return value;
  }

  limit(key: string, seconds: number): void {
    const known = this.#entries.get(key);
    if (known) known.seconds = seconds;
  }
}
