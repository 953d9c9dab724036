// The order of keys: that of their UTF-8 bytes, as etcd has it. JavaScript compares UTF-16 units, which differs
// beyond U+D7FF, so keys that are not ASCII are ordered by a string with one unit per byte.

const ascii = /^[\0-\x7f]*$/;

/** A string that compares, and has prefixes, as the UTF-8 bytes of `key` do. An ASCII key is its own. */
export function byteOrder(key: string): string {
  return ascii.test(key) ? key : Buffer.from(key, 'utf8').toString('latin1');
}

/**
 * The same rule for every implementation.
 * @throws TypeError when `key` is empty or is not well-formed Unicode (it would not survive encoding).
 */
export function checkKey(key: string): void {
  if (key === '') throw new TypeError('a key must not be empty');
  if (!key.isWellFormed()) throw new TypeError(`key ${JSON.stringify(key)} is not well-formed Unicode`);
}
