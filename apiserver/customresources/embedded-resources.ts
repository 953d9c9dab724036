// The objects that custom resources carry within them (x-kubernetes-embedded-resource): they must say what they are, and have metadata
// as any object has it (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta).

import type { JsonSchema } from '../../api/apiextensions.ts';
import { type FieldError, invalid, required } from '../../api/field-error.ts';
import { dns1035LabelProblems, nameIsPathSegment } from '../../api/validation/formats.ts';
import { validateObjectMeta } from '../../api/validation/object-meta.ts';
import type { ObjectMeta } from '../../api/wire.ts';

type Json = Record<string, unknown>;

const schemasWithResources = new WeakMap<JsonSchema, boolean>();

/** Whether anything below is such an object, so that other schemas cost nothing. */
function hasResources(schema: JsonSchema): boolean {
  let found = schemasWithResources.get(schema);
  if (found === undefined) {
    const { properties = {}, items, additionalProperties: more } = schema;
    const children = [...Object.values(properties), ...(items ? [items] : []), ...(typeof more === 'object' ? [more] : [])];
    found = schema['x-kubernetes-embedded-resource'] === true || children.some(hasResources);
    schemasWithResources.set(schema, found);
  }
  return found;
}

/** Problems of the objects within `value`. */
export function validateEmbeddedResources(value: unknown, schema: JsonSchema): FieldError[] {
  const errors: FieldError[] = [];
  visit(value, schema, '', errors);
  return errors;
}

function visit(value: unknown, schema: JsonSchema | undefined, path: string, errors: FieldError[]): void {
  if (!schema || typeof value !== 'object' || value === null || !hasResources(schema)) return;
  if (Array.isArray(value)) {
    value.forEach((item, i) => void visit(item, schema.items, `${path}[${i}]`, errors));
    return;
  }
  if (schema['x-kubernetes-embedded-resource']) resourceErrors(value as Json, path, errors);
  const { properties = {}, additionalProperties: more } = schema;
  for (const [name, item] of Object.entries(value)) {
    if (Object.hasOwn(properties, name)) visit(item, properties[name], path === '' ? name : `${path}.${name}`, errors);
    else if (typeof more === 'object') visit(item, more, `${path}[${name}]`, errors);
  }
}

function resourceErrors(resource: Json, path: string, errors: FieldError[]): void {
  for (const field of ['apiVersion', 'kind']) {
    const at = `${path}.${field}`;
    const value = resource[field];
    if (value === undefined) errors.push(required(at));
    else if (typeof value !== 'string') errors.push(invalid(at, value, 'must be a string'));
    else if (value === '') errors.push(invalid(at, value, 'must not be empty'));
    else if (field === 'apiVersion') {
      if (value.split('/').length > 2) errors.push(invalid(at, value, `unexpected GroupVersion string: ${value}`));
    } else {
      const problems = dns1035LabelProblems(value.toLowerCase());
      if (problems.length > 0) errors.push(invalid(at, value, `may have mixed case, but should otherwise match: ${problems.join(',')}`));
    }
  }
  const { metadata } = resource;
  if (typeof metadata !== 'object' || metadata === null) return;
  const meta = metadata as ObjectMeta;
  const named = { ...meta, name: meta.name || 'fakename' };
  errors.push(
    ...validateObjectMeta(named, { namespaced: Boolean(meta.namespace), validateName: nameIsPathSegment, at: `${path}.metadata` }),
  );
}
