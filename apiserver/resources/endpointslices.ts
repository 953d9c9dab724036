// EndpointSlices: some of the endpoints behind a service, all of one address type.

import { isDeepStrictEqual } from 'node:util';
import { type EndpointSlice, endpointSlices } from '../../api/discovery.ts';
import { type FieldError, invalid, notSupported, required, tooMany } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems, portNumberProblems } from '../../api/validation/formats.ts';
import { isIpv4, isIpv6, parseIp } from '../../api/validation/ip.ts';
import { immutableErrors, labelsErrors } from '../../api/validation/object-meta.ts';
import { addressWarnings } from './address-warnings.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { appProtocolErrors, nonSpecialIpErrors } from './endpoints.ts';
import { serve } from './resource.ts';

const endpointsMax = 1000;
const addressesMax = 100;
const portsMax = 20_000;
const topologyLabelsMax = 16;
const addressTypes = ['FQDN', 'IPv4', 'IPv6'];
const protocols = ['SCTP', 'TCP', 'UDP'];

type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];
type Port = NonNullable<EndpointSlice['ports']>[number];

export function defaultEndpointSlice(slice: EndpointSlice): void {
  for (const port of slice.ports ?? []) {
    port.name ??= '';
    port.protocol ||= 'TCP';
  }
}

export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  if (!slice.addressType) errors.push(required('addressType'));
  else if (!addressTypes.includes(slice.addressType)) errors.push(notSupported('addressType', slice.addressType, addressTypes));
  const { endpoints = [], ports = [] } = slice;
  if (endpoints.length > endpointsMax) return [...errors, tooMany('endpoints', endpoints.length, endpointsMax)];
  eachAt(endpoints, 'endpoints', (endpoint, at) => endpointErrors(endpoint, slice.addressType, at, errors));
  if (ports.length > portsMax) return [...errors, tooMany('ports', ports.length, portsMax)];
  const names = new Set<string>();
  eachAt(ports, 'ports', (port, at) => portErrors(port, names, at, errors));
  return errors;
}

function endpointErrors(endpoint: Endpoint, addressType: string, at: string, errors: FieldError[]): void {
  const { addresses = [] } = endpoint;
  if (addresses.length === 0) errors.push(required(`${at}.addresses`, 'must contain at least 1 address'));
  if (addresses.length > addressesMax) errors.push(tooMany(`${at}.addresses`, addresses.length, addressesMax));
  eachAt(addresses, `${at}.addresses`, (address, each) => addressErrors(address, addressType, each, errors));
  if (endpoint.nodeName !== undefined)
    for (const problem of dns1123SubdomainProblems(endpoint.nodeName)) errors.push(invalid(`${at}.nodeName`, endpoint.nodeName, problem));
  const topology = endpoint.deprecatedTopology;
  if (topology && Object.keys(topology).length > topologyLabelsMax)
    errors.push(tooMany(`${at}.deprecatedTopology`, Object.keys(topology).length, topologyLabelsMax));
  labelsErrors(topology, `${at}.deprecatedTopology`, errors);
  if (endpoint.hostname !== undefined)
    for (const problem of dns1123LabelProblems(endpoint.hostname)) errors.push(invalid(`${at}.hostname`, endpoint.hostname, problem));
}

function addressErrors(address: string, addressType: string, at: string, errors: FieldError[]): void {
  if (addressType === 'FQDN') {
    for (const problem of dns1123SubdomainProblems(address)) errors.push(invalid(at, address, problem));
    return;
  }
  if (!parseIp(address) || (addressType === 'IPv4' ? !isIpv4(address) : !isIpv6(address))) {
    errors.push(invalid(at, address, addressType === 'IPv4' ? 'must be an IPv4 address' : 'must be an IPv6 address'));
    return;
  }
  nonSpecialIpErrors(address, at, errors);
}

function portErrors(port: Port, names: Set<string>, at: string, errors: FieldError[]): void {
  const { name = '', protocol } = port;
  if (name !== '') for (const problem of dns1123LabelProblems(name)) errors.push(invalid(`${at}.name`, name, problem));
  if (names.has(name))
    errors.push({ type: 'FieldValueDuplicate', field: `${at}.name`, message: `Duplicate value: ${JSON.stringify(name)}` });
  names.add(name);
  if (!protocol) errors.push(required(`${at}.protocol`));
  else if (!protocols.includes(protocol)) errors.push(notSupported(`${at}.protocol`, protocol, protocols));
  if (port.port !== undefined) for (const problem of portNumberProblems(port.port)) errors.push(invalid(`${at}.port`, port.port, problem));
  if (port.appProtocol !== undefined) appProtocolErrors(port.appProtocol, `${at}.appProtocol`, errors);
}

function someOf(texts: readonly string[], none: string): string {
  if (texts.length === 0) return none;
  return texts.length > 3 ? `${texts.slice(0, 3).join(',')} + ${texts.length - 3} more...` : texts.join(',');
}

const ownControllers = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'];

function sliceWarnings({ metadata, addressType, endpoints = [] }: EndpointSlice): string[] {
  if (addressType === 'FQDN') return ['spec.addressType: FQDN endpoints are deprecated'];
  // The controllers write addresses as they should be.
  if (ownControllers.includes(metadata?.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '')) return [];
  return (endpoints ?? []).flatMap(({ addresses }, i) =>
    addresses.flatMap((address, j) => addressWarnings(address, `endpoints[${i}].addresses[${j}]`)),
  );
}

export const endpointSliceResource = serve(endpointSlices, {
  defaults: defaultEndpointSlice,
  beforeCreate: (slice) => {
    slice.metadata = { ...slice.metadata, generation: 1 };
  },
  beforeUpdate: (slice, old) => {
    const isSame = isDeepStrictEqual([slice.endpoints, slice.ports], [old.endpoints, old.ports]);
    const generation = old.metadata?.generation ?? 1;
    slice.metadata = { ...slice.metadata, generation: isSame ? generation : generation + 1 };
  },
  validate: validateEndpointSlice,
  warningsOf: sliceWarnings,
  validateUpdate: (slice, old) => [...validateEndpointSlice(slice), ...immutableErrors('addressType', slice.addressType, old.addressType)],
  columns: [
    nameColumn(),
    text('AddressType', 'The type of all addresses in this slice.', (slice) => slice.addressType),
    text('Ports', 'Ports that every endpoint has.', (slice) =>
      someOf(
        (slice.ports ?? []).map((port) => String(port.port ?? '*')),
        '<unset>',
      ),
    ),
    text('Endpoints', 'Addresses of the endpoints.', (slice) =>
      someOf(
        (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses),
        '<unset>',
      ),
    ),
    ageColumn(),
  ],
});
