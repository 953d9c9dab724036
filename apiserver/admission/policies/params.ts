// The objects that a binding gives its policy as parameters.

import type { ParamKind, ParamRef } from '../../../api/admissionregistration.ts';
import { apiVersionOf, type Kind } from '../../../api/kind.ts';
import { selectorMatches, selectorOf } from '../../../api/labels.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { AdmissionAttributes } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';

/** A policy or binding that cannot be carried out. */
export class ConfigurationError extends Error {}

/**
 * One evaluation is made with each; null where the policy takes none.
 * @throws ConfigurationError
 */
export function paramsOf(
  view: ClusterView,
  paramKind: ParamKind | undefined,
  paramRef: ParamRef | undefined,
  attributes: AdmissionAttributes,
): (KubeObject | null)[] {
  if (!paramKind || !paramRef) return [null];
  const kind: Kind | undefined = view.resources.declarations.find(
    ({ kind: each }) => each.kind === paramKind.kind && apiVersionOf(each) === paramKind.apiVersion,
  )?.kind;
  if (!kind)
    throw new ConfigurationError(`failed to find resource referenced by paramKind: '${paramKind.apiVersion}, Kind=${paramKind.kind}'`);
  const { name, namespace, selector, parameterNotFoundAction } = paramRef;
  const from = kind.namespaced ? namespace || attributes.namespace : '';
  if (!kind.namespaced && namespace)
    throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  if (kind.namespaced && !from) throw new ConfigurationError("can't use namespaced paramRef to match cluster-scoped resources");
  const terms = selectorOf(selector) ?? [];
  const found = view.list(kind, from).filter(({ metadata }) => (name ? metadata?.name === name : selectorMatches(terms, metadata?.labels)));
  if (found.length === 0 && parameterNotFoundAction === 'Deny')
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction');
  return found;
}
