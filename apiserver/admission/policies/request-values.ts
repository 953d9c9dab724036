// What admission expressions see of a request, made when an expression first asks for it.

import type { Namespace } from '../../../api/core.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { AuthorizerValue } from '../../cel/authorizer.ts';
import { celValue } from '../../customresources/cel-value.ts';
import type { AdmissionAttributes } from '../admission.ts';

/** The kind and resource that a rule matched, where they are not the request's own. */
export interface MatchedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
}

/** A value that is converted once, when it is asked for. */
export class LazyValue {
  readonly json: unknown;
  #value: unknown;

  constructor(json: unknown) {
    this.json = json ?? null;
  }

  get value(): unknown {
    this.#value ??= celValue(this.json, undefined);
    return this.#value;
  }
}

const params = new WeakMap<KubeObject, LazyValue>();

/** Parameters are the same objects for many requests. */
export function paramsValue(object: KubeObject | null): LazyValue {
  if (!object) return nothing;
  const found = params.get(object) ?? new LazyValue(object);
  params.set(object, found);
  return found;
}

/** Null. */
export const nothing = new LazyValue(null);

/** The variables of one request. */
export interface RequestValues {
  object: LazyValue;
  readonly oldObject: LazyValue;
  readonly request: LazyValue;
  readonly namespaceObject: LazyValue;
  readonly authorizer: AuthorizerValue;
}

/** A namespace as expressions see it: without what they have no use for. */
export function namespaceValue(namespace: Namespace | undefined): LazyValue {
  if (!namespace) return nothing;
  const { metadata: { managedFields, ownerReferences, ...metadata } = {}, spec = {}, status = {} } = namespace;
  return new LazyValue({ metadata, spec, status });
}

/** The namespace of a request; one that is about a namespace itself is in that one. */
export function namespaceOf({ kind, namespace, name }: AdmissionAttributes): string {
  const isNamespace = kind.plural === 'namespaces' && kind.group === '';
  return isNamespace ? name : namespace;
}

/** The AdmissionRequest, without the objects and without what is empty. */
export function requestOf(attributes: AdmissionAttributes, matched: MatchedKind = attributes.kind): object {
  const { kind, objectKind, subresource, name, operation, user, dryRun, options } = attributes;
  const namespace = namespaceOf(attributes);
  const { name: username, uid, groups, extra } = user;
  return {
    kind: typeOf(objectKind ?? matched),
    resource: { group: matched.group, version: matched.version, resource: matched.plural },
    requestKind: typeOf(objectKind ?? kind),
    requestResource: { group: kind.group, version: kind.version, resource: kind.plural },
    ...(subresource ? { subResource: subresource, requestSubResource: subresource } : {}),
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    operation,
    userInfo: {
      ...(username ? { username } : {}),
      ...(uid ? { uid } : {}),
      ...(groups.length ? { groups } : {}),
      ...(extra && Object.keys(extra).length ? { extra } : {}),
    },
    dryRun,
    options: options ?? null,
  };
}

const typeOf = ({ group, version, kind }: Omit<MatchedKind, 'plural'>) => ({ group, version, kind });
