// The rules of a PodSpec as a whole, in a pod or in a template; the parts have files of their own.

import type { PodSpec, PodTemplateSpec } from '../../api/core.ts';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import type { PodDnsConfig } from '../../api/pod-parts.ts';
import { containerAmounts, isPodLevelResource } from '../../api/pods.ts';
import { compareQuantities, formatQuantity } from '../../api/quantity.ts';
import { eachAt } from '../../api/validation/each.ts';
import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  dns1123SubdomainWithUnderscoreProblems,
  type Problems,
  rangeProblem,
} from '../../api/validation/formats.ts';
import { legacyIpErrors } from '../../api/validation/ip.ts';
import { annotationsErrors, labelsErrors } from '../../api/validation/object-meta.ts';
import { choiceErrors, containersErrors, ephemeralContainersErrors, initContainersErrors } from './pod-containers.ts';
import { affinityErrors, labelNameErrors, schedulingGatesErrors, tolerationsErrors, topologySpreadErrors } from './pod-scheduling.ts';
import { osErrors, podSecurityErrors, profileAnnotationErrors } from './pod-security.ts';
import { volumesErrors } from './pod-volumes.ts';
import { resourcesErrors } from './resource-lists.ts';

const none: ReadonlySet<string> = new Set();
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** Adds the problems of a pod's spec. `podName` is given for a real pod, not for a template. */
export function podSpecErrors(spec: PodSpec, at: string, errors: FieldError[], options: { isPod: boolean; podName?: string }): void {
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(required(`${at}.terminationGracePeriodSeconds`));
  const volumes = volumesErrors(spec.volumes, options.podName, `${at}.volumes`, errors);
  const claims = spec.resourceClaims ? new Set(spec.resourceClaims.map(({ name }) => name)) : none;
  if (spec.resourceClaims) resourceClaimsErrors(spec.resourceClaims, `${at}.resourceClaims`, errors);
  const pod = { spec, volumes, claims, isPod: options.isPod };
  containersErrors(pod, `${at}.containers`, errors);
  if (spec.initContainers) initContainersErrors(pod, `${at}.initContainers`, errors);
  if (spec.ephemeralContainers) ephemeralContainersErrors(pod, `${at}.ephemeralContainers`, errors);
  if (spec.resources) podResourcesErrors(spec, `${at}.resources`, errors);
  if (spec.hostNetwork) hostNetworkErrors(spec, at, errors, options.isPod);
  choiceErrors(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${at}.restartPolicy`, errors);
  choiceErrors(spec.dnsPolicy, dnsPolicies, `${at}.dnsPolicy`, errors);
  labelsErrors(spec.nodeSelector, `${at}.nodeSelector`, errors);
  podSecurityErrors(spec.securityContext, spec, `${at}.securityContext`, errors);
  affinityErrors(spec.affinity, `${at}.affinity`, errors);
  dnsConfigErrors(spec.dnsConfig, spec.dnsPolicy, `${at}.dnsConfig`, errors);
  eachAt(spec.readinessGates, `${at}.readinessGates`, ({ conditionType = '' }, each) =>
    labelNameErrors(conditionType, `${each}.conditionType`, errors),
  );
  schedulingGatesErrors(spec.schedulingGates, `${at}.schedulingGates`, errors);
  topologySpreadErrors(spec.topologySpreadConstraints, `${at}.topologySpreadConstraints`, errors);
  hostUsersErrors(spec, at, errors);
  namesErrors(spec, at, errors);
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > 2147483647))
    errors.push(invalid(`${at}.activeDeadlineSeconds`, deadline, rangeProblem(1, 2147483647)));
  tolerationsErrors(spec.tolerations, `${at}.tolerations`, errors);
  eachAt(spec.hostAliases, `${at}.hostAliases`, ({ ip = '', hostnames }, each) => {
    errors.push(...legacyIpErrors(`${each}.ip`, ip));
    eachAt(hostnames, `${each}.hostnames`, (hostname, path) => textErrors(hostname, dns1123SubdomainProblems, path, errors));
  });
  if (spec.preemptionPolicy !== undefined)
    choiceErrors(spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${at}.preemptionPolicy`, errors);
  if (spec.overhead) resourcesErrors({ limits: spec.overhead }, `${at}.overhead`, errors);
  osErrors(spec, at, errors);
}

