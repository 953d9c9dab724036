// A map that also keeps its keys in order, in blocks of bounded size, so that an insertion among 500,000 keys moves
// a few hundred and not half of them. Order is that of JavaScript strings; key-order.ts makes that byte order.

const blockKeysMax = 512;

export class SortedMap<V> {
  readonly #values = new Map<string, V>();
  /** Never holds an empty block. */
  readonly #blocks: string[][] = [];

  get size(): number {
    return this.#values.size;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: V): void {
    if (!this.#values.has(key)) this.#insert(key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (!this.#values.delete(key)) return;
    const at = this.#blockOf(key);
    const block = this.#blocks[at]!;
    block.splice(lowerBound(block, key), 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /** Visits values in key order from the first key that is not less than `start`, until `visit` answers false. */
  scan(start: string, visit: (value: V, key: string) => boolean): void {
    let at = this.#blockOf(start);
    let index = at < this.#blocks.length ? lowerBound(this.#blocks[at]!, start) : 0;
    for (; at < this.#blocks.length; at++, index = 0) {
      const block = this.#blocks[at]!;
      for (; index < block.length; index++) {
        const key = block[index]!;
        if (!visit(this.#values.get(key)!, key)) return;
      }
    }
  }

  #insert(key: string): void {
    const last = this.#blocks.length - 1;
    if (last < 0) {
      this.#blocks.push([key]);
      return;
    }
    const at = Math.min(this.#blockOf(key), last);
    const block = this.#blocks[at]!;
    block.splice(lowerBound(block, key), 0, key);
    if (block.length > blockKeysMax) this.#blocks.splice(at + 1, 0, block.splice(blockKeysMax >> 1));
  }

  /** The first block whose last key is not less than `key`; the number of blocks when there is none. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const block = this.#blocks[middle]!;
      if (block[block.length - 1]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
