// What is wrong with the rules of a schema themselves: whether they compile against its types, and whether they can cost too much.
// See https://kubernetes.io/docs/reference/using-api/cel/#cost-and-complexity

import type { JsonSchema, ValidationRule } from '../../api/apiextensions.ts';
import { type FieldError, forbidden, invalid } from '../../api/field-error.ts';
import { CelError, compilationProblem } from '../cel/environment.ts';
import { childrenOf, compileRule, usesOldSelf } from './cel-rules.ts';
import { countMaxOf, type SchemaType, schemaType } from './schema-type.ts';

/** What one rule may cost, over all the values it is run for. */
export const ruleCostMax = 10_000_000;
/** What all rules of a definition may cost together. */
export const definitionCostMax = 100_000_000;

interface Place {
  readonly at: string;
  readonly isResource: boolean;
  /** How many values there can be here; undefined when nothing bounds them. */
  readonly countMax: number | undefined;
  /** The closest list around whose items cannot be told from each other between two versions of an object. */
  readonly uncorrelatable: string | undefined;
}

interface RuleCost {
  readonly at: string;
  readonly cost: number;
}

/** Problems of the rules, wherever they stand in the schema at `at`. */
export function validateCelRules(schema: JsonSchema, at: string): FieldError[] {
  const errors: FieldError[] = [];
  const costs: RuleCost[] = [];
  visit(schema, { at, isResource: true, countMax: 1, uncorrelatable: undefined }, errors, costs);
  const total = costs.reduce((all, { cost }) => all + cost, 0);
  if (total > definitionCostMax) {
    const expensive = costs.filter(({ cost }) => cost >= definitionCostMax / 100).sort((a, b) => b.cost - a.cost);
    for (const each of expensive.slice(0, 4))
      errors.push(forbidden(each.at, 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'));
    const name = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
    errors.push(forbidden(at, costMessage(name, total, definitionCostMax)));
  }
  return errors;
}

function visit(schema: JsonSchema, place: Place, errors: FieldError[], costs: RuleCost[]): void {
  const countMax = times(place.countMax, fanOut(schema));
  for (const [name, child] of childrenOf(schema)) {
    const isLost = name === 'items' && schema['x-kubernetes-list-type'] !== 'map';
    visit(
      child,
      {
        at: `${place.at}.${name}`,
        isResource: child['x-kubernetes-embedded-resource'] === true,
        countMax,
        uncorrelatable: place.uncorrelatable ?? (isLost ? place.at : undefined),
      },
      errors,
      costs,
    );
  }
  const rules = schema['x-kubernetes-validations'] ?? [];
  if (rules.length === 0) return;
  const type = schemaType(schema, place.isResource);
  if (!type) return;
  rules.forEach((rule, i) => void checkRule(rule, type, { ...place, at: `${place.at}.x-kubernetes-validations[${i}]` }, errors, costs));
}

/** How many children of a kind one value can have; undefined when nothing bounds them. */
function fanOut({ type, maxItems, maxProperties, additionalProperties }: JsonSchema): number | undefined {
  if (type === 'array') return maxItems;
  return type === 'object' && additionalProperties ? maxProperties : 1;
}

const times = (a: number | undefined, b: number | undefined) => (a === undefined || b === undefined ? undefined : a * b);

function checkRule(rule: ValidationRule, type: SchemaType, place: Place, errors: FieldError[], costs: RuleCost[]): void {
  const { at } = place;
  const program = compileRule(rule, rule.rule, type);
  if (program instanceof CelError) errors.push(invalid(`${at}.rule`, shownRule(rule), compilationProblem(program)));
  else if (program.type !== 'bool') errors.push(invalid(`${at}.rule`, shownRule(rule), 'cel expression must evaluate to a bool'));
  else {
    const cost = program.cost * (place.countMax ?? countMaxOf(type));
    if (cost > ruleCostMax) errors.push(forbidden(`${at}.rule`, costMessage('estimated rule cost', cost, ruleCostMax)));
    costs.push({ at: `${at}.rule`, cost });
    if (rule.messageExpression) checkMessage(rule, rule.messageExpression, type, at, errors, costs);
  }
  if (usesOldSelf(rule)) {
    const { uncorrelatable } = place;
    if (uncorrelatable !== undefined)
      errors.push(
        invalid(`${at}.rule`, rule.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`),
      );
  } else if (rule.optionalOldSelf !== undefined)
    errors.push(invalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'));
}

function checkMessage(
  rule: ValidationRule,
  expression: string,
  type: SchemaType,
  at: string,
  errors: FieldError[],
  costs: RuleCost[],
): void {
  const program = compileRule(rule, expression, type);
  const where = `${at}.messageExpression`;
  if (program instanceof CelError) errors.push(invalid(where, shownRule(rule), `messageExpression ${compilationProblem(program)}`));
  else if (program.type !== 'string') errors.push(invalid(where, shownRule(rule), 'messageExpression must evaluate to a string'));
  else {
    if (program.cost > ruleCostMax)
      errors.push(forbidden(where, costMessage('estimated messageExpression cost', program.cost, ruleCostMax)));
    costs.push({ at: where, cost: program.cost });
  }
}

/** Kubernetes prints a rule as its own code has it, with every field. */
function shownRule({ rule, message, messageExpression, reason, fieldPath, optionalOldSelf }: ValidationRule): unknown {
  return {
    Rule: rule,
    Message: message ?? '',
    MessageExpression: messageExpression ?? '',
    Reason: reason ?? null,
    FieldPath: fieldPath ?? '',
    OptionalOldSelf: optionalOldSelf ?? null,
  };
}

function costMessage(name: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  const advice = 'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared';
  return `${name} exceeds budget by factor of ${shown} (${advice})`;
}
