// Service accounts: names under which pods speak to the API, with the secrets they may mount.

import { type ServiceAccount, serviceAccounts } from '../../api/core.ts';
import { ageColumn, integer, nameColumn } from './columns.ts';
import { serve } from './resource.ts';

const restriction = 'kubernetes.io/enforce-mountable-secrets';
const isRestricted = (metadata: ServiceAccount['metadata']) => metadata?.annotations !== undefined && restriction in metadata.annotations;

export const serviceAccountResource = serve(serviceAccounts, {
  validate: () => [],
  warningsOf: ({ metadata }, old) =>
    isRestricted(metadata) && !isRestricted(old?.metadata)
      ? [`metadata.annotations[${restriction}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`]
      : [],
  returnsDeletedObject: true,
  subresources: {
    token: {
      kind: 'TokenRequest',
      group: 'authentication.k8s.io',
      version: 'v1',
      verbs: ['create'],
      handler: 'serviceaccount-token',
    },
  },
  columns: [
    nameColumn(),
    { ...integer('Secrets', 'How many secrets its pods may mount.', (account) => account.secrets?.length), type: 'string' },
    ageColumn(),
  ],
});
