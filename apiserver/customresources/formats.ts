// The formats that schemas may ask of strings (k8s.io/kube-openapi/pkg/validation/strfmt); others are not looked at.

import { isIP, isIPv4, isIPv6 } from 'node:net';

const uuid = (version: string) =>
  new RegExp(
    `^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${version === '[0-9a-f]' ? '[0-9a-f]' : '[89ab]'}[0-9a-f]{3}-?[0-9a-f]{12}$`,
    'i',
  );

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);

const formats: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) =>
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$/.test(text) && !Number.isNaN(Date.parse(text.replace(' ', 'T'))),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text,
  duration: matches(
    /^-?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$|^0$|^\d+ *(ns|us|µs|ms|s|m|h|d|w|nano|micro|milli|sec|second|seconds|min|minute|minutes|hr|hour|hours|day|days|wk|week|weeks)$/,
  ),
  byte: matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
  uri: (text) => URL.canParse(text),
  email: matches(/^[^\s@<>]+@[^\s@<>]+$/),
  hostname: matches(/^(?=.{1,255}$)[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\.?$/),
  ipv4: (text) => isIPv4(text),
  ipv6: (text) => isIPv6(text),
  cidr: (text) => {
    const [address = '', length = '', ...rest] = text.split('/');
    const bits = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : -1;
    return rest.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= bits;
  },
  mac: matches(/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$|^([0-9a-f]{4}\.){2}[0-9a-f]{4}$/i),
  uuid: matches(uuid('[0-9a-f]')),
  uuid3: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  uuid4: matches(uuid('4')),
  uuid5: matches(uuid('5')),
  isbn: matches(/^(\d[ -]?){9}[\dX]$|^(\d[ -]?){13}$/),
  creditcard: matches(/^(\d[ -]?){13,19}$/),
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: matches(/^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/),
  bsonobjectid: matches(/^[0-9a-f]{24}$/i),
};

/** Whether `value` is not of a known format. */
export function formatProblem(format: string, value: string): boolean {
  const isFormat = Object.hasOwn(formats, format) ? formats[format] : undefined;
  return isFormat !== undefined && !isFormat(value);
}