function textErrors(value: string, problemsOf: (value: string) => Problems, at: string, errors: FieldError[]): void {
  for (const problem of problemsOf(value)) errors.push(invalid(at, value, problem));
}

function namesErrors(spec: PodSpec, at: string, errors: FieldError[]): void {
  if (spec.serviceAccountName) textErrors(spec.serviceAccountName, dns1123SubdomainProblems, `${at}.serviceAccountName`, errors);
  if (spec.nodeName) textErrors(spec.nodeName, dns1123SubdomainProblems, `${at}.nodeName`, errors);
  if (spec.hostname) textErrors(spec.hostname, dns1123LabelProblems, `${at}.hostname`, errors);
  if (spec.subdomain) textErrors(spec.subdomain, dns1123LabelProblems, `${at}.subdomain`, errors);
  if (spec.priorityClassName) textErrors(spec.priorityClassName, dns1123SubdomainProblems, `${at}.priorityClassName`, errors);
  if (spec.runtimeClassName !== undefined) textErrors(spec.runtimeClassName, dns1123SubdomainProblems, `${at}.runtimeClassName`, errors);
  if (spec.hostnameOverride === undefined) return;
  const override = `${at}.hostnameOverride`;
  if (spec.hostnameOverride.length > 64)
    errors.push({ type: 'FieldValueTooLong', field: override, message: 'Too long: may not be more than 64 bytes' });
  textErrors(spec.hostnameOverride, dns1123SubdomainProblems, override, errors);
  if (spec.setHostnameAsFQDN) errors.push(forbidden(override, 'cannot be set when `setHostnameAsFQDN` is true'));
  if (spec.hostNetwork) errors.push(forbidden(override, 'cannot be set when `hostNetwork` is true'));
}

