// x-kubernetes-validations: a schema's CEL rules, compiled when first needed and kept with their schema.

import { isDeepStrictEqual } from 'node:util';
import type { JsonSchema, ValidationRule } from '../../api/apiextensions.ts';
import { duplicate, type FieldError, forbidden, invalid, required } from '../../api/field-error.ts';
import { CelError, type CheckedProgram, callCostMax, compilationProblem, compileChecked, costExceeded } from '../cel/environment.ts';
import { optionalType } from '../cel/types.ts';
import { Optional } from '../cel/values.ts';
import { celValue } from './cel-value.ts';
import { findField } from './field-path.ts';
import { type SchemaType, schemaType } from './schema-type.ts';
import { hasSameKeys } from './validate-value.ts';

type Json = Record<string, unknown>;

interface CompiledRule {
  readonly rule: ValidationRule;
  /** Or why there is none. */
  readonly program: CheckedProgram | CelError;
  readonly message: CheckedProgram | undefined;
  readonly isTransition: boolean;
}

/** What all rules of one object may cost together. */
export const objectCostMax = 10_000_000;

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
    return compileChecked(expression, { self: type, oldSelf });
  } catch (error) {
    if (error instanceof CelError) return error;
    throw error;
  }
}

/** Whether a rule is about a change. */
export const usesOldSelf = ({ rule, messageExpression = '' }: ValidationRule) => /\boldSelf\b/.test(`${rule} ${messageExpression}`);

/**
 * What the rules of `schema` find in `value`; rules about a change run where `old` has a value in the same place. `warn` is told of what
 * is wrong and may stay.
 */
export function validateRules(value: unknown, schema: JsonSchema, old: unknown, warn: (text: string) => void = () => {}): FieldError[] {
  const errors: FieldError[] = [];
  if (!hasRules(schema)) return errors;
  visit({ value, schema, old, path: '', isRoot: true, isSame: sameness(value, old), budget: { left: objectCostMax }, warn }, errors);
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
  warn(text: string): void;
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
  const { value, schema, old, path, budget, warn } = place;
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
      visit({ value: item, schema: items, old: match, path: `${path}[${i}]`, isRoot: false, isSame, budget, warn }, errors);
    });
  } else if (typeof value === 'object') {
    const before = typeof old === 'object' && old !== null && !Array.isArray(old) ? (old as Json) : {};
    for (const [name, item] of Object.entries(value)) {
      const more = schema.additionalProperties;
      const isProperty = schema.properties && Object.hasOwn(schema.properties, name);
      const child = isProperty ? schema.properties?.[name] : typeof more === 'object' ? more : undefined;
      const at = isProperty ? (path === '' ? name : `${path}.${name}`) : `${path}[${name}]`;
      const was = Object.hasOwn(before, name) ? before[name] : undefined;
      // What an object says it is must keep the rules as they are now.
      const isType = place.isRoot && (name === 'apiVersion' || name === 'kind');
      const isSame = isType ? () => false : old === undefined ? place.isSame : sameness(item, was);
      if (child) visit({ value: item, schema: child, old: was, path: at, isRoot: false, isSame, budget, warn }, errors);
    }
  }
}

