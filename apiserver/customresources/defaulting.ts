// A structural schema's defaults: set where a value is absent, or null where null is not allowed; such nulls go where there is no default.

import type { JsonSchema } from '../../api/apiextensions.ts';

const schemasWithDefaults = new WeakMap<JsonSchema, boolean>();

/** Whether anything below has a default, so that other schemas cost nothing. */
export function hasDefaults(schema: JsonSchema | undefined): boolean {
  if (!schema) return false;
  let found = schemasWithDefaults.get(schema);
  if (found === undefined) {
    const { properties, items, additionalProperties } = schema;
    found =
      schema.default !== undefined ||
      Object.values(properties ?? {}).some(hasDefaults) ||
      hasDefaults(items) ||
      (typeof additionalProperties === 'object' && hasDefaults(additionalProperties));
    schemasWithDefaults.set(schema, found);
  }
  return found;
}

/** Sets the defaults of `schema` in `value`; says whether it changed anything. Mutates `value`. */
export function setDefaults(value: unknown, schema: JsonSchema): boolean {
  if (!hasDefaults(schema)) return false;
  let isChanged = false;
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) for (const item of value) isChanged = setDefaults(item, items) || isChanged;
    return isChanged;
  }
  if (typeof value !== 'object' || value === null) return false;
  const object = value as Record<string, unknown>;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const mayBeSet = object[name] === null ? property.nullable !== true : !Object.hasOwn(object, name);
    if (mayBeSet && property.default !== undefined) {
      object[name] = structuredClone(property.default);
      isChanged = true;
    }
    if (Object.hasOwn(object, name)) isChanged = setDefaults(object[name], property) || isChanged;
  }
  const { additionalProperties: more } = schema;
  if (typeof more === 'object') {
    for (const [name, item] of Object.entries(object)) {
      if (schema.properties && name in schema.properties) continue;
      if (item === null && more.default !== undefined && !more.nullable) {
        object[name] = structuredClone(more.default);
        isChanged = true;
      }
      isChanged = setDefaults(object[name], more) || isChanged;
    }
  }
  return isChanged;
}

/** Takes out the nulls that the schema neither allows nor replaces. Mutates `value`. */
export function pruneNulls(value: unknown, schema: JsonSchema | undefined): void {
  if (!schema || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) pruneNulls(item, schema.items);
    return;
  }
  const object = value as Record<string, unknown>;
  const { properties, additionalProperties: more } = schema;
  for (const name in object) {
    const own = properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
    const below = own ?? (typeof more === 'object' ? more : undefined);
    if (!below) continue;
    if (object[name] !== null) pruneNulls(object[name], below);
    else if (!below.nullable && (below.default === undefined || below.default === null)) delete object[name];
  }
}
