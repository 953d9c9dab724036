// One version of a custom resource as a resource declaration, so that the generic registry and handlers serve it as they
// serve a built-in kind.

import type { CustomResourceDefinition, CustomResourceVersion, JsonSchema } from '../../api/apiextensions.ts';
import { type FieldError, invalid } from '../../api/field-error.ts';
import type { Kind } from '../../api/kind.ts';
import { StatusError } from '../../api/status.ts';
import { qualifiedNameProblems } from '../../api/validation/formats.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject, ObjectMeta } from '../../api/wire.ts';
import { compareVersions } from '../discovery/documents.ts';
import type { ResourceDeclaration, StoredVersions, WriteContext } from '../resources/resource.ts';
import { checkBody } from '../schema/check.ts';
import type { ObjectNode } from '../schema/node.ts';
import { hasRules, validateRules } from './cel-rules.ts';
import { pruneNulls, setDefaults } from './defaulting.ts';
import { validateEmbeddedResources } from './embedded-resources.ts';
import { compileJsonPath } from './json-path.ts';
import { customOpenApiSchema } from './open-api.ts';
import { printerColumns } from './printer-columns.ts';
import { scaleAccess, specScaleErrors, statusScaleErrors } from './scale-subresource.ts';
import { customResourceNode } from './schema-node.ts';
import { validateListTypes, validateValue } from './validate-value.ts';

type Json = Record<string, unknown>;

export interface CustomResource {
  declaration: ResourceDeclaration;
  schema: ObjectNode;
}

export interface CustomResourceOptions {
  /** Asks the webhook when versions are converted by one. */
  convert?: StoredVersions['convert'];
  /** Whether the definition is being deleted: then nothing new comes into being. */
  isTerminating(): boolean;
}

/** How a version of what `definition` defines is served; names are those that have been accepted. */
export function customResource(
  definition: CustomResourceDefinition,
  version: CustomResourceVersion,
  { convert, isTerminating }: CustomResourceOptions,
): CustomResource {
  const { spec, metadata } = definition;
  const kind = kindOf(definition, version);
  const schema = version.schema?.openAPIV3Schema;
  const node = customResourceNode(schema, spec.preserveUnknownFields === true);
  const hasStatus = version.subresources?.status !== undefined;
  const { scale } = version.subresources ?? {};
  const validate = (object: KubeObject, old: KubeObject | undefined, { warn }: Pick<WriteContext, 'warn'>) => {
    const problems = scale ? [...specScaleErrors(object, scale), ...statusScaleErrors(object, scale)] : [];
    return validateObject(object, schema, { old, problems, warn });
  };
  const fields = Object.fromEntries(
    (version.selectableFields ?? []).map(({ jsonPath }) => [jsonPath.replace(/^\./, ''), selectable(jsonPath)]),
  );
  const warning = version.deprecated ? deprecationWarning(definition, version) : undefined;
  const declaration: ResourceDeclaration = {
    kind,
    isCustom: true,
    fields,
    ...(schema
      ? {
          defaults: (object: KubeObject) => {
            pruneNulls(object, schema);
            setDefaults(object, schema);
          },
        }
      : {}),
    beforeCreate(object) {
      if (isTerminating()) throw new StatusError('MethodNotAllowed', 'create not allowed while custom resource definition is terminating');
      if (hasStatus) delete (object as Json)['status'];
      (object.metadata as ObjectMeta).generation = 1;
    },
    beforeUpdate(object, old) {
      if (hasStatus) copyField('status', old as Json, object as Json);
      if (!semanticEqual(contentOf(object, hasStatus), contentOf(old, hasStatus)))
        (object.metadata as ObjectMeta).generation = (old.metadata?.generation ?? 0) + 1;
    },
    validate: (object, context) => validate(object, undefined, context),
    validateUpdate: validate,
    warningsOf: finalizerWarnings,
    ...(hasStatus
      ? {
          status: {
            resets: ['metadata', 'spec'],
            beforeUpdate: keepAllButStatus,
            validateUpdate: (object: KubeObject, old: KubeObject, { warn }: Pick<WriteContext, 'warn'>) =>
              validateStatus(object, schema, { old, problems: scale ? statusScaleErrors(object, scale) : [], warn }),
          },
        }
      : {}),
    ...(scale ? { scale: scaleAccess(definition, scale) } : {}),
    ...(warning === undefined ? {} : { deprecation: warning }),
    columns: printerColumns(version.additionalPrinterColumns),
    // Kubernetes refuses a replacement that does not say what it replaces.
    allowUnconditionalUpdate: false,
    openApiSchema: (form) => customOpenApiSchema(schema, form),
    // Nothing can have been stored under another schema where there is one version and the definition has not changed yet.
    ...(spec.versions.length > 1 ? { versions: storedVersions(definition, convert) } : {}),
    ...((metadata?.generation ?? 1) > 1 || spec.versions.length > 1
      ? { upgrade: (object: KubeObject) => upgrade(object, node, schema) }
      : {}),
  };
  return { declaration, schema: node };
}

function storedVersions({ spec }: CustomResourceDefinition, convert: StoredVersions['convert']): StoredVersions {
  const stored = spec.versions.find(({ storage }) => storage)?.name ?? '';
  const schemas = new Map<string, ObjectNode>();
  const schemaOf = (apiVersion: string) => {
    const version = spec.versions.find(({ name }) => `${spec.group}/${name}` === apiVersion);
    if (!version) return undefined;
    const node = schemas.get(apiVersion) ?? customResourceNode(version.schema?.openAPIV3Schema, spec.preserveUnknownFields === true);
    schemas.set(apiVersion, node);
    return node;
  };
  return { storage: `${spec.group}/${stored}`, schemaOf, ...(convert && spec.conversion?.strategy === 'Webhook' ? { convert } : {}) };
}