function hostNetworkErrors(spec: PodSpec, at: string, errors: FieldError[], isPod: boolean): void {
  eachAt(spec.containers, `${at}.containers`, (container, each) => {
    eachAt(container.ports, `${each}.ports`, ({ hostPort = 0, containerPort }, path) => {
      if ((isPod || hostPort !== 0) && hostPort !== containerPort)
        errors.push(invalid(`${path}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true'));
    });
  });
}

function hostUsersErrors(spec: PodSpec, at: string, errors: FieldError[]): void {
  if (spec.hostUsers !== false) return;
  const why = 'when `pod.Spec.HostUsers` is false';
  if (spec.hostNetwork) errors.push(forbidden(`${at}.hostNetwork`, why));
  if (spec.hostPID) errors.push(forbidden(`${at}.HostPID`, why));
  if (spec.hostIPC) errors.push(forbidden(`${at}.HostIPC`, why));
}

function dnsConfigErrors(config: PodDnsConfig | undefined, policy: string | undefined, at: string, errors: FieldError[]): void {
  if (policy === 'None' && !config) errors.push(required(at, 'must provide `dnsConfig` when `dnsPolicy` is None'));
  if (!config) return;
  const { nameservers = [], searches = [], options } = config;
  if (policy === 'None' && nameservers.length === 0) {
    errors.push(required(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
    return;
  }
  if (nameservers.length > 3) errors.push(invalid(`${at}.nameservers`, nameservers, 'must not have more than 3 nameservers'));
  eachAt(nameservers, `${at}.nameservers`, (server, each) => {
    errors.push(...legacyIpErrors(each, server));
  });
  if (searches.length > 32) errors.push(invalid(`${at}.searches`, searches, 'must not have more than 32 search paths'));
  if (searches.join(' ').length > 2048)
    errors.push(invalid(`${at}.searches`, searches, 'must not have more than 2048 characters (including spaces) in the search list'));
  eachAt(searches, `${at}.searches`, (search, each) => {
    if (search !== '.') textErrors(search.replace(/\.$/, ''), dns1123SubdomainWithUnderscoreProblems, each, errors);
  });
  eachAt(options, `${at}.options`, ({ name }, each) => {
    if (!name) errors.push(required(each, 'must not be empty'));
  });
}

function resourceClaimsErrors(claims: NonNullable<PodSpec['resourceClaims']>, at: string, errors: FieldError[]): void {
  const names = new Set<string>();
  eachAt(claims, at, (claim, each) => {
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (!name) errors.push(required(`${each}.name`));
    else if (names.has(name)) errors.push(duplicate(`${each}.name`, name));
    else textErrors(name, dns1123LabelProblems, `${each}.name`, errors);
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined)
      errors.push(invalid(each, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'));
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
      errors.push(invalid(each, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
    if (resourceClaimName !== undefined) textErrors(resourceClaimName, dns1123SubdomainProblems, `${each}.resourceClaimName`, errors);
    if (resourceClaimTemplateName !== undefined)
      textErrors(resourceClaimTemplateName, dns1123SubdomainProblems, `${each}.resourceClaimTemplateName`, errors);
  });
}

/** The rules of what a pod asks for as a whole (KEP-2837): its containers together may not ask for more. */
function podResourcesErrors(spec: PodSpec, at: string, errors: FieldError[]): void {
  const { claims, ...amounts } = spec.resources ?? {};
  if (claims?.length) errors.push(forbidden(`${at}.claims`, 'claims cannot be set for Resources at pod-level'));
  for (const which of ['limits', 'requests'] as const)
    for (const name in amounts[which])
      if (!isPodLevelResource(name)) errors.push(notSupported(`${at}.${which}[${name}]`, name, ['cpu', 'hugepages-', 'memory']));
  resourcesErrors(amounts, at, errors);
  const { requests = {}, limits = {} } = amounts;
  for (const [name, together] of Object.entries(containerAmounts(spec, 'requests'))) {
    const request = requests[name] ?? '0';
    const why = `must be greater than or equal to aggregate container requests of ${formatQuantity(together)}`;
    if (compareQuantities(together, request) > 0) errors.push(invalid(`${at}.requests[${name}]`, request, why));
  }
  eachAt(spec.containers, `${at}.containers`, ({ resources }, each) => {
    for (const name in resources?.limits) {
      const [own, whole] = [resources.limits[name] as string, limits[name]];
      if (whole !== undefined && compareQuantities(own, whole) > 0)
        errors.push(invalid(`${each}[${name}].limits`, own, `must be less than or equal to pod limits of ${whole}`));
    }
  });
}

/** Adds the problems of a controller's pod template, except how it relates to the controller's selector. */
export function podTemplateErrors(template: PodTemplateSpec, at: string, errors: FieldError[]): void {
  const { metadata = {}, spec } = template;
  labelsErrors(metadata.labels, `${at}.labels`, errors);
  annotationsErrors(metadata.annotations, `${at}.annotations`, errors);
  const effective = spec ?? { containers: [] };
  podAnnotationsErrors(metadata.annotations, effective, `${at}.annotations`, errors);
  podSpecErrors(effective, `${at}.spec`, errors, { isPod: false });
  if (spec?.ephemeralContainers?.length)
    errors.push(forbidden(`${at}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
}

/** Adds the problems of annotations that mean something to pods. */
export function podAnnotationsErrors(
  annotations: Readonly<Record<string, string>> | undefined,
  spec: PodSpec,
  at: string,
  errors: FieldError[],
): void {
  if (!annotations) return;
  const mirror = annotations['kubernetes.io/config.mirror'];
  if (mirror !== undefined && !spec.nodeName)
    errors.push(invalid(`${at}[kubernetes.io/config.mirror]`, mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  const cost = annotations['controller.kubernetes.io/pod-deletion-cost'];
  if (cost !== undefined && !(/^(0|-?[1-9]\d{0,9})$/.test(cost) && Math.abs(Number(cost)) <= 2147483647))
    errors.push(invalid(`${at}[controller.kubernetes.io/pod-deletion-cost]`, cost, 'must be a 32bit integer'));
  profileAnnotationErrors(annotations, spec, at, errors);
}
