// Which requests webhooks and policies are about: rules, and selectors of namespaces and objects
// (k8s.io/apiserver/pkg/admission/plugin/webhook/predicates).

import type { MatchResources, NamedRuleWithOperations } from '../../api/admissionregistration.ts';
import { namespaces } from '../../api/core.ts';
import type { Kind } from '../../api/kind.ts';
import { selectorMatches, selectorOf } from '../../api/labels.ts';
import { notFoundError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { equivalentsOf } from '../registry/served-versions.ts';
import type { AdmissionAttributes } from './admission.ts';
import type { ClusterView } from './cluster-view.ts';

type Selectors = Pick<MatchResources, 'namespaceSelector' | 'objectSelector'>;

/** Whether the rule is about the request, were it one for `kind`. */
export function ruleMatches(rule: NamedRuleWithOperations, attributes: AdmissionAttributes, kind: Kind = attributes.kind): boolean {
  const { subresource, operation, name, namespace } = attributes;
  const has = (list: readonly string[] | undefined, value: string) => list?.includes('*') || list?.includes(value) || false;
  const isOfCluster = namespace === '' || isNamespaces(kind);
  if (rule.scope === 'Namespaced' && isOfCluster) return false;
  if (rule.scope === 'Cluster' && !isOfCluster) return false;
  if (rule.resourceNames?.length && !rule.resourceNames.includes(name)) return false;
  const isOfKind = has(rule.apiGroups, kind.group) && has(rule.apiVersions, kind.version) && has(rule.operations, operation);
  return isOfKind && resourceMatches(rule.resources, kind.plural, subresource);
}

const isNamespaces = (kind: Kind) => kind.plural === 'namespaces' && kind.group === '';

function resourceMatches(patterns: readonly string[] | undefined, plural: string, subresource: string): boolean {
  return (patterns ?? []).some((pattern) => {
    const [wanted = '', sub = ''] = pattern.split('/');
    return (wanted === '*' || wanted === plural) && (sub === '*' || sub === subresource);
  });
}

/**
 * As what the request matches one of the rules: as itself, or else, where `matchPolicy` is Equivalent, as one for another version
 * or group that the same objects are served in. Undefined: not at all.
 */
export function matchedKind(
  view: ClusterView,
  { rules = [], matchPolicy }: { rules?: readonly NamedRuleWithOperations[] | undefined; matchPolicy?: string | undefined },
  attributes: AdmissionAttributes,
): Kind | undefined {
  const { kind, subresource } = attributes;
  if (rules.some((rule) => ruleMatches(rule, attributes))) return kind;
  if (matchPolicy !== 'Equivalent') return undefined;
  const equivalents = equivalentsOf(view.resources, kind, subresource);
  if (equivalents.length === 0) return undefined;
  // Earlier rules go first.
  for (const rule of rules) for (const equivalent of equivalents) if (ruleMatches(rule, attributes, equivalent)) return equivalent;
  return undefined;
}

/**
 * Either of the old and the new object may match; what is in no namespace matches every selector of namespaces.
 * @throws StatusError NotFound when the namespace is not there
 */
export async function selectorsMatch(view: ClusterView, selectors: Selectors, attributes: AdmissionAttributes): Promise<boolean> {
  const selector = selectorOf(selectors.objectSelector) ?? [];
  if (selector.length && !objectsOf(attributes).some(({ metadata }) => metadata && selectorMatches(selector, metadata.labels)))
    return false;
  const scope = selectorOf(selectors.namespaceSelector) ?? [];
  if (scope.length === 0) return true;
  const { kind, namespace } = attributes;
  if (namespace === '' && !isNamespaces(kind)) return true;
  return selectorMatches(scope, (await namespaceFor(view, attributes)).metadata?.labels);
}

const objectsOf = ({ object, old }: AdmissionAttributes) => [object, old].filter((each) => each !== undefined);

/** The namespace as it will be, where the request is what makes it so. */
async function namespaceFor(view: ClusterView, { kind, subresource, object, namespace, name }: AdmissionAttributes): Promise<KubeObject> {
  if (isNamespaces(kind) && subresource === '' && object) return object;
  const asked = isNamespaces(kind) ? name : namespace;
  const found = await view.get(namespaces, '', asked);
  if (!found) throw notFoundError(namespaces, asked);
  return found;
}

/** As what a policy or its binding is about the request (undefined: it is not); saying nothing, it is about everything. */
export async function resourcesMatch(
  view: ClusterView,
  match: MatchResources | undefined,
  attributes: AdmissionAttributes,
): Promise<Kind | undefined> {
  if (!match) return attributes.kind;
  const { resourceRules, excludeResourceRules, matchPolicy } = match;
  const kind = resourceRules?.length ? matchedKind(view, { rules: resourceRules, matchPolicy }, attributes) : attributes.kind;
  if (!kind || matchedKind(view, { rules: excludeResourceRules, matchPolicy }, attributes)) return undefined;
  return (await selectorsMatch(view, match, attributes)) ? kind : undefined;
}
