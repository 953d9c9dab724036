// Services' cluster addresses and node ports: chosen from their ranges or checked against them, and held by one service
// at a time. Follows pkg/registry/core/service (KEP-3070 for how the range is divided).

import { type Service, services } from '../../api/core.ts';
import { type FieldError, invalid } from '../../api/field-error.ts';
import { invalidError } from '../../api/status.ts';
import { type Cidr, formatIp, isIpv6, parseCidr, parseIp } from '../../api/validation/ip.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Random } from '../../base/random.ts';
import type { Reservations } from './reservations.ts';
import type { Taking, WriteHook } from './write-hook.ts';

type Spec = NonNullable<Service['spec']>;

export interface ServiceAllocationOptions {
  addresses: Reservations;
  ports: Reservations;
  /** `10.96.0.0/12` */
  clusterIpRange: string;
  random: Random;
}

const nodePortMin = 30000;
const nodePortMax = 32767;
const randomAttempts = 64;

/** What a service holds. */
interface Holdings {
  addresses: Set<string>;
  ports: Set<number>;
}

/** The reservations a service's spec makes. */
export function holdingsOf(service: Service | undefined): Holdings {
  const spec = service?.spec;
  const addresses = new Set((spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : [])).filter((ip) => ip !== '' && ip !== 'None'));
  const ports = new Set<number>();
  for (const port of spec?.ports ?? []) if (port.nodePort) ports.add(port.nodePort);
  if (spec?.healthCheckNodePort) ports.add(spec.healthCheckNodePort);
  return { addresses, ports };
}

export class ServiceAllocation implements WriteHook {
  readonly #addresses: Reservations;
  readonly #ports: Reservations;
  readonly #random: Random;
  readonly #range: string;
  readonly #network: bigint;
  readonly #bytes: number;
  /** Addresses that can be given out. */
  readonly #size: bigint;

  constructor(options: ServiceAllocationOptions) {
    const cidr = parseCidr(options.clusterIpRange);
    if (!cidr) throw new Error(`the service range ${options.clusterIpRange} is no CIDR`);
    this.#addresses = options.addresses;
    this.#ports = options.ports;
    this.#random = options.random;
    this.#range = options.clusterIpRange;
    this.#network = toNumber(cidr.network);
    this.#bytes = cidr.network.length;
    this.#size = sizeOf(cidr);
  }

  /** The range's first address: that of the `kubernetes` service. */
  get firstAddress(): string {
    return this.#addressAt(1n);
  }

  async begin(object: KubeObject, old: KubeObject | undefined, isDryRun: boolean): Promise<Taking> {
    const service = object as Service;
    const spec = service.spec;
    if (!spec) return nothing;
    const name = service.metadata?.name ?? '';
    const holder = `${service.metadata?.namespace}/${name}`;
    const before = holdingsOf(old as Service | undefined);
    const taken: (() => Promise<void>)[] = [];
    const undo = async () => {
      for (const release of taken) await release();
    };
    try {
      this.#setFamilies(spec, name);
      if (wantsAddress(spec)) await this.#takeAddress(spec, name, holder, before, isDryRun, taken);
      await this.#takePorts(spec, name, holder, before, isDryRun, taken);
    } catch (error) {
      await undo();
      throw error;
    }
    const after = holdingsOf(service);
    return {
      rollback: undo,
      commit: async () => {
        for (const ip of before.addresses) if (!after.addresses.has(ip)) await this.#addresses.release(ip);
        for (const port of before.ports) if (!after.ports.has(port)) await this.#ports.release(String(port));
      },
    };
  }

  async released(object: KubeObject): Promise<void> {
    const { addresses, ports } = holdingsOf(object as Service);
    for (const ip of addresses) await this.#addresses.release(ip);
    for (const port of ports) await this.#ports.release(String(port));
  }

  /** Brings the reservations in line with the services there are. */
  async repair(objects: Iterable<KubeObject>): Promise<void> {
    const addresses = new Map<string, string>();
    const ports = new Map<string, string>();
    for (const object of objects) {
      const holder = `${object.metadata?.namespace}/${object.metadata?.name}`;
      const held = holdingsOf(object as Service);
      for (const ip of held.addresses) addresses.set(ip, holder);
      for (const port of held.ports) ports.set(String(port), holder);
    }
    await this.#addresses.repair(addresses);
    await this.#ports.repair(ports);
  }

