// Field and label selectors as authorizers see them: what a request or a review is limited to. A selector only ever
// narrows, so that what of it cannot be understood may be left out: the question becomes wider, never narrower.

import type { ResourceAttributes } from '../../api/authorization.ts';
import { type FieldError, forbidden, invalid, required } from '../../api/field-error.ts';
import { type FieldSelector, parseFieldSelector } from '../../api/fields.ts';
import { parseSelector, type Requirement, type Selector, SelectorError } from '../../api/labels.ts';
import { labelValueProblems, qualifiedNameProblems } from '../../api/validation/formats.ts';
import type { AuthorizationAttributes } from './authorizer.ts';

export type AuthorizationSelectors = Pick<AuthorizationAttributes, 'fieldSelector' | 'labelSelector'>;

/** The selectors of two strings; one that cannot be read, or selects everything, is left out. */
export function selectorsFrom(fields: string | null | undefined, labels: string | null | undefined): AuthorizationSelectors {
  return { ...given('fieldSelector', readable(parseFieldSelector, fields)), ...given('labelSelector', readable(parseSelector, labels)) };
}

function readable<T>(parse: (text: string) => T, text: string | null | undefined): T | undefined {
  if (!text) return undefined;
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

const given = <K extends string, T extends readonly unknown[]>(key: K, value: T | undefined) =>
  value?.length ? ({ [key]: value } as Record<K, T>) : {};

interface WireRequirement {
  key?: string;
  operator?: string;
  values?: string[];
}
interface WireSelector {
  rawSelector?: string;
  requirements?: WireRequirement[];
}

/** The selectors of a review's resourceAttributes, and what is to be said of those that were not understood. */
export function selectorsOfReview({ fieldSelector, labelSelector }: ResourceAttributes): {
  selectors: AuthorizationSelectors;
  problems: string[];
} {
  const problems: string[] = [];
  const read = <T>(which: string, selector: WireSelector | undefined, parse: (text: string) => readonly T[], one: OneRequirement<T>) => {
    const requirements = selector?.requirements ?? [];
    const understood = requirements.map(one).filter((requirement) => requirement !== undefined);
    const parsed = requirements.length > 0 ? understood : selector?.rawSelector ? readable(parse, selector.rawSelector) : [];
    if (parsed === undefined || understood.length < requirements.length) {
      const partially = understood.length > 0 ? 'partially ' : '';
      problems.push(`spec.resourceAttributes.${which} ${partially}ignored due to parse error`);
    }
    return parsed;
  };
  const fields = read('fieldSelector', fieldSelector, parseFieldSelector, fieldRequirement);
  const labels = read('labelSelector', labelSelector, parseSelector, labelRequirement);
  return { selectors: { ...given('fieldSelector', fields), ...given('labelSelector', labels) }, problems };
}

type OneRequirement<T> = (requirement: WireRequirement) => T | undefined;

const fieldRequirement: OneRequirement<FieldSelector[number]> = ({ key = '', operator, values = [] }) => {
  const [value] = values;
  if (values.length !== 1 || value === undefined || (operator !== 'In' && operator !== 'NotIn')) return undefined;
  return { field: key, operator: operator === 'In' ? '=' : '!=', value };
};

const labelOperators: Record<string, Requirement['operator']> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };

const labelRequirement: OneRequirement<Requirement> = ({ key = '', operator = '', values = [] }) => {
  const known = labelOperators[operator];
  const takesValues = known === 'in' || known === 'notin';
  if (!known || takesValues !== values.length > 0 || qualifiedNameProblems(key).length > 0) return undefined;
  if (values.some((value) => labelValueProblems(value).length > 0)) return undefined;
  return { key, operator: known, values: [...values].sort() };
};

/** The same selectors as a SubjectAccessReview tells them. */
export function reviewSelectors({ fieldSelector = [], labelSelector = [] }: AuthorizationSelectors): object {
  const fields = fieldSelector.map(({ field, operator, value }) => ({
    key: field,
    operator: operator === '=' ? 'In' : 'NotIn',
    values: [value],
  }));
  const labels = labelSelector.flatMap(({ key, operator, values }) => {
    const name = wireOperators[operator];
    return name ? [{ key, operator: name, ...(values.length > 0 ? { values } : {}) }] : [];
  });
  return {
    ...(fields.length > 0 ? { fieldSelector: { requirements: fields } } : {}),
    ...(labels.length > 0 ? { labelSelector: { requirements: labels } } : {}),
  };
}

/** Comparisons of numbers have no name in reviews. */
const wireOperators: Partial<Record<Selector[number]['operator'], string>> = {
  '=': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

/** Adds what is wrong with the selectors of `spec.resourceAttributes`. Operators yet unknown are no error. */
export function reviewSelectorErrors(attributes: ResourceAttributes | undefined, errors: FieldError[]): void {
  for (const which of ['fieldSelector', 'labelSelector'] as const) {
    const selector: WireSelector | undefined = attributes?.[which];
    if (!selector) continue;
    const at = `spec.resourceAttributes.${which}`;
    const { rawSelector = '', requirements = [] } = selector;
    if (rawSelector && requirements.length > 0)
      errors.push(invalid(`${at}.rawSelector`, rawSelector, 'may not specified at the same time as requirements'));
    if (!rawSelector && requirements.length === 0)
      errors.push(required(`${at}.requirements`, `when ${at} is specified, requirements or rawSelector is required`));
    requirements.forEach((requirement, i) => {
      requirementErrors(requirement, { at: `${at}.requirements[${i}]`, isLabel: which === 'labelSelector' }, errors);
    });
  }
}

function requirementErrors(
  { key = '', operator, values = [] }: WireRequirement,
  { at, isLabel }: { at: string; isLabel: boolean },
  errors: FieldError[],
): void {
  if (!isLabel && !key) errors.push(required(`${at}.key`, 'must be specified'));
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
    errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
    errors.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  if (!isLabel) return;
  for (const problem of qualifiedNameProblems(key)) errors.push(invalid(`${at}.key`, key, problem));
  values.forEach((value, i) => {
    for (const problem of labelValueProblems(value)) errors.push(invalid(`${at}.values[${i}]`, value, problem));
  });
}
