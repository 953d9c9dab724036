// kubernetes.net.ip and kubernetes.net.cidr.

import { formatIp, parseCidr, parseIp } from '../../../api/validation/ip.ts';
import type { LibraryFunction, LibraryValue } from './library-function.ts';

/** An IP address as CEL holds it. */
export class CelIp implements LibraryValue {
  /** Four or sixteen. */
  readonly bytes: readonly number[];
  constructor(bytes: readonly number[]) {
    this.bytes = bytes;
  }
  equals(other: unknown): boolean {
    return other instanceof CelIp && formatIp(other.bytes) === formatIp(this.bytes);
  }
}

/** A network as CEL holds it. */
export class CelCidr implements LibraryValue {
  readonly address: readonly number[];
  readonly network: readonly number[];
  readonly prefixBits: number;
  constructor({ address, network, prefixBits }: { address: readonly number[]; network: readonly number[]; prefixBits: number }) {
    this.address = address;
    this.network = network;
    this.prefixBits = prefixBits;
  }
  equals(other: unknown): boolean {
    return other instanceof CelCidr && String(other.address) === String(this.address) && other.prefixBits === this.prefixBits;
  }
  contains(bytes: readonly number[]): boolean {
    if (bytes.length !== this.network.length) return false;
    const masked = bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, this.prefixBits - i * 8))) & 0xff);
    return String(masked) === String(this.network);
  }
}

const isMapped = (text: string) =>
  /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(text) || /^(0*:){5}ffff:/i.test(text) || /^::ffff:[0-9a-f]*:[0-9a-f]*$/i.test(text);

function ip(text: string): CelIp {
  if (text.includes('%')) throw new Error(`IP address ${JSON.stringify(text)} with zone value is not allowed`);
  if (isMapped(text)) throw new Error(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`);
  const bytes = /(^|\.)0\d/.test(text) && !text.includes(':') ? undefined : parseIp(text);
  if (!bytes)
    throw new Error(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    );
  return new CelIp(bytes);
}

function cidr(text: string): CelCidr {
  const parsed = isMapped(text.replace(/\/.*/, '')) ? undefined : parseCidr(text);
  if (!parsed) {
    const inner = `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): no '/'`;
    throw new Error(
      `network address parse error during conversion from string: ${text.includes('/') ? inner.replace("no '/'", 'bad prefix') : inner}`,
    );
  }
  return new CelCidr(parsed);
}

function succeeds(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

const isV4 = ({ bytes }: CelIp) => bytes.length === 4;
const isUnspecified = ({ bytes }: CelIp) => bytes.every((byte) => byte === 0);
const isLoopback = (address: CelIp) =>
  isV4(address) ? address.bytes[0] === 127 : address.bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
const isMulticast = (address: CelIp) => (isV4(address) ? ((address.bytes[0] ?? 0) & 0xf0) === 0xe0 : address.bytes[0] === 0xff);
const isLinkLocalMulticast = (address: CelIp) =>
  isV4(address)
    ? address.bytes[0] === 224 && address.bytes[1] === 0 && address.bytes[2] === 0
    : address.bytes[0] === 0xff && ((address.bytes[1] ?? 0) & 0x0f) === 2;
const isLinkLocalUnicast = (address: CelIp) =>
  isV4(address)
    ? address.bytes[0] === 169 && address.bytes[1] === 254
    : address.bytes[0] === 0xfe && ((address.bytes[1] ?? 0) & 0xc0) === 0x80;
const isBroadcast = (address: CelIp) => isV4(address) && address.bytes.every((byte) => byte === 255);
const isGlobalUnicast = (address: CelIp) =>
  !isBroadcast(address) && !isUnspecified(address) && !isLoopback(address) && !isMulticast(address) && !isLinkLocalUnicast(address);
const containsCidr = (outer: CelCidr, inner: CelCidr) => outer.prefixBits <= inner.prefixBits && outer.contains(inner.network);

/** Kubernetes' IP and CIDR libraries. */
export const networkFunctions: readonly LibraryFunction[] = [
  ['ip(string): net.IP', ip],
  ['isIP(string): bool', (text: string) => succeeds(() => ip(text))],
  ['ip.isCanonical(string): bool', (text: string) => formatIp(ip(text).bytes) === text],
  ['string(net.IP): string', ({ bytes }: CelIp) => formatIp(bytes)],
  ['net.IP.family(): int', (address: CelIp) => (isV4(address) ? 4n : 6n)],
  ['net.IP.isUnspecified(): bool', isUnspecified],
  ['net.IP.isLoopback(): bool', isLoopback],
  ['net.IP.isLinkLocalMulticast(): bool', isLinkLocalMulticast],
  ['net.IP.isLinkLocalUnicast(): bool', isLinkLocalUnicast],
  ['net.IP.isGlobalUnicast(): bool', isGlobalUnicast],
  ['cidr(string): net.CIDR', cidr],
  ['isCIDR(string): bool', (text: string) => succeeds(() => cidr(text))],
  ['string(net.CIDR): string', ({ address, prefixBits }: CelCidr) => `${formatIp(address)}/${prefixBits}`],
  ['net.CIDR.containsIP(string): bool', (outer: CelCidr, text: string) => outer.contains(ip(text).bytes)],
  ['net.CIDR.containsIP(net.IP): bool', (outer: CelCidr, { bytes }: CelIp) => outer.contains(bytes)],
  ['net.CIDR.containsCIDR(string): bool', (outer: CelCidr, text: string) => containsCidr(outer, cidr(text))],
  ['net.CIDR.containsCIDR(net.CIDR): bool', containsCidr],
  ['net.CIDR.ip(): net.IP', ({ address }: CelCidr) => new CelIp(address)],
  ['net.CIDR.masked(): net.CIDR', ({ network, prefixBits }: CelCidr) => new CelCidr({ address: network, network, prefixBits })],
  ['net.CIDR.prefixLength(): int', ({ prefixBits }: CelCidr) => BigInt(prefixBits)],
];
