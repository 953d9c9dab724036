// The contract's property test: random interleavings of writes, reads, watches and compactions, compared with the plainest
// possible model: the list of all writes. Every failure can be repeated with the seed that is printed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemRandom } from '../base/random.ts';
import { revisionOf, text, Watching } from './contract-watching.ts';
import { CompactedError, ConflictError, KeyExistsError, type Store, type StoreEvent } from './store.ts';

type Expectation = 'anything' | 'absent' | 'current' | 'outdated';
type Command =
  | { do: 'put'; key: number; expect: Expectation }
  | { do: 'delete'; key: number; expect: Expectation }
  | { do: 'burst'; keys: number[] }
  | { do: 'watch'; prefix: number; back: number }
  | { do: 'list'; prefix: number; back: number; limit: number; after: number }
  | { do: 'compact'; back: number };

const keys = ['/a/1', '/a/2', '/a/2/x', '/ab/1', '/b/1', '/b/é'];
const prefixes = ['/', '/a/', '/a', '/b/', '/none/'];

const key = fc.nat(keys.length - 1);
const prefix = fc.nat(prefixes.length - 1);
const back = fc.nat(12);
const expectation = fc.constantFrom<Expectation>('anything', 'anything', 'absent', 'current', 'current', 'outdated');
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), key, expect: expectation }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key, expect: expectation }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('burst' as const), keys: fc.array(key, { minLength: 2, maxLength: 8 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('watch' as const), prefix, back }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('list' as const), prefix, back, limit: fc.nat(4), after: fc.nat(keys.length) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const), back }) },
);

/** Declares the test. The seed of a failure can be given in STORE_CONTRACT_SEED. */
export function storeModelTest(name: string, open: () => Promise<Store>, numRuns: number): void {
  test(`${name}: random writes, reads, watches and compactions agree with a model`, async (t) => {
    const seed = Number(process.env['STORE_CONTRACT_SEED'] ?? Math.floor(systemRandom.float() * 2 ** 31));
    t.diagnostic(`STORE_CONTRACT_SEED=${seed}`);
    const property = fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 60, size: 'max' }), async (commands) => {
      const store = await open();
      try {
        await new Run(store, await store.currentRevision()).all(commands);
      } finally {
        await store.close();
      }
    });
    await fc.assert(property, { seed, numRuns, interruptAfterTimeLimit: 60_000 });
  });
}

interface Write {
  revision: number;
  key: string;
  /** undefined: a deletion */
  value: string | undefined;
}

interface Watched {
  watching: Watching;
  prefix: string;
  after: number;
  compactedAtStart: number;
}

class Run {
  readonly #store: Store;
  /** Nothing had been written at this revision. */
  readonly #start: number;
  #compacted: number;
  #writes: Write[] = [];
  #counter = 0;
  readonly #watches: Watched[] = [];

  constructor(store: Store, start: number) {
    this.#store = store;
    this.#start = start;
    this.#compacted = start;
  }

