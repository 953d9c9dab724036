// Config maps and secrets that pods of this node refer to: each is read when first asked for and watched by itself
// while any pod may need it, as the node authorizer allows no more.

import { BehaviorSubject, filter, firstValueFrom, type Subscription } from 'rxjs';
import { type ConfigMap, configMaps, type Secret, secrets } from '../../api/core.ts';
import type { Kind } from '../../api/kind.ts';
import { isStatus } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { ReferencedObjects } from '../containers/environment.ts';

export interface ObjectWatchOptions {
  client: Client;
  clock: Clock;
  signal: AbortSignal;
  /** An object that is watched has changed. */
  onChange(kind: Kind, namespace: string, name: string): void;
}

const retryMs = 2_000;
/** How long an object that nobody asked for any more is still watched. */
const idleMsMax = 180_000;

interface Entry {
  /** undefined: not read yet; null: not found. */
  value: BehaviorSubject<KubeObject | null | undefined>;
  askedMs: number;
  end: AbortController;
  watch: Subscription | undefined;
}

export class ObjectWatch implements ReferencedObjects {
  readonly #options: ObjectWatchOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: ObjectWatchOptions) {
    this.#options = options;
  }

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return this.#get(configMaps, namespace, name);
  }

  secret(namespace: string, name: string): Promise<Secret | undefined> {
    return this.#get(secrets, namespace, name);
  }

  async #get<T extends KubeObject>(kind: Kind<T>, namespace: string, name: string): Promise<T | undefined> {
    this.#dropIdle();
    const { client, clock } = this.#options;
    const key = `${kind.plural}/${namespace}/${name}`;
    let entry = this.#entries.get(key);
    if (!entry) {
      const value = new BehaviorSubject<KubeObject | null | undefined>(undefined);
      entry = { value, askedMs: clock.nowMs(), end: new AbortController(), watch: undefined };
      this.#entries.set(key, entry);
      void this.#follow(kind, namespace, name, entry);
    }
    entry.askedMs = clock.nowMs();
    const known = await firstValueFrom(entry.value.pipe(filter((v) => v !== undefined)));
    if (known) return known as T;
    // What was missing may have just been made, sooner than its watch tells.
    try {
      const object = await client.get(kind, { namespace, name });
      entry.value.next(object);
      return object;
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async #follow(kind: Kind, namespace: string, name: string, entry: Entry): Promise<void> {
    const { client, clock, signal } = this.#options;
    const ends = AbortSignal.any([signal, entry.end.signal]);
    while (!ends.aborted) {
      try {
        const fieldSelector = `metadata.name=${name}`;
        const list = await client.list(kind, { namespace, fieldSelector });
        this.#put(kind, namespace, name, entry, list.items.find((item) => item.metadata?.name === name) ?? null);
        const from = list.metadata.resourceVersion;
        await new Promise<void>((resolve) => {
          ends.addEventListener('abort', () => resolve(), { once: true });
          entry.watch = client
            .watch(kind, { namespace, fieldSelector, allowWatchBookmarks: true, ...(from ? { resourceVersion: from } : {}) })
            .subscribe({
              next: (event) => {
                if (event.object.metadata?.name !== name) return;
                if (event.type === 'DELETED') this.#put(kind, namespace, name, entry, null);
                else if (event.type === 'ADDED' || event.type === 'MODIFIED') this.#put(kind, namespace, name, entry, event.object);
              },
              error: () => resolve(),
              complete: () => resolve(),
            });
        });
        entry.watch?.unsubscribe();
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        // A server that cannot be asked is a reason to ask again; pods wait meanwhile.
        if (entry.value.value === undefined && isStatus(error, 'NotFound', 'Forbidden')) entry.value.next(null);
      }
      await sleep(clock, retryMs, ends).catch(() => undefined);
    }
  }

  #put(kind: Kind, namespace: string, name: string, entry: Entry, object: KubeObject | null): void {
    const before = entry.value.value;
    entry.value.next(object);
    if (before === undefined || before?.metadata?.resourceVersion === object?.metadata?.resourceVersion) return;
    this.#options.onChange(kind, namespace, name);
  }

  #dropIdle(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [key, entry] of this.#entries) {
      if (nowMs - entry.askedMs <= idleMsMax) continue;
      entry.end.abort();
      entry.watch?.unsubscribe();
      this.#entries.delete(key);
    }
  }
}
