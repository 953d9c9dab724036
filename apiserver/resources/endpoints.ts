// Endpoints: the addresses and ports behind a service, in subsets that share their ports.

import { type Endpoints, endpoints } from '../../api/core.ts';
import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems, portNumberProblems, qualifiedNameProblems } from '../../api/validation/formats.ts';
import { formatIp, legacyIpErrors, parseIp } from '../../api/validation/ip.ts';
import { addressWarnings } from './address-warnings.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { serve } from './resource.ts';

export function defaultEndpoints(object: Endpoints): void {
  for (const subset of object.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= 'TCP';
}

export function validateEndpoints(object: Endpoints): FieldError[] {
  const errors: FieldError[] = [];
  object.subsets?.forEach((subset, i) => {
    const at = `subsets[${i}]`;
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    if (addresses.length === 0 && notReadyAddresses.length === 0)
      errors.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    eachAt(addresses, `${at}.addresses`, (address, each) => addressErrors(address, each, errors));
    eachAt(notReadyAddresses, `${at}.notReadyAddresses`, (address, each) => addressErrors(address, each, errors));
    eachAt(ports, `${at}.ports`, (port, each) => portErrors(port, ports.length > 1, each, errors));
  });
  return errors;
}

type Subset = NonNullable<Endpoints['subsets']>[number];
type Address = NonNullable<Subset['addresses']>[number];
type Port = NonNullable<Subset['ports']>[number];

function addressErrors(address: Address, at: string, errors: FieldError[]): void {
  const before = errors.length;
  errors.push(...legacyIpErrors(`${at}.ip`, address.ip ?? ''));
  if (address.hostname)
    for (const problem of dns1123LabelProblems(address.hostname)) errors.push(invalid(`${at}.hostname`, address.hostname, problem));
  if (address.nodeName !== undefined)
    for (const problem of dns1123SubdomainProblems(address.nodeName)) errors.push(invalid(`${at}.nodeName`, address.nodeName, problem));
  if (errors.length === before) nonSpecialIpErrors(address.ip, `${at}.ip`, errors);
}

/** Adds the problems of an address that cannot be an endpoint: unspecified, loopback, link-local. */
export function nonSpecialIpErrors(ip: string, at: string, errors: FieldError[]): void {
  const bytes = parseIp(ip);
  if (!bytes) {
    errors.push(invalid(at, ip, 'must be a valid IP address'));
    return;
  }
  const plain = formatIp(bytes);
  const isV4 = !plain.includes(':');
  const [a = 0, b = 0, c = 0] = isV4 ? plain.split('.').map(Number) : bytes;
  if (plain === '0.0.0.0' || plain === '::') errors.push(invalid(at, ip, `may not be unspecified (${ip})`));
  if (isV4 ? a === 127 : plain === '::1') errors.push(invalid(at, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'));
  if (isV4 ? a === 169 && b === 254 : a === 0xfe && (b & 0xc0) === 0x80)
    errors.push(invalid(at, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'));
  if (isV4 ? a === 224 && b === 0 && c === 0 : a === 0xff && (b & 0x0f) === 0x02)
    errors.push(invalid(at, ip, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'));
}

const protocols = ['SCTP', 'TCP', 'UDP'];

function portErrors(port: Port, requiresName: boolean, at: string, errors: FieldError[]): void {
  if (requiresName && !port.name) errors.push(required(`${at}.name`));
  else if (port.name) for (const problem of dns1123LabelProblems(port.name)) errors.push(invalid(`${at}.name`, port.name, problem));
  for (const problem of portNumberProblems(port.port ?? 0)) errors.push(invalid(`${at}.port`, port.port ?? 0, problem));
  if (!port.protocol) errors.push(required(`${at}.protocol`));
  else if (!protocols.includes(port.protocol)) errors.push(notSupported(`${at}.protocol`, port.protocol, protocols));
  if (port.appProtocol !== undefined) appProtocolErrors(port.appProtocol, `${at}.appProtocol`, errors);
}

/** Adds the problems of an application protocol: a qualified name. */
export function appProtocolErrors(appProtocol: string, at: string, errors: FieldError[]): void {
  for (const problem of qualifiedNameProblems(appProtocol)) errors.push(invalid(at, appProtocol, problem));
}

/** The first three `ip:port`, and how many more there are. */
function endpointsText(object: Endpoints): string {
  if (!object.subsets?.length) return '<none>';
  const shown: string[] = [];
  let count = 0;
  for (const { addresses = [], ports = [] } of object.subsets) {
    const targets = ports.length ? ports.flatMap((port) => addresses.map((a) => hostPort(a.ip, port.port))) : addresses.map((a) => a.ip);
    count += targets.length;
    shown.push(...targets.slice(0, 3 - shown.length));
  }
  return count > 3 ? `${shown.join(',')} + ${count - 3} more...` : shown.join(',');
}

const hostPort = (ip: string, port: number) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

export const endpointsResource = serve(endpoints, {
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  defaults: defaultEndpoints,
  validate: validateEndpoints,
  // The controller writes addresses as they should be.
  warningsOf: ({ metadata, subsets = [] }) =>
    metadata?.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller'
      ? []
      : subsets.flatMap(({ addresses = [], notReadyAddresses = [] }, i) => [
          ...addresses.flatMap(({ ip }, j) => addressWarnings(ip, `subsets[${i}].addresses[${j}].ip`)),
          ...notReadyAddresses.flatMap(({ ip }, j) => addressWarnings(ip, `subsets[${i}].notReadyAddresses[${j}].ip`)),
        ]),
  columns: [nameColumn(), text('Endpoints', 'Addresses and ports that are ready.', endpointsText), ageColumn()],
});
