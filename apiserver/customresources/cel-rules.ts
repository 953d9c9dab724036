// A schema's CEL rules. None are run yet: a definition that has some is refused rather than served without them.

import type { JsonSchema } from '../../api/apiextensions.ts';
import { type FieldError, forbidden } from '../../api/field-error.ts';

/** Problems that the rules of `schema` find in `value`. */
export function validateRules(_value: unknown, _schema: JsonSchema, _old: unknown): FieldError[] {
  return [];
}

/** Problems of the rules themselves. */
export function validateCelRules(schema: JsonSchema, at: string): FieldError[] {
  const own = schema['x-kubernetes-validations']?.length ? [forbidden(`${at}.x-kubernetes-validations`, 'rules are not supported')] : [];
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
    validateCelRules(property, `${at}.properties[${name}]`),
  );
  const items = schema.items ? validateCelRules(schema.items, `${at}.items`) : [];
  const more = schema.additionalProperties;
  return [...own, ...below, ...items, ...(typeof more === 'object' ? validateCelRules(more, `${at}.additionalProperties`) : [])];
}
