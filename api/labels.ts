// Label selectors, in both of Kubernetes' forms: the string of `labelSelector=` and the LabelSelector object of
// specs. Parsing and matching follow k8s.io/apimachinery/pkg/labels.

export type Operator = '=' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  /** Sorted; one for '=', '!=', 'gt' and 'lt'; none for 'exists' and '!'. */
  readonly values: readonly string[];
}

/** All requirements must hold; no requirements: everything matches. */
export type Selector = readonly Requirement[];

export const everything: Selector = [];

/** metav1.LabelSelector on the wire. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** A selector string that cannot be read; the message is Kubernetes'. */
export class SelectorError extends Error {
  override name = 'SelectorError';
}

const keyPattern =
  /^(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const valuePattern = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/**
 * Reads `a=b,c!=d,e in (f,g),h,!i,j>1`.
 * @throws SelectorError
 */
export function parseSelector(text: string): Selector {
  const lexer = new Lexer(text);
  const requirements: Requirement[] = [];
  if (lexer.peek() === '') return everything;
  for (;;) {
    requirements.push(parseRequirement(lexer));
    const token = lexer.next();
    if (token === '') break;
    if (token !== ',') throw unparsable(`found '${token}', expected: ',' or 'end of string'`);
    if (lexer.peek() === '') throw unparsable(`found '', expected: identifier after ','`);
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

function parseRequirement(lexer: Lexer): Requirement {
  let token = lexer.next();
  const isNegated = token === '!';
  if (isNegated) token = lexer.next();
  if (token === '' || isSymbol(token)) throw unparsable(`found '${token}', expected: !, identifier, or 'end of string'`);
  const key = token;
  checkKey(key);
  const following = lexer.peek();
  if (isNegated || following === '' || following === ',') {
    if (isNegated && following !== '' && following !== ',') throw unparsable(`found '${following}', expected: ',' or 'end of string'`);
    return { key, operator: isNegated ? '!' : 'exists', values: [] };
  }
  const operator = lexer.next();
  switch (operator) {
    case '=':
    case '==':
      return { key, operator: '=', values: [parseExact(lexer, key)] };
    case '!=':
      return { key, operator: '!=', values: [parseExact(lexer, key)] };
    case 'in':
    case 'notin':
      return { key, operator, values: parseValues(lexer, key) };
    case '>':
    case '<': {
      const value = parseExact(lexer, key);
      if (!/^[-+]?\d+$/.test(value)) throw unparsable("for 'Gt', 'Lt' operators, the value must be an integer");
      return { key, operator: operator === '>' ? 'gt' : 'lt', values: [value] };
    }
    default:
      throw unparsable(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  }
}

function parseExact(lexer: Lexer, key: string): string {
  const token = lexer.peek();
  if (token === '' || token === ',') return '';
  lexer.next();
  if (isSymbol(token)) throw unparsable(`found '${token}', expected: identifier`);
  return checkValue(key, token);
}

function parseValues(lexer: Lexer, key: string): string[] {
  const open = lexer.next();
  if (open !== '(') throw unparsable(`found '${open}', expected: '('`);
  const values = new Set<string>();
  let wantsValue = true;
  for (;;) {
    const token = lexer.next();
    if (token === ')') {
      if (wantsValue) values.add('');
      return [...values].sort();
    }
    if (token === ',') {
      if (wantsValue) values.add('');
      wantsValue = true;
    } else if (token !== '' && !isSymbol(token) && wantsValue) {
      values.add(checkValue(key, token));
      wantsValue = false;
    } else throw unparsable(`found '${token}', expected: ',', ')' or identifier`);
  }
}

class Lexer {
  readonly #tokens: string[] = [];
  #at = 0;
  constructor(text: string) {
    const pattern = /\s*(==|!=|[=!,()<>]|[^\s=!,()<>]+)/gy;
    let match = pattern.exec(text);
    while (match) {
      this.#tokens.push(match[1] as string);
      match = pattern.exec(text);
    }
  }
  peek(): string {
    return this.#tokens[this.#at] ?? '';
  }
  next(): string {
    return this.#tokens[this.#at++] ?? '';
  }
}

const isSymbol = (token: string) => /^(==|!=|[=!,()<>])$/.test(token);
const unparsable = (why: string) => new SelectorError(`unable to parse requirement: ${why}`);

function checkKey(key: string): void {
  if (keyPattern.test(key) && (key.indexOf('/') === -1 || key.indexOf('/') <= 253)) return;
  throw unparsable(
    `<nil>: Invalid value: ${JSON.stringify(key)}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
  );
}

function checkValue(key: string, value: string): string {
  if (valuePattern.test(value)) return value;
  const why =
    value.length > 63
      ? 'must be no more than 63 bytes'
      : "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
  throw unparsable(`values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${why}`);
}

/** Whether `labels` satisfy every requirement. */
export function selectorMatches(selector: Selector, labels: Readonly<Record<string, string>> | undefined): boolean {
  for (const requirement of selector) if (!requirementHolds(requirement, labels ?? none)) return false;
  return true;
}

const none: Readonly<Record<string, string>> = Object.freeze({});

function requirementHolds({ key, operator, values }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '=':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      if (value === undefined || !/^[-+]?\d+$/.test(value)) return false;
      const left = BigInt(value);
      const right = BigInt(values[0] as string);
      return operator === 'gt' ? left > right : left < right;
    }
  }
}

/** The requirements of an equality map, as in a service's or replication controller's selector. */
export function selectorOfMap(labels: Readonly<Record<string, string>> | undefined): Selector {
  return Object.entries(labels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, operator: '=' as const, values: [value] }));
}

/**
 * The requirements of a LabelSelector object. `undefined` selects nothing and gives undefined; `{}` selects everything.
 * @throws SelectorError for an operator that is none of In, NotIn, Exists, DoesNotExist
 */
export function selectorOf(selector: LabelSelector | undefined): Selector | undefined {
  if (!selector) return undefined;
  const requirements = [...selectorOfMap(selector.matchLabels)];
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const known = expressionOperators[operator];
    if (!known) throw new SelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`);
    requirements.push({ key, operator: known, values: [...values].sort() });
  }
  return requirements;
}

const expressionOperators: Record<string, Operator | undefined> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' };

/** The string form, as in Scale's status.selector: `a=b,c in (d,e)`. */
export function formatSelector(selector: Selector): string {
  return selector
    .map(({ key, operator, values }) => {
      if (operator === 'exists') return key;
      if (operator === '!') return `!${key}`;
      if (operator === 'in' || operator === 'notin') return `${key} ${operator} (${values.join(',')})`;
      const sign = operator === 'gt' ? '>' : operator === 'lt' ? '<' : operator;
      return `${key}${sign}${values[0] ?? ''}`;
    })
    .join(',');
}
