// A store whose values of chosen resources are encrypted at rest: stands between the registries and the store itself,
// which sees no clear text. Everything else passes through.

import { map } from 'rxjs';
import { ConflictError, type Entry, KeyExistsError, type Store, type StoreEvent } from '../../store/store.ts';
import type { EncryptionRule } from './configuration.ts';
import { startsWith, type Transformer } from './transformers.ts';

/** A stored value cannot be read with the keys there are. */
export class DecryptionError extends Error {
  override name = 'DecryptionError';
  constructor(key: string, why: string, cause?: unknown) {
    super(`the value of ${key} cannot be decrypted: ${why}`, { cause });
  }
}

/** `store` with what `rules` name encrypted; closing it closes `store`. */
export function encryptedStore(store: Store, rules: readonly EncryptionRule[]): Store {
  const transformersOf = resourceMatcher(rules);
  /** Keys whose value was written with another than the first transformer. */
  const outdated = new Set<string>();

  function seal(key: string, value: Uint8Array): Uint8Array {
    return transformersOf(key)?.[0]?.encrypt(value, key) ?? value;
  }

  function open(entry: Entry): Entry {
    const transformers = transformersOf(entry.key);
    if (!transformers) return entry;
    // Every value begins with identity's empty prefix, so that one only takes what no other does.
    const matching = transformers.filter(({ prefix }) => startsWith(entry.value, prefix));
    const found = matching.find(({ prefix }) => prefix.length > 0) ?? matching[0];
    if (!found) throw new DecryptionError(entry.key, 'no matching prefix found');
    if (found === transformers[0]) outdated.delete(entry.key);
    else outdated.add(entry.key);
    try {
      return { ...entry, value: found.decrypt(entry.value.subarray(found.prefix.length), entry.key) };
    } catch (error) {
      throw new DecryptionError(entry.key, error instanceof Error ? error.message : String(error), error);
    }
  }

  /** Deleted values may have been written with keys that are gone; nobody needs them to know of the deletion. */
  function openPrevious(entry: Entry): Entry {
    try {
      return open(entry);
    } catch (error) {
      if (!(error instanceof DecryptionError)) throw error;
      return { ...entry, value: new Uint8Array() };
    }
  }

  function openEvent(event: StoreEvent): StoreEvent {
    const previous = event.previous && openPrevious(event.previous);
    if (event.type === 'put') return { type: 'put', entry: open(event.entry), previous };
    outdated.delete(event.key);
    return { ...event, previous: previous ?? event.previous };
  }

  async function writing<R>(write: Promise<R>): Promise<R> {
    try {
      return await write;
    } catch (error) {
      if (error instanceof KeyExistsError) throw new KeyExistsError(error.key, open(error.current));
      if (error instanceof ConflictError) throw new ConflictError(error.key, error.current && open(error.current));
      throw error;
    }
  }

  return {
    currentRevision: () => store.currentRevision(),
    count: (prefix) => store.count(prefix),
    compact: (revision) => store.compact(revision),
    sizeBytes: () => store.sizeBytes(),
    close: () => store.close(),
    isOutdated: (key) => outdated.has(key),
    async get(key, revision) {
      const entry = await store.get(key, revision);
      return entry && open(entry);
    },
    async list(prefix, options) {
      const result = await store.list(prefix, options);
      return { ...result, entries: result.entries.map(open) };
    },
    put: (key, value, expectedRevision) => writing(store.put(key, seal(key, value), expectedRevision)),
    delete: (key, expectedRevision) => writing(store.delete(key, expectedRevision)),
    watch: (prefix, afterRevision) =>
      store.watch(prefix, afterRevision).pipe(map(({ events, revision }) => ({ events: events.map(openEvent), revision }))),
  };
}

/** Which transformers are for a key; the first rule that names its resource decides. */
function resourceMatcher(rules: readonly EncryptionRule[]): (key: string) => readonly Transformer[] | undefined {
  const known = new Map<string, readonly Transformer[] | undefined>();
  return (key) => {
    if (!key.startsWith('/registry/')) return undefined;
    const [, , group = '', plural = ''] = key.split('/', 4);
    const resource = `${group}/${plural}`;
    if (known.has(resource)) return known.get(resource);
    const names = group === 'core' ? [plural, '*.', '*.*'] : [`${plural}.${group}`, `*.${group}`, '*.*'];
    const found = rules.find(({ resources }) => resources.some((name) => names.includes(name)))?.transformers;
    known.set(resource, found);
    return found;
  };
}
