// Custom resource definitions: their defaults and rules. What serves the resources they define is in customresources/.

import {
  type CustomResourceDefinition,
  customResourceCleanupFinalizer,
  customResourceDefinitions,
  type JsonSchema,
} from '../../api/apiextensions.ts';
import { withCondition } from '../../api/conditions.ts';
import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { ObjectMeta } from '../../api/wire.ts';
import { timestamp } from '../../base/clock.ts';
import { apiApprovalOf, approvedAnnotation } from '../customresources/api-approval.ts';
import { isKnownFormat } from '../customresources/formats.ts';
import { namesErrors, validateDefinition } from '../customresources/validate-definition.ts';
import { nameColumn } from './columns.ts';
import { serve } from './resource.ts';

/** Sets what Kubernetes sets. Mutates `definition`. */
export function defaultDefinition(definition: CustomResourceDefinition): void {
  // Validation says what it lacks.
  definition.spec ??= {} as CustomResourceDefinition['spec'];
  const { spec } = definition;
  const { names } = spec;
  if (names?.kind) {
    if (!names.singular) names.singular = names.kind.toLowerCase();
    if (!names.listKind) names.listKind = `${names.kind}List`;
  }
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service) service.port ??= 443;
}

/** A new definition says whether it was approved; an update may leave out or garble only what was so before. */
function approvalErrors(definition: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  const approval = apiApprovalOf(definition);
  const before = old && apiApprovalOf(old)?.reason;
  const at = `metadata.annotations[${approvedAnnotation}]`;
  if (!approval || approval.reason === before) return [];
  if (approval.reason === 'InvalidAnnotation')
    return [invalid(at, definition.metadata?.annotations?.[approvedAnnotation] ?? '', approval.message)];
  return approval.reason === 'MissingAnnotation' ? [required(at, approval.message)] : [];
}

/** Versions that objects may be stored in cannot be taken away. */
function storedVersionsErrors({ spec, status }: CustomResourceDefinition): FieldError[] {
  const stored = status?.storedVersions ?? [];
  const at = 'status.storedVersions';
  if (stored.length === 0) return [invalid(at, stored, 'must have at least one stored version')];
  const errors: FieldError[] = [];
  for (const { name, storage } of spec.versions)
    if (storage && !stored.includes(name)) errors.push(invalid(at, stored, `must have the storage version ${name}`));
  stored.forEach((name, i) => {
    if (spec.versions.some((version) => version.name === name)) return;
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(invalid(`${at}[${i}]`, name, why));
  });
  return errors;
}

function addStoredVersion(definition: CustomResourceDefinition): void {
  const storage = definition.spec.versions?.find((version) => version.storage)?.name;
  if (storage === undefined) return;
  definition.status ??= {};
  const stored = definition.status.storedVersions ?? [];
  if (!stored.includes(storage)) definition.status.storedVersions = [...stored, storage];
}

/** The formats of a definition's schemas that nothing is held to. */
function unknownFormats({ spec }: CustomResourceDefinition): Set<string> {
  const found = new Set<string>();
  const visit = (schema: JsonSchema): void => {
    const { type, format, items, properties = {}, additionalProperties: more, not, allOf = [], anyOf = [], oneOf = [] } = schema;
    if (format && !isKnownFormat(type, format)) found.add(format);
    const children = [items, ...allOf, ...oneOf, ...anyOf, not, ...Object.values(properties), typeof more === 'object' ? more : undefined];
    for (const child of children) if (child) visit(child);
  };
  for (const { schema } of spec.versions ?? []) if (schema?.openAPIV3Schema) visit(schema.openAPIV3Schema);
  return found;
}

function warningsOf(definition: CustomResourceDefinition, old: CustomResourceDefinition | undefined): string[] {
  const before = old ? unknownFormats(old) : new Set<string>();
  return [...unknownFormats(definition).difference(before)].map((format) => `unrecognized format ${JSON.stringify(format)}`);
}

const isEstablished = ({ status }: CustomResourceDefinition) =>
  status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True') ?? false;

export const customResourceDefinitionResource = serve(customResourceDefinitions, {
  defaults: defaultDefinition,
  beforeCreate(definition) {
    definition.status = { conditions: [], acceptedNames: { kind: '', plural: '' }, storedVersions: [] };
    addStoredVersion(definition);
    (definition.metadata as ObjectMeta).generation = 1;
  },
  beforeUpdate(definition, old) {
    if (old.status) definition.status = structuredClone(old.status);
    addStoredVersion(definition);
    if (!semanticEqual(definition.spec, old.spec)) (definition.metadata as ObjectMeta).generation = (old.metadata?.generation ?? 0) + 1;
  },
  validate: (definition) => [...validateDefinition(definition), ...storedVersionsErrors(definition), ...approvalErrors(definition)],
  validateUpdate(definition, old) {
    // What was accepted once may be stored again as it is, under stricter rules too.
    if (semanticEqual(definition.spec, old.spec)) return [...storedVersionsErrors(definition), ...approvalErrors(definition, old)];
    return [
      ...validateDefinition(definition),
      ...immutableErrors('spec.group', definition.spec.group, old.spec.group),
      ...immutableErrors('spec.names.plural', definition.spec.names.plural, old.spec.names.plural),
      ...(isEstablished(old)
        ? [
            ...immutableErrors('spec.scope', definition.spec.scope, old.spec.scope),
            ...immutableErrors('spec.names.kind', definition.spec.names.kind, old.spec.names.kind),
          ]
        : []),
      ...storedVersionsErrors(definition),
      ...approvalErrors(definition, old),
    ];
  },
  warningsOf,
  status: { validateUpdate: ({ status }) => namesErrors(status?.acceptedNames ?? { plural: '', kind: '' }, 'status.acceptedNames') },
  beforeDelete(definition, { clock }) {
    const meta = definition.metadata as ObjectMeta;
    if (!meta.finalizers?.includes(customResourceCleanupFinalizer) && !isConditionedTerminating(definition))
      meta.finalizers = [...(meta.finalizers ?? []), customResourceCleanupFinalizer];
    definition.status ??= {};
    definition.status.conditions = withCondition(definition.status.conditions, {
      type: 'Terminating',
      status: 'True',
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      lastTransitionTime: timestamp(clock),
    });
  },
  // A definition that nobody has begun to delete first loses the objects that it defines.
  holdsDeletion: ({ metadata }) =>
    metadata?.deletionTimestamp === undefined || (metadata.finalizers?.includes(customResourceCleanupFinalizer) ?? false),
  // Kubernetes refuses a replacement that does not say what it replaces.
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn(),
    {
      name: 'Created At',
      type: 'date',
      description:
        'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations.',
      priority: 0,
      cell: ({ metadata }) => metadata?.creationTimestamp ?? '<unknown>',
    },
  ],
});

const isConditionedTerminating = ({ status }: CustomResourceDefinition) =>
  status?.conditions?.some(({ type, status: value }) => type === 'Terminating' && value === 'True') ?? false;
