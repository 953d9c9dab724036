// Chance, injected: identifiers, name suffixes and jitter come from a Random, which a test seeds.

import { randomBytes, randomUUID } from 'node:crypto';

export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  /** An RFC 9562 version 4 UUID. */
  uuid(): string;
}

export const systemRandom: Random = {
  float: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  uuid: () => randomUUID(),
};

/** The same `seed` gives the same sequence (mulberry32). Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const float = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const hex = (digits: number) => {
    let out = '';
    for (let i = 0; i < digits; i++) out += Math.floor(float() * 16).toString(16);
    return out;
  };
  return {
    float,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'[Math.floor(float() * 4)]}${hex(3)}-${hex(12)}`,
  };
}

// The alphabet of Kubernetes' generated names: no vowels and no digits or letters that look alike.
const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** `length` characters as Kubernetes appends to a generateName. */
export function nameSuffix(random: Random, length = 5): string {
  let out = '';
  for (let i = 0; i < length; i++) out += nameAlphabet[Math.floor(random.float() * nameAlphabet.length)];
  return out;
}
