// Addresses and ranges whose form is not the one that is written (GetWarningsForIP and GetWarningsForCIDR). What was stored before
// validation became strict may be odder than what can be written now.

import { formatIp, hasLeadingZeros, isMappedIp, parseCidr, parseIp } from '../../api/validation/ip.ts';

/** Of one address, which validation has let pass. */
export function addressWarnings(value: string, at: string): string[] {
  const bytes = parseIp(value);
  if (!bytes) return [];
  const canonical = formatIp(bytes);
  if (hasLeadingZeros(value) || isMappedIp(bytes))
    return [`${at}: non-standard IP address ${JSON.stringify(value)} is invalid: use ${JSON.stringify(canonical)}`];
  return bytes.length === 4 || canonical === value
    ? []
    : [`${at}: IPv6 address ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`];
}

/** Of one range, which validation has let pass. */
export function cidrWarnings(value: string, at: string): string[] {
  const cidr = parseCidr(value);
  if (!cidr) return [];
  const { address, network, prefixBits } = cidr;
  const isMapped = isMappedIp(address);
  const [written = '', prefix = ''] = value.split('/');
  const range = `${formatIp(network)}/${isMapped && isMappedIp(network) ? prefixBits - 96 : prefixBits}`;
  const warnings: string[] = [];
  if (network.some((byte, i) => byte !== address[i])) {
    const single = `${formatIp(address)}/${address.length * 8}`;
    const either = `should be ${JSON.stringify(range)} or ${JSON.stringify(single)}?`;
    warnings.push(`${at}: CIDR value ${JSON.stringify(value)} is ambiguous in this context (${either})`);
  }
  if (isMapped || hasLeadingZeros(written) || /^0\d/.test(prefix))
    warnings.push(`${at}: non-standard CIDR value ${JSON.stringify(value)} is invalid: use ${JSON.stringify(range)}`);
  if (warnings.length === 0 && address.length === 16 && value !== range)
    warnings.push(`${at}: IPv6 CIDR value ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(range)})`);
  return warnings;
}

/** Of a load balancer's status. */
export function loadBalancerWarnings(status: { loadBalancer?: { ingress?: { ip?: string }[] } } | undefined): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, i) => addressWarnings(ip ?? '', `status.loadBalancer.ingress[${i}]`));
}
