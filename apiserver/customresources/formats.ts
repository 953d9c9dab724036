// The formats that schemas may ask of strings (k8s.io/kube-openapi/pkg/validation/strfmt); others are not looked at.

import { isIP, isIPv4, isIPv6 } from 'node:net';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../api/validation/formats.ts';

const uuid = (version: string) =>
  new RegExp(
    `^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${version === '[0-9a-f]' ? '[0-9a-f]' : '[89ab]'}[0-9a-f]{3}-?[0-9a-f]{12}$`,
    'i',
  );

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);

const formats: Readonly<Record<string, (text: string) => boolean>> = {
  datetime: (text) =>
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$/.test(text) && !Number.isNaN(Date.parse(text.replace(' ', 'T'))),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text,
  duration: matches(
    /^-?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$|^0$|^\d+ *(ns|us|µs|ms|s|m|h|d|w|nano|micro|milli|sec|second|seconds|min|minute|minutes|hr|hour|hours|day|days|wk|week|weeks)$/,
  ),
  byte: matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
  uri: (text) => URL.canParse(text),
  email: matches(/^[^\s@<>]+@[^\s@<>]+$/),
  hostname: matches(/^(?=.{1,255}$)[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\.?$/),
  // Leading zeros are tolerated in both, as Go once did.
  ipv4: (text) => isIPv4(withoutZeros(text)) || /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(text),
  ipv6: (text) => isIPv6(text),
  cidr: (text) => {
    const [written = '', length = '', ...rest] = text.split('/');
    const address = withoutZeros(written);
    const bits = isIP(address) === 4 ? 32 : isIP(address) === 6 ? 128 : -1;
    return rest.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= bits;
  },
  // Of 6, 8 or 20 bytes, separated throughout alike.
  mac: matches(
    /^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}((\1[0-9a-f]{2}){2}|(\1[0-9a-f]{2}){14})?$|^[0-9a-f]{4}(\.[0-9a-f]{4}){2,3}$|^[0-9a-f]{4}(\.[0-9a-f]{4}){9}$/i,
  ),
  uuid: matches(uuid('[0-9a-f]')),
  uuid3: matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i),
  uuid4: matches(uuid('4')),
  uuid5: matches(uuid('5')),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: (text) => isIsbn10(text),
  isbn13: (text) => isIsbn13(text),
  creditcard: (text) => isCardNumber(text.replace(/[^0-9]+/g, '')),
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: matches(
    /^rgb\(\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*,\s*(0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*\)$/,
  ),
  bsonobjectid: matches(/^[0-9a-f]{24}$/i),
  password: () => true,
  k8sshortname: (text) => dns1123LabelProblems(text).length === 0,
  k8slongname: (text) => dns1123SubdomainProblems(text).length === 0,
};

/** Dashes in a format's name do not count. */
const formatNamed = (name: string) => {
  const plain = name.replaceAll('-', '');
  return Object.hasOwn(formats, plain) ? formats[plain] : undefined;
};

/** Whether a schema of this type has a format that is looked at. */
export function isKnownFormat(type: string | undefined, format: string): boolean {
  if (type === 'integer') return format === 'int32' || format === 'int64';
  if (type === 'number') return format === 'float' || format === 'double';
  return (type === undefined || type === '' || type === 'string') && formatNamed(format) !== undefined;
}

const withoutZeros = (text: string) => text.replace(/(^|\.)0+(?=\d)/g, '$1');

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '');
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = [...digits].reduce((all, digit, i) => all + (i + 1) * (digit === 'X' ? 10 : Number(digit)), 0);
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, '');
  if (!/^\d{13}$/.test(digits)) return false;
  return [...digits].reduce((all, digit, i) => all + Number(digit) * (i % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}

/** By its first digits a card of a known kind, and by its last, which checks the others (Luhn), written without mistake. */
function isCardNumber(digits: string): boolean {
  if (!/^\d{12,19}$/.test(digits) || !/^[2-6]/.test(digits)) return false;
  const sum = [...digits].reverse().reduce((all, digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 1 : 2);
    return all + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/** Whether `value` is not of a known format. */
export function formatProblem(format: string, value: string): boolean {
  const isFormat = formatNamed(format);
  return isFormat !== undefined && !isFormat(value);
}
