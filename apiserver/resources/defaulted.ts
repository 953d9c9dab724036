// What becomes of an object between its decoding and its use: the normal form of its Go type, and its kind's defaults.

import { apiVersionOf } from '../../api/kind.ts';
import type { KubeObject } from '../../api/wire.ts';
import { messageOfType } from '../protobuf/kind-message.ts';
import { normalize } from '../protobuf/normal-form.ts';
import type { ResourceDeclaration } from './resource.ts';

/** Brings an object of a built-in kind into normal form, in place; those of custom resources stay as they are. */
export function normalizeObject({ kind, isCustom }: Pick<ResourceDeclaration, 'kind' | 'isCustom'>, object: KubeObject): void {
  const message = isCustom ? undefined : messageOfType(apiVersionOf(kind), kind.kind);
  if (message) normalize(message, object);
}

/** Gives an object its defaults, in place. What is empty counts as not set, and defaults that are zero are not written. */
export function defaultObject(declaration: ResourceDeclaration, object: KubeObject): void {
  normalizeObject(declaration, object);
  if (!declaration.defaults) return;
  declaration.defaults(object);
  if (!declaration.isCustom) normalizeObject(declaration, object);
}
