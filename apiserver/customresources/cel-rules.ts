// x-kubernetes-validations: a schema's CEL rules, compiled when first needed and kept with their schema.

import { isDeepStrictEqual } from 'node:util';
import { Optional } from '@marcbachmann/cel-js';
import type { JsonSchema, ValidationRule } from '../../api/apiextensions.ts';
import { duplicate, type FieldError, forbidden, invalid, required } from '../../api/field-error.ts';
import { CelError, type CelProgram, celEnvironment, compileCel } from '../cel/environment.ts';
import { celValue } from './cel-value.ts';
import { hasSameKeys } from './validate-value.ts';

type Json = Record<string, unknown>;

interface CompiledRule {
  rule: ValidationRule;
  program: CelProgram;
  message: CelProgram | undefined;
  isTransition: boolean;
}

/** Where rules are compiled. */
export const ruleEnvironment = celEnvironment(['self', 'oldSelf']);
const compiledRules = new WeakMap<JsonSchema, readonly CompiledRule[]>();
const schemasWithRules = new WeakMap<JsonSchema, boolean>();

function hasRules(schema: JsonSchema): boolean {
  let found = schemasWithRules.get(schema);
  if (found === undefined) {
    found = (schema['x-kubernetes-validations']?.length ?? 0) > 0 || childrenOf(schema).some(([, child]) => hasRules(child));
    schemasWithRules.set(schema, found);
  }
  return found;
}

/** The schemas right below, by how paths name them. */
export function childrenOf({ properties, items, additionalProperties: more }: JsonSchema): [string, JsonSchema][] {
  return [
    ...Object.entries(properties ?? {}).map(([name, child]): [string, JsonSchema] => [`properties[${name}]`, child]),
    ...(items ? [['items', items] as [string, JsonSchema]] : []),
    ...(typeof more === 'object' ? [['additionalProperties', more] as [string, JsonSchema]] : []),
  ];
}

function compiledOf(schema: JsonSchema): readonly CompiledRule[] {
  let found = compiledRules.get(schema);
  if (!found) {
    found = (schema['x-kubernetes-validations'] ?? []).map((rule) => ({
      rule,
      program: compileCel(ruleEnvironment, rule.rule),
      message: rule.messageExpression ? compileCel(ruleEnvironment, rule.messageExpression) : undefined,
      isTransition: usesOldSelf(rule),
    }));
    compiledRules.set(schema, found);
  }
  return found;
}

/** Whether a rule is about a change. */
export const usesOldSelf = ({ rule, messageExpression = '' }: ValidationRule) => /\boldSelf\b/.test(`${rule} ${messageExpression}`);

/** What the rules of `schema` find in `value`; rules about a change run where `old` has a value in the same place. */
export function validateRules(value: unknown, schema: JsonSchema, old: unknown): FieldError[] {
  const errors: FieldError[] = [];
  if (hasRules(schema)) visit({ value, schema, old, path: '', isRoot: true, isSame: sameness(value, old) }, errors);
  return errors;
}

/** A value under rules. */
interface Place {
  readonly value: unknown;
  readonly schema: JsonSchema;
  /** What was in the same place before, where that can be told. */
  readonly old: unknown;
  readonly path: string;
  readonly isRoot: boolean;
  /** Whether the value, or where that cannot be told what it lies in, has not changed. */
  readonly isSame: () => boolean;
}

/** Compares when first asked. */
function sameness(value: unknown, old: unknown): () => boolean {
  let isSame: boolean | undefined;
  return () => {
    isSame ??= old !== undefined && isDeepStrictEqual(value, old);
    return isSame;
  };
}