  #setFamilies(spec: Spec, name: string): void {
    if (spec.type === 'ExternalName') return;
    const family = this.#bytes === 4 ? 'IPv4' : 'IPv6';
    const isHeadless = spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None';
    const isSelectorless = Object.keys(spec.selector ?? {}).length === 0;
    if (isHeadless && isSelectorless && !spec.ipFamilyPolicy && !spec.ipFamilies?.length) {
      // Its endpoints are anybody's, of either family.
      spec.ipFamilyPolicy = 'RequireDualStack';
      spec.ipFamilies = family === 'IPv4' ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4'];
      return;
    }
    const errors: FieldError[] = [];
    if (!(isHeadless && isSelectorless)) {
      if (spec.ipFamilyPolicy === 'RequireDualStack') {
        errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
      }
      spec.ipFamilies?.forEach((given, index) => {
        if ((given === 'IPv4' || given === 'IPv6') && given !== family) {
          errors.push(invalid(`spec.ipFamilies[${index}]`, given, 'not configured on this cluster'));
        }
      });
    }
    if (errors.length) throw invalidError(services, name, errors);
    spec.ipFamilyPolicy ??= 'SingleStack';
    if (!spec.ipFamilies?.length) spec.ipFamilies = [family];
  }

  async #takeAddress(spec: Spec, name: string, holder: string, before: Holdings, isDryRun: boolean, taken: (() => Promise<void>)[]) {
    const asked = spec.clusterIPs?.[0] || spec.clusterIP || '';
    if (asked && before.addresses.has(asked)) return;
    if (asked) {
      const bytes = parseIp(asked);
      // What is no address at all is for validation to say.
      if (!bytes) return;
      const refuse = (why: string) =>
        invalidError(services, name, [invalid('spec.clusterIPs', spec.clusterIPs ?? [asked], `failed to allocate IP ${asked}: ${why}`)]);
      if (!this.#isInRange(bytes))
        throw refuse(`the provided IP (${asked}) is not in the valid range. The range of valid IPs is ${this.#range}`);
      if (!(await this.#take(this.#addresses, asked, holder, isDryRun, taken))) throw refuse('provided IP is already allocated');
      return;
    }
    const ip = await this.#freeAddress(holder, isDryRun, taken);
    if (!ip) {
      const why = 'failed to allocate a serviceIP: range is full';
      throw invalidError(services, name, [invalid('spec.clusterIPs', [], why)]);
    }
    spec.clusterIP = ip;
    spec.clusterIPs = [ip];
  }

  /** From the upper part of the range, so that those who ask for addresses by name find the lower one free. */
  async #freeAddress(holder: string, isDryRun: boolean, taken: (() => Promise<void>)[]): Promise<string | undefined> {
    const band = staticBand(this.#size);
    for (let attempt = 0; attempt < randomAttempts; attempt++) {
      const span = this.#size - band;
      const offset = band + BigInt(Math.floor(this.#random.float() * Number(span)));
      const ip = this.#addressAt(offset + 1n);
      if (await this.#take(this.#addresses, ip, holder, isDryRun, taken)) return ip;
    }
    const known = await this.#addresses.names();
    for (const [from, to] of [
      [band, this.#size],
      [0n, band],
    ] as const) {
      for (let offset = from; offset < to; offset++) {
        const ip = this.#addressAt(offset + 1n);
        if (!known.has(ip) && (await this.#take(this.#addresses, ip, holder, isDryRun, taken))) return ip;
      }
    }
    return undefined;
  }

  async #takePorts(spec: Spec, name: string, holder: string, before: Holdings, isDryRun: boolean, taken: (() => Promise<void>)[]) {
    const mine = new Set(before.ports);
    const ports = spec.ports ?? [];
    for (const [index, port] of ports.entries()) {
      if (!port.nodePort || mine.has(port.nodePort)) continue;
      await this.#takeNamedPort(port.nodePort, `spec.ports[${index}].nodePort`, name, holder, isDryRun, taken);
      mine.add(port.nodePort);
    }
    const wantsPorts = spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
    if (wantsPorts)
      for (const port of ports) port.nodePort ||= sharedPort(ports, port) ?? (await this.#freePort(name, holder, isDryRun, taken));
    if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return;
    const check = spec.healthCheckNodePort;
    if (!check) spec.healthCheckNodePort = await this.#freePort(name, holder, isDryRun, taken);
    else if (!mine.has(check)) await this.#takeNamedPort(check, 'spec.healthCheckNodePort', name, holder, isDryRun, taken);
  }

  async #takeNamedPort(port: number, at: string, name: string, holder: string, isDryRun: boolean, taken: (() => Promise<void>)[]) {
    const refuse = (why: string) => invalidError(services, name, [invalid(at, port, why)]);
    if (port < nodePortMin || port > nodePortMax) {
      throw refuse(`provided port is not in the valid range. The range of valid ports is ${nodePortMin}-${nodePortMax}`);
    }
    if (!(await this.#take(this.#ports, String(port), holder, isDryRun, taken))) throw refuse('provided port is already allocated');
  }

  async #freePort(name: string, holder: string, isDryRun: boolean, taken: (() => Promise<void>)[]): Promise<number> {
    const count = nodePortMax - nodePortMin + 1;
    const start = Math.floor(this.#random.float() * count);
    const known = await this.#ports.names();
    for (let i = 0; i < count; i++) {
      const port = nodePortMin + ((start + i) % count);
      if (!known.has(String(port)) && (await this.#take(this.#ports, String(port), holder, isDryRun, taken))) return port;
    }
    throw invalidError(services, name, [invalid('spec.ports[0].nodePort', 0, 'failed to allocate a nodePort: range is full')]);
  }

  async #take(from: Reservations, name: string, holder: string, isDryRun: boolean, taken: (() => Promise<void>)[]): Promise<boolean> {
    if (isDryRun) return !(await from.isTaken(name));
    if (!(await from.take(name, holder))) return false;
    taken.push(() => from.release(name));
    return true;
  }

  #isInRange(bytes: readonly number[]): boolean {
    if (bytes.length !== this.#bytes || isIpv6(formatIp(bytes)) !== (this.#bytes === 16)) return false;
    const offset = toNumber(bytes) - this.#network;
    return offset >= 1n && offset <= this.#size;
  }

  #addressAt(offset: bigint): string {
    let value = this.#network + offset;
    const bytes = new Array<number>(this.#bytes);
    for (let i = this.#bytes - 1; i >= 0; i--) {
      bytes[i] = Number(value & 255n);
      value >>= 8n;
    }
    return formatIp(bytes);
  }
}

const nothing: Taking = { commit: () => Promise.resolve(), rollback: () => Promise.resolve() };

function wantsAddress(spec: Spec): boolean {
  const asked = spec.clusterIPs?.[0] ?? spec.clusterIP;
  return spec.type !== 'ExternalName' && asked !== 'None';
}

/** TCP and UDP of the same port share a node port. */
function sharedPort(ports: readonly NonNullable<Spec['ports']>[number][], port: NonNullable<Spec['ports']>[number]): number | undefined {
  return ports.find((other) => other !== port && other.port === port.port && other.protocol !== port.protocol && other.nodePort)?.nodePort;
}

const toNumber = (bytes: readonly number[]) => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** Without the network's own address and, in IPv4, the broadcast address; at most 2^16 of an IPv6 range, as Kubernetes. */
function sizeOf({ network, prefixBits }: Cidr): bigint {
  const hostBits = network.length * 8 - prefixBits;
  if (network.length === 16) return (1n << BigInt(Math.min(hostBits, 16))) - 1n;
  return (1n << BigInt(hostBits)) - 2n;
}

/** min(max(16, size / 16), 256) */
function staticBand(size: bigint): bigint {
  const sixteenth = size / 16n;
  const band = sixteenth < 16n ? 16n : sixteenth > 256n ? 256n : sixteenth;
  return band < size ? band : 0n;
}
