// Addresses and ranges that are understood today in a form that will not be for ever (IsValidIPForLegacyField and its kin).

import { isIPv4, isIPv6 } from 'node:net';

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

export function addressWarnings(value: string, at: string): string[] {
  const plain = plainForm(value);
  if (plain !== value && plain !== undefined)
    return [
      `${at}: non-standard IP address ${JSON.stringify(value)} will be considered invalid in a future Kubernetes release: use ${JSON.stringify(plain)}`,
    ];
  if (!isIPv6(value)) return [];
  const canonical = canonicalIpv6(value);
  return canonical === value
    ? []
    : [`${at}: IPv6 address ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`];
}

/** Without leading zeros, and IPv4 as such; undefined: it is no address. */
function plainForm(value: string): string | undefined {
  const inner = mapped.exec(value)?.[1] ?? value;
  if (/^\d+(\.\d+){3}$/.test(inner)) {
    const plain = inner.split('.').map(Number).join('.');
    return isIPv4(plain) ? plain : undefined;
  }
  return isIPv6(value) ? value : undefined;
}

/** The form of RFC 5952, which URLs use too. */
function canonicalIpv6(value: string): string {
  return new URL(`http://[${value}]/`).hostname.slice(1, -1);
}
