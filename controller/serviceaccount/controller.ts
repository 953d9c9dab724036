// Sees to it that every namespace has a service account named `default`.

import { namespaces, serviceAccounts } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { controller, settled, watching } from '../../client/controller.ts';

export const serviceAccountController = controller({
  name: 'serviceaccount',
  of: namespaces,
  watches: [watching(serviceAccounts, ({ metadata }, _cache, { after }) => (after ? [] : [metadata?.namespace ?? '']))],
  async reconcile({ metadata, status }, { cache, api }) {
    const namespace = metadata?.name ?? '';
    if (metadata?.deletionTimestamp || status?.phase === 'Terminating') return settled;
    if (cache.get(serviceAccounts, { namespace, name: 'default' })) return settled;
    try {
      await api.create(serviceAccounts, { metadata: { name: 'default', namespace } });
    } catch (error) {
      const isTerminating = isStatus(error) && error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating');
      if (!isTerminating && !isStatus(error, 'AlreadyExists')) throw error;
    }
    return settled;
  },
});
