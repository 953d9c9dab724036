// Limit ranges: containers that say nothing get the namespace's defaults, and what asks for too little or too much is
// refused (admission plug-in LimitRanger).

import { type Container, type LimitRange, limitRanges, type PersistentVolumeClaim, type Pod } from '../../api/core.ts';
import { containerAmounts, type ResourceAmounts } from '../../api/pods.ts';
import { compareQuantities, formatQuantity, parseQuantity, quantityMilliValue } from '../../api/quantity.ts';
import { type AdmissionAttributes, type AdmissionPlugin, refusal } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';

type Limit = NonNullable<LimitRange['spec']>['limits'][number];
type Amounts = Readonly<Record<string, string>>;

const annotation = 'kubernetes.io/limit-ranger';

function isLimited(attributes: AdmissionAttributes): boolean {
  const { kind, subresource, operation, old } = attributes;
  if (kind.group !== '' || old?.metadata?.deletionTimestamp !== undefined) return false;
  // A pod's resources change by its resize subresource only.
  if (kind.plural === 'pods') return (subresource === '' && operation === 'CREATE') || subresource === 'resize';
  return kind.plural === 'persistentvolumeclaims' && subresource === '';
}

export function limitRanger(view: ClusterView): AdmissionPlugin {
  return {
    name: 'LimitRanger',
    operations: ['CREATE', 'UPDATE'],
    handles: isLimited,
    admit(attributes) {
      if (attributes.kind.plural !== 'pods') return;
      for (const range of view.list(limitRanges, attributes.namespace)) applyDefaults(attributes.object as Pod, range);
    },
    validate(attributes) {
      for (const range of view.list(limitRanges, attributes.namespace)) {
        const problems = new Set<string>();
        for (const limit of range.spec?.limits ?? []) {
          if (attributes.kind.plural === 'pods') checkPod(attributes.object as Pod, limit, problems);
          else checkClaim(attributes.object as PersistentVolumeClaim, limit, problems);
        }
        if (problems.size === 0) continue;
        const text = problems.size === 1 ? [...problems][0] : `[${[...problems].join(', ')}]`;
        throw refusal(attributes, text as string);
      }
    },
  };
}

function applyDefaults(pod: Pod, range: LimitRange): void {
  const requests: Record<string, string> = {};
  const limits: Record<string, string> = {};
  for (const limit of range.spec?.limits ?? []) {
    if (limit.type !== 'Container') continue;
    Object.assign(requests, limit.defaultRequest);
    Object.assign(limits, limit.default);
  }
  const said: string[] = [];
  const fill = (container: Container, what: string) => {
    const setRequests = fillIn(container, 'requests', requests);
    const setLimits = fillIn(container, 'limits', limits);
    if (setRequests.length) said.push(`${setRequests.join(', ')} request for ${what} ${container.name}`);
    if (setLimits.length) said.push(`${setLimits.join(', ')} limit for ${what} ${container.name}`);
  };
  for (const container of pod.spec?.containers ?? []) fill(container, 'container');
  for (const container of pod.spec?.initContainers ?? []) fill(container, 'init container');
  if (said.length === 0 || !pod.metadata) return;
  pod.metadata.annotations = { ...pod.metadata.annotations, [annotation]: `LimitRanger plugin set: ${said.join('; ')}` };
}

function fillIn(container: Container, which: 'requests' | 'limits', defaults: Amounts): string[] {
  const missing = Object.keys(defaults)
    .filter((name) => container.resources?.[which]?.[name] === undefined)
    .sort();
  for (const name of missing) {
    container.resources ??= {};
    container.resources[which] = { ...container.resources[which], [name]: defaults[name] as string };
  }
  return missing;
}

function checkPod(pod: Pod, limit: Limit, problems: Set<string>): void {
  if (limit.type === 'Container') {
    for (const { resources } of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])])
      checkAmounts(limit, resources?.requests ?? {}, resources?.limits ?? {}, problems);
  } else if (limit.type === 'Pod') checkAmounts(limit, podTexts(pod, 'requests'), podTexts(pod, 'limits'), problems);
}

/** What the containers ask for together, unless the pod asks for it as a whole; what a runtime class adds is not limited. */
function podTexts({ spec }: Pod, which: 'requests' | 'limits'): Amounts {
  const { cpu, memory } = spec?.resources?.[which] ?? {};
  return { ...textsOf(containerAmounts(spec, which)), ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) };
}

const textsOf = (amounts: ResourceAmounts): Amounts =>
  Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, formatQuantity(amount)]));

function checkAmounts(limit: Limit, requests: Amounts, limits: Amounts, problems: Set<string>): void {
  for (const name in limit.min) {
    const head = `minimum ${name} usage per ${limit.type} is ${limit.min[name]}`;
    checkMin(head, limit.min[name] as string, requests[name], limits[name], problems);
  }
  for (const name in limit.max) {
    const bound = limit.max[name] as string;
    const head = `maximum ${name} usage per ${limit.type} is ${bound}`;
    const [request, most] = [requests[name], limits[name]];
    if (most === undefined) problems.add(`${head}.  No limit is specified`);
    else if (compareQuantities(most, bound) > 0) problems.add(`${head}, but limit is ${most}`);
    else if (request !== undefined && compareQuantities(request, bound) > 0) problems.add(`${head}, but request is ${request}`);
  }
  for (const name in limit.maxLimitRequestRatio)
    checkRatio(limit.maxLimitRequestRatio[name] as string, name, limit.type, [requests[name], limits[name]], problems);
}

function checkMin(head: string, bound: string, request: string | undefined, limit: string | undefined, problems: Set<string>): void {
  if (request === undefined) problems.add(`${head}.  No request is specified`);
  else if (compareQuantities(request, bound) < 0) problems.add(`${head}, but request is ${request}`);
  else if (limit !== undefined && compareQuantities(limit, bound) < 0) problems.add(`${head}, but limit is ${limit}`);
}

function checkRatio(
  bound: string,
  name: string,
  type: string,
  [request, limit]: [string | undefined, string | undefined],
  problems: Set<string>,
): void {
  const head = `${name} max limit to request ratio per ${type} is ${bound}, but`;
  const requested = request === undefined ? 0 : quantityMilliValue(request);
  const limited = limit === undefined ? 0 : quantityMilliValue(limit);
  if (requested === 0) problems.add(`${head} no request is specified or request is 0`);
  else if (limited === 0) problems.add(`${head} no limit is specified or limit is 0`);
  else if ((limited / requested) * 1000 > quantityMilliValue(parseQuantity(bound)))
    problems.add(`${head} provided ratio is ${(limited / requested).toFixed(6)}`);
}

function checkClaim({ spec }: PersistentVolumeClaim, limit: Limit, problems: Set<string>): void {
  if (limit.type !== 'PersistentVolumeClaim') return;
  const requests = spec?.resources?.requests ?? {};
  for (const name in limit.min) {
    const bound = limit.min[name] as string;
    checkMin(`minimum ${name} usage per ${limit.type} is ${bound}`, bound, requests[name], undefined, problems);
  }
  for (const name in limit.max) {
    const bound = limit.max[name] as string;
    const head = `maximum ${name} usage per ${limit.type} is ${bound}`;
    const request = requests[name];
    if (request === undefined) problems.add(`${head}.  No request is specified`);
    else if (compareQuantities(request, bound) > 0) problems.add(`${head}, but request is ${request}`);
  }
}
