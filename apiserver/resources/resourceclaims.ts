// Dynamic resource allocation: classes of devices, the devices that nodes have, claims on them and templates of claims.

import { duplicate, type FieldError, invalid, required, tooMany } from '../../api/field-error.ts';
import { deviceClasses, type ResourceClaim, resourceClaims, resourceClaimTemplates } from '../../api/resource.ts';
import { eachAt } from '../../api/validation/each.ts';
import { annotationsErrors, immutableErrors, labelsErrors } from '../../api/validation/object-meta.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { configurationErrors, defaultDeviceClaim, deviceClaimErrors, selectorsErrors } from './device-claims.ts';
import { bumpGeneration, keep, keepMetadata, startGeneration } from './generation.ts';
import { serve } from './resource.ts';

const consumersMax = 256;
const configMax = 32;

function claimErrors({ spec }: ResourceClaim): FieldError[] {
  const errors: FieldError[] = [];
  deviceClaimErrors(spec?.devices, 'spec.devices', errors);
  return errors;
}

function claimStatusErrors(claim: ResourceClaim, old: ResourceClaim): FieldError[] {
  const errors: FieldError[] = [];
  const { allocation, reservedFor = [] } = claim.status ?? {};
  if (reservedFor.length > consumersMax) errors.push(tooMany('status.reservedFor', reservedFor.length, consumersMax));
  const seen = new Set<string>();
  eachAt(reservedFor, 'status.reservedFor', ({ resource, name, uid }, at) => {
    for (const [field, value] of Object.entries({ resource, name, uid })) if (!value) errors.push(required(`${at}.${field}`));
    if (seen.has(uid)) errors.push(duplicate(at, uid));
    seen.add(uid);
  });
  if (reservedFor.length && !allocation)
    errors.push(invalid('status.reservedFor', reservedFor, 'may not be specified when `allocated` is not set'));
  if (allocation && old.status?.allocation) errors.push(...immutableErrors('status.allocation', allocation, old.status.allocation));
  return errors;
}

function stateText({ metadata, status }: ResourceClaim): string {
  const states: string[] = [];
  if (metadata?.deletionTimestamp) states.push('deleted');
  if (status?.allocation) states.push('allocated');
  if (status?.reservedFor?.length) states.push('reserved');
  return states.length ? states.join(',') : 'pending';
}

export const resourceClaimResource = serve(resourceClaims, {
  returnsDeletedObject: true,
  defaults: ({ spec }) => defaultDeviceClaim(spec?.devices),
  beforeCreate(claim) {
    claim.status = {};
  },
  beforeUpdate: (claim, old) => keep(claim, old, 'status'),
  validate: claimErrors,
  validateUpdate: (claim, old) => immutableErrors('spec', claim.spec, old.spec),
  status: {
    beforeUpdate(claim, old) {
      keep(claim, old, 'spec');
      keepMetadata(claim, old);
    },
    validateUpdate: claimStatusErrors,
  },
  columns: [nameColumn(), text('State', 'Pending, allocated or reserved.', stateText), ageColumn()],
});

export const resourceClaimTemplateResource = serve(resourceClaimTemplates, {
  returnsDeletedObject: true,
  defaults: ({ spec }) => defaultDeviceClaim(spec?.spec?.devices),
  validate({ spec }) {
    const errors: FieldError[] = [];
    labelsErrors(spec?.metadata?.labels, 'spec.metadata.labels', errors);
    annotationsErrors(spec?.metadata?.annotations, 'spec.metadata.annotations', errors);
    deviceClaimErrors(spec?.spec?.devices, 'spec.spec.devices', errors);
    return errors;
  },
  validateUpdate: (template, old) => immutableErrors('spec', template.spec, old.spec),
  columns: [nameColumn(), ageColumn()],
});

export const deviceClassResource = serve(deviceClasses, {
  returnsDeletedObject: true,
  beforeCreate: startGeneration,
  beforeUpdate: bumpGeneration,
  validate({ spec }) {
    const errors: FieldError[] = [];
    selectorsErrors(spec?.selectors, 'spec.selectors', errors);
    if ((spec?.config?.length ?? 0) > configMax) errors.push(tooMany('spec.config', spec?.config?.length ?? 0, configMax));
    eachAt(spec?.config, 'spec.config', (config, at) => configurationErrors(config as { opaque?: never }, at, errors));
    return errors;
  },
  columns: [nameColumn(), ageColumn()],
});
