// The objects every cluster begins with; made when missing, never changed.

import { namespaces } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import type { ServerParts } from '../handlers/handler.ts';
import type { UserInfo } from '../resources/resource.ts';

/** In whose name the API server writes. */
export const apiServerUser: UserInfo = Object.freeze({ name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] });

const bootstrapNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

export async function createBootstrapObjects(server: ServerParts): Promise<void> {
  const registry = server.resources.ofKind(namespaces)?.registry;
  if (!registry) return;
  for (const name of bootstrapNamespaces) {
    if (registry.cache.get(registry.codec.keyOf('', name))) continue;
    const object = { metadata: { name } };
    registry.declaration.defaults?.(object);
    try {
      await registry.create(object, { namespace: '', user: apiServerUser, dryRun: false, warn: () => {} });
    } catch (error) {
      // Another API server on the same store was quicker.
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
  }
}
