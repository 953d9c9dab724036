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

const environment = celEnvironment(['self', 'oldSelf']);
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

function childrenOf({ properties, items, additionalProperties: more }: JsonSchema): [string, JsonSchema][] {
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
      program: compileCel(environment, rule.rule),
      message: rule.messageExpression ? compileCel(environment, rule.messageExpression) : undefined,
      isTransition: usesOldSelf(rule),
    }));
    compiledRules.set(schema, found);
  }
  return found;
}

const usesOldSelf = ({ rule, messageExpression = '' }: ValidationRule) => /\boldSelf\b/.test(`${rule} ${messageExpression}`);

/** What the rules of `schema` find in `value`; rules about a change run where `old` has a value in the same place. */
export function validateRules(value: unknown, schema: JsonSchema, old: unknown): FieldError[] {
  const errors: FieldError[] = [];
  if (hasRules(schema)) visit(value, schema, old, '', errors, true);
  return errors;
}

function visit(value: unknown, schema: JsonSchema, old: unknown, path: string, errors: FieldError[], isRoot = false): void {
  if (value === null || value === undefined || !hasRules(schema)) return;
  if (schema['x-kubernetes-validations']?.length) run(value, schema, old, path, errors, isRoot);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (!items) return;
    const before = Array.isArray(old) && schema['x-kubernetes-list-type'] === 'map' ? old : [];
    const keys = schema['x-kubernetes-list-map-keys'] ?? [];
    value.forEach((item, i) => {
      const match: unknown = before.find((candidate) => hasSameKeys(candidate, item, keys));
      visit(item, items, match, `${path}[${i}]`, errors);
    });
  } else if (typeof value === 'object') {
    const before = typeof old === 'object' && old !== null && !Array.isArray(old) ? (old as Json) : {};
    for (const [name, item] of Object.entries(value)) {
      const more = schema.additionalProperties;
      const isProperty = schema.properties && Object.hasOwn(schema.properties, name);
      const child = isProperty ? schema.properties?.[name] : typeof more === 'object' ? more : undefined;
      const at = isProperty ? (path === '' ? name : `${path}.${name}`) : `${path}[${name}]`;
      if (child) visit(item, child, before[name], at, errors);
    }
  }
}

function run(value: unknown, schema: JsonSchema, old: unknown, path: string, errors: FieldError[], isRoot: boolean): void {
  const isSame = old !== undefined && isDeepStrictEqual(value, old);
  const at = path || '<nil>';
  const self = celValue(value, schema, isRoot);
  const oldSelf = old === undefined || old === null ? undefined : celValue(old, schema, isRoot);
  for (const { rule, program, message, isTransition } of compiledOf(schema)) {
    if (isTransition && oldSelf === undefined && !rule.optionalOldSelf) continue;
    // What has not changed was let in before, and stays.
    if (isSame && !isTransition) continue;
    const wrapped = oldSelf === undefined ? Optional.none() : Optional.of(oldSelf);
    const variables = { self, oldSelf: rule.optionalOldSelf ? wrapped : oldSelf };
    try {
      if (program.evaluate(variables) === true) continue;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      errors.push(invalid(at, schema.type ?? '', `${error.message} evaluating rule: ${ruleText(rule)}`));
      continue;
    }
    const where = rule.fieldPath ? `${path}${rule.fieldPath}`.replace(/^\./, '') : at;
    errors.push(failure(rule, where, schema.type ?? '', messageOf(rule, message, variables)));
  }
}

function messageOf(rule: ValidationRule, message: CelProgram | undefined, variables: Json): string {
  if (message) {
    try {
      const text = message.evaluate(variables);
      if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) return text;
    } catch (error) {
      // As Kubernetes: a message that cannot be made gives way to the fixed one.
      if (!(error instanceof CelError)) throw error;
    }
  }
  return rule.message?.trim() || `failed rule: ${ruleText(rule)}`;
}

const ruleText = ({ rule, message }: ValidationRule) => message?.trim() || rule.trim();

function failure({ reason }: ValidationRule, at: string, value: string, message: string): FieldError {
  if (reason === 'FieldValueRequired') return required(at, message);
  if (reason === 'FieldValueForbidden') return forbidden(at, message);
  if (reason === 'FieldValueDuplicate') return duplicate(at, value);
  return invalid(at, value, message);
}

/** Problems of the rules themselves, wherever they stand in the schema at `at`. */
export function validateCelRules(schema: JsonSchema, at: string): FieldError[] {
  const errors: FieldError[] = [];
  schema['x-kubernetes-validations']?.forEach((rule, i) => {
    const each = `${at}.x-kubernetes-validations[${i}]`;
    tryCompile(rule.rule, 'bool', `${each}.rule`, rule, errors);
    if (rule.messageExpression) tryCompile(rule.messageExpression, 'string', `${each}.messageExpression`, rule, errors);
    if (rule.optionalOldSelf !== undefined && !usesOldSelf(rule))
      errors.push(invalid(`${each}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'));
  });
  for (const [name, child] of childrenOf(schema)) errors.push(...validateCelRules(child, `${at}.${name}`));
  return errors;
}

function tryCompile(expression: string, wanted: string, at: string, rule: ValidationRule, errors: FieldError[]): void {
  try {
    const { type } = compileCel(environment, expression);
    if (type !== wanted && type !== 'dyn') errors.push(invalid(at, rule, `must evaluate to ${wanted === 'bool' ? 'a bool' : 'a string'}`));
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    errors.push(invalid(at, rule, `compilation failed: ${error.message}`));
  }
}
