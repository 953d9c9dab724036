// A plan as nftables rules: no chain per service, but one map from a frontend to a chain shared by all services with as many
// endpoints, and one map from frontend and random number to an endpoint. Only session affinity, which needs memory, has
// chains of its own. Pure.

import { fingerprint, type RuleSet } from './difference.ts';
import { type Frontend, frontendKey, type Plan } from './plan.ts';

export interface RulesOptions {
  /** Where all pods of the cluster live: their traffic keeps its source address within it. */
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  /** The pods' bridge: what leaves by it is not masqueraded. */
  readonly bridge: string;
}

/** Marks a packet for masquerading on its way out; the bit that other service proxies use too. */
const masqueradeMark = '0x00004000';
const frontendOfPacket = 'ip daddr . meta l4proto . th dport';
/** Where the numbers of `near` endpoints start in the one endpoints map. */
const nearOffset = 1 << 20;
/** The most clients that one endpoint remembers. */
const affinityClientsMax = 65535;

/** Tables, sets and hooks that are there whatever the services are. */
export function baseRules({ clusterCidr, serviceCidr, bridge }: RulesOptions): [string, string][] {
  const frontend = 'type ipv4_addr . inet_proto . inet_service';
  return [
    ['map services', `${frontend} : verdict;`],
    ['map near', `${frontend} : verdict;`],
    // A map for each protocol: nft 1.0 reads a declaration with `th dport` back only in its first transaction.
    ['map endpoints-tcp', 'typeof ip daddr . tcp dport . numgen random mod 2 : ip daddr . tcp dport;'],
    ['map endpoints-udp', 'typeof ip daddr . udp dport . numgen random mod 2 : ip daddr . udp dport;'],
    ['set hairpin', 'type ipv4_addr . ipv4_addr;'],
    ['set rejected', `${frontend};`],
    ['set dropped', `${frontend};`],
    ['set firewalled', `${frontend};`],
    ['set allowed', 'type ipv4_addr . inet_proto . inet_service . ipv4_addr; flags interval;'],
    // Just before the usual place of destination NAT, so that no other proxy's or CNI's rule takes a service address first.
    chain('prerouting', 'type nat hook prerouting priority -105', [
      `ip saddr ${clusterCidr} ${frontendOfPacket} vmap @near`,
      // Twice: before Linux 6.17 a lookup can miss an element that is being replaced.
      `${frontendOfPacket} vmap @services`,
      `${frontendOfPacket} vmap @services`,
    ]),
    chain('output', 'type nat hook output priority -105', [
      `${frontendOfPacket} vmap @near`,
      `${frontendOfPacket} vmap @services`,
      `${frontendOfPacket} vmap @services`,
    ]),
    // CNI plugins put early ACCEPTs at priority 100.
    chain('postrouting', 'type nat hook postrouting priority 95', [
      `meta mark & ${masqueradeMark} == ${masqueradeMark} meta mark set meta mark ^ ${masqueradeMark} masquerade fully-random`,
      'ct status dnat ip saddr . ip daddr @hairpin masquerade fully-random',
      `ip saddr ${clusterCidr} ip daddr != ${clusterCidr} ip daddr != 224.0.0.0/4 oifname != "${bridge}" masquerade fully-random`,
    ]),
    chain('firewall', 'type filter hook prerouting priority -110', [
      // Loopback frontends need route_localnet, which must not let neighbours reach 127.0.0.1.
      'iifname != "lo" ip daddr 127.0.0.0/8 drop',
      `${frontendOfPacket} @firewalled ${frontendOfPacket} . ip saddr != @allowed drop`,
    ]),
    chain('refuse', '', [`${frontendOfPacket} @dropped drop`, `${frontendOfPacket} @rejected reject`]),
    chain('input', 'type filter hook input priority 0', ['ct state new jump refuse']),
    // A service address that no rule has translated belongs to nobody and must not leave the machine.
    chain('forward', 'type filter hook forward priority 0', ['ct state new jump refuse', `ip daddr ${serviceCidr} reject`]),
    chain('filter-output', 'type filter hook output priority 0', [
      'ct state new jump refuse',
      `ip daddr ${serviceCidr} fib daddr type != local reject`,
    ]),
  ];
}

