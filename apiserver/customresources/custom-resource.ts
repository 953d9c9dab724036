// One version of a custom resource as a resource declaration, so that the generic registry and handlers serve it as they
// serve a built-in kind.

import type { CustomResourceDefinition, CustomResourceVersion, JsonSchema } from '../../api/apiextensions.ts';
import { type FieldError, invalid } from '../../api/field-error.ts';
import type { Kind } from '../../api/kind.ts';
import { StatusError } from '../../api/status.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject, ObjectMeta } from '../../api/wire.ts';
import type { ResourceDeclaration, StoredVersions } from '../resources/resource.ts';
import { checkBody } from '../schema/check.ts';
import type { ObjectNode } from '../schema/node.ts';
import { hasRules, validateRules } from './cel-rules.ts';
import { setDefaults } from './defaulting.ts';
import { compileJsonPath } from './json-path.ts';
import { customOpenApiSchema } from './open-api.ts';
import { printerColumns } from './printer-columns.ts';
import { customResourceNode } from './schema-node.ts';
import { validateListTypes, validateValue } from './validate-value.ts';

type Json = Record<string, unknown>;

export interface CustomResource {
  declaration: ResourceDeclaration;
  schema: ObjectNode;
}

/**
 * How a version of what `definition` defines is served; names are those that have been accepted. `convert` asks the webhook
 * when versions are converted by one.
 */
export function customResource(
  definition: CustomResourceDefinition,
  version: CustomResourceVersion,
  convert?: StoredVersions['convert'],
): CustomResource {
  const { spec, metadata } = definition;
  const kind = kindOf(definition, version);
  const schema = version.schema?.openAPIV3Schema;
  const node = customResourceNode(schema, spec.preserveUnknownFields === true);
  const hasStatus = version.subresources?.status !== undefined;
  const isTerminating = metadata?.deletionTimestamp !== undefined;
  const validate = (object: KubeObject, old?: KubeObject) => (schema ? validateObject(object, schema, old) : []);
  const fields = Object.fromEntries(
    (version.selectableFields ?? []).map(({ jsonPath }) => [jsonPath.replace(/^\./, ''), selectable(jsonPath)]),
  );
  const warning = version.deprecationWarning ?? `${spec.group}/${version.name} ${kind.kind} is deprecated`;
  const warn = version.deprecated ? (context: { warn(text: string): void }) => context.warn(warning) : () => undefined;
  const declaration: ResourceDeclaration = {
    kind,
    isCustom: true,
    fields,
    ...(schema
      ? {
          defaults: (object: KubeObject) => {
            setDefaults(object, schema);
          },
        }
      : {}),
    beforeCreate(object, context) {
      if (isTerminating) throw new StatusError('MethodNotAllowed', 'create not allowed while custom resource definition is terminating');
      warn(context);
      if (hasStatus) delete (object as Json)['status'];
      (object.metadata as ObjectMeta).generation = 1;
    },
    beforeUpdate(object, old, context) {
      warn(context);
      if (hasStatus) copyField('status', old as Json, object as Json);
      if (!semanticEqual(contentOf(object, hasStatus), contentOf(old, hasStatus)))
        (object.metadata as ObjectMeta).generation = (old.metadata?.generation ?? 0) + 1;
    },
    validate: (object) => validate(object),
    validateUpdate: (object, old) => validate(object, old),
    ...(hasStatus
      ? { status: { beforeUpdate: keepAllButStatus, validateUpdate: (object: KubeObject, old: KubeObject) => validate(object, old) } }
      : {}),
    ...(version.subresources?.scale
      ? { scale: { ...scaleOf(version.subresources.scale), replicasPaths: replicasPathsOf(definition) } }
      : {}),
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
  return { storage: `${spec.group}/${stored}`, ...(convert && spec.conversion?.strategy === 'Webhook' ? { convert } : {}) };
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

function validateObject(object: KubeObject, schema: JsonSchema, old: KubeObject | undefined): FieldError[] {
  const errors = validateValue(object, schema, old);
  const repeated = validateListTypes(object, schema);
  if (old === undefined || (repeated.length > 0 && validateListTypes(old, schema).length === 0)) errors.push(...repeated);
  if (!hasRules(schema)) return errors;
  if (errors.some(({ type }) => blocking.has(type))) return [...errors, invalid('<nil>', null, notRun)];
  return [...errors, ...validateRules(object, schema, old)];
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

function replicasPathsOf({ spec }: CustomResourceDefinition): NonNullable<NonNullable<ResourceDeclaration['scale']>['replicasPaths']> {
  const elementsOf = (path: string) =>
    path
      .slice(1)
      .split('.')
      .map((name) => `f:${name}`);
  return Object.fromEntries(
    spec.versions.map(({ name, subresources }) => {
      const path = subresources?.scale?.specReplicasPath;
      return [`${spec.group}/${name}`, path ? elementsOf(path) : null];
    }),
  );
}

function scaleOf(
  paths: NonNullable<NonNullable<CustomResourceVersion['subresources']>['scale']>,
): NonNullable<ResourceDeclaration['scale']> {
  const numberAt = (path: string) => {
    const find = compileJsonPath(path);
    return (object: KubeObject) => {
      const value = find(object)[0];
      return typeof value === 'number' ? value : 0;
    };
  };
  const findSelector = paths.labelSelectorPath ? compileJsonPath(paths.labelSelectorPath) : undefined;
  const names = paths.specReplicasPath.slice(1).split('.');
  return {
    specReplicas: numberAt(paths.specReplicasPath),
    statusReplicas: numberAt(paths.statusReplicasPath),
    setReplicas(object, replicas) {
      let at = object as Json;
      for (const name of names.slice(0, -1)) {
        at[name] ??= {};
        at = at[name] as Json;
      }
      at[names.at(-1) as string] = replicas;
    },
    selector(object) {
      const value = findSelector?.(object)[0];
      return typeof value === 'string' ? value : '';
    },
  };
}

/** Prunes and defaults what is read from the store. */
function upgrade(object: KubeObject, node: ObjectNode, schema: JsonSchema | undefined): boolean {
  const { unknownFields } = checkBody(object as Json, node);
  const isDefaulted = schema ? setDefaults(object, schema) : false;
  return unknownFields.length > 0 || isDefaulted;
}
