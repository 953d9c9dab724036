// IP addresses and CIDRs: parsing to bytes, canonical text, and their problems in the words of
// k8s.io/apimachinery/pkg/util/validation. "Legacy" fields take what older Kubernetes took (leading zeros,
// IPv4-mapped IPv6, bits beyond the prefix); newer fields take only the canonical form.

import { type FieldError, invalid } from '../field-error.ts';

/** 4 or 16 bytes; undefined when `text` is no address. Leading zeros are read as decimal. */
export function parseIp(text: string): number[] | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d+$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.map(Number);
}

function parseIpv6(text: string): number[] | undefined {
  let rest = text;
  const tail: number[] = [];
  const lastColon = rest.lastIndexOf(':');
  if (rest.includes('.')) {
    const ipv4 = parseIpv4(rest.slice(lastColon + 1));
    if (!ipv4) return undefined;
    tail.push(...ipv4);
    rest = rest.slice(0, lastColon);
    if (rest === '' || (rest.endsWith(':') && !rest.endsWith('::'))) rest += ':';
  }
  const halves = rest.split('::');
  if (halves.length > 2) return undefined;
  const left = groupsOf(halves[0] as string);
  const right = halves.length === 2 ? groupsOf(halves[1] as string) : [];
  if (!left || !right) return undefined;
  const missing = 16 - left.length - right.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return [...left, ...new Array<number>(missing).fill(0), ...right, ...tail];
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  for (const group of text.split(':')) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    bytes.push(value >> 8, value & 255);
  }
  return bytes;
}

/** An IPv4 address in IPv6's clothes. */
export const isMappedIp = (bytes: readonly number[]) =>
  bytes.length === 16 && bytes[10] === 255 && bytes[11] === 255 && bytes.slice(0, 10).every((b) => b === 0);

/** RFC 5952; an IPv4-mapped address as IPv4, as Go prints it. */
export function formatIp(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  if (isMappedIp(bytes)) return bytes.slice(12).join('.');
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number));
  let bestAt = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) [bestAt, bestLength] = [i, length];
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (bestAt === -1) return hex(groups);
  return `${hex(groups.slice(0, bestAt))}::${hex(groups.slice(bestAt + bestLength))}`;
}

/** IPv4, IPv4-mapped IPv6 included. */
export function isIpv4(text: string): boolean {
  const bytes = parseIp(text);
  return bytes !== undefined && (bytes.length === 4 || isMappedIp(bytes));
}

export function isIpv6(text: string): boolean {
  const bytes = parseIp(text);
  return bytes !== undefined && bytes.length === 16 && !isMappedIp(bytes);
}

export interface Cidr {
  /** As written, before masking. */
  address: number[];
  /** The address with the bits beyond the prefix cleared. */
  network: number[];
  prefixBits: number;
}

export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = slash === -1 ? undefined : parseIp(text.slice(0, slash));
  const prefixText = text.slice(slash + 1);
  if (!address || !/^\d+$/.test(prefixText)) return undefined;
  const prefixBits = Number(prefixText);
  if (prefixBits > address.length * 8) return undefined;
  const network = address.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefixBits - i * 8))) & 0xff);
  return { address, network, prefixBits };
}

/** Whether a part of an IPv4 address begins with a zero that says nothing. */
export const hasLeadingZeros = (text: string) =>
  text
    .slice(text.lastIndexOf(':') + 1)
    .split('.')
    .some((part, _, parts) => parts.length === 4 && /^0\d/.test(part));

/** Problems of an address in a field that must be canonical. */
export function ipErrors(at: string, value: string): FieldError[] {
  const problems = legacyIpErrors(at, value, true);
  if (problems.length) return problems;
  const canonical = formatIp(parseIp(value) as number[]);
  return value === canonical ? [] : [invalid(at, value, `must be in canonical form (${JSON.stringify(canonical)})`)];
}

/** Problems of an address in an older field; strictly, without leading zeros and not IPv4-mapped. */
export function legacyIpErrors(at: string, value: string, isStrict = true): FieldError[] {
  const bytes = parseIp(value);
  if (!bytes) return [invalid(at, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')];
  if (isStrict && hasLeadingZeros(value)) return [invalid(at, value, 'must not have leading 0s')];
  if (isStrict && isMappedIp(bytes)) return [invalid(at, value, 'must not be an IPv4-mapped IPv6 address')];
  return [];
}

/** Problems of a CIDR in a field that must be canonical. */
export function cidrErrors(at: string, value: string): FieldError[] {
  const problems = legacyCidrErrors(at, value, true);
  if (problems.length) return problems;
  const { network, prefixBits } = parseCidr(value) as Cidr;
  const canonical = `${formatIp(network)}/${prefixBits}`;
  return value === canonical ? [] : [invalid(at, value, `must be in canonical form (${JSON.stringify(canonical)})`)];
}

/** Problems of a CIDR in an older field. */
export function legacyCidrErrors(at: string, value: string, isStrict = true): FieldError[] {
  const cidr = parseCidr(value);
  if (!cidr) return [invalid(at, value, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')];
  if (!isStrict) return [];
  const [address = '', prefix = ''] = value.split('/');
  if (hasLeadingZeros(address) || /^0\d/.test(prefix)) return [invalid(at, value, 'must not have leading 0s in IP or prefix length')];
  if (isMappedIp(cidr.address)) return [invalid(at, value, 'must not have an IPv4-mapped IPv6 address')];
  if (cidr.network.some((byte, i) => byte !== cidr.address[i]))
    return [invalid(at, value, 'must not have bits set beyond the prefix length')];
  return [];
}
