// Resource quantities (`100m`, `1.5Gi`, `2e3`): exact decimal arithmetic and Kubernetes' canonical form, after
// k8s.io/apimachinery/pkg/api/resource. Values are kept in nano-units, the smallest Kubernetes can tell apart.

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

export interface Quantity {
  /** The amount times 10^9. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

/** The text is no quantity; the message is Kubernetes'. */
export class QuantityError extends Error {
  override name = 'QuantityError';
}

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d+))?$/;
const quantityRegexText = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$';
const decimalExponents: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binaryShifts: Record<string, bigint> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
const nanoMax = (2n ** 63n - 1n) * 1_000_000_000n;

/** @throws QuantityError */
export function parseQuantity(text: string | number): Quantity {
  const match = pattern.exec(String(text));
  if (!match || ((match[2] ?? '') === '' && (match[3] ?? '') === '')) {
    throw new QuantityError(`quantities must match the regular expression '${quantityRegexText}'`);
  }
  const [, sign, whole = '', fraction = '', suffix = '', exponentText] = match;
  const shift = binaryShifts[suffix];
  const exponent =
    exponentText !== undefined ? clampExponent(Number(exponentText)) : shift === undefined ? (decimalExponents[suffix] as number) : 0;
  const digits = BigInt(whole + fraction || '0') << (shift ?? 0n);
  let nano = scaleUp(digits, 9 + exponent - fraction.length);
  if (nano > nanoMax) nano = nanoMax;
  const format = shift !== undefined ? 'BinarySI' : exponentText !== undefined ? 'DecimalExponent' : 'DecimalSI';
  return { nano: sign === '-' ? -nano : nano, format };
}

const clampExponent = (exponent: number) => Math.max(-100, Math.min(100, exponent));

/** digits * 10^power; fractions of a nano-unit round up, away from zero. */
function scaleUp(digits: bigint, power: number): bigint {
  if (power >= 0) return digits * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (digits + divisor - 1n) / divisor;
}

/** Whether `text` is a quantity. */
export function isQuantity(text: string): boolean {
  const match = pattern.exec(text);
  return match !== null && ((match[2] ?? '') !== '' || (match[3] ?? '') !== '');
}

/** In whole units, rounded up, as Quantity.Value(). */
export function quantityValue(quantity: Quantity | string | number): number {
  return Number(ceilDivide(nanoOf(quantity), 1_000_000_000n));
}

/** In thousandths, rounded up, as Quantity.MilliValue(). */
export function quantityMilliValue(quantity: Quantity | string | number): number {
  return Number(ceilDivide(nanoOf(quantity), 1_000_000n));
}

function nanoOf(quantity: Quantity | string | number): bigint {
  return typeof quantity === 'object' ? quantity.nano : parseQuantity(quantity).nano;
}

function ceilDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a > 0n && quotient * b !== a ? quotient + 1n : quotient;
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: Quantity | string, b: Quantity | string): number {
  const left = nanoOf(a);
  const right = nanoOf(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Keeps the format of `a`, or of `b` when `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format };
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format };
}

/**
 * The canonical form: no fraction, the largest suffix that loses nothing; binary quantities below 1024 or with a
 * fraction are written as decimal ones.
 */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  const sign = nano < 0n ? '-' : '';
  const size = nano < 0n ? -nano : nano;
  if (format === 'BinarySI' && size >= 1024n * 1_000_000_000n && size % 1_000_000_000n === 0n)
    return sign + formatBinary(size / 1_000_000_000n);
  let exponent = -9;
  let digits = size;
  while (digits % 1000n === 0n && exponent < 18) {
    digits /= 1000n;
    exponent += 3;
  }
  if (format === 'DecimalExponent') return `${sign}${digits}${exponent === 0 ? '' : `e${exponent}`}`;
  return `${sign}${digits}${decimalSuffixes[exponent]}`;
}

const decimalSuffixes: Record<number, string> = {
  [-9]: 'n',
  [-6]: 'u',
  [-3]: 'm',
  0: '',
  3: 'k',
  6: 'M',
  9: 'G',
  12: 'T',
  15: 'P',
  18: 'E',
};

function formatBinary(units: bigint): string {
  let index = 0;
  while (units % 1024n === 0n && index < 6) {
    units /= 1024n;
    index++;
  }
  return `${units}${['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'][index]}`;
}

/** The canonical form of `text`. @throws QuantityError */
export function canonicalQuantity(text: string | number): string {
  return formatQuantity(parseQuantity(text));
}
