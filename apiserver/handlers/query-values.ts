// Values of query parameters as Kubernetes' generated conversions read them: given but empty is not the same as absent.

import { badRequestError } from '../../api/status.ts';

const int64Max = 2n ** 63n - 1n;

/** An integer; undefined when the parameter is absent. @throws StatusError BadRequest in the words of Go's strconv */
export function readInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw unparsable(text, 'invalid syntax');
  const value = BigInt(text.replace(/^\+/, ''));
  if (value > int64Max || value < -int64Max - 1n) throw unparsable(text, 'value out of range');
  return Number(value);
}

const unparsable = (text: string, why: string) => badRequestError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);

/** Anything but `0` and `false` is true; absent is false. */
export function readBoolean(text: string | null): boolean {
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}
