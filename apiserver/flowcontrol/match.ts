// Which requests a flow schema is about (k8s.io/apiserver/pkg/util/flowcontrol/rule.go).

import type { FlowSchema } from '../../api/flowcontrol.ts';
import type { RequestInfo } from '../context.ts';
import type { UserInfo } from '../resources/resource.ts';

type Rule = NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number];
type ResourceRule = NonNullable<Rule['resourceRules']>[number];
type Subject = Rule['subjects'][number];

export function matchesSchema(rules: readonly Rule[], user: UserInfo, info: RequestInfo): boolean {
  for (const { subjects, resourceRules, nonResourceRules } of rules) {
    if (!subjects.some((subject) => isSubject(subject, user))) continue;
    if (info.isResource) {
      if (resourceRules?.some((rule) => matchesResource(rule, info))) return true;
    } else if (nonResourceRules?.some((rule) => has(rule.verbs, info.verb) && matchesPath(rule.nonResourceURLs, info.path))) return true;
  }
  return false;
}

const accountPrefix = 'system:serviceaccount:';

function isSubject(subject: Subject, user: UserInfo): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.user !== undefined && (subject.user.name === '*' || subject.user.name === user.name);
    case 'Group':
      return subject.group !== undefined && (subject.group.name === '*' || user.groups.includes(subject.group.name));
    case 'ServiceAccount': {
      if (!subject.serviceAccount) return false;
      const { namespace, name } = subject.serviceAccount;
      const ofNamespace = `${accountPrefix}${namespace}:`;
      return name === '*' ? user.name.startsWith(ofNamespace) : user.name === ofNamespace + name;
    }
    default:
      return false;
  }
}

function matchesResource(rule: ResourceRule, info: RequestInfo): boolean {
  const { verb, resource, subresource, group, namespace } = info;
  if (!has(rule.verbs, verb) || !has(rule.apiGroups, group)) return false;
  if (!has(rule.resources, subresource ? `${resource}/${subresource}` : resource)) return false;
  return namespace === '' ? (rule.clusterScope ?? false) : has(rule.namespaces ?? [], namespace);
}

/** A star stands alone, which validation sees to. */
const has = (list: readonly string[], value: string) => (list.length === 1 && list[0] === '*') || list.includes(value);

function matchesPath(urls: readonly string[], path: string): boolean {
  return urls.some((url) => {
    if (url === '*' || url === path) return true;
    const prefix = url.endsWith('*') ? url.slice(0, -1) : url;
    return path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
  });
}