  async all(commands: readonly Command[]): Promise<void> {
    for (const command of commands) await this.#run(command);
    for (const watch of this.#watches) await this.#checkWatch(watch);
  }

  async #run(command: Command): Promise<void> {
    switch (command.do) {
      case 'put':
      case 'delete':
        return this.#write(command.do, keys[command.key]!, command.expect);
      case 'burst':
        return this.#burst(command.keys.map((k) => keys[k]!));
      case 'watch': {
        const after = Math.max(this.#start, this.#newest() - command.back);
        const prefix = prefixes[command.prefix]!;
        this.#watches.push({ watching: new Watching(this.#store.watch(prefix, after)), prefix, after, compactedAtStart: this.#compacted });
        return;
      }
      case 'list':
        return this.#list(
          prefixes[command.prefix]!,
          Math.max(this.#start, this.#newest() - command.back),
          command.limit,
          keys[command.after],
        );
      case 'compact': {
        const revision = this.#newest() - command.back;
        if (revision <= this.#start) return;
        await this.#store.compact(revision);
        this.#compacted = Math.max(this.#compacted, revision);
        return;
      }
    }
  }

  async #write(how: 'put' | 'delete', key: string, expect: Expectation): Promise<void> {
    const before = this.#at(key, this.#newest());
    const isThere = before?.value !== undefined;
    const expected = { anything: undefined, absent: 0, current: isThere ? before.revision : 0, outdated: 1_000_000_007 }[expect];
    const fits = expected === undefined || expected === (isThere ? before.revision : 0);
    const isAllowed = how === 'put' ? fits : fits && isThere;
    const value = how === 'put' ? `value ${++this.#counter}` : undefined;
    try {
      const revision =
        value === undefined ? await this.#store.delete(key, expected) : await this.#store.put(key, Buffer.from(value), expected);
      assert.ok(isAllowed, `${how} of ${key} expecting ${expected} went through over revision ${before?.revision}`);
      assert.ok(revision > this.#newest(), `revision ${revision} after ${this.#newest()}`);
      this.#writes.push({ revision, key, value });
    } catch (error) {
      if (!(error instanceof ConflictError || error instanceof KeyExistsError)) throw error;
      assert.ok(!isAllowed, `${how} of ${key} expecting ${expected} was refused over revision ${before?.revision}`);
      assert.equal(error instanceof KeyExistsError, how === 'put' && expected === 0);
      assert.deepEqual(
        [text(error.current), error.current?.modRevision],
        isThere ? [before.value, before.revision] : [undefined, undefined],
      );
    }
  }

  async #burst(burst: readonly string[]): Promise<void> {
    const writes = await Promise.all(
      burst.map(async (key): Promise<Write> => {
        const value = `value ${++this.#counter}`;
        return { revision: await this.#store.put(key, Buffer.from(value)), key, value };
      }),
    );
    assert.ok(Math.min(...writes.map((w) => w.revision)) > this.#newest());
    this.#writes.push(...writes.sort((a, b) => a.revision - b.revision));
  }

  async #list(prefix: string, revision: number, limit: number, after: string | undefined): Promise<void> {
    const options = { revision, limit, ...(after === undefined ? {} : { after }) };
    if (revision < this.#compacted) {
      await assert.rejects(this.#store.list(prefix, options), CompactedError);
      return;
    }
    const result = await this.#store.list(prefix, options);
    const expected = keys
      .filter((key) => key.startsWith(prefix) && (after === undefined || key > after))
      .sort()
      .flatMap((key) => {
        const write = this.#at(key, revision);
        return write?.value === undefined ? [] : [`${key} ${write.value} ${write.revision} ${this.#created(key, revision)}`];
      });
    const page = limit > 0 ? expected.slice(0, limit) : expected;
    assert.deepEqual(
      result.entries.map((e) => `${e.key} ${text(e)} ${e.modRevision} ${e.createRevision}`),
      page,
    );
    assert.equal(result.remaining, expected.length - page.length);
    assert.equal(result.revision, revision);
  }

  async #checkWatch({ watching, prefix, after, compactedAtStart }: Watched): Promise<void> {
    const last = this.#writes.findLast((w) => w.revision > after)?.revision ?? 0;
    await watching.until(() => watching.isEnded || watching.revision >= last);
    watching.stop();
    const told = watching.events.map(describe);
    const expected = this.#writes.filter((w) => w.key.startsWith(prefix) && w.revision > after).map((w) => this.#describe(w));
    if (after < compactedAtStart) {
      assert.ok(watching.error instanceof CompactedError, `a watch from ${after}, below ${compactedAtStart}, must be refused`);
      assert.deepEqual(told, []);
    } else if (watching.isEnded) {
      // A compaction may overtake a watch that has not been delivered to yet; what it was told must be right all the same.
      assert.ok(
        watching.error instanceof CompactedError && Math.max(after, watching.revision) < this.#compacted,
        `ended: ${watching.error}`,
      );
      assert.deepEqual(told, expected.slice(0, told.length));
    } else assert.deepEqual(told, expected);
  }

  #describe(write: Write): string {
    const before = this.#at(write.key, write.revision - 1);
    const was = before?.value === undefined ? 'nothing' : `${before.value} ${before.revision}`;
    return `${write.revision} ${write.key} ${write.value ?? 'deleted'} over ${was}`;
  }

  #newest(): number {
    return this.#writes.at(-1)?.revision ?? this.#start;
  }

  #at(key: string, revision: number): Write | undefined {
    return this.#writes.findLast((w) => w.key === key && w.revision <= revision);
  }

  #created(key: string, revision: number): number | undefined {
    const writes = this.#writes.filter((w) => w.key === key && w.revision <= revision);
    const deletedAt = writes.findLastIndex((w) => w.value === undefined);
    return writes[deletedAt + 1]?.revision;
  }
}

function describe(event: StoreEvent): string {
  const was = event.previous ? `${text(event.previous)} ${event.previous.modRevision}` : 'nothing';
  const [key, value] = event.type === 'put' ? [event.entry.key, text(event.entry)] : [event.key, 'deleted'];
  return `${revisionOf(event)} ${key} ${value} over ${was}`;
}