function visit(place: Place, errors: FieldError[]): void {
  const { value, schema, old, path } = place;
  if (value === null || value === undefined || !hasRules(schema)) return;
  if (schema['x-kubernetes-validations']?.length) run(place, errors);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return;
    const isMap = schema['x-kubernetes-list-type'] === 'map';
    const before = isMap && Array.isArray(old) ? old : [];
    const keys = schema['x-kubernetes-list-map-keys'] ?? [];
    value.forEach((item: unknown, i) => {
      const match: unknown = before.find((candidate) => hasSameKeys(candidate, item, keys));
      const isSame = isMap ? sameness(item, match) : place.isSame;
      visit({ value: item, schema: items, old: match, path: `${path}[${i}]`, isRoot: false, isSame }, errors);
    });
  } else if (typeof value === 'object') {
    const before = typeof old === 'object' && old !== null && !Array.isArray(old) ? (old as Json) : {};
    for (const [name, item] of Object.entries(value)) {
      const more = schema.additionalProperties;
      const isProperty = schema.properties && Object.hasOwn(schema.properties, name);
      const child = isProperty ? schema.properties?.[name] : typeof more === 'object' ? more : undefined;
      const at = isProperty ? (path === '' ? name : `${path}.${name}`) : `${path}[${name}]`;
      const was = Object.hasOwn(before, name) ? before[name] : undefined;
      const isSame = old === undefined ? place.isSame : sameness(item, was);
      if (child) visit({ value: item, schema: child, old: was, path: at, isRoot: false, isSame }, errors);
    }
  }
}

function run({ value, schema, old, path, isRoot, isSame }: Place, errors: FieldError[]): void {
  const at = path || '<nil>';
  const self = celValue(value, schema, isRoot);
  const oldSelf = old === undefined || old === null ? undefined : celValue(old, schema, isRoot);
  for (const { rule, program, message, isTransition } of compiledOf(schema)) {
    if (isTransition && oldSelf === undefined && !rule.optionalOldSelf) continue;
    const wrapped = oldSelf === undefined ? Optional.none() : Optional.of(oldSelf);
    const variables = { self, oldSelf: rule.optionalOldSelf ? wrapped : oldSelf };
    try {
      if (program.evaluate(variables) === true) continue;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      const isTooCostly = error.message.startsWith(costExceeded);
      errors.push(invalid(at, schema.type ?? '', evaluationProblem(error.message, rule)));
      if (isTooCostly) return;
      continue;
    }
    // What has not changed was let in before, and stays.
    if (!isTransition && isSame()) continue;
    const where = rule.fieldPath ? `${path}${rule.fieldPath}`.replace(/^\./, '') : at;
    const isComposite = schema.type === 'object' || schema.type === 'array';
    errors.push(failure(rule, where, isComposite ? undefined : value, messageOf(rule, message, variables)));
  }
}

const costExceeded = 'operation cancelled: actual cost limit exceeded';

function evaluationProblem(message: string, rule: ValidationRule): string {
  if (message.startsWith('no such overload'))
    return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`;
  if (message.startsWith(costExceeded))
    return `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`;
  return `${message} evaluating rule: ${ruleText(rule)}`;
}

/** Longer messages give way to the fixed one. */
const messageLengthMax = 5 * 1024;

function messageOf(rule: ValidationRule, message: CelProgram | undefined, variables: Json): string {
  if (message) {
    try {
      const text = message.evaluate(variables);
      if (typeof text === 'string' && text.trim() !== '' && !text.trim().includes('\n') && text.trim().length <= messageLengthMax)
        return text.trim();
    } catch (error) {
      // As Kubernetes: a message that cannot be made gives way to the fixed one.
      if (!(error instanceof CelError)) throw error;
    }
  }
  return rule.message?.trim() || `failed rule: ${ruleText(rule)}`;
}

const ruleText = ({ rule, message }: ValidationRule) => message?.trim() || rule.trim();

/** Objects and lists are not repeated in the message. */
function failure({ reason }: ValidationRule, at: string, value: unknown, message: string): FieldError {
  if (reason === 'FieldValueRequired') return required(at, message);
  if (reason === 'FieldValueForbidden') return forbidden(at, message);
  if (reason === 'FieldValueDuplicate') return duplicate(at, value ?? '');
  return value === undefined ? { type: 'FieldValueInvalid', field: at, message: `Invalid value: ${message}` } : invalid(at, value, message);
}
