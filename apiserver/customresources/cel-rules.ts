// x-kubernetes-validations: a schema's CEL rules, compiled when first needed and kept with their schema.

import { isDeepStrictEqual } from 'node:util';
import { Optional } from '@marcbachmann/cel-js';
import type { JsonSchema, ValidationRule } from '../../api/apiextensions.ts';
import { duplicate, type FieldError, forbidden, invalid, required } from '../../api/field-error.ts';
import { CelError, type CheckedProgram, celEnvironment, compileChecked, costExceeded } from '../cel/environment.ts';
import { optionalType } from '../cel/types.ts';
import { celValue } from './cel-value.ts';
import { type SchemaType, schemaType } from './schema-type.ts';
import { hasSameKeys } from './validate-value.ts';
import { sizesOf } from './value-size.ts';

type Json = Record<string, unknown>;

interface CompiledRule {
  readonly rule: ValidationRule;
  /** Or why there is none. */
  readonly program: CheckedProgram | CelError;
  readonly message: CheckedProgram | undefined;
  readonly isTransition: boolean;
}

/** What one evaluation may cost. */
export const callCostMax = 1_000_000;
/** What all rules of one object may cost together. */
export const objectCostMax = 10_000_000;

/** Where rules are compiled: an old self may be optional. */
const ruleEnvironment = celEnvironment(['self', 'oldSelf']);
const optionalOldSelfEnvironment = celEnvironment(['self']).registerVariable('oldSelf', 'optional<dyn>');
const compiledRules = new WeakMap<JsonSchema, readonly CompiledRule[]>();
const schemasWithRules = new WeakMap<JsonSchema, boolean>();

export function hasRules(schema: JsonSchema): boolean {
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

function compiledOf(schema: JsonSchema, isRoot: boolean): readonly CompiledRule[] {
  let found = compiledRules.get(schema);
  if (!found) {
    const type = schemaType(schema, isRoot || schema['x-kubernetes-embedded-resource'] === true);
    found = (schema['x-kubernetes-validations'] ?? []).map((rule) => {
      const program = type ? compileRule(rule, rule.rule, type) : new CelError('no type');
      const message = type && rule.messageExpression ? compileRule(rule, rule.messageExpression, type) : undefined;
      return { rule, program, message: message instanceof CelError ? undefined : message, isTransition: usesOldSelf(rule) };
    });
    compiledRules.set(schema, found);
  }
  return found;
}

/** An expression of `rule` over values of `type`, or what is wrong with it. */
export function compileRule(rule: ValidationRule, expression: string, type: SchemaType): CheckedProgram | CelError {
  const oldSelf = rule.optionalOldSelf ? { ...type, type: optionalType(type.type) } : type;
  try {
    return compileChecked(rule.optionalOldSelf ? optionalOldSelfEnvironment : ruleEnvironment, expression, { self: type, oldSelf });
  } catch (error) {
    if (error instanceof CelError) return error;
    throw error;
  }
}

/** Whether a rule is about a change. */
export const usesOldSelf = ({ rule, messageExpression = '' }: ValidationRule) => /\boldSelf\b/.test(`${rule} ${messageExpression}`);

/** What the rules of `schema` find in `value`; rules about a change run where `old` has a value in the same place. */
export function validateRules(value: unknown, schema: JsonSchema, old: unknown): FieldError[] {
  const errors: FieldError[] = [];
  if (!hasRules(schema)) return errors;
  visit({ value, schema, old, path: '', isRoot: true, isSame: sameness(value, old), budget: { left: objectCostMax } }, errors);
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
  /** What the rules of the object may still cost; less than nothing once it has been overdrawn. */
  readonly budget: { left: number };
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
  const { value, schema, old, path, budget } = place;
  if (value === null || value === undefined || budget.left < 0 || !hasRules(schema)) return;
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
      visit({ value: item, schema: items, old: match, path: `${path}[${i}]`, isRoot: false, isSame, budget }, errors);
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
      if (child) visit({ value: item, schema: child, old: was, path: at, isRoot: false, isSame, budget }, errors);
    }
  }
}

function run({ value, schema, old, path, isRoot, isSame, budget }: Place, errors: FieldError[]): void {
  const at = path || '<nil>';
  const type = schema.type ?? '';
  const self = celValue(value, schema, isRoot);
  const oldSelf = old === undefined || old === null ? undefined : celValue(old, schema, isRoot);
  for (const { rule, program, message, isTransition } of compiledOf(schema, isRoot)) {
    if (program instanceof CelError) {
      errors.push(invalid(at, type, `rule compile error: compilation failed: ${program.message}`));
      continue;
    }
    if (isTransition && oldSelf === undefined && !rule.optionalOldSelf) continue;
    const wrapped = oldSelf === undefined ? Optional.none() : Optional.of(oldSelf);
    const variables = { self, oldSelf: rule.optionalOldSelf ? wrapped : oldSelf };
    // What the schema allows bounds the cost; only where that is too much are the values themselves measured.
    const isBounded = program.cost <= Math.min(callCostMax, budget.left);
    const cost = isBounded ? program.cost : program.costWith({ self: sizesOf([value]), oldSelf: sizesOf([old]) });
    if (cost > budget.left && cost <= callCostMax) {
      errors.push(invalid(at, type, 'validation failed due to running out of cost budget, no further validation rules will be run'));
      budget.left = -1;
      return;
    }
    budget.left -= cost;
    try {
      if (cost > callCostMax) throw new CelError(costExceeded);
      if (program.evaluate(variables) === true) continue;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      errors.push(invalid(at, type, evaluationProblem(error.message, rule)));
      if (error.message.startsWith(costExceeded)) {
        budget.left = -1;
        return;
      }
      continue;
    }
    // What has not changed was let in before, and stays.
    if (!isTransition && isSame()) continue;
    const where = rule.fieldPath ? `${path}${rule.fieldPath}`.replace(/^\./, '') : at;
    const isComposite = schema.type === 'object' || schema.type === 'array';
    if (message && message.cost > callCostMax && message.costWith({ self: sizesOf([value]), oldSelf: sizesOf([old]) }) > callCostMax) {
      const why = 'no further validation rules will be run due to call cost exceeds limit for messageExpression';
      errors.push(invalid(where, type, `${why}: ${JSON.stringify(rule.messageExpression)}`));
      budget.left = -1;
      return;
    }
    errors.push(failure(rule, where, isComposite ? undefined : value, messageOf(rule, message, variables)));
  }
}

function evaluationProblem(message: string, rule: ValidationRule): string {
  if (message.startsWith('no such overload'))
    return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${ruleText(rule)}`;
  if (message.startsWith(costExceeded))
    return `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${ruleText(rule)}`;
  return `${message} evaluating rule: ${ruleText(rule)}`;
}

/** Longer messages give way to the fixed one. */
const messageLengthMax = 5 * 1024;

function messageOf(rule: ValidationRule, message: CheckedProgram | undefined, variables: Json): string {
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
