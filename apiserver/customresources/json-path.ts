// The JSON paths of printer columns and selectable fields, as k8s.io/client-go/util/jsonpath reads and follows them: fields, indexes and
// slices, wildcards, unions, recursion and filters of one comparison.

/** A path does not read, or leads nowhere that it could go on from; the message says why. */
export class JsonPathError extends Error {
  override name = 'JsonPathError';
}

type Step = (values: readonly unknown[]) => readonly unknown[];

/** What a path leads to, in order. @throws JsonPathError, also when it is followed */
export function compileJsonPath(path: string): (value: unknown) => readonly unknown[] {
  const steps = new Parser(path).parse();
  return (value) => follow([value], steps);
}

const follow = (values: readonly unknown[], steps: readonly Step[]) =>
  steps.reduce<readonly unknown[]>((found, step) => step(found), values);

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const fieldOf =
  (name: string): Step =>
  (values) =>
    values.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []));

function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return [...Buffer.from(value)];
  return isObject(value) ? Object.values(value) : [];
}

const wildcard: Step = (values) => values.flatMap(childrenOf);

/** The values and everything below them that holds something. */
const recursive: Step = (values) =>
  values.flatMap((value) => {
    const children = childrenOf(value);
    return children.length === 0 ? [] : [value, ...recursive(children)];
  });

interface Slice {
  start: number | undefined;
  end: number | undefined;
  /** The end stands for the start alone. */
  isSingle: boolean;
  step: number;
}

