// Resource lists (cpu, memory, extended resources): canonical quantities, and the rules over names, amounts and
// requests against limits.

import { type FieldError, forbidden, invalid, notFound, required } from '../../api/field-error.ts';
import type { ResourceRequirements } from '../../api/pod-parts.ts';
import { canonicalQuantity, compareQuantities, isQuantity, parseQuantity } from '../../api/quantity.ts';
import { qualifiedNameProblems } from '../../api/validation/formats.ts';
import { negativeMessage } from '../../api/validation/object-meta.ts';

/** Resource name to quantity, as on the wire. */
export type ResourceList = Record<string, string>;

const canonicalTexts = new Map<string, string>();
const canonicalTextsMax = 4096;

/** The canonical text of a quantity, remembered, since a cluster uses few; text that is none stays as it is. */
export function canonical(text: string): string {
  const known = canonicalTexts.get(text);
  if (known !== undefined) return known;
  const answer = isQuantity(String(text)) ? canonicalQuantity(text) : text;
  if (canonicalTexts.size >= canonicalTextsMax) canonicalTexts.clear();
  canonicalTexts.set(text, answer);
  return answer;
}

/** Makes every quantity canonical, rounded up to thousandths. Mutates. */
export function defaultResourceList(list: ResourceList | undefined): void {
  for (const name in list) {
    const text = canonical(list[name] as string);
    list[name] = /[nu]$/.test(text) ? canonical(`${Math.ceil(Number(parseQuantity(text).nano) / 1e6)}m`) : text;
  }
}

export function defaultResources(resources: ResourceRequirements | undefined): void {
  if (!resources) return;
  defaultResourceList(resources.limits);
  defaultResourceList(resources.requests);
}

export const isHugePages = (name: string) => name.startsWith('hugepages-');
/** Kubernetes' own: unprefixed, or under kubernetes.io/. */
export const isNativeResource = (name: string) => !name.includes('/') || name.includes('kubernetes.io/');
const isOvercommitAllowed = (name: string) => isNativeResource(name) && !isHugePages(name);

/** Resources of device plugins and the like: `example.com/gpu`. */
export function isExtendedResource(name: string): boolean {
  return !isNativeResource(name) && !name.startsWith('requests.') && qualifiedNameProblems(`requests.${name}`).length === 0;
}

const quotaCounts = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const standardResources = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'storage',
  ...['cpu', 'memory', 'storage', 'ephemeral-storage'].map((name) => `requests.${name}`),
  ...['cpu', 'memory', 'ephemeral-storage'].map((name) => `limits.${name}`),
  ...quotaCounts,
]);
/** What quotas can be of that has no prefix, or is of huge pages. */
export const isStandardQuota = (name: string) =>
  (standardResources.has(name) && name !== 'storage') || isHugePages(name) || name.startsWith('requests.hugepages-');
const integerResources = new Set(quotaCounts);
const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage']);

/** Adds the problems of any resource's name. */
export function resourceNameErrors(name: string, at: string, errors: FieldError[]): boolean {
  const problems = qualifiedNameProblems(name);
  for (const problem of problems) errors.push(invalid(at, name, problem));
  if (problems.length) return false;
  if (!name.includes('/') && !standardResources.has(name) && !isHugePages(name) && !name.startsWith('requests.hugepages-'))
    errors.push(invalid(at, name, 'must be a standard resource type or fully qualified'));
  return true;
}

function containerResourceNameErrors(name: string, at: string, errors: FieldError[]): void {
  if (containerResources.has(name)) return;
  if (!resourceNameErrors(name, at, errors)) return;
  if (!name.includes('/')) {
    if (!isHugePages(name)) errors.push(invalid(at, name, 'must be a standard resource for containers'));
  } else if (!isNativeResource(name) && !isExtendedResource(name))
    errors.push(invalid(at, name, "doesn't follow extended resource name standard"));
}

