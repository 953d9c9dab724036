// Services: a stable name and address for a set of pods. Addresses and node ports themselves are allocated by the
// registry before validation; what is here are defaults, rules and columns.

import { type Service, services } from '../../api/core.ts';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  nameIsDns1035Label,
  portNumberProblems,
  qualifiedNameProblems,
} from '../../api/validation/formats.ts';
import { legacyCidrErrors, legacyIpErrors, parseIp } from '../../api/validation/ip.ts';
import { labelsErrors } from '../../api/validation/object-meta.ts';
import { loadBalancerWarnings } from './address-warnings.ts';
import { ageColumn, labelsText, nameColumn, text, wide } from './columns.ts';
import { nonSpecialIpErrors } from './endpoints.ts';
import { keep } from './generation.ts';
import { choiceErrors } from './pod-containers.ts';
import { portErrors } from './pod-probes.ts';
import { enumErrors } from './pod-security.ts';
import { serve } from './resource.ts';
import { addressFamilyErrors, validateFamilyChange } from './service-families.ts';
import { serviceWarnings } from './service-warnings.ts';

type Spec = NonNullable<Service['spec']>;
type Port = NonNullable<Spec['ports']>[number];

/** Reached from outside the cluster: by node port, load balancer or external address. */
const isExternallyAccessible = ({ type, externalIPs }: Spec) =>
  type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && (externalIPs?.length ?? 0) > 0);
const needsHealthCheck = (spec: Spec) => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
const isHeadless = ({ clusterIPs }: Spec) => clusterIPs?.length === 1 && clusterIPs[0] === 'None';

export function defaultService({ spec, status }: Service): void {
  if (!spec) return;
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined)
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10800 } };
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    if (!port.targetPort) port.targetPort = port.port;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type !== 'LoadBalancer') return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
}

/** clusterIP and clusterIPs say the same: whichever the client wrote is carried to the other. */
function syncClusterIps(service: Service, old: Service | undefined): void {
  const { spec } = service;
  if (!spec) return;
  const oldSpec = old?.spec;
  if (!oldSpec) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const changedOne = spec.clusterIP !== oldSpec.clusterIP;
  const isSameList = JSON.stringify(spec.clusterIPs ?? []) === JSON.stringify(oldSpec.clusterIPs ?? []);
  if (!changedOne || !isSameList) return;
  if (!spec.clusterIP) delete spec.clusterIPs;
  else spec.clusterIPs = [spec.clusterIP];
}

/** On updates: what the type in use still needs is carried over; what it has no use for goes. */
function beforeUpdate(service: Service, old: Service): void {
  keep(service, old, 'status');
  const { spec } = service;
  const oldSpec = old.spec;
  if (!spec || !oldSpec) return;
  syncClusterIps(service, old);
  const needsIp = spec.type !== 'ExternalName' && oldSpec.type !== 'ExternalName';
  if (needsIp && !spec.clusterIP && !spec.clusterIPs?.length) {
    keep(spec, oldSpec, 'clusterIP');
    keep(spec, oldSpec, 'clusterIPs');
  }
  if (needsIp) {
    if (spec.ipFamilies === undefined) keep(spec, oldSpec, 'ipFamilies');
    if (spec.ipFamilyPolicy === undefined) keep(spec, oldSpec, 'ipFamilyPolicy');
  }
  if (needsHealthCheck(oldSpec) && needsHealthCheck(spec) && !spec.healthCheckNodePort) keep(spec, oldSpec, 'healthCheckNodePort');
  patchNodePorts(spec, oldSpec);
  dropForType(spec, oldSpec);
}

const hasNodePorts = ({ type, allocateLoadBalancerNodePorts }: Spec) =>
  type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false);

/** A port that names no node port keeps the one it had. */
function patchNodePorts(spec: Spec, oldSpec: Spec): void {
  if (!hasNodePorts(spec) || !hasNodePorts(oldSpec)) return;
  const key = ({ protocol, port }: Port) => `${protocol}/${port}`;
  const had = new Map((oldSpec.ports ?? []).map((port) => [key(port), port.nodePort]));
  const used = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) {
    const nodePort = had.get(key(port));
    if (port.nodePort || !nodePort || used.has(nodePort)) continue;
    port.nodePort = nodePort;
    used.add(nodePort);
  }
}

