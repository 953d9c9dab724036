// API services: which server answers for a group's version; the ones without a service are answered here.

import { type ApiService, apiServices } from '../../api/apiregistration.ts';
import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { dns1035LabelProblems, dns1123SubdomainProblems, pathSegmentProblems } from '../../api/validation/formats.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { keep, keepMetadata } from './generation.ts';
import { serve } from './resource.ts';

const groupPriorityMax = 20_000;
const versionPriorityMax = 1000;

export function validateApiService({ metadata, spec }: ApiService): FieldError[] {
  const errors: FieldError[] = [];
  const { group = '', version = '', service, groupPriorityMinimum = 0, versionPriority = 0, caBundle, insecureSkipTLSVerify } = spec ?? {};
  const name = `${version}.${group}`;
  if (metadata?.name !== name)
    errors.push(invalid('metadata.name', metadata?.name ?? '', `must be \`spec.version+"."+spec.group\`: "${name}"`));
  if (group) for (const problem of dns1123SubdomainProblems(group)) errors.push(invalid('spec.group', group, problem));
  else if (version !== 'v1') errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  for (const problem of dns1035LabelProblems(version)) errors.push(invalid('spec.version', version, problem));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > groupPriorityMax)
    errors.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, `must be positive and less than ${groupPriorityMax}`));
  if (versionPriority <= 0 || versionPriority > versionPriorityMax)
    errors.push(invalid('spec.versionPriority', versionPriority, `must be positive and less than ${versionPriorityMax}`));
  if (!service) {
    if (caBundle) errors.push(invalid('spec.caBundle', `${caBundle.length} bytes`, 'local APIServices may not have a caBundle'));
    if (insecureSkipTLSVerify)
      errors.push(invalid('spec.insecureSkipTLSVerify', insecureSkipTLSVerify, 'local APIServices may not have insecureSkipTLSVerify'));
    return errors;
  }
  for (const field of ['namespace', 'name'] as const) if (!service[field]) errors.push(required(`spec.service.${field}`));
  const { port = 443 } = service;
  if (port < 1 || port > 65_535)
    errors.push(invalid('spec.service.port', port, 'port is not valid: must be between 1 and 65535, inclusive'));
  if (insecureSkipTLSVerify && caBundle)
    errors.push(invalid('spec.insecureSkipTLSVerify', insecureSkipTLSVerify, 'may not be true if caBundle is present'));
  return errors;
}

export const apiServiceResource = serve(apiServices, {
  // `v1.` is one, of the core group.
  validateName: (name, isGenerateName) => [...pathSegmentProblems(name, isGenerateName)],
  defaults({ spec }) {
    if (spec?.service) spec.service.port ??= 443;
  },
  beforeCreate(service) {
    // What is served here is available from the start.
    service.status = service.spec?.service ? {} : { conditions: [localCondition(service.metadata?.creationTimestamp)] };
  },
  beforeUpdate: (service, old) => keep(service, old, 'status'),
  validate: validateApiService,
  status: {
    resets: ['metadata', 'spec'],
    beforeUpdate(service, old) {
      keep(service, old, 'spec');
      keepMetadata(service, old);
    },
    validateUpdate: () => [],
  },
  columns: [
    nameColumn(),
    text('Service', 'The service that answers.', ({ spec }) =>
      spec?.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local',
    ),
    text('Available', 'Whether it can be reached.', ({ status }) => {
      const { status: text = 'Unknown', reason } = status?.conditions?.find(({ type }) => type === 'Available') ?? {};
      return text === 'True' || !reason ? text : `${text} (${reason})`;
    }),
    ageColumn(),
  ],
});

function localCondition(lastTransitionTime: string | undefined) {
  return {
    type: 'Available',
    status: 'True',
    ...(lastTransitionTime ? { lastTransitionTime } : {}),
    reason: 'Local',
    message: 'Local APIServices are always available',
  };
}

/** Of the groups of custom resources. */
const customPriority = 1000;
/** The priorities of the groups that Kubernetes has built in: of the group, and of its version. */
const priorities: Readonly<Record<string, readonly [number, number]>> = {
  'v1.': [18_000, 1],
  'v1.apps': [17_800, 15],
  'v1.events.k8s.io': [17_750, 5],
  'v1.authentication.k8s.io': [17_700, 15],
  'v1.authorization.k8s.io': [17_600, 15],
  'v1.autoscaling': [17_500, 15],
  'v2.autoscaling': [17_500, 30],
  'v1.batch': [17_400, 15],
  'v1.certificates.k8s.io': [17_300, 15],
  'v1.networking.k8s.io': [17_200, 15],
  'v1.policy': [17_100, 15],
  'v1.rbac.authorization.k8s.io': [17_000, 15],
  'v1.storage.k8s.io': [16_800, 15],
  'v1.apiextensions.k8s.io': [16_700, 15],
  'v1.admissionregistration.k8s.io': [16_700, 15],
  'v1.scheduling.k8s.io': [16_600, 15],
  'v1.coordination.k8s.io': [16_500, 15],
  'v1.node.k8s.io': [16_300, 15],
  'v1.discovery.k8s.io': [16_200, 15],
  'v1.flowcontrol.apiserver.k8s.io': [16_100, 21],
  'v1.resource.k8s.io': [16_000, 15],
};

/** How high a group stands that is served here. What registers all others stands above them, and the core group beside. */
export function groupPriorityOf(group: string): number {
  if (group === '' || group === apiServices.group) return Number.POSITIVE_INFINITY;
  for (const name in priorities) if (name.slice(name.indexOf('.') + 1) === group) return priorities[name]?.[0] ?? customPriority;
  return customPriority;
}

/** The API service of a group's version that is served here because of custom resources. */
export function customApiService(group: string, version: string): ApiService {
  return {
    metadata: { name: `${version}.${group}` },
    spec: { group, version, groupPriorityMinimum: customPriority, versionPriority: 100 },
  };
}

/** The API service of a group's version that is served here; none for those that are not built in. */
export function localApiService(group: string, version: string): ApiService | undefined {
  const name = `${version}.${group}`;
  const [groupPriorityMinimum, versionPriority] = priorities[name] ?? [];
  if (groupPriorityMinimum === undefined || versionPriority === undefined) return undefined;
  return {
    metadata: { name },
    spec: { ...(group ? { group } : {}), version, groupPriorityMinimum, versionPriority },
  };
}
