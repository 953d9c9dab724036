// Addresses for simulated pods out of the node's range, given out in turn as CNI's host-local does.

import { RuntimeError } from '../runtime.ts';

export class PodAddresses {
  readonly #firstNumber: number;
  readonly #count: number;
  readonly #taken = new Set<number>();
  #next = 0;

  /** @param podCidr IPv4; its first address is the gateway's and its last the broadcast's. @throws RuntimeError */
  constructor(podCidr: string) {
    const [, address = '', bits = ''] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(podCidr) ?? [];
    const size = 2 ** (32 - Number(bits));
    if (!address || Number(bits) > 30) throw new RuntimeError('InvalidArgument', `not an IPv4 range for pods: ${JSON.stringify(podCidr)}`);
    const base = address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
    this.#firstNumber = base - (base % size) + 2;
    this.#count = size - 3;
  }

  /** @throws RuntimeError 'ResourceExhausted' */
  take(): string {
    for (let tried = 0; tried < this.#count; tried++) {
      const offset = (this.#next + tried) % this.#count;
      if (this.#taken.has(offset)) continue;
      this.#taken.add(offset);
      this.#next = offset + 1;
      return this.#text(offset);
    }
    throw new RuntimeError('ResourceExhausted', 'no IP addresses available in range set');
  }

  give(address: string): void {
    this.#taken.delete(address.split('.').reduce((number, part) => number * 256 + Number(part), 0) - this.#firstNumber);
  }

  #text(offset: number): string {
    const number = this.#firstNumber + offset;
    return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
  }
}
