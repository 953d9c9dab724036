// PUT to a namespace's `finalize`: changes the finalizers of its spec, and nothing else.

import type { Namespace } from '../../api/core.ts';
import type { UpdateStrategy } from '../registry/registry.ts';
import { updateObject } from './update.ts';

const strategy: UpdateStrategy = {
  subresource: 'finalize',
  beforeUpdate(object: Namespace, old: Namespace) {
    if (old.status) object.status = old.status;
    else delete object.status;
  },
};

export const namespaceFinalize = updateObject(() => strategy);
