// What CSI drivers say of themselves: the driver, what each node has of it, how much room it has left, which volumes
// it has attached and the classes of attributes it can change.

import { duplicate, type FieldError, forbidden, invalid, required } from '../../api/field-error.ts';
import {
  type CsiDriver,
  type CsiNode,
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  type VolumeAttachment,
  volumeAttachments,
  volumeAttributesClasses,
} from '../../api/storage.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123SubdomainProblems, qualifiedNameProblems } from '../../api/validation/formats.ts';
import { labelSelectorErrors } from '../../api/validation/label-selector.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { ageColumn, nameColumn, text } from './columns.ts';
import { keep, keepMetadata } from './generation.ts';
import { nodeSelectorWarnings } from './node-label-warnings.ts';
import { enumErrors } from './pod-security.ts';
import { csiDriverNameErrors } from './pod-volumes.ts';
import { serve } from './resource.ts';
import { canonical, quantityErrors } from './resource-lists.ts';

function validateDriver({ metadata, spec }: CsiDriver): FieldError[] {
  const errors: FieldError[] = [];
  csiDriverNameErrors(metadata?.name ?? '', 'metadata.name', errors);
  enumErrors(spec?.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'], 'spec.fsGroupPolicy', errors);
  const audiences = new Set<string>();
  eachAt(spec?.tokenRequests, 'spec.tokenRequests', ({ audience = '', expirationSeconds }, at) => {
    if (audiences.has(audience)) errors.push(duplicate(`${at}.audience`, audience));
    audiences.add(audience);
    if (expirationSeconds === undefined) return;
    if (expirationSeconds < 600)
      errors.push(invalid(`${at}.expirationSeconds`, expirationSeconds, 'may not specify a duration less than 10 minutes'));
    if (expirationSeconds > 2 ** 32)
      errors.push(invalid(`${at}.expirationSeconds`, expirationSeconds, 'may not specify a duration larger than 2^32 seconds'));
  });
  for (const mode of spec?.volumeLifecycleModes ?? []) enumErrors(mode, ['Ephemeral', 'Persistent'], 'spec.volumeLifecycleModes', errors);
  return errors;
}

export const csiDriverResource = serve(csiDrivers, {
  returnsDeletedObject: true,
  defaults({ spec }) {
    if (!spec) return;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent'];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  validate: validateDriver,
  validateUpdate: (driver, old) => [
    ...validateDriver(driver),
    ...immutableErrors('spec.attachedRequired', driver.spec?.attachRequired, old.spec?.attachRequired),
    ...immutableErrors('spec.volumeLifecycleModes', driver.spec?.volumeLifecycleModes, old.spec?.volumeLifecycleModes),
  ],
  columns: [
    nameColumn(),
    {
      ...text<CsiDriver>('AttachRequired', 'Whether its volumes are attached first.', () => ''),
      type: 'boolean',
      cell: ({ spec }) => spec?.attachRequired ?? true,
    },
    {
      ...text<CsiDriver>('PodInfoOnMount', 'Whether it is told of the pod.', () => ''),
      type: 'boolean',
      cell: ({ spec }) => spec?.podInfoOnMount ?? false,
    },
    {
      ...text<CsiDriver>('StorageCapacity', 'Whether it tells its capacity.', () => ''),
      type: 'boolean',
      cell: ({ spec }) => spec?.storageCapacity ?? false,
    },
    text(
      'TokenRequests',
      'The audiences whose tokens it needs.',
      ({ spec }) => (spec?.tokenRequests ?? []).map(({ audience }) => audience).join(',') || '<unset>',
    ),
    {
      ...text<CsiDriver>('RequiresRepublish', 'Whether mounts are refreshed.', () => ''),
      type: 'boolean',
      cell: ({ spec }) => spec?.requiresRepublish ?? false,
    },
    text('Modes', 'The life cycles of its volumes.', ({ spec }) => (spec?.volumeLifecycleModes ?? []).join(',') || '<none>'),
    ageColumn(),
  ],
});

function validateCsiNode({ spec }: CsiNode): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  eachAt(spec?.drivers, 'spec.drivers', ({ name = '', nodeID, topologyKeys, allocatable }, at) => {
    csiDriverNameErrors(name, `${at}.name`, errors);
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (!nodeID) errors.push(required(`${at}.nodeID`));
    if ((allocatable?.count ?? 0) < 0)
      errors.push(invalid(`${at}.allocatable.count`, allocatable?.count, 'must be greater than or equal to 0'));
    eachAt(topologyKeys, `${at}.topologyKeys`, (key, each, i) => {
      if (topologyKeys && topologyKeys.indexOf(key) < i) errors.push(duplicate(each, key));
      for (const problem of qualifiedNameProblems(key)) errors.push(invalid(`${at}.topologyKeys`, key, problem));
    });
  });
  return errors;
}

export const csiNodeResource = serve(csiNodes, {
  validate: validateCsiNode,
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    {
      ...text<CsiNode>('Drivers', 'How many drivers the node has.', () => ''),
      type: 'integer',
      cell: ({ spec }) => spec?.drivers?.length ?? 0,
    },
    ageColumn(),
  ],
});