const itemsOf =
  ({ start, end, isSingle, step }: Slice): Step =>
  (values) =>
    values.flatMap((value) => {
      if (value === null || value === undefined) return [];
      if (!Array.isArray(value)) throw new JsonPathError('is not array or slice');
      const { length } = value;
      let from = start ?? 0;
      if (from < 0) from += length;
      let to = end ?? length;
      if (to < 0 || (to === 0 && isSingle)) to += length;
      if (to === from) return [];
      if (from >= length || from < 0) throw new JsonPathError(`array index out of bounds: index ${from}, length ${length}`);
      if (to > length || to < 0) throw new JsonPathError(`array index out of bounds: index ${to - 1}, length ${length}`);
      if (from > to) throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`);
      if (step <= 0) throw new JsonPathError('step must be > 0');
      return (value as unknown[]).slice(from, to).filter((_, i) => i % step === 0);
    });

type Comparison = (left: unknown, right: unknown) => boolean;

const less: Comparison = (a, b) => areComparable(a, b) && (a as number) < (b as number);
const same: Comparison = (a, b) => areComparable(a, b) && a === b;
const comparisons: Readonly<Record<string, Comparison>> = {
  '<': less,
  '<=': (a, b) => less(a, b) || same(a, b),
  '>': (a, b) => !less(a, b) && !same(a, b),
  '>=': (a, b) => !less(a, b),
  '==': same,
  '!=': (a, b) => !same(a, b),
};

/** @throws JsonPathError for values that have no order, or of different types */
function areComparable(a: unknown, b: unknown): true {
  if (typeof a !== typeof b) throw new JsonPathError('incompatible types for comparison');
  if (typeof a === 'object') throw new JsonPathError('invalid type for comparison');
  return true;
}

function filterBy(left: readonly Step[], operator: string | undefined, right: readonly Step[]): Step {
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) throw new JsonPathError('is not array or slice and cannot be filtered');
      return value.filter((item: unknown) => {
        if (operator === undefined) return follow([item], left).length > 0;
        const [lefts, rights] = [follow([item], left), follow([item], right)];
        if (lefts.length === 0 || rights.length === 0) return false;
        if (lefts.length > 1 || rights.length > 1) throw new JsonPathError('can only compare one element at a time');
        const compare = comparisons[operator];
        if (!compare) throw new JsonPathError(`unrecognized filter operator ${operator}`);
        return compare(lefts[0], rights[0]);
      });
    });
}

/** Every value gives the same. */
const literal =
  (value: unknown): Step =>
  (values) =>
    values.map(() => value);

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Step[] {
    const steps: Step[] = [];
    while (this.#at < this.#text.length) this.#next(steps);
    return steps;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at += found[0].length;
    return found;
  }

  #next(steps: Step[]): void {
    if (this.#match(/[ @$]+/y)) return;
    if (this.#match(/\[\?\(/y)) steps.push(this.#filter());
    else if (this.#match(/\.\./y)) {
      if (steps.at(-1) === recursive) throw new JsonPathError('invalid multiple recursive descent');
      steps.push(recursive);
      const field = this.#match(/(?:\\.|[\p{L}\p{Nd}_](?:\\.|[^\s.,[\]$@{}\\])*)/uy);
      if (field) steps.push(this.#field(field[0]));
    } else if (this.#match(/\[/y)) steps.push(...this.#array());
    else if (this.#match(/\./y)) steps.push(this.#field(this.#match(/(?:\\.|[^\s.,[\]$@{}\\])*/sy)?.[0] ?? ''));
    else {
      const [, double, single] = this.#match(/"((?:\\.|[^"\\\n])*)"|'((?:\\.|[^'\\\n])*)'/y) ?? [];
      const quoted = double ?? single;
      if (quoted !== undefined) steps.push(literal(quoted.replace(/\\(.)/g, '$1')));
      else steps.push(this.#value());
    }
  }

  #value(): Step {
    const number = this.#match(/[+-]?[\d.]+/y)?.[0];
    if (number !== undefined) {
      if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(number)) throw new JsonPathError(`cannot parse number ${number}`);
      return literal(Number(number));
    }
    const word = this.#match(/[\p{L}_][^\s.,[\]$@{}]*/uy)?.[0];
    if (word === 'true' || word === 'false') return literal(word === 'true');
    if (word !== undefined) throw new JsonPathError(`unrecognized identifier ${word}`);
    throw new JsonPathError(`unrecognized character in action: ${JSON.stringify(this.#text[this.#at])}`);
  }

  #field(name: string): Step {
    return name === '*' ? wildcard : fieldOf(name.replaceAll('\\', ''));
  }

  #array(): readonly Step[] {
    const inner = this.#match(/([^\]\n]*)\]/y)?.[1];
    if (inner === undefined) throw new JsonPathError('unterminated array');
    const parts = inner.split(',');
    if (parts.length > 1) {
      const union = parts.map((part) => new Parser(`[${part.trim()}]`).parse());
      return [(values) => union.flatMap((steps) => follow(values, steps))];
    }
    const key = /^'([^']+)'$/.exec(inner)?.[1];
    if (key !== undefined) return new Parser(`.${key}`).parse();
    const [whole, start = '', end, step] = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(inner === '*' ? ':' : inner) ?? [];
    if (whole === undefined || whole === '') throw new JsonPathError(`invalid array index ${inner}`);
    const numberOf = (text: string | undefined) =>
      text === undefined || text === '' || text === ':' ? undefined : Number(text.replace(':', ''));
    const from = numberOf(start);
    if (end === undefined) return [itemsOf({ start: from, end: (from ?? 0) + 1, isSingle: true, step: 1 })];
    return [itemsOf({ start: from, end: numberOf(end), isSingle: false, step: numberOf(step) ?? 1 })];
  }

  #filter(): Step {
    const inner = this.#match(/((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^"')\n])*)\)\]/y)?.[1];
    if (inner === undefined) throw new JsonPathError('unterminated filter');
    const [, left, operator, right] = /^([^!<>=]+)([!<>=]+)(.+?)$/.exec(inner) ?? [];
    if (left === undefined || right === undefined) return filterBy(new Parser(inner).parse(), undefined, []);
    return filterBy(new Parser(left).parse(), operator, new Parser(right).parse());
  }
}
