// Service accounts: names under which pods speak to the API, with the secrets they may mount.

import { serviceAccounts } from '../../api/core.ts';
import { ageColumn, integer, nameColumn } from './columns.ts';
import { serve } from './resource.ts';

export const serviceAccountResource = serve(serviceAccounts, {
  validate: () => [],
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
