// `'%s is %d'.format([name, age])`: cel-go's string formatting.

import { entriesOf, isUnsigned } from './library-function.ts';

const clause = /%(?:\.(\d+))?(.)/gsu;

/** Fills each clause with its argument. @throws Error with cel-go's text when the two do not fit */
export function formatText(format: string, args: readonly unknown[]): string {
  let next = 0;
  const made = format.replaceAll(clause, (_, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    if (next >= args.length) throw new Error(`index ${next} out of range`);
    return formatOne(args[next++], verb, precision === undefined ? undefined : Number(precision));
  });
  if (/%(?:\.\d*)?$/.test(format.replaceAll('%%', ''))) throw new Error('could not parse formatting clause: unexpected end of string');
  return made;
}

function formatOne(value: unknown, verb: string, precision: number | undefined): string {
  const wrong = (wanted: string) => new Error(`error during formatting: ${wanted}, was given ${nameOf(value)}`);
  const integer = typeof value === 'bigint' ? value : isUnsigned(value) ? BigInt(String(value.valueOf())) : undefined;
  switch (verb) {
    case 's':
      return textOf(value);
    case 'd':
      if (integer === undefined && typeof value !== 'number') throw wrong('decimal clause can only be used on integers');
      return String(integer ?? value);
    case 'f':
    case 'e': {
      const number = typeof value === 'number' ? value : Number(integer ?? Number.NaN);
      if (typeof value !== 'number' && integer === undefined)
        throw wrong(`${verb === 'f' ? 'fixed-point' : 'scientific'} clause can only be used on doubles`);
      if (!Number.isFinite(number)) return Number.isNaN(number) ? 'NaN' : number > 0 ? 'Infinity' : '-Infinity';
      return verb === 'f' ? number.toFixed(precision ?? 6) : number.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
    }
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0';
      if (integer === undefined) throw wrong('only integers and bools can be formatted as binary');
      return integer.toString(2);
    case 'o':
      if (integer === undefined) throw wrong('octal clause can only be used on integers');
      return integer.toString(8);
    case 'x':
    case 'X': {
      const bytes = typeof value === 'string' ? Buffer.from(value) : value instanceof Uint8Array ? Buffer.from(value) : undefined;
      if (integer === undefined && !bytes) throw wrong('only integers, byte buffers, and strings can be formatted as hex');
      const digits = bytes ? bytes.toString('hex') : (integer as bigint).toString(16);
      return verb === 'X' ? digits.toUpperCase() : digits;
    }
    default:
      throw new Error(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

function textOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (value instanceof Date) return value.toISOString().replace(/\.?0*Z$/, 'Z');
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`;
  if (typeof value !== 'object') return Number.isNaN(value) ? 'NaN' : String(value);
  const isPlain = value instanceof Map || Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null;
  if (!isPlain) return String(value);
  const entries = [...entriesOf(value)].map(([key, item]) => `${textOf(key)}: ${textOf(item)}`);
  return `{${entries.sort().join(', ')}}`;
}

const nameOf = (value: unknown) =>
  value === null
    ? 'null_type'
    : typeof value === 'bigint'
      ? 'int'
      : typeof value === 'number'
        ? 'double'
        : typeof value === 'boolean'
          ? 'bool'
          : Array.isArray(value)
            ? 'list'
            : typeof value;
