// Dynamic resource allocation: classes of devices, the devices that nodes have, claims on them and templates of claims.

import { duplicate, type FieldError, invalid, required, tooMany } from '../../api/field-error.ts';
import {
  deviceClasses,
  type ResourceClaim,
  type ResourceSlice,
  resourceClaims,
  resourceClaimTemplates,
  resourceSlices,
} from '../../api/resource.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../api/validation/formats.ts';
import { annotationsErrors, immutableErrors, labelsErrors } from '../../api/validation/object-meta.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import {
  configurationErrors,
  defaultDeviceClaim,
  deviceClaimErrors,
  driverErrors,
  selectorsErrors,
  uniqueErrors,
} from './device-claims.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { serve } from './resource.ts';

const consumersMax = 256;
const devicesMax = 128;
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
  status: { beforeUpdate: (claim, old) => keep(claim, old, 'spec'), validateUpdate: claimStatusErrors },
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

function nodeSelectionErrors(spec: ResourceSlice['spec'], errors: FieldError[]): void {
  const choices = ['nodeName', 'nodeSelector', 'allNodes', 'perDeviceNodeSelection'] as const;
  const chosen = choices.filter((field) => spec?.[field]);
  const which = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  if (chosen.length === 0) errors.push(required('spec', which));
  if (chosen.length > 1)
    errors.push(invalid('spec', `{${chosen.map((field) => `\`${field}\``).join(', ')}}`, `${which}, but multiple fields are set`));
  if (spec?.nodeName)
    for (const problem of dns1123SubdomainProblems(spec.nodeName)) errors.push(invalid('spec.nodeName', spec.nodeName, problem));
}

function validateSlice({ spec }: ResourceSlice): FieldError[] {
  const errors: FieldError[] = [];
  driverErrors(spec?.driver, 'spec.driver', errors);
  const { name: pool, generation = 0, resourceSliceCount = 0 } = spec?.pool ?? { name: '' };
  if (!pool) errors.push(required('spec.pool.name'));
  else
    for (const part of pool.split('/'))
      for (const problem of dns1123SubdomainProblems(part)) errors.push(invalid('spec.pool.name', part, problem));
  if (resourceSliceCount <= 0) errors.push(invalid('spec.pool.resourceSliceCount', resourceSliceCount, 'must be greater than zero'));
  if (generation < 0) errors.push(invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'));
  nodeSelectionErrors(spec, errors);
  const devices = spec?.devices ?? [];
  if (devices.length > devicesMax) errors.push(tooMany('spec.devices', devices.length, devicesMax));
  uniqueErrors(devices, 'spec.devices', errors);
  eachAt(devices, 'spec.devices', ({ name, taints }, at) => {
    if (!name) errors.push(required(`${at}.name`));
    else for (const problem of dns1123LabelProblems(name)) errors.push(invalid(`${at}.name`, name, problem));
    eachAt(taints, `${at}.taints`, ({ key, effect }, each) => {
      if (!key) errors.push(required(`${each}.key`));
      if (!effect) errors.push(required(`${each}.effect`));
    });
  });
  return errors;
}

export const resourceSliceResource = serve(resourceSlices, {
  returnsDeletedObject: true,
  fields: { 'spec.nodeName': ({ spec }) => spec?.nodeName ?? '', 'spec.driver': ({ spec }) => spec?.driver ?? '' },
  beforeCreate: startGeneration,
  beforeUpdate: bumpGeneration,
  validate: validateSlice,
  validateUpdate: (slice, old) => [
    ...validateSlice(slice),
    ...immutableErrors('spec.driver', slice.spec?.driver, old.spec?.driver),
    ...immutableErrors('spec.pool.name', slice.spec?.pool.name, old.spec?.pool.name),
    ...immutableErrors('spec.nodeName', slice.spec?.nodeName ?? '', old.spec?.nodeName ?? ''),
  ],
  columns: [
    nameColumn(),
    text('Node', 'The node that has the devices.', ({ spec }) => spec?.nodeName ?? '<unset>'),
    text('Driver', 'Who looks after them.', ({ spec }) => spec?.driver ?? ''),
    text('Pool', 'The pool they belong to.', ({ spec }) => spec?.pool.name ?? ''),
    ageColumn(),
  ],
});
