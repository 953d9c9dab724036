// What this machine's network says: its first address, and address ranges that nothing here uses yet.

import { networkInterfaces } from 'node:os';

/** The first global IPv4 address, or the loopback's when there is none. */
export function machineAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? [])
      if (family === 'IPv4' && !internal && !address.startsWith('169.254.')) return address;
  }
  return '127.0.0.1';
}

/**
 * The first /16 of `10.FIRST.0.0`, `10.(FIRST+1).0.0`, ... that no interface of this machine has an address in, so that
 * clusters side by side do not share pods' or services' addresses.
 */
export function freeRange(first: number, last: number): string {
  const used = new Set(
    Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family }) => family === 'IPv4')
      .map(({ address }) => address.split('.').slice(0, 2).join('.')),
  );
  for (let second = first; second <= last; second++) if (!used.has(`10.${second}`)) return `10.${second}.0.0/16`;
  throw new Error(
    `no range from 10.${first}.0.0/16 to 10.${last}.0.0/16 is free on this machine: give one with --pod-cidr or --service-cidr`,
  );
}

/** The address `offset` places into a range: 1 is a service range's first, `kubernetes.default`'s. */
export function addressIn(cidr: string, offset: number): string {
  const [base = ''] = cidr.split('/');
  const number = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + offset;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/** Node number `index`'s share of the pods' range: a /24, or the range itself when it is no larger. */
export function nodePodCidr(podCidr: string, index: number): string {
  const prefix = Number(podCidr.split('/')[1]);
  if (prefix >= 24) return podCidr;
  const count = 2 ** (24 - prefix);
  if (index >= count) throw new Error(`the pods' range ${podCidr} has room for ${count} nodes, and this is number ${index + 1}`);
  return `${addressIn(podCidr, index * 256)}/24`;
}