function kindOf({ spec, status }: CustomResourceDefinition, version: CustomResourceVersion): Kind {
  const names = status?.acceptedNames ?? spec.names;
  return {
    group: spec.group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: spec.scope === 'Namespaced',
    ...(names.listKind ? { listKind: names.listKind } : {}),
  };
}

/** Errors after which rules are not run: what they would look at is not of its type. */
const blocking = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const notRun = 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

interface Checked {
  /** Absent for a new object. */
  old: KubeObject | undefined;
  /** What the scale subresource finds wrong. */
  problems: readonly FieldError[];
  warn(text: string): void;
}

function validateObject(object: KubeObject, schema: JsonSchema | undefined, { old, problems, warn }: Checked): FieldError[] {
  if (!schema) return [...problems];
  const errors = [...validateValue(object, schema, old), ...problems, ...validateEmbeddedResources(object, schema)];
  return withRules([...errors, ...listErrors(object, schema, old)], object, schema, { old, warn });
}

/** Of a status nothing but the status is held against the schema; rules see the whole object. */
function validateStatus(object: KubeObject, schema: JsonSchema | undefined, { old, problems, warn }: Checked): FieldError[] {
  if (!schema) return [...problems];
  const { status } = object as Json;
  const own = schema.properties?.['status'];
  const before = (old as Json | undefined)?.['status'];
  const errors = own && status !== undefined ? validateValue(status, own, before, 'status') : [];
  return withRules([...errors, ...problems, ...listErrors(object, schema, old)], object, schema, { old, warn });
}

/** Lists that held something twice before may do so still. */
function listErrors(object: KubeObject, schema: JsonSchema, old: KubeObject | undefined): FieldError[] {
  const repeated = validateListTypes(object, schema);
  return repeated.length === 0 || (old !== undefined && validateListTypes(old, schema).length > 0) ? [] : repeated;
}

function withRules(errors: FieldError[], object: KubeObject, schema: JsonSchema, { old, warn }: Omit<Checked, 'problems'>): FieldError[] {
  if (!hasRules(schema)) return errors;
  if (errors.some(({ type }) => blocking.has(type))) return [...errors, invalid('<nil>', null, notRun)];
  return [...errors, ...validateRules(object, schema, old, warn)];
}

/** What users of a deprecated version are told; the newest of those that follow it is recommended. */
function deprecationWarning({ spec }: CustomResourceDefinition, { name, deprecationWarning: own }: CustomResourceVersion): string {
  if (own !== undefined) return own;
  const { kind } = spec.names;
  const [newest] = spec.versions
    .filter((version) => version.served && !version.deprecated && compareVersions(version.name, name) < 0)
    .map((version) => version.name)
    .sort(compareVersions);
  return `${spec.group}/${name} ${kind} is deprecated${newest === undefined ? '' : `; use ${spec.group}/${newest} ${kind}`}`;
}

const standardFinalizers = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

/** New finalizers that others could take for theirs. */
function finalizerWarnings({ metadata }: KubeObject, old: KubeObject | undefined): string[] {
  const added = new Set(metadata?.finalizers).difference(new Set(old?.metadata?.finalizers));
  return [...added].sort().flatMap((finalizer) => {
    const problems = [...qualifiedNameProblems(finalizer)];
    if (!finalizer.includes('/') && !standardFinalizers.has(finalizer)) {
      const path = finalizer.includes('.') ? ' including a path (/)' : '';
      problems.push(`prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`);
    }
    return problems.map((problem) => `metadata.finalizers: ${JSON.stringify(finalizer)}: ${problem}`);
  });
}

/** What counts for the generation. */
function contentOf(object: KubeObject, hasStatus: boolean): object {
  const { metadata: _, ...content } = object as KubeObject & Json;
  if (hasStatus) delete content['status'];
  return content;
}

function copyField(field: string, from: Json, to: Json): void {
  if (from[field] === undefined) delete to[field];
  else to[field] = from[field];
}

/** Mutates `object` into `old` with its own status. */
function keepAllButStatus(object: KubeObject, old: KubeObject): void {
  const { status } = object as Json;
  const { managedFields, resourceVersion } = object.metadata ?? {};
  const target = object as Json;
  for (const key of Object.keys(target)) delete target[key];
  const { status: _, ...kept } = structuredClone(old) as KubeObject & Json;
  Object.assign(target, kept);
  if (status !== undefined) target['status'] = status;
  const metadata: ObjectMeta = { ...kept.metadata };
  if (managedFields) metadata.managedFields = managedFields;
  else delete metadata.managedFields;
  if (resourceVersion !== undefined) metadata.resourceVersion = resourceVersion;
  object.metadata = metadata;
}

function selectable(jsonPath: string): (object: KubeObject) => string {
  const find = compileJsonPath(jsonPath);
  return (object) => {
    const value = find(object)[0];
    return value === undefined || value === null ? '' : String(value);
  };
}

/** Prunes and defaults what is read from the store. */
function upgrade(object: KubeObject, node: ObjectNode, schema: JsonSchema | undefined): boolean {
  const { unknownFields } = checkBody(object as Json, node);
  pruneNulls(object, schema);
  const isDefaulted = schema ? setDefaults(object, schema) : false;
  return unknownFields.length > 0 || isDefaulted;
}
