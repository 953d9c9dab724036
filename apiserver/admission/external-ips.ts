// Services claim no addresses of their own choice; those they have they keep (admission plug-in DenyServiceExternalIPs).

import { type Service, services } from '../../api/core.ts';
import { type AdmissionPlugin, isWriteOf, refusal } from './admission.ts';

export const denyServiceExternalIPs: AdmissionPlugin = {
  name: 'DenyServiceExternalIPs',
  operations: ['CREATE', 'UPDATE'],
  handles: isWriteOf(services),
  validate(attributes) {
    const addressesOf = (service: Service | undefined) => service?.spec?.externalIPs ?? [];
    const known = new Set(addressesOf(attributes.old));
    if (addressesOf(attributes.object).some((address) => !known.has(address)))
      throw refusal(attributes, 'Use of external IPs is denied by admission control');
  },
};