/** What belonged only to how the service was before goes unless the client wrote it anew. */
function dropForType(spec: Spec, oldSpec: Spec): void {
  const isSame = <K extends keyof Spec>(field: K) => JSON.stringify(spec[field]) === JSON.stringify(oldSpec[field]);
  const isPast = (isNeeded: (of: Spec) => boolean) => isNeeded(oldSpec) && !isNeeded(spec);
  if (isPast(isExternallyAccessible) && isSame('externalTrafficPolicy')) delete spec.externalTrafficPolicy;
  if (isPast(needsHealthCheck) && isSame('healthCheckNodePort')) delete spec.healthCheckNodePort;
  if (spec.type === oldSpec.type) return;
  if (spec.type === 'ExternalName') {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'] as const)
      if (isSame(field)) delete spec[field];
  }
  if (oldSpec.type === 'ExternalName' && isSame('externalName')) delete spec.externalName;
  if (spec.type !== 'LoadBalancer')
    for (const field of ['allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const) if (isSame(field)) delete spec[field];
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') return;
  const oldPorts = new Set((oldSpec.ports ?? []).map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) if (port.nodePort && oldPorts.has(port.nodePort)) delete port.nodePort;
}

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

export function validateService(service: Service): FieldError[] {
  const errors: FieldError[] = [];
  const spec: Spec = service.spec ?? {};
  const { type, ports = [], clusterIPs } = spec;
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') errors.push(required('spec.ports'));
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec))
    errors.push(invalid('spec.clusterIPs[0]', clusterIPs?.[0], `may not be set to 'None' for ${type} services`));
  if (type === 'ExternalName') externalNameErrors(spec, errors);
  portsErrors(spec, ports, errors);
  labelsErrors(spec.selector, 'spec.selector', errors);
  affinityErrors(spec, errors);
  addressFamilyErrors(spec, errors);
  eachAt(spec.externalIPs, 'spec.externalIPs', (ip, at) => {
    const problems = legacyIpErrors(at, ip);
    if (problems.length) errors.push(...problems);
    else nonSpecialIpErrors(ip, at, errors);
  });
  choiceErrors(type, types, 'spec.type', errors);
  sourceRangesErrors(service, spec, errors);
  loadBalancerErrors(spec, errors);
  trafficErrors(spec, errors);
  return errors;
}

function externalNameErrors(spec: Spec, errors: FieldError[]): void {
  const why = 'may not be set for ExternalName services';
  if (spec.clusterIPs?.length) errors.push(forbidden('spec.clusterIPs', why));
  if (spec.ipFamilies?.length) errors.push(forbidden('spec.ipFamilies', why));
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden('spec.ipFamilyPolicy', why));
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (!name) errors.push(required('spec.externalName'));
  else for (const problem of dns1123SubdomainProblems(name)) errors.push(invalid('spec.externalName', name, problem));
}

