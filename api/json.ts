// JSON with integers as exact as Kubernetes keeps them. JavaScript's numbers are exact to 2^53 and Go's integers to 2^63: what
// lies between is a bigint here, whatever the types of wire objects say, and everything else stays a number. A number beyond
// 2^53 is what a float64 is in Kubernetes. Texts without such integers are read and written at the speed of JSON itself.

declare global {
  interface JSON {
    /** A value that is written as `text` is. https://github.com/tc39/proposal-json-parse-with-source */
    rawJSON(text: string): object;
  }
}

const longDigits = /\d{16}/;
const int64Max = 2n ** 63n - 1n;

/** The integer as wire objects hold it: a number when that is exact. */
export function wireInteger(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** The integer that a number's text is, when it is one of 64 bits that a number does not hold exactly. */
export function longInteger(source: string): bigint | undefined {
  if (!/^-?\d{16,19}$/.test(source)) return undefined;
  const exact = BigInt(source);
  if (exact > int64Max || exact < -int64Max - 1n) return undefined;
  return typeof wireInteger(exact) === 'bigint' ? exact : undefined;
}

/** Whether a value of a wire object is an integer to Kubernetes; a number beyond 2^53 is a float64. */
export function isWhole(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

/** Any JSON text. @throws SyntaxError */
export function parseJson(text: string): unknown {
  // Digits within a string make this slower, not wrong.
  return longDigits.test(text) ? parseExactly(text) : JSON.parse(text);
}

function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && context?.source ? (longInteger(context.source) ?? value) : value,
  );
}

/** As `JSON.stringify`, exact for all integers. */
export function stringifyJson(value: unknown, space?: number): string {
  return stringify(value, space).text;
}

function stringify(value: unknown, space?: number): { text: string; isMarked: boolean } {
  try {
    return { text: JSON.stringify(value, null, space), isMarked: false };
  } catch (error) {
    // A bigint has no JSON of its own. What else has none fails again.
    if (!(error instanceof TypeError)) throw error;
    const exact = (_key: string, inner: unknown) => (typeof inner === 'bigint' ? JSON.rawJSON(String(inner)) : inner);
    return { text: JSON.stringify(value, exact, space), isMarked: true };
  }
}

/** JSON that `parseMarked` reads without looking for long integers: a text that holds some ends with a blank, which is JSON, too. */
export function markedJson(value: unknown): string {
  const { text, isMarked } = stringify(value);
  return isMarked ? `${text} ` : text;
}

/** Any JSON text, marked as `markedJson` marks it. */
export function marked(text: string): string {
  return longDigits.test(text) ? `${text} ` : text;
}

/** What `markedJson` or `marked` wrote. @throws SyntaxError */
export function parseMarked(text: string): unknown {
  return text.endsWith(' ') ? parseExactly(text) : JSON.parse(text);
}

/** What is left of a value once it was written and read again: a copy, without what is undefined. */
export function throughJson<T>(value: T): T {
  return parseMarked(markedJson(value)) as T;
}
