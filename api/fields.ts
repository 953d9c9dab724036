// Field selectors: `metadata.name=a,spec.nodeName!=b`, as k8s.io/apimachinery/pkg/fields reads them. Which fields a
// kind has is its resource declaration's business.

import { SelectorError } from './labels.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

export type FieldSelector = readonly FieldRequirement[];

/**
 * Reads a field selector; `\\`, `\,` and `\=` are escapes in values.
 * @throws SelectorError
 */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text)) {
    if (term === '') continue;
    const match = /^((?:\\.|[^\\=!])*?)(==|!=|=)(.*)$/s.exec(term);
    if (!match) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = '', operator, rawValue = ''] = match;
    requirements.push({ field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(rawValue) });
  }
  return requirements;
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ',') {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescapeValue(raw: string): string {
  let out = '';
  for (let at = 0; at < raw.length; at++) {
    const char = raw[at] as string;
    if (char === '\\') {
      const escaped = raw[++at];
      if (escaped !== '\\' && escaped !== ',' && escaped !== '=') {
        throw new SelectorError(`invalid field selector: invalid escape sequence in value: ${raw}`);
      }
      out += escaped;
    } else if (char === ',' || char === '=') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${raw}`);
    } else out += char;
  }
  return out;
}

/** Whether every requirement holds; `valueOfField` gives a field's value, '' when it has none. */
export function fieldSelectorMatches(selector: FieldSelector, valueOfField: (field: string) => string): boolean {
  for (const { field, operator, value } of selector) if ((valueOfField(field) === value) !== (operator === '=')) return false;
  return true;
}

/** The string form, with values escaped. */
export function formatFieldSelector(selector: FieldSelector): string {
  return selector.map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, '\\$&')}`).join(',');
}