function run(place: Place, errors: FieldError[]): void {
  const { value, schema, path, isRoot, isSame, budget, warn } = place;
  const at = path || '<nil>';
  const type = schema.type ?? '';
  if (budget.left === 0) return void giveUp('validation failed due to running out of cost budget, no further validation rules will be run');
  let values: ReturnType<typeof seen> | undefined;
  const isComposite = schema.type === 'object' || schema.type === 'array';
  for (const { rule, program, message, isTransition } of compiledOf(schema, isRoot)) {
    if (program instanceof CelError) {
      errors.push(invalid(at, type, `rule compile error: ${compilationProblem(program)}`));
      continue;
    }
    values ??= seen(place);
    if (values instanceof CelError) {
      errors.push(invalid(at, type, `${values.message} evaluating rule: ${ruleText(rule)}`));
      continue;
    }
    const { self, oldSelf } = values;
    if (isTransition && oldSelf === undefined && !rule.optionalOldSelf) continue;
    const wrapped = oldSelf === undefined ? Optional.none() : Optional.of(oldSelf);
    const variables = { self, oldSelf: rule.optionalOldSelf ? wrapped : oldSelf };
    const outcome = evaluate(program, variables, budget);
    if (outcome === undefined)
      return void giveUp('validation failed due to running out of cost budget, no further validation rules will be run');
    if (outcome instanceof CelError) {
      errors.push(invalid(at, type, evaluationProblem(outcome.message, rule)));
      if (!outcome.message.startsWith(costExceeded)) continue;
      budget.left = -1;
      return;
    }
    if (outcome.value === true) continue;
    const where = rule.fieldPath ? pathBelow(path, findField(rule.fieldPath, schema).path) : at;
    const made = message && madeMessage(rule, message, variables, budget);
    // What has not changed was let in before, and stays.
    const report = (error: FieldError) => (!isTransition && isSame() ? warn(`${error.field}: ${error.message}`) : void errors.push(error));
    if (made && 'end' in made) {
      report(invalid(where, type, made.end));
      budget.left = -1;
      return;
    }
    report(failure(rule, where, isComposite ? undefined : value, made?.text ?? defaultMessage(rule)));
  }
  function giveUp(why: string): void {
    errors.push(invalid(at, type, why));
    budget.left = -1;
  }
}

function seen({ value, schema, old, isRoot }: Place): { self: unknown; oldSelf: unknown } | CelError {
  try {
    return {
      self: celValue(value, schema, isRoot),
      oldSelf: old === undefined || old === null ? undefined : celValue(old, schema, isRoot),
    };
  } catch (error) {
    if (error instanceof CelError) return error;
    throw error;
  }
}

/** As Kubernetes joins them: with a dot, whatever the second begins with. */
const pathBelow = (path: string, below: string) => (path === '' ? below : `${path}.${below}`);

/** The value, or the error that there is instead; undefined when the budget of the object does not reach. */
function evaluate(program: CheckedProgram, variables: Json, budget: { left: number }): { value: unknown } | CelError | undefined {
  const meter = { cost: 0, limit: callCostMax };
  let outcome: { value: unknown } | CelError;
  try {
    outcome = { value: program.evaluate(variables, meter) };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    outcome = error;
  }
  if (meter.cost > budget.left) return undefined;
  budget.left -= meter.cost;
  return outcome;
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

/** The message that an expression makes; one that cannot be made gives way to the fixed one, unless making it costs too much. */
function madeMessage(
  rule: ValidationRule,
  message: CheckedProgram,
  variables: Json,
  budget: { left: number },
): { text: string } | { end: string } | undefined {
  const outcome = evaluate(message, variables, budget);
  if (outcome === undefined)
    return { end: 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run' };
  if (outcome instanceof CelError) {
    if (!outcome.message.startsWith(costExceeded)) return undefined;
    const why = 'no further validation rules will be run due to call cost exceeds limit for messageExpression';
    return { end: `${why}: ${JSON.stringify(rule.messageExpression)}` };
  }
  const text = typeof outcome.value === 'string' ? outcome.value.trim() : '';
  return text === '' || text.includes('\n') || Buffer.byteLength(text) > messageLengthMax ? undefined : { text };
}

const defaultMessage = (rule: ValidationRule) => rule.message?.trim() || `failed rule: ${ruleText(rule)}`;
const ruleText = ({ rule, message }: ValidationRule) => message?.trim() || rule.trim();

/** Objects and lists are not repeated in the message. */
function failure({ reason }: ValidationRule, at: string, value: unknown, message: string): FieldError {
  if (reason === 'FieldValueRequired') return required(at, message);
  if (reason === 'FieldValueForbidden') return forbidden(at, message);
  if (reason === 'FieldValueDuplicate') return duplicate(at, value ?? '');
  return value === undefined ? { type: 'FieldValueInvalid', field: at, message: `Invalid value: ${message}` } : invalid(at, value, message);
}
