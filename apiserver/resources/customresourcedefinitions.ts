// Custom resource definitions: their defaults and rules. What serves the resources they define is in customresources/.

import {
  type CustomResourceDefinition,
  type CustomResourceVersion,
  customResourceCleanupFinalizer,
  customResourceDefinitions,
} from '../../api/apiextensions.ts';
import { withCondition } from '../../api/conditions.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { dns1035LabelProblems, dns1123SubdomainProblems } from '../../api/validation/formats.ts';
import { immutableErrors } from '../../api/validation/object-meta.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { ObjectMeta } from '../../api/wire.ts';
import { timestamp } from '../../base/clock.ts';
import { apiApprovalOf, approvedAnnotation } from '../customresources/api-approval.ts';
import { validateCelRules } from '../customresources/cel-rule-checks.ts';
import { compileJsonPath, JsonPathError } from '../customresources/json-path.ts';
import { validateStructuralSchema } from '../customresources/structural-schema.ts';
import { nameColumn } from './columns.ts';
import { serve } from './resource.ts';

/** Sets what Kubernetes sets. Mutates `definition`. */
export function defaultDefinition({ spec }: CustomResourceDefinition): void {
  if (!spec) return;
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

function validateDefinition(definition: CustomResourceDefinition): FieldError[] {
  const { metadata, spec } = definition;
  const errors: FieldError[] = [];
  const { group = '', names = { plural: '', kind: '' }, versions = [] } = spec;
  const wantedName = `${names.plural}.${group}`;
  if (metadata?.name !== wantedName)
    errors.push(invalid('metadata.name', metadata?.name ?? '', `must be spec.names.plural+"."+spec.group`));
  if (!group) errors.push(required('spec.group'));
  else {
    const problems = dns1123SubdomainProblems(group);
    if (problems.length > 0) errors.push(invalid('spec.group', group, problems.join(',')));
    else if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  }
  if (!spec.scope) errors.push(required('spec.scope'));
  else if (spec.scope !== 'Cluster' && spec.scope !== 'Namespaced')
    errors.push(notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']));
  if (new Set(versions.map(({ name }) => name)).size < versions.length)
    errors.push(invalid('spec.versions', versions, 'must contain unique version names'));
  if (versions.filter(({ storage }) => storage).length !== 1)
    errors.push(invalid('spec.versions', versions, 'must have exactly one version marked as storage version'));
  namesErrors(names, errors);
  versions.forEach((version, i) => void versionErrors(version, `spec.versions[${i}]`, spec.preserveUnknownFields === true, errors));
  conversionErrors(spec.conversion, errors);
  return errors;
}

function namesErrors(names: CustomResourceDefinition['spec']['names'], errors: FieldError[]): void {
  const at = 'spec.names';
  for (const word of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const value = names[word];
    if (!value) {
      errors.push(required(`${at}.${word}`));
      continue;
    }
    const isKind = word === 'kind' || word === 'listKind';
    const problems = dns1035LabelProblems(isKind ? value.toLowerCase() : value);
    if (problems.length > 0)
      errors.push(
        invalid(`${at}.${word}`, value, `${isKind ? 'may have mixed case, but should otherwise match: ' : ''}${problems.join(',')}`),
      );
  }
  for (const word of ['shortNames', 'categories'] as const) {
    names[word]?.forEach((name, i) => {
      const problems = dns1035LabelProblems(name);
      if (problems.length > 0) errors.push(invalid(`${at}.${word}[${i}]`, name, problems.join(',')));
    });
  }
  if (names.kind && names.kind === names.listKind)
    errors.push(invalid(`${at}.listKind`, names.listKind, 'kind and listKind may not be the same'));
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function versionErrors(version: CustomResourceVersion, at: string, preservesUnknown: boolean, errors: FieldError[]): void {
  const problems = dns1035LabelProblems(version.name);
  if (problems.length > 0) errors.push(invalid(`${at}.name`, version.name, problems.join(',')));
  const schema = version.schema?.openAPIV3Schema;
  if (!schema) errors.push(required(`${at}.schema.openAPIV3Schema`, 'schemas are required'));
  else if (!preservesUnknown || schema.default !== undefined) {
    const found = validateStructuralSchema(schema, `${at}.schema.openAPIV3Schema`);
    errors.push(...found, ...(found.length === 0 ? validateCelRules(schema, `${at}.schema.openAPIV3Schema`) : []));
  }
  if (preservesUnknown)
    errors.push(
      invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  version.additionalPrinterColumns?.forEach(({ name, type, format, jsonPath }, i) => {
    const each = `${at}.additionalPrinterColumns[${i}]`;
    if (!name) errors.push(required(`${each}.name`));
    if (!type) errors.push(required(`${each}.type`, `must be one of ${columnTypes.join(',')}`));
    else if (!columnTypes.includes(type)) errors.push(invalid(`${each}.type`, type, `must be one of ${columnTypes.join(',')}`));
    if (format && !columnFormats.includes(format))
      errors.push(invalid(`${each}.format`, format, `must be one of ${columnFormats.join(',')}`));
    if (!jsonPath) errors.push(required(`${each}.JSONPath`));
    else pathErrors(jsonPath, `${each}.jsonPath`, 'is an invalid path: ', errors);
  });
  selectableFieldErrors(version, at, errors);
  const scale = version.subresources?.scale;
  if (scale) {
    scalePathErrors(
      scale.specReplicasPath,
      ['.spec.'],
      `${at}.subresources.scale.specReplicasPath`,
      'should be a json path under .spec',
      errors,
    );
    scalePathErrors(
      scale.statusReplicasPath,
      ['.status.'],
      `${at}.subresources.scale.statusReplicasPath`,
      'should be a json path under .status',
      errors,
    );
    if (scale.labelSelectorPath)
      scalePathErrors(
        scale.labelSelectorPath,
        ['.spec.', '.status.'],
        `${at}.subresources.scale.labelSelectorPath`,
        'should be a json path under either .spec or .status',
        errors,
      );
  }
}

function pathErrors(path: string, at: string, head: string, errors: FieldError[]): void {
  try {
    compileJsonPath(path);
    if (!path.startsWith('.')) errors.push(invalid(at, path, 'must be a simple json path starting with .'));
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    errors.push(invalid(at, path, head + error.message));
  }
}

const selectableFieldsMax = 8;

function selectableFieldErrors({ selectableFields, schema }: CustomResourceVersion, at: string, errors: FieldError[]): void {
  const seen = new Set<string>();
  selectableFields?.forEach(({ jsonPath }, i) => {
    const each = `${at}.selectableFields[${i}].jsonPath`;
    if (!jsonPath) {
      errors.push(required(each));
      return;
    }
    pathErrors(jsonPath, each, 'is an invalid path: ', errors);
    if (/^\.metadata(\.|$)/.test(jsonPath)) errors.push(invalid(each, jsonPath, 'must not point to fields in metadata'));
    const found = jsonPath
      .slice(1)
      .split('.')
      .reduce((node, name) => node?.properties?.[name], schema?.openAPIV3Schema);
    if (!found) errors.push(invalid(each, jsonPath, 'is an invalid path: does not refer to a valid field'));
    else if (!['string', 'boolean', 'integer'].includes(found.type ?? ''))
      errors.push(
        invalid(
          each,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      );
    if (seen.has(jsonPath))
      errors.push({ type: 'FieldValueDuplicate', field: each, message: `Duplicate value: ${JSON.stringify(jsonPath)}` });
    seen.add(jsonPath);
  });
  if (seen.size > selectableFieldsMax)
    errors.push({
      type: 'FieldValueTooMany',
      field: `${at}.selectableFields`,
      message: `Too many: ${seen.size}: must have at most ${selectableFieldsMax} items`,
    });
}

function scalePathErrors(path: string | undefined, prefixes: readonly string[], at: string, why: string, errors: FieldError[]): void {
  if (!path) {
    errors.push(required(at));
    return;
  }
  if (!path.startsWith('.')) errors.push(invalid(at, path, 'must be a simple json path starting with .'));
  else if (!/^(\.[a-zA-Z_][\w-]*)+$/.test(path)) errors.push(invalid(at, path, 'must be a json path in the dot notation'));
  if (!prefixes.some((prefix) => path.startsWith(prefix))) errors.push(invalid(at, path, why));
}

function conversionErrors(conversion: CustomResourceDefinition['spec']['conversion'], errors: FieldError[]): void {
  const at = 'spec.conversion';
  if (!conversion) return;
  const { strategy, webhook } = conversion;
  if (strategy !== 'None' && strategy !== 'Webhook') {
    errors.push(strategy ? notSupported(`${at}.strategy`, strategy, ['None', 'Webhook']) : required(`${at}.strategy`));
    return;
  }
  if (strategy === 'None') {
    if (webhook) errors.push(forbidden(`${at}.webhook`, 'should not be set when strategy is not set to Webhook'));
    return;
  }
  const config = webhook?.clientConfig;
  if (!config) errors.push(required(`${at}.webhook.clientConfig`, 'required when strategy is set to Webhook'));
  else if ((config.url === undefined) === (config.service === undefined))
    errors.push(required(`${at}.webhook.clientConfig`, 'exactly one of url or service is required'));
  else if (config.url !== undefined && !/^https:\/\/[^/?#@]+(\/[^?#]*)?$/.test(config.url))
    errors.push(
      invalid(`${at}.webhook.clientConfig.url`, config.url, "'https' is the only allowed URL scheme; desired format: https://host[/path]"),
    );
  const known = webhook?.conversionReviewVersions ?? [];
  if (known.length === 0) errors.push(required(`${at}.webhook.conversionReviewVersions`));
  else if (!known.includes('v1') && !known.includes('v1beta1'))
    errors.push(invalid(`${at}.webhook.conversionReviewVersions`, known, 'must include at least one of v1, v1beta1'));
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
  status: { validateUpdate: storedVersionsErrors },
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
