// What webhooks and admission policies share: the rules that say which requests they are about, and the selectors, parameters
// and match conditions beside them. After Kubernetes' pkg/apis/admissionregistration/validation.

import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
  RuleWithOperations,
} from '../../api/admissionregistration.ts';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required, tooMany } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import {
  dns1035LabelProblems,
  dns1123SubdomainProblems,
  pathSegmentProblems,
  qualifiedNameProblems,
} from '../../api/validation/formats.ts';
import { labelSelectorErrors } from '../../api/validation/label-selector.ts';
import type { AdmissionExpressions } from '../cel/admission-expressions.ts';

export const failurePolicies = ['Fail', 'Ignore'];
const matchPolicies = ['Equivalent', 'Exact'];
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const scopes = ['*', 'Cluster', 'Namespaced'];
const matchConditionsMax = 64;

/** Adds the problems of a value that is left out or not one of `supported`. */
export function choiceErrors(value: string | undefined, supported: readonly string[], at: string, errors: FieldError[]): void {
  if (value === undefined) errors.push(required(at));
  else if (!supported.includes(value)) errors.push(notSupported(at, value, supported));
}

/** Mutates. */
export function defaultRules(rules: readonly RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*';
}

/** Mutates. */
export function defaultMatchResources(match: MatchResources | undefined): void {
  if (!match) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  defaultRules(match.resourceRules);
  defaultRules(match.excludeResourceRules);
}

export function ruleErrors(rule: RuleWithOperations, at: string, errors: FieldError[]): void {
  const alone = (list: readonly string[] | undefined, field: string, others: string) => {
    if (!list?.length) errors.push(required(`${at}.${field}`));
    else if (list.length > 1 && list.includes('*'))
      errors.push(invalid(`${at}.${field}`, list, `if '*' is present, must not specify other ${others}`));
  };
  alone(rule.operations, 'operations', 'operations');
  eachAt(rule.operations, `${at}.operations`, (operation, each) => choiceErrors(operation, operations, each, errors));
  alone(rule.apiGroups, 'apiGroups', 'API groups');
  alone(rule.apiVersions, 'apiVersions', 'API versions');
  eachAt(rule.apiVersions, `${at}.apiVersions`, (version, each) => {
    if (version === '') errors.push(required(each));
  });
  resourcesErrors(rule.resources ?? [], `${at}.resources`, errors);
  if (rule.scope !== undefined && !scopes.includes(rule.scope)) errors.push(notSupported(`${at}.scope`, rule.scope, scopes));
}