function portsErrors(spec: Spec, ports: readonly Port[], errors: FieldError[]): void {
  const names = new Set<string>();
  eachAt(ports, 'spec.ports', (port, at) => {
    const { name, port: number = 0, protocol, targetPort, appProtocol } = port;
    if (!name) {
      if (ports.length > 1) errors.push(required(`${at}.name`));
    } else {
      for (const problem of dns1123LabelProblems(name)) errors.push(invalid(`${at}.name`, name, problem));
      if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    for (const problem of portNumberProblems(number)) errors.push(invalid(`${at}.port`, number, problem));
    choiceErrors(protocol, ['SCTP', 'TCP', 'UDP'], `${at}.protocol`, errors);
    portErrors(targetPort, `${at}.targetPort`, errors);
    if (appProtocol !== undefined)
      for (const problem of qualifiedNameProblems(appProtocol)) errors.push(invalid(`${at}.appProtocol`, appProtocol, problem));
  });
  const nodePorts = new Set<string>();
  const numbers = new Set<string>();
  eachAt(ports, 'spec.ports', ({ nodePort, protocol, port }, at) => {
    if (nodePort && spec.type === 'ClusterIP') errors.push(forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    if (nodePort && nodePorts.has(`${protocol}/${nodePort}`)) errors.push(duplicate(`${at}.nodePort`, nodePort));
    if (nodePort) nodePorts.add(`${protocol}/${nodePort}`);
    const key = `${protocol}/${port}`;
    if (numbers.has(key))
      errors.push(duplicate(at, { Name: '', Protocol: protocol, AppProtocol: null, Port: port, TargetPort: 0, NodePort: 0 }));
    numbers.add(key);
  });
}

function affinityErrors({ sessionAffinity, sessionAffinityConfig: config }: Spec, errors: FieldError[]): void {
  choiceErrors(sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity', errors);
  const at = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None' && config) errors.push(forbidden(at, 'must not be set when session affinity is None'));
  if (sessionAffinity !== 'ClientIP') return;
  const why = 'when session affinity type is ClientIP';
  const seconds = config?.clientIP?.timeoutSeconds;
  if (!config) errors.push(required(at, why));
  else if (!config.clientIP) errors.push(required(`${at}.clientIP`, why));
  else if (seconds === undefined) errors.push(required(`${at}.clientIP.timeoutSeconds`, why));
  else if (seconds <= 0 || seconds > 86400)
    errors.push(invalid(`${at}.clientIP.timeoutSeconds`, seconds, 'must be greater than 0 and less than 86400'));
}

const sourceRangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';

function sourceRangesErrors(service: Service, spec: Spec, errors: FieldError[]): void {
  const ranges = spec.loadBalancerSourceRanges;
  const annotation = service.metadata?.annotations?.[sourceRangesAnnotation];
  const why = "may only be used when `type` is 'LoadBalancer'";
  if (ranges?.length) {
    const at = 'spec.LoadBalancerSourceRanges';
    if (spec.type !== 'LoadBalancer') errors.push(forbidden(at, why));
    eachAt(ranges, at, (range, each) => {
      errors.push(...legacyCidrErrors(each, range.trim()));
    });
  } else if (annotation !== undefined) {
    const at = `metadata.annotations[${sourceRangesAnnotation}]`;
    if (spec.type !== 'LoadBalancer') errors.push(forbidden(at, why));
    if (annotation.trim()) for (const range of annotation.trim().split(',')) errors.push(...legacyCidrErrors(at, range.trim()));
  }
}

function loadBalancerErrors(spec: Spec, errors: FieldError[]): void {
  const why = "may only be used when `type` is 'LoadBalancer'";
  const isBalanced = spec.type === 'LoadBalancer';
  if (spec.allocateLoadBalancerNodePorts !== undefined && !isBalanced) errors.push(forbidden('spec.allocateLoadBalancerNodePorts', why));
  if (spec.allocateLoadBalancerNodePorts === undefined && isBalanced) errors.push(required('allocateLoadBalancerNodePorts'));
  const balancerClass = spec.loadBalancerClass;
  if (balancerClass === undefined) return;
  if (!isBalanced) errors.push(forbidden('spec.loadBalancerClass', why));
  else for (const problem of qualifiedNameProblems(balancerClass)) errors.push(invalid('spec.loadBalancerClass', balancerClass, problem));
}

function trafficErrors(spec: Spec, errors: FieldError[]): void {
  const policy = spec.externalTrafficPolicy;
  if (isExternallyAccessible(spec)) choiceErrors(policy, ['Cluster', 'Local'], 'spec.externalTrafficPolicy', errors);
  else if (policy) errors.push(invalid('spec.externalTrafficPolicy', policy, 'may only be set for externally-accessible services'));
  const port = spec.healthCheckNodePort ?? 0;
  if (!needsHealthCheck(spec)) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    if (port) errors.push(invalid('spec.healthCheckNodePort', port, why));
  } else if (!port) errors.push(required('spec.healthCheckNodePort'));
  else for (const problem of portNumberProblems(port)) errors.push(invalid('spec.healthCheckNodePort', port, problem));
  const internal = spec.internalTrafficPolicy;
  if (internal === undefined && ['NodePort', 'LoadBalancer', 'ClusterIP'].includes(spec.type ?? ''))
    errors.push(required('spec.internalTrafficPolicy'));
  enumErrors(internal, ['Cluster', 'Local'], 'spec.internalTrafficPolicy', errors);
  enumErrors(spec.trafficDistribution, ['PreferClose', 'PreferSameNode', 'PreferSameZone'], 'spec.trafficDistribution', errors);
}

export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  const spec: Spec = service.spec ?? {};
  const oldSpec: Spec = old.spec ?? {};
  const errors = validateFamilyChange(spec, oldSpec);
  if (spec.type === 'LoadBalancer' && oldSpec.type === 'LoadBalancer' && spec.loadBalancerClass !== oldSpec.loadBalancerClass)
    errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass, 'may not change once set'));
  if (needsHealthCheck(oldSpec) && needsHealthCheck(spec) && spec.healthCheckNodePort !== oldSpec.healthCheckNodePort)
    errors.push(forbidden('spec.healthCheckNodePort', 'field is immutable'));
  errors.push(...validateService(service));
  return errors;
}

