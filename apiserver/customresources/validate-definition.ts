// The rules of a definition's spec, in Kubernetes' order and under the names that its internal form gives the fields: what
// all versions have in common is looked at once, and said of the definition as a whole (`spec.validation.openAPIV3Schema`).

import type { CustomResourceDefinition, CustomResourceVersion, JsonSchema } from '../../api/apiextensions.ts';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required, tooMany } from '../../api/field-error.ts';
import { dns1035LabelProblems, dns1123SubdomainProblems } from '../../api/validation/formats.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import { clientConfigErrors } from '../resources/webhook-client-config.ts';
import { validateCelRules } from './cel-rule-checks.ts';
import { FieldPathError, findField } from './field-path.ts';
import { validateStructuralSchema } from './structural-schema.ts';

type Spec = CustomResourceDefinition['spec'];

const preserveMessage = 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';

/** Every problem of a definition but those of its metadata, status and history. */
export function validateDefinition({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  const { group = '', names = { plural: '', kind: '' }, versions = [], conversion } = spec;
  const errors: FieldError[] = [];
  if (metadata?.name !== `${names.plural}.${group}`)
    errors.push(invalid('metadata.name', metadata?.name ?? '', 'must be spec.names.plural+"."+spec.group'));
  if (!group) errors.push(required('spec.group'));
  else {
    const problems = dns1123SubdomainProblems(group);
    if (problems.length > 0) errors.push(invalid('spec.group', group, problems.join(',')));
    else if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  }
  if (!spec.scope) errors.push(required('spec.scope'));
  else if (spec.scope !== 'Cluster' && spec.scope !== 'Namespaced')
    errors.push(notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']));
  versions.forEach(({ schema }, i) => {
    if (!schema?.openAPIV3Schema) errors.push(required(`spec.versions[${i}].schema.openAPIV3Schema`));
  });

  const facets = facetsOf(versions, spec.preserveUnknownFields === true);
  versions.forEach((version, i) => {
    const at = `spec.versions[${i}]`;
    const { name = '' } = version;
    const problems = dns1035LabelProblems(name);
    if (problems.length > 0) errors.push(invalid(`${at}.name`, name, problems.join(',')));
    errors.push(...deprecationErrors(version, at));
    for (const { isShared, validate, place } of facets) if (!isShared) errors.push(...validate(version, `${at}.${place}`));
  });
  if (new Set(versions.map(({ name }) => name)).size < versions.length)
    errors.push(invalid('spec.versions', versions, 'must contain unique version names'));
  if (versions.filter(({ storage }) => storage).length !== 1)
    errors.push(invalid('spec.versions', versions, 'must have exactly one version marked as storage version'));
  errors.push(...namesErrors(names));
  const [first] = versions;
  for (const { isShared, validate, sharedPlace } of facets) if (isShared && first) errors.push(...validate(first, `spec.${sharedPlace}`));
  if (conversion && conversion.strategy !== 'None' && spec.preserveUnknownFields === true)
    errors.push(invalid('spec.conversion.strategy', conversion.strategy, 'must be None if spec.preserveUnknownFields is true'));
  errors.push(...conversionErrors(conversion));
  if (spec.preserveUnknownFields === true) errors.push(invalid('spec.preserveUnknownFields', true, preserveMessage));
  return errors;
}

interface Facet {
  /** Of versions, and of the definition as a whole. */
  place: string;
  sharedPlace: string;
  isShared: boolean;
  validate(version: CustomResourceVersion, at: string): FieldError[];
}

function facetsOf(versions: readonly CustomResourceVersion[], preservesUnknown: boolean): Facet[] {
  const facet = (
    field: keyof CustomResourceVersion,
    validate: Facet['validate'],
    place: string = field,
    sharedPlace: string = place,
  ): Facet => ({
    place,
    sharedPlace,
    isShared: versions.every((version) => semanticEqual(version[field] ?? null, versions[0]?.[field] ?? null)),
    validate,
  });
  const schemaErrors: Facet['validate'] = ({ schema }, at) =>
    schema?.openAPIV3Schema && (!preservesUnknown || schema.openAPIV3Schema.default !== undefined)
      ? structureErrors(schema.openAPIV3Schema, at)
      : [];
  return [
    facet('schema', schemaErrors, 'schema.openAPIV3Schema', 'validation.openAPIV3Schema'),
    facet('subresources', subresourcesErrors),
    facet('additionalPrinterColumns', columnsErrors),
    facet('selectableFields', selectableFieldsErrors),
  ];
}

function structureErrors(schema: JsonSchema, at: string): FieldError[] {
  const found = validateStructuralSchema(schema, at);
  return found.length > 0 ? found : validateCelRules(schema, at);
}

const deprecationLengthMax = 256;

function deprecationErrors({ deprecated, deprecationWarning: text }: CustomResourceVersion, at: string): FieldError[] {
  if (text === undefined) return [];
  const refuse = (why: string) => invalid(`${at}.deprecationWarning`, text, why);
  if (!deprecated) return [refuse('can only be set for deprecated versions')];
  const errors: FieldError[] = [];
  if (Buffer.byteLength(text) > deprecationLengthMax) errors.push(refuse(`must be <= ${deprecationLengthMax} characters long`));
  if (text === '') errors.push(refuse('must not be an empty string'));
  const unprintable = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.exec(text);
  if (unprintable) {
    const index = Buffer.byteLength(text.slice(0, unprintable.index));
    errors.push(refuse(`must only contain printable UTF-8 characters; non-printable character found at index ${index}`));
  }
  return errors;
}

/** What is wrong with the names at `at`. */
export function namesErrors(names: Spec['names'], at = 'spec.names'): FieldError[] {
  const words = ['plural', 'singular', 'kind', 'listKind'] as const;
  // What has been accepted may be nothing yet.
  const needed = at === 'spec.names' ? words.filter((word) => !names[word]) : [];
  const errors: FieldError[] = needed.map((word) => required(`${at}.${word}`));
  for (const word of words) {
    const value = names[word];
    if (!value) continue;
    const isKind = word === 'kind' || word === 'listKind';
    const problems = dns1035LabelProblems(isKind ? value.toLowerCase() : value);
    const head = isKind ? 'may have mixed case, but should otherwise match: ' : '';
    if (problems.length > 0) errors.push(invalid(`${at}.${word}`, value, head + problems.join(',')));
  }
  const listErrors = (word: 'shortNames' | 'categories') =>
    names[word]?.forEach((name, i) => {
      const problems = dns1035LabelProblems(name);
      if (problems.length > 0) errors.push(invalid(`${at}.${word}[${i}]`, name, problems.join(',')));
    });
  listErrors('shortNames');
  if (names.kind && names.kind === names.listKind)
    errors.push(invalid(`${at}.listKind`, names.listKind, 'kind and listKind may not be the same'));
  listErrors('categories');
  return errors;
}

function subresourcesErrors({ subresources }: CustomResourceVersion, at: string): FieldError[] {
  const { scale } = subresources ?? {};
  if (!scale) return [];
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;
  return [
    ...scalePathErrors(specReplicasPath, `${at}.scale.specReplicasPath`, ['.spec']),
    ...scalePathErrors(statusReplicasPath, `${at}.scale.statusReplicasPath`, ['.status']),
    ...(labelSelectorPath ? scalePathErrors(labelSelectorPath, `${at}.scale.labelSelectorPath`, ['.spec', '.status']) : []),
  ];
}

function scalePathErrors(path: string | undefined, at: string, roots: readonly string[]): FieldError[] {
  if (!path) return [required(at)];
  if (!path.startsWith('.')) return [invalid(at, path, 'must be a simple json path starting with .')];
  if (roots.some((root) => path.startsWith(`${root}.`))) return [];
  return [invalid(at, path, `should be a json path under ${roots.length > 1 ? 'either ' : ''}${roots.join(' or ')}`)];
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function columnsErrors({ additionalPrinterColumns }: CustomResourceVersion, at: string): FieldError[] {
  const errors: FieldError[] = [];
  additionalPrinterColumns?.forEach(({ name, type, format, jsonPath }, i) => {
    const each = `${at}[${i}]`;
    if (!name) errors.push(required(`${each}.name`));
    if (!type) errors.push(required(`${each}.type`, `must be one of ${columnTypes.join(',')}`));
    else if (!columnTypes.includes(type)) errors.push(invalid(`${each}.type`, type, `must be one of ${columnTypes.join(',')}`));
    if (format && !columnFormats.includes(format))
      errors.push(invalid(`${each}.format`, format, `must be one of ${columnFormats.join(',')}`));
    if (!jsonPath) errors.push(required(`${each}.JSONPath`));
    else if (!jsonPath.startsWith('.')) errors.push(invalid(`${each}.JSONPath`, jsonPath, 'must be a simple json path starting with .'));
  });
  return errors;
}

const selectableFieldsMax = 8;

function selectableFieldsErrors({ selectableFields, schema }: CustomResourceVersion, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  selectableFields?.forEach(({ jsonPath }, i) => {
    const each = `${at}[${i}].jsonPath`;
    if (!jsonPath) {
      errors.push(required(each));
      return;
    }
    try {
      const found = findField(jsonPath, schema?.openAPIV3Schema ?? {}, { allowsBrackets: false });
      if (/^metadata\b/.test(found.path)) errors.push(invalid(each, jsonPath, 'must not point to fields in metadata'));
      if (!['string', 'boolean', 'integer'].includes(found.schema.type ?? '')) {
        const why = 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
        errors.push(invalid(each, jsonPath, why));
      }
      if (seen.has(found.path)) errors.push(duplicate(each, jsonPath));
      seen.add(found.path);
    } catch (error) {
      if (!(error instanceof FieldPathError)) throw error;
      errors.push(invalid(each, jsonPath, `is an invalid path: ${error.message}`));
    }
  });
  if (seen.size > selectableFieldsMax) errors.push(tooMany(at, seen.size, selectableFieldsMax));
  return errors;
}

const reviewVersions = ['v1', 'v1beta1'];

function conversionErrors(conversion: Spec['conversion']): FieldError[] {
  const at = 'spec.conversion';
  if (!conversion) return [];
  const { strategy, webhook } = conversion;
  const errors: FieldError[] = [];
  if (!strategy) errors.push(required(`${at}.strategy`));
  else if (strategy !== 'None' && strategy !== 'Webhook') errors.push(notSupported(`${at}.strategy`, strategy, ['None', 'Webhook']));
  if (strategy !== 'Webhook') {
    const why = 'should not be set when strategy is not set to Webhook';
    if (webhook?.clientConfig) errors.push(forbidden(`${at}.webhookClientConfig`, why));
    if (webhook?.conversionReviewVersions?.length) errors.push(forbidden(`${at}.conversionReviewVersions`, why));
    return errors;
  }
  const config = webhook?.clientConfig;
  if (!config) errors.push(required(`${at}.webhookClientConfig`, 'required when strategy is set to Webhook'));
  else errors.push(...clientConfigErrors(config, `${at}.webhookClientConfig`));
  const versions = webhook?.conversionReviewVersions ?? [];
  if (versions.length === 0) return [...errors, required(`${at}.conversionReviewVersions`)];
  versions.forEach((version, i) => {
    const each = `${at}.conversionReviewVersions[${i}]`;
    if (versions.indexOf(version) < i) errors.push(invalid(each, version, 'duplicate version'));
    else for (const problem of dns1035LabelProblems(version)) errors.push(invalid(each, version, problem));
  });
  if (!versions.some((version) => reviewVersions.includes(version)))
    errors.push(invalid(`${at}.conversionReviewVersions`, versions, `must include at least one of ${reviewVersions.join(', ')}`));
  return errors;
}
