// Which requests webhooks and policies are about: rules, and selectors of namespaces and objects.

import type { MatchResources, NamedRuleWithOperations } from '../../api/admissionregistration.ts';
import { namespaces } from '../../api/core.ts';
import { selectorMatches, selectorOf } from '../../api/labels.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { AdmissionAttributes } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';

type Selectors = Pick<MatchResources, 'namespaceSelector' | 'objectSelector'>;

export function ruleMatches(rule: NamedRuleWithOperations, { kind, subresource, operation, name }: AdmissionAttributes): boolean {
  const has = (list: readonly string[] | undefined, value: string) => list?.includes('*') || list?.includes(value) || false;
  if (rule.scope === 'Namespaced' && !kind.namespaced) return false;
  if (rule.scope === 'Cluster' && kind.namespaced) return false;
  if (rule.resourceNames?.length && !rule.resourceNames.includes(name)) return false;
  const isOfKind = has(rule.apiGroups, kind.group) && has(rule.apiVersions, kind.version) && has(rule.operations, operation);
  return isOfKind && resourceMatches(rule.resources, kind.plural, subresource);
}

function resourceMatches(patterns: readonly string[] | undefined, plural: string, subresource: string): boolean {
  return (patterns ?? []).some((pattern) => {
    const [wanted = '', sub = ''] = pattern.split('/');
    if (pattern === '*/*') return true;
    return (wanted === '*' || wanted === plural) && (sub === subresource || (sub === '*' && pattern.includes('/')));
  });
}

/** Either of the old and the new object may match; what is in no namespace matches every selector of namespaces. */
export async function selectorsMatch(view: ClusterView, selectors: Selectors, attributes: AdmissionAttributes): Promise<boolean> {
  const objects = [attributes.object, attributes.old].filter((object) => object !== undefined);
  const selector = selectorOf(selectors.objectSelector) ?? [];
  if (selector.length && !objects.some(({ metadata }) => selectorMatches(selector, metadata?.labels))) return false;
  const scope = selectorOf(selectors.namespaceSelector) ?? [];
  if (scope.length === 0) return true;
  const { kind } = attributes;
  const isNamespace = kind.plural === 'namespaces' && kind.group === '';
  if (!kind.namespaced && !isNamespace) return true;
  const namespace: KubeObject | undefined = isNamespace
    ? (attributes.object ?? attributes.old)
    : await view.get(namespaces, '', attributes.namespace);
  return selectorMatches(scope, namespace?.metadata?.labels);
}

/** What a policy or its binding says about where it holds; saying nothing, it holds everywhere. */
export async function resourcesMatch(
  view: ClusterView,
  match: MatchResources | undefined,
  attributes: AdmissionAttributes,
): Promise<boolean> {
  if (!match) return true;
  const { resourceRules, excludeResourceRules = [] } = match;
  if (resourceRules?.length && !resourceRules.some((rule) => ruleMatches(rule, attributes))) return false;
  if (excludeResourceRules.some((rule) => ruleMatches(rule, attributes))) return false;
  return selectorsMatch(view, match, attributes);
}
