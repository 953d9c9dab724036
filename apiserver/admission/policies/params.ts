// The objects that a binding gives its policy as parameters.

import type { ParamRef } from '../../../api/admissionregistration.ts';
import type { Kind } from '../../../api/kind.ts';
import { selectorMatches, selectorOf } from '../../../api/labels.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { ClusterView } from '../cluster-view.ts';

/** A policy or binding that cannot be carried out. */
export class ConfigurationError extends Error {}

/**
 * One evaluation is made with each; null where the policy takes none. `namespace`: that of the request.
 * @throws ConfigurationError
 */
export async function paramsOf(
  view: ClusterView,
  paramKind: Kind | undefined,
  paramRef: ParamRef | undefined,
  namespace: string,
): Promise<readonly (KubeObject | null)[]> {
  if (!paramKind || !paramRef) return [null];
  const { name, selector, parameterNotFoundAction } = paramRef;
  const from = paramKind.namespaced ? paramRef.namespace || namespace : '';
  if (paramKind.namespaced && !from)
    throw new ConfigurationError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  if (!paramKind.namespaced && paramRef.namespace)
    throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  let found: readonly KubeObject[];
  if (name) {
    const param = await view.get(paramKind, from, name);
    found = param ? [param] : [];
  } else {
    const terms = selectorOf(selector) ?? [];
    found = view.list(paramKind, from).filter(({ metadata }) => selectorMatches(terms, metadata?.labels));
  }
  if (found.length === 0 && parameterNotFoundAction === 'Deny')
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction');
  return found;
}