/** What one frontend adds. */
export function frontendRules(frontend: Frontend, { clusterCidr }: RulesOptions): [string, string][] {
  const { address, protocol, port, endpoints, scope, masquerade } = frontend;
  if (protocol === 'sctp') return [];
  const at = `${address} . ${protocol} . ${port}`;
  const out: [string, string][] = [];
  if (frontend.sourceRanges && scope === 'any') {
    const ranges = normalRanges(frontend.sourceRanges);
    if (!ranges.includes('0.0.0.0/0')) {
      out.push([`element firewalled ${at}`, '']);
      for (const range of ranges) out.push([`element allowed ${at} . ${range}`, '']);
    }
  }
  if (endpoints.length === 0) {
    if (scope === 'any') out.push([`element ${frontend.whenEmpty === 'drop' ? 'dropped' : 'rejected'} ${at}`, '']);
    return out;
  }
  const map = scope === 'near' ? 'near' : 'services';
  for (const endpoint of endpoints) out.push([`element hairpin ${endpoint.address} . ${endpoint.address}`, '']);
  const mark = {
    never: [],
    outside: [`ip saddr != ${clusterCidr} meta mark set meta mark | ${masqueradeMark}`],
    always: [`meta mark set meta mark | ${masqueradeMark}`],
  }[masquerade];
  if (frontend.affinitySeconds > 0) {
    out.push(...affinityRules(frontend, mark), [`element ${map} ${at}`, `goto ${affinityChain(frontend)}`]);
    return out;
  }
  const offset = scope === 'near' ? nearOffset : 0;
  const spread = `${protocol}-to-${endpoints.length}${scope === 'near' ? '-near' : ''}`;
  const choose = (count: number) =>
    `dnat ip to ip daddr . ${protocol} dport . numgen random mod ${count}${offset ? ` offset ${offset}` : ''} map @endpoints-${protocol}`;
  // The two lookups of one packet can fall on either side of a transaction: a number that is gone by the second one
  // falls back to the first endpoint, which is there as long as there is any.
  out.push(chain(spread, '', [choose(endpoints.length), choose(1)]));
  endpoints.forEach((endpoint, i) => {
    out.push([`element endpoints-${protocol} ${address} . ${port} . ${offset + i}`, `${endpoint.address} . ${endpoint.port}`]);
  });
  if (mark.length > 0) out.push(chain(`${masquerade}-${spread}`, '', [...mark, `goto ${spread}`]));
  out.push([`element ${map} ${at}`, `goto ${mark.length > 0 ? `${masquerade}-` : ''}${spread}`]);
  return out;
}

/** The whole rule set of a plan. `rulesOf` may remember what a frontend adds. */
export function ruleSetOf(plan: Plan, options: RulesOptions, rulesOf = (f: Frontend) => frontendRules(f, options)): RuleSet {
  const rules = new Map(baseRules(options));
  for (const frontend of plan.values()) for (const [key, value] of rulesOf(frontend)) rules.set(key, value);
  return rules;
}

/** True for sets that the kernel itself fills. */
export function isDynamicSet(name: string): boolean {
  return name.startsWith('affinity-');
}

/** A client is remembered by the endpoint it was given, so that the others' coming and going does not move it. */
function affinityRules(frontend: Frontend, mark: readonly string[]): [string, string][] {
  const { endpoints, affinitySeconds, protocol } = frontend;
  const own = affinityChain(frontend);
  const names = endpoints.map((e) => `${own}-${fingerprint(`${e.address}:${e.port}`)}`);
  const out: [string, string][] = [];
  endpoints.forEach(({ address, port }, i) => {
    const name = names[i] as string;
    out.push([`set ${name}`, `type ipv4_addr; flags dynamic,timeout; timeout ${affinitySeconds}s; size ${affinityClientsMax};`]);
    out.push(chain(name, '', [`update @${name} { ip saddr } meta l4proto ${protocol} dnat ip to ${address}:${port}`]));
  });
  const remembered = names.map((name) => `ip saddr @${name} goto ${name}`);
  const choices = names.map((name, i) => `${i} : goto ${name}`).join(', ');
  out.push(chain(own, '', [...mark, ...remembered, `numgen random mod ${names.length} vmap { ${choices} }`]));
  return out;
}

function affinityChain(frontend: Frontend): string {
  return `affinity-${fingerprint(`${frontendKey(frontend)} ${frontend.affinitySeconds}`)}`;
}

function chain(name: string, hook: string, rules: readonly string[]): [string, string] {
  return [`chain ${name}`, [hook, ...rules].join('\n')];
}

/** As the kernel shows them: host bits cleared, no range inside another, a single address without its length. */
export function normalRanges(ranges: readonly string[]): string[] {
  const parsed = ranges.map((range) => {
    const [address = '', length = '32'] = range.split('/');
    const bits = Number(length);
    const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    const size = 2 ** (32 - bits);
    return { start: number - (number % size), bits, size };
  });
  const kept = parsed.filter(
    (r, i) => !parsed.some((o, j) => i !== j && o.start <= r.start && o.start + o.size >= r.start + r.size && (o.size > r.size || j < i)),
  );
  return kept.map(({ start, bits }) => {
    const address = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join('.');
    return bits === 32 ? address : `${address}/${bits}`;
  });
}
