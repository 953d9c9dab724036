// What stands between a value and how it looks at rest (k8s.io/apiserver/pkg/storage/value), and how one is chosen among
// several: by what the stored bytes begin with.

/** A value that was read. */
export interface Opened {
  readonly value: Uint8Array;
  /** It was not written the way it would be written now: the next update writes it although nothing in it is new. */
  readonly isStale: boolean;
}

export interface Transformer {
  /** `key` is the value's key in the store. @throws when nothing can be written now */
  encrypt(value: Uint8Array, key: string): Uint8Array;
  /**
   * A promise only when somebody outside has to be asked.
   * @throws when the value was changed, was moved to another key or was written with a lost key
   */
  decrypt(stored: Uint8Array, key: string): Opened | Promise<Opened>;
}

export interface PrefixedTransformer {
  /** What its stored values begin with; '' for those that are as they are. */
  readonly prefix: string;
  readonly transformer: Transformer;
}

/** Told of every transformation by a list of transformers. */
export type RecordTransformation = (done: {
  type: 'from_storage' | 'to_storage';
  prefix: string;
  seconds: number;
  error: Error | undefined;
}) => void;

export interface PrefixTransformersOptions {
  /** Why a value is refused that begins with none of the prefixes. */
  noMatch: string;
  record: RecordTransformation;
  /** Milliseconds; only differences count. */
  nowMs(): number;
}

/** The first writes; all read that the stored bytes begin with the prefix of, until one succeeds. */
export function prefixTransformers(list: readonly PrefixedTransformer[], options: PrefixTransformersOptions): Transformer {
  const { noMatch, record, nowMs } = options;
  const readers = list.map(({ prefix, transformer }) => ({ prefix, transformer, bytes: Buffer.from(prefix) }));
  const first = readers[0];
  if (!first) throw new Error('a list of transformers has at least one');

  function read(attempt: { stored: Uint8Array; key: string; startMs: number; from: number; errors: Error[] }): Opened | Promise<Opened> {
    const { stored, key, startMs, errors } = attempt;
    const succeeded = (index: number, prefix: string, { value, isStale }: Opened): Opened => {
      record({ type: 'from_storage', prefix: prefix || 'identity', seconds: (nowMs() - startMs) / 1000, error: undefined });
      return { value, isStale: isStale || index > 0 };
    };
    const failed = (prefix: string, error: Error) => {
      // Values that are as they are begin with anything: that one of them is refused says nothing about the others.
      if (prefix === '') return;
      record({ type: 'from_storage', prefix, seconds: (nowMs() - startMs) / 1000, error });
      errors.push(error);
    };
    for (let index = attempt.from; index < readers.length; index++) {
      const { prefix, bytes, transformer } = readers[index] as (typeof readers)[number];
      if (!startsWith(stored, bytes)) continue;
      try {
        const opened = transformer.decrypt(stored.subarray(bytes.length), key);
        if (!(opened instanceof Promise)) return succeeded(index, prefix, opened);
        return opened.then(
          (result) => succeeded(index, prefix, result),
          (error: unknown) => {
            failed(prefix, asError(error));
            return read({ ...attempt, from: index + 1 });
          },
        );
      } catch (error) {
        failed(prefix, asError(error));
      }
    }
    if (errors.length > 0) throw together(errors);
    const error = new Error(noMatch);
    record({ type: 'from_storage', prefix: 'unknown', seconds: (nowMs() - startMs) / 1000, error });
    throw error;
  }

  return {
    encrypt(value, key) {
      const startMs = nowMs();
      const done = (error?: Error) => record({ type: 'to_storage', prefix: first.prefix, seconds: (nowMs() - startMs) / 1000, error });
      try {
        const stored = first.transformer.encrypt(value, key);
        done();
        return first.bytes.length === 0 ? stored : Buffer.concat([first.bytes, stored]);
      } catch (error) {
        done(asError(error));
        throw error;
      }
    },
    decrypt: (stored, key) => read({ stored, key, startMs: nowMs(), from: 0, errors: [] }),
  };
}

export function startsWith(bytes: Uint8Array, prefix: Buffer): boolean {
  return bytes.length >= prefix.length && prefix.compare(bytes, 0, prefix.length) === 0;
}

/** As Kubernetes joins several errors into one. */
export function together(errors: readonly Error[]): Error {
  const messages = [...new Set(errors.map(({ message }) => message))];
  if (messages.length === 1) return errors[0] as Error;
  return new Error(`[${messages.join(', ')}]`, { cause: errors });
}

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
