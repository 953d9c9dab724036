// The namespace of what is posted to a subresource is that of the path.

import { badRequestError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';

/** Sets what the body leaves out. @throws StatusError BadRequest */
export function checkNamespace(object: KubeObject, namespace: string): void {
  object.metadata ??= {};
  if (!object.metadata.namespace) object.metadata.namespace = namespace;
  else if (object.metadata.namespace !== namespace)
    throw badRequestError('the namespace of the provided object does not match the namespace sent on the request');
}