export const csiStorageCapacityResource = serve(csiStorageCapacities, {
  warningsOf: ({ nodeTopology }) => nodeSelectorWarnings(nodeTopology, 'nodeTopology'),
  validate({ storageClassName, nodeTopology, capacity, maximumVolumeSize }) {
    const errors: FieldError[] = [];
    labelSelectorErrors(nodeTopology, 'nodeTopology', errors);
    for (const problem of dns1123SubdomainProblems(storageClassName ?? ''))
      errors.push(invalid('storageClassName', storageClassName ?? '', problem));
    if (capacity !== undefined) quantityErrors('storage', capacity, 'capacity', errors);
    if (maximumVolumeSize !== undefined) quantityErrors('storage', maximumVolumeSize, 'maximumVolumeSize', errors);
    return errors;
  },
  validateUpdate: (capacity, old) => [
    ...immutableErrors('nodeTopology', capacity.nodeTopology, old.nodeTopology),
    ...immutableErrors('storageClassName', capacity.storageClassName, old.storageClassName),
  ],
  columns: [
    nameColumn(),
    text('StorageClassName', 'The class it speaks of.', ({ storageClassName }) => storageClassName ?? ''),
    text('Capacity', 'How much room there is.', ({ capacity }) => (capacity === undefined ? '<unset>' : canonical(capacity))),
  ],
});

function validateAttachment({ spec }: VolumeAttachment): FieldError[] {
  const errors: FieldError[] = [];
  csiDriverNameErrors(spec?.attacher ?? '', 'spec.attacher', errors);
  const { persistentVolumeName, inlineVolumeSpec } = spec?.source ?? {};
  if (inlineVolumeSpec && persistentVolumeName !== undefined)
    errors.push(forbidden('spec.source.inlineVolumeSpec', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  if (!inlineVolumeSpec && persistentVolumeName === undefined)
    errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  if (persistentVolumeName === '') errors.push(required('spec.source.persistentVolumeName'));
  else
    for (const problem of dns1123SubdomainProblems(persistentVolumeName ?? 'a'))
      errors.push(invalid('spec.source.persistentVolumeName', persistentVolumeName, problem));
  for (const problem of dns1123SubdomainProblems(spec?.nodeName ?? ''))
    errors.push(invalid('spec.nodeName', spec?.nodeName ?? '', problem));
  return errors;
}

export const volumeAttachmentResource = serve(volumeAttachments, {
  beforeCreate(attachment) {
    attachment.status = { attached: false };
  },
  beforeUpdate: (attachment, old) => keep(attachment, old, 'status'),
  validate: validateAttachment,
  validateUpdate: (attachment, old) => immutableErrors('spec', attachment.spec, old.spec),
  status: {
    resets: ['metadata', 'spec'],
    beforeUpdate(attachment, old) {
      keep(attachment, old, 'spec');
      keepMetadata(attachment, old);
    },
    validateUpdate: () => [],
  },
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text('Attacher', 'The driver that attaches it.', ({ spec }) => spec?.attacher ?? ''),
    text('PV', 'The volume.', ({ spec }) => spec?.source?.persistentVolumeName ?? ''),
    text('Node', 'The node.', ({ spec }) => spec?.nodeName ?? ''),
    {
      ...text<VolumeAttachment>('Attached', 'Whether it is attached.', () => ''),
      type: 'boolean',
      cell: ({ status }) => status?.attached ?? false,
    },
    ageColumn(),
  ],
});

export const volumeAttributesClassResource = serve(volumeAttributesClasses, {
  validate({ driverName = '', parameters }) {
    const errors: FieldError[] = [];
    if (!driverName) errors.push(required('driverName'));
    else for (const problem of qualifiedNameProblems(driverName.toLowerCase())) errors.push(invalid('driverName', driverName, problem));
    if (Object.keys(parameters ?? {}).length === 0) errors.push(required('parameters', 'must contain at least one key/value pair'));
    return errors;
  },
  validateUpdate: (attributesClass, old) => [
    ...immutableErrors('driverName', attributesClass.driverName, old.driverName),
    ...immutableErrors('parameters', attributesClass.parameters, old.parameters),
  ],
  returnsDeletedObject: true,
  columns: [nameColumn(), text('DriverName', 'The driver it speaks to.', ({ driverName }) => driverName ?? ''), ageColumn()],
});