/** Adds the problems of an amount: no quantity, negative, or a fraction of something that is counted. */
export function quantityErrors(name: string, text: string, at: string, errors: FieldError[]): void {
  if (isPlain(text)) return;
  if (!isQuantity(String(text))) {
    errors.push(invalid(at, text, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"));
    return;
  }
  const { nano } = parseQuantity(text);
  if (nano < 0n) errors.push(invalid(at, canonical(text), negativeMessage));
  if (nano % 1_000_000_000n !== 0n && (integerResources.has(name) || isExtendedResource(name)))
    errors.push(invalid(at, canonical(text), 'must be an integer'));
}

/** A whole number with a suffix that keeps it whole: nothing can be wrong with it. */
const isPlain = (text: string) => /^\d+(?:[KMGTP]i?|Ei?|k)?$/.test(text);

/** What is no quantity is told of elsewhere, and equals everything here. */
const compare = (a: string, b: string): number =>
  a === b || !isQuantity(a) || !isQuantity(b) ? 0 : compareQuantities(parseQuantity(a), parseQuantity(b));

/** Adds the problems of a container's (or pod's) requests and limits. `claims` are the names the pod defines. */
export function resourcesErrors(
  resources: ResourceRequirements | undefined,
  at: string,
  errors: FieldError[],
  claims: ReadonlySet<string> = none,
): void {
  if (!resources) return;
  const { limits = {}, requests = {} } = resources;
  for (const name in limits) listEntryErrors(name, limits[name] as string, `${at}.limits[${name}]`, errors);
  for (const name in requests) listEntryErrors(name, requests[name] as string, `${at}.requests[${name}]`, errors);
  requestsErrors(requests, limits, at, errors);
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory'))
    errors.push(forbidden(at, 'HugePages require cpu or memory'));
  claimErrors(resources, at, errors, claims);
}

const none: ReadonlySet<string> = new Set();

function listEntryErrors(name: string, text: string, at: string, errors: FieldError[]): void {
  containerResourceNameErrors(name, at, errors);
  quantityErrors(name, text, at, errors);
  if (!isHugePages(name) || !isQuantity(String(text))) return;
  const size = name.slice('hugepages-'.length);
  if (!isQuantity(size) || parseQuantity(size).nano <= 0n || parseQuantity(text).nano % parseQuantity(size).nano !== 0n)
    errors.push(invalid(at, canonical(text), `${canonical(text)} is not positive integer multiple of ${name}`));
}

function requestsErrors(requests: ResourceList, limits: ResourceList, at: string, errors: FieldError[]): void {
  for (const name in requests) {
    const request = requests[name] as string;
    const limit = limits[name];
    if (limit === undefined) {
      if (!isOvercommitAllowed(name)) errors.push(required(`${at}.limits`, 'Limit must be set for non overcommitable resources'));
      continue;
    }
    const order = compare(request, limit);
    if (order !== 0 && !isOvercommitAllowed(name))
      errors.push(invalid(`${at}.requests`, canonical(request), `must be equal to ${name} limit of ${canonical(limit)}`));
    else if (order > 0)
      errors.push(invalid(`${at}.requests`, canonical(request), `must be less than or equal to ${name} limit of ${canonical(limit)}`));
  }
}

function claimErrors(resources: ResourceRequirements, at: string, errors: FieldError[], claims: ReadonlySet<string>): void {
  const seen = new Set<string>();
  resources.claims?.forEach((claim, i) => {
    const each = `${at}.claims[${i}]`;
    if (!claim.name) {
      errors.push(required(each));
      return;
    }
    const key = claim.request ? `${claim.name}/${claim.request}` : claim.name;
    if (seen.has(key)) errors.push({ type: 'FieldValueDuplicate', field: each, message: `Duplicate value: ${JSON.stringify(key)}` });
    seen.add(key);
    if (claims.has(claim.name)) return;
    const error = notFound(each, claim.name);
    errors.push(claims.size === 0 ? { ...error, message: `${error.message}: pod does not define any claims` } : error);
  });
}
