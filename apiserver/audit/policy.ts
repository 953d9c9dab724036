// audit.k8s.io/v1 Policy: which requests are recorded, and how much of each. The first rule that matches decides.

import { parse } from 'yaml';
import type { RequestInfo } from '../context.ts';
import type { UserInfo } from '../resources/resource.ts';

const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type AuditLevel = (typeof levels)[number];

interface GroupResources {
  group?: string;
  /** `pods`, `pods/log`, `pods/*`, or `*` for all. */
  resources?: string[];
  resourceNames?: string[];
}

interface Rule {
  level: AuditLevel;
  users?: string[];
  userGroups?: string[];
  verbs?: string[];
  resources?: GroupResources[];
  namespaces?: string[];
  nonResourceURLs?: string[];
  omitStages?: string[];
}

export interface AuditDecision {
  level: AuditLevel;
  omitStages: readonly string[];
}

export interface AuditPolicy {
  decide(info: RequestInfo, user: UserInfo): AuditDecision;
}

/** The policy cannot be used. */
export class AuditPolicyError extends Error {
  override name = 'AuditPolicyError';
}

/** @throws AuditPolicyError */
export function readAuditPolicy(text: string): AuditPolicy {
  const document = parse(text) as { apiVersion?: string; kind?: string; rules?: Rule[]; omitStages?: string[] } | null;
  if (document?.apiVersion !== 'audit.k8s.io/v1' || document.kind !== 'Policy')
    throw new AuditPolicyError('want apiVersion audit.k8s.io/v1 and kind Policy');
  const { rules = [], omitStages = [] } = document;
  if (rules.length === 0) throw new AuditPolicyError('loaded illegal policy with 0 rules');
  for (const [index, rule] of rules.entries()) {
    if (!levels.includes(rule.level)) throw new AuditPolicyError(`rules[${index}].level: want one of ${levels.join(', ')}`);
    if (rule.resources?.length && rule.nonResourceURLs?.length)
      throw new AuditPolicyError(`rules[${index}].nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs`);
  }
  return {
    decide(info, user) {
      const rule = rules.find((each) => matches(each, info, user));
      return rule ? { level: rule.level, omitStages: [...omitStages, ...(rule.omitStages ?? [])] } : { level: 'None', omitStages: [] };
    },
  };
}

function matches(rule: Rule, info: RequestInfo, user: UserInfo): boolean {
  const { users, userGroups, verbs, namespaces, resources, nonResourceURLs } = rule;
  if (users?.length && !users.includes(user.name)) return false;
  if (userGroups?.length && !userGroups.some((group) => user.groups.includes(group))) return false;
  if (verbs?.length && !verbs.includes(info.verb)) return false;
  if (namespaces?.length || resources?.length) {
    if (!info.isResource) return false;
    if (namespaces?.length && !namespaces.includes(info.namespace)) return false;
    return !resources?.length || resources.some((each) => matchesResource(each, info));
  }
  if (!nonResourceURLs?.length) return true;
  return (
    !info.isResource &&
    nonResourceURLs.some((url) => url === '*' || url === info.path || (url.endsWith('*') && info.path.startsWith(url.slice(0, -1))))
  );
}

function matchesResource({ group = '', resources = [], resourceNames = [] }: GroupResources, info: RequestInfo): boolean {
  if (group !== info.group) return false;
  if (resources.length === 0) return true;
  if (resourceNames.length && !resourceNames.includes(info.name)) return false;
  const full = info.subresource ? `${info.resource}/${info.subresource}` : info.resource;
  return resources.some(
    (name) =>
      name === '*' || name === full || (info.subresource !== '' && (name === `*/${info.subresource}` || name === `${info.resource}/*`)),
  );
}
