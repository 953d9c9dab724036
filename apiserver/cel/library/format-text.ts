// `'%s is %d'.format([name, age])`: cel-go's string formatting, in its second version, as Kubernetes has it. Numbers with a point are
// written as in American English.

import { CelError } from '../cel-error.ts';
import { entriesOf, mapOf } from '../map-values.ts';
import { CelDuration, CelTimestamp, CelUint, TypeValue } from '../values.ts';
import { typeNameOf } from './classes.ts';

/** Fills each clause with its argument. @throws CelError with cel-go's text when the two do not fit */
export function formatText(format: string, args: readonly unknown[]): string {
  let next = 0;
  const made = format.replaceAll(/%(?:\.(\d+))?(.)/gsu, (_, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    if (next >= args.length) throw new CelError(`index ${next} out of range`);
    return formatOne(args[next++], verb, precision === undefined ? 6 : Number(precision));
  });
  if (/%(?:\.\d*)?$/.test(format.replaceAll('%%', ''))) throw new CelError('could not parse formatting clause: unexpected end of string');
  return made;
}

const problems: Readonly<Record<string, string>> = {
  d: 'decimal clause can only be used on integers',
  f: 'fixed-point clause can only be used on doubles',
  e: 'scientific clause can only be used on doubles',
  b: 'only integers and bools can be formatted as binary',
  o: 'octal clause can only be used on integers',
  x: 'only integers, byte buffers, and strings can be formatted as hex',
  s: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
};

function formatOne(value: unknown, verb: string, precision: number): string {
  const wrong = () => new CelError(`error during formatting: ${problems[verb.toLowerCase()]}, was given ${typeNameOf(value)}`);
  const integer = typeof value === 'bigint' ? value : value instanceof CelUint ? value.value : undefined;
  const inBase = (base: number) => {
    if (integer === undefined) throw wrong();
    return integer.toString(base);
  };
  switch (verb) {
    case 's': {
      const text = textOf(value);
      if (text === undefined) throw wrong();
      return text;
    }
    case 'd':
      return inBase(10);
    case 'o':
      return inBase(8);
    case 'b':
      return typeof value === 'boolean' ? String(Number(value)) : inBase(2);
    case 'f':
    case 'e': {
      const number = typeof value === 'number' ? value : named[String(value)];
      if (number === undefined) throw wrong();
      return Number.isFinite(number) ? (verb === 'f' ? fixed : scientific)(number, precision) : unbounded(number);
    }
    case 'x':
    case 'X': {
      const bytes = typeof value === 'string' || value instanceof Uint8Array ? Buffer.from(value as string) : undefined;
      const digits = bytes ? bytes.toString('hex') : inBase(16);
      return verb === 'X' ? digits.toUpperCase() : digits;
    }
    default:
      throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

/** Texts that stand for numbers. */
const named: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity, '-Infinity': -Infinity };
const unbounded = (value: number) => (Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞');

function fixed(value: number, precision: number): string {
  const [whole = '', fraction] = value.toFixed(precision).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹';

function scientific(value: number, precision: number): string {
  const [mantissa = '', exponent = '0'] = value.toExponential(precision).split('e');
  const digits = exponent.replace(/^[+-]/, '').padStart(2, '0');
  const power = digits.replace(/\d/g, (digit) => raised[Number(digit)] as string);
  return `${mantissa}×10${exponent.startsWith('-') ? '⁻' : ''}${power}`;
}

/** As Go's %g: as many digits as it takes, large and small numbers with an exponent of at least two digits. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  const digits = mantissa.replace(/[-.]/g, '').length;
  if (power < -4 || power >= Math.max(digits, 21)) {
    const size = String(Math.abs(power)).padStart(2, '0');
    return `${mantissa}e${power < 0 ? '-' : '+'}${size}`;
  }
  return power >= 21 || power < -6 ? value.toFixed(Math.max(0, digits - 1 - power)) : String(value);
}

/** What a value is as text; undefined when there is none of it. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null) return 'null';
  if (typeof value === 'number') return doubleText(value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof CelUint) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (value instanceof CelTimestamp || value instanceof CelDuration) return String(value);
  if (value instanceof TypeValue) return value.name;
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`;
  const map = mapOf(value);
  if (!map) return undefined;
  const entries = entriesOf(map).map(([key, item]) => [literalOf(key), literalOf(item)] as const);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${key}:${item}`)
    .join(', ')}}`;
}

/** A value within another, as an expression would write it. */
function literalOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Uint8Array) return `b${JSON.stringify(Buffer.from(value).toString('utf8'))}`;
  if (typeof value === 'number') return Number.isFinite(value) ? value.toFixed(6) : JSON.stringify(doubleText(value));
  if (value instanceof CelTimestamp) return `timestamp("${value}")`;
  if (value instanceof CelDuration) return `duration("${value}")`;
  const text = textOf(value);
  if (text === undefined) throw new CelError(`no formatting function for ${typeNameOf(value)}`);
  return text;
}