// Resources and subresources: `pods`, `pods/status`, `pods/*`, `*`, `*/scale`, `*/*`; none that another includes.
function resourcesErrors(resources: readonly string[], at: string, errors: FieldError[]): void {
  if (resources.length === 0) errors.push(required(at));
  const [allSubresourcesOf, anyResourcesWith] = [new Set<string>(), new Set<string>()];
  let lastWithoutSlash = '';
  eachAt(resources, at, (pattern, each) => {
    if (pattern === '') errors.push(required(each));
    const slash = pattern.indexOf('/');
    if (slash === -1) {
      if (pattern) lastWithoutSlash = pattern;
      return;
    }
    const [resource, subresource] = [pattern.slice(0, slash), pattern.slice(slash + 1)];
    if (allSubresourcesOf.has(resource)) errors.push(invalid(each, pattern, `if '${resource}/*' is present, must not specify ${pattern}`));
    if (anyResourcesWith.has(subresource))
      errors.push(invalid(each, pattern, `if '*/${subresource}' is present, must not specify ${pattern}`));
    if (subresource === '*') allSubresourcesOf.add(resource);
    if (resource === '*') anyResourcesWith.add(subresource);
  });
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(invalid(at, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes('*') && lastWithoutSlash !== '*')
    errors.push(invalid(at, resources, "if '*' is present, must not specify other resources without subresources"));
}

function namedRuleErrors(rule: NamedRuleWithOperations, at: string, errors: FieldError[]): void {
  const names = new Set<string>();
  eachAt(rule.resourceNames, `${at}.resourceNames`, (name, each) => {
    for (const problem of pathSegmentProblems(name)) errors.push(invalid(each, name, problem));
    if (names.has(name)) errors.push(duplicate(each, name));
    names.add(name);
  });
  ruleErrors(rule, at, errors);
}

/** A match left out has no problems. */
export function matchResourcesErrors(match: MatchResources | undefined, at: string, errors: FieldError[]): void {
  if (!match) return;
  choiceErrors(match.matchPolicy, matchPolicies, `${at}.matchPolicy`, errors);
  for (const selector of ['namespaceSelector', 'objectSelector'] as const)
    if (match[selector]) labelSelectorErrors(match[selector], `${at}.${selector}`, errors);
    else errors.push(required(`${at}.${selector}`));
  eachAt(match.resourceRules, `${at}.resourceRules`, (rule, each) => namedRuleErrors(rule, each, errors));
  eachAt(match.excludeResourceRules, `${at}.excludeResourceRules`, (rule, each) => namedRuleErrors(rule, each, errors));
}

/** A policy's own constraints: unlike a binding's they must be there and name resources. */
export function matchConstraintsErrors(match: MatchResources | undefined, at: string, errors: FieldError[]): void {
  if (!match) errors.push(required(at));
  matchResourcesErrors(match, at, errors);
  if (match && !match.resourceRules?.length) errors.push(required(`${at}.resourceRules`));
}

export function paramKindErrors({ apiVersion = '', kind = '' }: ParamKind, at: string, errors: FieldError[]): void {
  const parts = apiVersion === '/' ? [] : apiVersion.split('/');
  if (apiVersion === '') errors.push(required(`${at}.apiVersion`));
  else if (parts.length > 2) errors.push(invalid(`${at}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else {
    const [group, version] = parts.length === 2 ? parts : ['', parts[0]];
    const groupProblems = group ? dns1123SubdomainProblems(group) : [];
    if (groupProblems.length) errors.push(invalid(`${at}.apiVersion`, group, groupProblems.join(',')));
    const versionProblems = version ? dns1035LabelProblems(version) : [];
    if (!version) errors.push(invalid(`${at}.apiVersion`, apiVersion, 'version must be specified'));
    else if (versionProblems.length) errors.push(invalid(`${at}.apiVersion`, version, versionProblems.join(',')));
  }
  const kindProblems = dns1035LabelProblems(kind.toLowerCase());
  if (kind === '') errors.push(required(`${at}.kind`));
  else if (kindProblems.length)
    errors.push(invalid(`${at}.kind`, kind, `may have mixed case, but should otherwise match: ${kindProblems.join(',')}`));
}

/** A reference left out has no problems. */
export function paramRefErrors(ref: ParamRef | undefined, at: string, errors: FieldError[]): void {
  if (!ref) return;
  const exclusive = 'name and selector are mutually exclusive';
  const { name = '', selector, parameterNotFoundAction = '' } = ref;
  if (name) {
    for (const problem of pathSegmentProblems(name)) errors.push(invalid(`${at}.name`, name, problem));
    if (selector) errors.push(forbidden(`${at}.name`, exclusive));
  }
  if (selector) {
    labelSelectorErrors(selector, `${at}.selector`, errors);
    if (name) errors.push(forbidden(`${at}.selector`, exclusive));
  }
  if (!name && !selector) errors.push(required(at, 'one of name or selector must be specified'));
  choiceErrors(parameterNotFoundAction || undefined, ['Deny', 'Allow'], `${at}.parameterNotFoundAction`, errors);
}

export function policyNameErrors(name: string | undefined, at: string, errors: FieldError[]): void {
  if (!name) errors.push(required(at));
  else for (const problem of dns1123SubdomainProblems(name)) errors.push(invalid(at, name, problem));
}

export function matchConditionsErrors(
  conditions: readonly MatchCondition[] | undefined,
  expressions: AdmissionExpressions,
  at: string,
  errors: FieldError[],
): void {
  if (conditions && conditions.length > matchConditionsMax) errors.push(tooMany(at, conditions.length, matchConditionsMax));
  const names = new Set<string>();
  eachAt(conditions, at, ({ name = '', expression = '' }, each) => {
    const trimmed = expression.trim();
    if (!trimmed) errors.push(required(`${each}.expression`));
    else errors.push(...expressions.errors(trimmed, ['bool'], `${each}.expression`));
    if (!name) {
      errors.push(required(`${each}.name`));
      return;
    }
    for (const problem of qualifiedNameProblems(name)) errors.push(invalid(`${each}.name`, name, problem));
    if (names.has(name)) errors.push(duplicate(`${each}.name`, name));
    names.add(name);
  });
}
