// JSON patch operations as admission applies them, one after the other, failing in the words of the library that Kubernetes
// uses (github.com/evanphx/json-patch): those of policies and of webhooks reach users as they are.

import { copyJson } from '../../api/copy-json.ts';

/** An operation that does not apply. */
export class OperationError extends Error {}
/** A `test` that did not hold. */
export class TestFailedError extends OperationError {}

export interface PatchOperation {
  op: string;
  path: string;
  from?: string | undefined;
  value?: unknown;
}

type Container = Record<string, unknown> | unknown[];

/** A copy of `document` after all operations. @throws OperationError */
export function applyOperations(document: object, operations: readonly PatchOperation[]): object {
  const copy: Container = copyJson(document) as Container;
  for (const operation of operations) apply(copy, operation);
  return copy;
}

function apply(document: Container, { op, path, from = '', value }: PatchOperation): void {
  const own = (given: unknown) => copyJson(given ?? null);
  switch (op) {
    case 'add':
      place(document, path, 'add').add(own(value), path);
      break;
    case 'remove':
      place(document, path, 'remove').remove(path);
      break;
    case 'replace': {
      const target = place(document, path, 'replace', '');
      if (!target.has()) throw missing(`replace operation does not apply: doc is missing key: ${path}`);
      target.set(own(value));
      break;
    }
    case 'move': {
      const source = place(document, from, 'move', '', 'from path');
      const moved = source.get();
      if (moved === undefined) throw missing(`error in move for path: '${path}'`);
      source.remove(from);
      place(document, path, 'move', '', 'destination path').add(moved, path);
      break;
    }
    case 'copy': {
      const source = place(document, from, 'copy', '', 'from path');
      if (!source.has()) throw missing(`copy operation does not apply: doc is missing key: ${from}`);
      place(document, path, 'copy', '', 'destination path').add(own(source.get()), path);
      break;
    }
    case 'test': {
      const target = place(document, path, 'test', '');
      const isAsGiven = target.has() ? isSame(target.get(), value ?? null) : value === undefined;
      if (!isAsGiven) throw new TestFailedError(`testing value ${path} failed: test failed`);
      break;
    }
    default:
      throw new OperationError(`Unexpected kind: ${op}`);
  }
}

const missing = (what: string) => new OperationError(`${what}: missing value`);

/** Where a path leads: a key of an object, or an index of a list. @throws OperationError when there is nothing above it */
function place(document: Container, path: string, op: string, quote = '"', noun = 'path'): Place {
  const parts = path.split('/').slice(1).map(decode);
  let container: unknown = document;
  for (const part of parts.slice(0, -1)) container = childOf(container, part);
  if (parts.length === 0 || typeof container !== 'object' || container === null)
    throw missing(`${op} operation does not apply: doc is missing ${noun}: ${quote}${path}${quote}`);
  return new Place(container as Container, parts.at(-1) ?? '');
}

const decode = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~');

function childOf(container: unknown, key: string): unknown {
  if (Array.isArray(container)) return container[indexOf(container, key)];
  return typeof container === 'object' && container !== null && Object.hasOwn(container, key)
    ? (container as Record<string, unknown>)[key]
    : undefined;
}

/** Negative indexes count from the end; -1 for what is none. */
function indexOf(list: readonly unknown[], key: string): number {
  if (!/^[+-]?\d+$/.test(key)) return -1;
  const index = Number(key);
  return index < 0 ? index + list.length : index;
}

class Place {
  readonly #container: Container;
  readonly #key: string;

  constructor(container: Container, key: string) {
    this.#container = container;
    this.#key = key;
  }

  get(): unknown {
    return childOf(this.#container, this.#key);
  }

  has(): boolean {
    const container = this.#container;
    if (!Array.isArray(container)) return Object.hasOwn(container, this.#key);
    const index = indexOf(container, this.#key);
    return index >= 0 && index < container.length;
  }

  set(value: unknown): void {
    if (Array.isArray(this.#container)) this.#container[indexOf(this.#container, this.#key)] = value;
    else Object.defineProperty(this.#container, this.#key, { value, enumerable: true, configurable: true, writable: true });
  }

  add(value: unknown, path: string): void {
    const container = this.#container;
    if (!Array.isArray(container)) {
      this.set(value);
      return;
    }
    if (this.#key === '-') {
      container.push(value);
      return;
    }
    const why = `error in add for path: '${path}'`;
    if (!/^[+-]?\d+$/.test(this.#key))
      throw new OperationError(
        `${why}: value was not a proper array index: '${this.#key}': strconv.Atoi: parsing "${this.#key}": invalid syntax`,
      );
    const index = Number(this.#key) < 0 ? Number(this.#key) + container.length + 1 : Number(this.#key);
    if (index < 0 || index > container.length)
      throw new OperationError(`${why}: Unable to access invalid index: ${this.#key}: invalid index referenced`);
    container.splice(index, 0, value);
  }

  remove(path: string): void {
    const container = this.#container;
    const why = `error in remove for path: '${path}'`;
    if (!Array.isArray(container)) {
      if (!this.has()) throw missing(`${why}: Unable to remove nonexistent key: ${this.#key}`);
      delete container[this.#key];
      return;
    }
    if (!this.has()) throw new OperationError(`${why}: Unable to access invalid index: ${this.#key}: invalid index referenced`);
    container.splice(indexOf(container, this.#key), 1);
  }
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return (
    left.length === right.length &&
    left.every(([key, value]) => Object.hasOwn(b, key) && isSame(value, (b as Record<string, unknown>)[key]))
  );
}