function validateStatusUpdate({ spec, status }: Service): FieldError[] {
  const errors: FieldError[] = [];
  const ingresses = status?.loadBalancer?.ingress;
  if (ingresses?.length && spec?.type !== 'LoadBalancer')
    errors.push(forbidden('status.loadBalancer.ingress', "may only be used when `spec.type` is 'LoadBalancer'"));
  else
    eachAt(ingresses, 'status.loadBalancer.ingress', ({ ip, ipMode, hostname }, at) => {
      if (ip) errors.push(...legacyIpErrors(`${at}.ip`, ip));
      if (ip && ipMode === undefined) errors.push(required(`${at}.ipMode`, 'must be specified when `ip` is set'));
      else if (ipMode !== undefined && !ip) errors.push(forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
      else if (ipMode !== undefined && ipMode !== 'VIP' && ipMode !== 'Proxy')
        errors.push(notSupported(`${at}.ipMode`, ipMode, ['Proxy', 'VIP']));
      if (!hostname) return;
      for (const problem of dns1123SubdomainProblems(hostname)) errors.push(invalid(`${at}.hostname`, hostname, problem));
      if (parseIp(hostname)) errors.push(invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
    });
  return errors;
}

function externalIpText({ spec = {}, status }: Service): string {
  const ingresses = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter(Boolean);
  const external = spec.externalIPs ?? [];
  if (spec.type === 'ExternalName') return spec.externalName ?? '';
  if (spec.type !== 'LoadBalancer') return external.join(',') || '<none>';
  return [...ingresses, ...external].join(',') || '<pending>';
}

const portsText = (ports: readonly Port[] | undefined) =>
  (ports ?? []).map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`).join(',') || '<none>';

export const serviceResource = serve(services, {
  fields: { 'spec.clusterIP': (service) => service.spec?.clusterIP ?? '', 'spec.type': (service) => service.spec?.type ?? '' },
  defaults: defaultService,
  beforeCreate(service) {
    service.status = { loadBalancer: {} };
    syncClusterIps(service, undefined);
  },
  beforeUpdate,
  validate: validateService,
  warningsOf: serviceWarnings,
  validateUpdate: validateServiceUpdate,
  validateName: (name, isGenerateName) => [...nameIsDns1035Label(name, isGenerateName)],
  status: {
    beforeUpdate: (service, old) => keep(service, old, 'spec'),
    validateUpdate: validateStatusUpdate,
    warningsOf: ({ status }) => loadBalancerWarnings(status),
  },
  subresources: { proxy: { kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'], handler: 'service-proxy' } },
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text('Type', 'How the service is reached.', (service) => service.spec?.type ?? ''),
    text(
      'Cluster-IP',
      'Its address inside the cluster.',
      (service) => service.spec?.clusterIPs?.[0] || service.spec?.clusterIP || '<none>',
    ),
    text('External-IP', 'Its addresses outside the cluster.', externalIpText),
    text('Port(s)', 'The ports it serves.', (service) => portsText(service.spec?.ports)),
    ageColumn(),
    wide('Selector', 'The labels of the pods behind it.', (service) => labelsText(service.spec?.selector)),
  ],
});
