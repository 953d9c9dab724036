// Where the members of a JSON object lie in its bytes, found without parsing it: for bytes that were written here, without blanks.

const [quote, backslash, comma, colon, open, close, openList, closeList] = [...Buffer.from('"\\,:{}[]')] as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

export interface Member {
  /** Of its key's first quote. */
  start: number;
  /** Of its value's first byte. */
  value: number;
  /** One past its value. */
  end: number;
}

/**
 * The first member of the object that begins at `at` whose key `accepts`, else undefined. Keys are as in the bytes, escapes and all.
 */
export function findMember(bytes: Uint8Array, at: number, accepts: (key: string) => boolean): Member | undefined {
  let start = at + 1;
  while (bytes[start] === quote) {
    const keyEnd = stringEnd(bytes, start);
    const value = keyEnd + 1;
    if (bytes[keyEnd] !== colon) return undefined;
    const end = valueEnd(bytes, value);
    if (accepts(Buffer.from(bytes.buffer, bytes.byteOffset + start + 1, keyEnd - start - 2).toString())) return { start, value, end };
    start = bytes[end] === comma ? end + 1 : end;
  }
  return undefined;
}

/** One past the closing quote of the string that begins at `start`. */
function stringEnd(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at + 1;
}

/** One past the value that begins at `start`. */
function valueEnd(bytes: Uint8Array, start: number): number {
  let depth = 0;
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === quote) at = stringEnd(bytes, at);
    else if (byte === open || byte === openList) {
      depth++;
      at++;
    } else if (byte === close || byte === closeList) {
      if (depth === 0) return at;
      depth--;
      at++;
    } else if (byte === comma && depth === 0) return at;
    else at++;
    if (depth === 0 && (byte === quote || byte === close || byte === closeList)) return at;
  }
  return at;
}
