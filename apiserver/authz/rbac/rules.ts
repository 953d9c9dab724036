// What one RBAC rule allows, and whether rules together cover others. Pure; follows
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources.

import type { PolicyRule } from '../../../api/rbac.ts';
import type { AuthorizationAttributes } from '../authorizer.ts';

/** Whether `rule` allows what is asked for. Namespaces are the binding's business, not the rule's. */
export function ruleAllows(rule: PolicyRule, asked: AuthorizationAttributes): boolean {
  if (!hasOrAll(rule.verbs, asked.verb)) return false;
  if (!asked.isResourceRequest) return rule.nonResourceURLs?.some((pattern) => urlMatches(pattern, asked.path)) ?? false;
  if (!hasOrAll(rule.apiGroups, asked.group)) return false;
  if (rule.resourceNames?.length && !rule.resourceNames.includes(asked.name)) return false;
  return rule.resources?.some((pattern) => resourceMatches(pattern, asked.resource, asked.subresource)) ?? false;
}

const hasOrAll = (values: readonly string[] | undefined, wanted: string) =>
  values !== undefined && (values.includes(wanted) || values.includes('*'));

/** `pods`, `pods/log`, `*` for everything, and a star before a slash for one subresource of every resource. */
function resourceMatches(pattern: string, resource: string, subresource: string): boolean {
  if (pattern === '*') return true;
  if (subresource === '') return pattern === resource;
  const slash = pattern.indexOf('/');
  if (slash === -1 || pattern.slice(slash + 1) !== subresource) return false;
  const before = pattern.slice(0, slash);
  return before === resource || before === '*';
}

function urlMatches(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, ''));
}

/** What of `wanted` the `owned` rules leave uncovered, one verb, group, resource and name at a time; [] when all is covered. */
export function uncovered(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((single) => !owned.some((rule) => covers(rule, single)));
}

function breakDown(rule: PolicyRule): PolicyRule[] {
  const singles: PolicyRule[] = [];
  for (const group of rule.apiGroups ?? [])
    for (const resource of rule.resources ?? [])
      for (const verb of rule.verbs) {
        const single = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if (!rule.resourceNames?.length) singles.push(single);
        for (const name of rule.resourceNames ?? []) singles.push({ ...single, resourceNames: [name] });
      }
  for (const url of rule.nonResourceURLs ?? []) for (const verb of rule.verbs) singles.push({ nonResourceURLs: [url], verbs: [verb] });
  return singles;
}

function covers(owner: PolicyRule, single: PolicyRule): boolean {
  if (!hasOrAll(owner.verbs, single.verbs[0] as string)) return false;
  const url = single.nonResourceURLs?.[0];
  if (url !== undefined) return owner.nonResourceURLs?.some((pattern) => urlMatches(pattern, url)) ?? false;
  if (!hasOrAll(owner.apiGroups, single.apiGroups?.[0] as string)) return false;
  const resource = single.resources?.[0] as string;
  const [, subresource] = resource.split('/');
  const isResourceCovered =
    hasOrAll(owner.resources, resource) || (subresource !== undefined && (owner.resources?.includes(`*/${subresource}`) ?? false));
  if (!isResourceCovered) return false;
  const name = single.resourceNames?.[0];
  return !owner.resourceNames?.length || (name !== undefined && owner.resourceNames.includes(name));
}

/** Single rules that differ in their verbs only, as one each; others stay as they are. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const merged = new Map<string, PolicyRule>();
  const others: PolicyRule[] = [];
  for (const rule of rules) {
    if (rule.nonResourceURLs?.length) {
      others.push(rule);
      continue;
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames]);
    const known = merged.get(key);
    if (known) known.verbs = [...known.verbs, ...rule.verbs];
    else merged.set(key, { ...rule });
  }
  return [...merged.values(), ...others];
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`, as in messages. */
export function describeRule(rule: PolicyRule): string {
  const parts: [string, readonly string[] | undefined][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ];
  return `{${parts
    .filter(([, values]) => values?.length)
    .map(([name, values]) => `${name}:${quotedList(values ?? [])}`)
    .join(', ')}}`;
}

/** Go's %q of a list of strings. */
export const quotedList = (values: readonly string[]) => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
