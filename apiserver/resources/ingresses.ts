// Ingresses: which requests from outside go to which service.

import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { type Ingress, ingresses } from '../../api/networking.ts';
import { eachAt } from '../../api/validation/each.ts';
import {
  dns1035LabelProblems,
  dns1123SubdomainProblems,
  portNameProblems,
  portNumberProblems,
  wildcardSubdomainProblems,
} from '../../api/validation/formats.ts';
import { parseIp } from '../../api/validation/ip.ts';
import { loadBalancerWarnings } from './address-warnings.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { serve } from './resource.ts';

type Spec = NonNullable<Ingress['spec']>;
type Backend = NonNullable<Spec['defaultBackend']>;
type Path = NonNullable<NonNullable<Spec['rules']>[number]['http']>['paths'][number];

export function validateIngress({ spec = {} }: Ingress): FieldError[] {
  const errors: FieldError[] = [];
  const { defaultBackend, rules, tls, ingressClassName } = spec;
  if (!rules?.length && !defaultBackend) errors.push(invalid('spec', null, 'either `defaultBackend` or `rules` must be specified'));
  if (defaultBackend) backendErrors(defaultBackend, 'spec.defaultBackend', errors);
  eachAt(rules, 'spec.rules', ({ host, http }, at) => {
    if (host) {
      if (parseIp(host)) errors.push(invalid(`${at}.host`, host, 'must be a DNS name, not an IP address'));
      hostErrors(host, `${at}.host`, errors);
    }
    if (http && !http.paths?.length) errors.push(required(`${at}.http.paths`));
    eachAt(http?.paths, `${at}.http.paths`, (path, each) => pathErrors(path, each, errors));
  });
  eachAt(tls, 'spec.tls', ({ hosts, secretName }, at) => {
    eachAt(hosts, `${at}.hosts`, (host, each) => hostErrors(host, each, errors));
    if (secretName)
      for (const problem of dns1123SubdomainProblems(secretName)) errors.push(invalid(`${at}.secretName`, secretName, problem));
  });
  if (ingressClassName !== undefined)
    for (const problem of dns1123SubdomainProblems(ingressClassName))
      errors.push(invalid('spec.ingressClassName', ingressClassName, problem));
  return errors;
}

function hostErrors(host: string, at: string, errors: FieldError[]): void {
  const problems = host.includes('*') ? wildcardSubdomainProblems(host) : dns1123SubdomainProblems(host);
  for (const problem of problems) errors.push(invalid(at, host, problem));
}

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];

function pathErrors({ path = '', pathType, backend }: Path, at: string, errors: FieldError[]): void {
  const isAbsolute = path.startsWith('/');
  if (!pathType) errors.push(required(`${at}.pathType`, 'pathType must be specified'));
  else if (!pathTypes.includes(pathType)) errors.push(notSupported(`${at}.pathType`, pathType, pathTypes));
  else if (pathType === 'ImplementationSpecific') {
    if (path && !isAbsolute) errors.push(invalid(`${at}.path`, path, 'must be an absolute path'));
  } else {
    if (!isAbsolute) errors.push(invalid(`${at}.path`, path, 'must be an absolute path'));
    for (const part of ['//', '/./', '/../', '%2f', '%2F'])
      if (path.includes(part)) errors.push(invalid(`${at}.path`, path, `must not contain '${part}'`));
    for (const end of ['/..', '/.']) if (path.endsWith(end)) errors.push(invalid(`${at}.path`, path, `cannot end with '${end}'`));
  }
  backendErrors(backend ?? {}, `${at}.backend`, errors);
}

function backendErrors({ service, resource }: Backend, at: string, errors: FieldError[]): void {
  if (service && resource) errors.push(invalid(at, '', 'cannot set both resource and service backends'));
  else if (resource) {
    if (!resource.kind) errors.push(required(`${at}.resource.kind`));
    if (!resource.name) errors.push(required(`${at}.resource.name`));
  } else if (!service) errors.push(invalid(at, '', 'resource or service backend is required'));
  else {
    const { name = '', port } = service;
    const each = `${at}.service`;
    if (!name) errors.push(required(`${each}.name`));
    else for (const problem of dns1035LabelProblems(name)) errors.push(invalid(`${each}.name`, name, problem));
    if (port?.name && port.number) errors.push(invalid(at, '', 'cannot set both port name & port number'));
    else if (port?.name) for (const problem of portNameProblems(port.name)) errors.push(invalid(`${each}.port.name`, port.name, problem));
    else if (port?.number)
      for (const problem of portNumberProblems(port.number)) errors.push(invalid(`${each}.port.number`, port.number, problem));
    else errors.push(required(at, 'port name or number is required'));
  }
}

function hostsText({ spec }: Ingress): string {
  const hosts = (spec?.rules ?? []).map(({ host }) => host ?? '').filter(Boolean);
  if (hosts.length === 0) return '*';
  return hosts.length > 3 ? `${hosts.slice(0, 3).join(',')} + ${hosts.length - 3} more...` : hosts.join(',');
}

export const ingressResource = serve(ingresses, {
  beforeCreate(ingress) {
    startGeneration(ingress);
    ingress.status = { loadBalancer: {} };
  },
  beforeUpdate(ingress, old) {
    keep(ingress, old, 'status');
    bumpGeneration(ingress, old);
  },
  validate: validateIngress,
  warningsOf: ({ metadata, spec }, old) =>
    !old && metadata?.annotations && 'kubernetes.io/ingress.class' in metadata.annotations && spec?.ingressClassName === undefined
      ? ['annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead']
      : [],
  status: {
    beforeUpdate: (ingress, old) => keep(ingress, old, 'spec'),
    validateUpdate: () => [],
    warningsOf: ({ status }) => loadBalancerWarnings(status),
  },
  columns: [
    nameColumn(),
    text(
      'Class',
      'Who carries it out.',
      ({ spec, metadata }) => spec?.ingressClassName ?? metadata?.annotations?.['kubernetes.io/ingress.class'] ?? '<none>',
    ),
    text('Hosts', 'The hosts it speaks for.', hostsText),
    text('Address', 'Where it is reached.', ({ status }) =>
      (status?.loadBalancer?.ingress ?? [])
        .map(({ ip, hostname }) => ip || hostname || '')
        .filter(Boolean)
        .join(','),
    ),
    text('Ports', 'The ports it is reached on.', ({ spec }) => (spec?.tls?.length ? '80, 443' : '80')),
    ageColumn(),
  ],
});
