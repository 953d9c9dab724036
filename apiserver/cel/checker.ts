// Checks the types of an expression before it ever runs, and says what is wrong in cel-go's words. It works on the tree that the CEL
// library parses, whose own checker knows neither object types nor these messages.

import type { ASTNode } from '@marcbachmann/cel-js';
import { constructedFields, constructible, constructorCall } from './constructors.ts';
import { overloadsOf, typeNamed } from './declarations.ts';
import type { Issue } from './issues.ts';
import {
  assignAll,
  type Bindings,
  boolType,
  bytesType,
  type CelType,
  doubleType,
  dynType,
  errorType,
  formatType,
  intType,
  isOptionalType,
  isSameType,
  listType,
  mapType,
  mostGeneral,
  nullType,
  optionalType,
  paramType,
  stringType,
  substitute,
  uintType,
} from './types.ts';

/** What became of a check. */
export interface Checked {
  readonly type: CelType;
  readonly issues: readonly Issue[];
  /** The type of every part. */
  readonly types: ReadonlyMap<ASTNode, CelType>;
}

type Scope = ReadonlyMap<string, CelType>;

/** Checks `ast` where `variables` are all there is. */
export function checkTypes(ast: ASTNode, variables: Readonly<Record<string, CelType>>): Checked {
  const checker = new Checker(ast.input);
  checker.check(ast, new Map(Object.entries(variables)));
  return checker.finish(ast);
}

const unwrapped = (type: CelType) => (isOptionalType(type) ? (type.params[0] ?? dynType) : type);

class Checker {
  readonly #source: string;
  readonly #issues: Issue[] = [];
  readonly #types = new Map<ASTNode, CelType>();
  #bindings: Bindings = new Map();
  #freshCount = 0;

  constructor(source: string) {
    this.#source = source;
  }

  finish(ast: ASTNode): Checked {
    for (const [node, type] of this.#types) this.#types.set(node, substitute(this.#bindings, type, true));
    return { type: this.#types.get(ast) ?? errorType, issues: this.#issues, types: this.#types };
  }

  check(node: ASTNode, scope: Scope): CelType {
    const type = substitute(this.#bindings, this.#typeOf(node, scope));
    this.#types.set(node, type);
    return type;
  }

  #typeOf(node: ASTNode, scope: Scope): CelType {
    switch (node.op) {
      case 'value':
        return literalType(node.args);
      case 'id':
        return scope.get(node.args) ?? typeNamed(node.args) ?? this.#undeclared(node.start, node.args);
      case '.':
      case '.?':
        return this.#select(node, scope, node.op === '.?');
      case '[]':
      case '[?]': {
        const types = node.args.map((each) => this.check(each, scope));
        return this.#resolve(node.op === '[]' ? '_[_]' : '_[?_]', types, this.#after(node.args[0], /[\s)]*\[/y, 1));
      }
      case 'call':
        return this.#call(node, node.args[0], undefined, node.args[1], scope);
      case 'rcall':
        return this.#call(node, node.args[0], node.args[1], node.args[2], scope);
      case 'list':
        return listType(this.#join(node.args, scope));
      case 'map':
        return mapType(
          this.#join(
            node.args.map(([key]) => key),
            scope,
          ),
          this.#join(
            node.args.map(([, value]) => value),
            scope,
          ),
        );
      case '?:': {
        const types = node.args.map((each) => this.check(each, scope));
        return this.#resolve('_?_:_', types, this.#after(node.args[0], /[\s)]*\?/y, 1));
      }
      case '&&':
      case '||':
        for (const each of node.args) this.#mustBe(boolType, this.check(each, scope), each);
        return boolType;
      case '!_':
      case '-_':
        return this.#resolve(node.op, [this.check(node.args, scope)], node.start);
      default: {
        const types = node.args.map((each) => this.check(each, scope));
        const at = this.#after(node.args[0], /[\s)]*/y, 0);
        return this.#resolve(node.op === 'in' ? '@in' : `_${node.op}_`, types, at);
      }
    }
  }

  #report(at: number, message: string): CelType {
    this.#issues.push({ at, message });
    return errorType;
  }

  #undeclared = (at: number, name: string) => this.#report(at, `undeclared reference to '${name}' (in container '')`);

  /** Where `sign` ends after a part, less what it is long. */
  #after(node: ASTNode, sign: RegExp, length: number): number {
    sign.lastIndex = node.end;
    return node.end + (sign.exec(this.#source)?.[0].length ?? length) - length;
  }

  #mustBe(wanted: CelType, given: CelType, node: ASTNode): void {
    const bindings = assignAll(this.#bindings, [given], [wanted]);
    if (bindings) this.#bindings = bindings;
    else this.#report(positionOf(node, this.#source), `expected type '${formatType(wanted)}' but found '${formatType(given)}'`);
  }

  #fresh(): CelType {
    return paramType(`_var${this.#freshCount++}`);
  }

  /** The one type that all of `nodes` have. */
  #join(nodes: readonly ASTNode[], scope: Scope): CelType {
    let joined: CelType | undefined;
    for (const node of nodes) {
      const type = this.check(node, scope);
      const bindings = joined ? assignAll(this.#bindings, [joined], [type]) : this.#bindings;
      if (joined && !bindings) {
        const message = `expected type '${formatType(joined)}' but found '${formatType(type)}'`;
        joined = this.#report(positionOf(node, this.#source), message);
      } else {
        this.#bindings = bindings ?? this.#bindings;
        joined = joined ? mostGeneral(joined, type) : type;
      }
    }
    return joined ?? this.#fresh();
  }

  #select(node: Extract<ASTNode, { op: '.' | '.?' }>, scope: Scope, isOptional: boolean): CelType {
    const [operand, field] = node.args;
    const qualified = nameOf(node);
    if (qualified !== undefined && !scope.has(qualified.split('.')[0] as string)) {
      const type = typeNamed(qualified);
      if (type) return type;
    }
    // A variable may have a name of several parts.
    const whole = qualified === undefined ? undefined : scope.get(qualified);
    if (whole) return whole;
    const at = this.#after(operand, /[\s)]*/y, 0);
    const given = this.check(operand, scope);
    const type = this.#fieldType(unwrapped(given), field, at);
    return isOptional || isOptionalType(given) ? optionalType(type) : type;
  }

  #fieldType(type: CelType, field: string, at: number): CelType {
    switch (type.kind) {
      case 'map':
        return type.params[1] ?? dynType;
      case 'struct':
        return type.field ? (type.field(field) ?? this.#report(at, `undefined field '${field}'`)) : dynType;
      case 'param':
      case 'dyn':
      case 'error':
        return dynType;
      default:
        this.#report(at, `type '${formatType(type)}' does not support field selection`);
        return dynType;
    }
  }

  #call(node: ASTNode, name: string, target: ASTNode | undefined, args: readonly ASTNode[], scope: Scope): CelType {
    const at = this.#openAt(node, name, target);
    if (!target && name === constructorCall) return this.#construct(node, args, scope);
    if (!target && name === 'has' && args.length === 1) return this.#has(args[0] as ASTNode, scope);
    if (target) {
      const macro = this.#macro(name, target, args, at, scope);
      if (macro) return macro;
      const namespace = nameOf(target);
      const qualified = namespace === undefined || scope.has(namespace) ? '' : `${namespace}.${name}`;
      if (overloadsOf(qualified))
        return this.#resolve(
          qualified,
          args.map((each) => this.check(each, scope)),
          at,
        );
    }
    const argTypes = args.map((each) => this.check(each, scope));
    const types = target ? [this.check(target, scope), ...argTypes] : argTypes;
    return overloadsOf(name) ? this.#resolve(name, types, at, target !== undefined) : this.#undeclared(at, name);
  }

  /** A call stands where its parenthesis opens. */
  #openAt(node: ASTNode, name: string, target: ASTNode | undefined): number {
    const before = target ? new RegExp(`[\\s)]*\\.\\s*${name}\\s*\\(`, 'y') : new RegExp(`${name}\\s*\\(`, 'y');
    before.lastIndex = target ? target.end : node.start;
    const found = before.exec(this.#source);
    return found ? before.lastIndex - 1 : node.start;
  }

  #resolve(name: string, given: readonly CelType[], at: number, isMember = false): CelType {
    let result: CelType | undefined;
    const types = given.map((type) => substitute(this.#bindings, type));
    for (const overload of overloadsOf(name) ?? []) {
      if (overload.isMember !== isMember) continue;
      const names = new Map<string, CelType>();
      const renamed = overload.params.map((param) => this.#rename(param, names));
      const bindings = assignAll(this.#bindings, types, renamed);
      if (!bindings) continue;
      this.#bindings = bindings;
      const type = substitute(bindings, this.#rename(overload.result, names));
      if (result === undefined) result = type;
      else if (result.kind !== 'dyn' && !isSameType(type, result)) result = dynType;
    }
    if (result) return result;
    const [first, ...rest] = types.map((type) => formatType(substitute(this.#bindings, type, true)));
    const signature = isMember ? `${first}.(${rest.join(', ')})` : `(${[...(first === undefined ? [] : [first]), ...rest].join(', ')})`;
    return this.#report(at, `found no matching overload for '${name}' applied to '${signature}'`);
  }

  /** An overload's parameters are its own at every call. */
  #rename(type: CelType, names: Map<string, CelType>): CelType {
    if (type.kind === 'param') {
      const known = names.get(type.name) ?? this.#fresh();
      names.set(type.name, known);
      return known;
    }
    return type.params.length === 0 ? type : { ...type, params: type.params.map((param) => this.#rename(param, names)) };
  }

  /** `Name{field: value}`, as constructors.ts writes it. */
  #construct(node: ASTNode, [name, fields]: readonly ASTNode[], scope: Scope): CelType {
    const type = constructible(String(name?.args), scope);
    for (const { field, value, at, isOptional } of constructedFields(fields)) {
      const given = this.check(value, scope);
      if (!type) continue;
      const wanted = type.field?.(field);
      const asked = wanted && isOptional ? optionalType(wanted) : wanted;
      const bindings = asked && assignAll(this.#bindings, [given], [asked]);
      if (bindings) this.#bindings = bindings;
      else if (!asked) this.#report(at, `undefined field '${field}'`);
      else this.#report(at, `expected type of field '${field}' is '${formatType(asked)}' but provided type is '${formatType(given)}'`);
    }
    return type ?? this.#undeclared(node.start, String(name?.args));
  }

  #has(selection: ASTNode, scope: Scope): CelType {
    if (selection.op === '.' || selection.op === '.?') this.check(selection, scope);
    else this.#report(positionOf(selection, this.#source), 'invalid argument to has() macro');
    return boolType;
  }

  #macro(name: string, target: ASTNode, args: readonly ASTNode[], at: number, scope: Scope): CelType | undefined {
    const forms = macroForms[name];
    const form = forms?.find(({ names, bodies }) => names + bodies === args.length);
    if (!form) return undefined;
    const range = this.check(target, scope);
    const names = args.slice(0, form.names);
    for (const each of names) {
      if (each.op !== 'id') return this.#report(positionOf(each, this.#source), 'argument must be a simple name');
    }
    const types = form.isOptional ? [unwrapped(range)] : this.#itemTypes(range, target, form.names);
    const inner = new Map(scope);
    names.forEach((each, i) => void inner.set(String(each.args), types[i] ?? dynType));
    const bodies = args.slice(form.names);
    const bodyTypes = bodies.map((body) => this.check(body, inner));
    const last = bodyTypes.at(-1) ?? errorType;
    const keyType = types[0] ?? dynType;
    const predicate = form.isFiltered ? bodies[0] : undefined;
    if (predicate) {
      const isPlain = name === 'all' || name === 'exists';
      const type = bodyTypes[0] ?? errorType;
      if (isPlain) this.#mustBe(boolType, type, predicate);
      else if (!assignAll(this.#bindings, [type], [boolType])) {
        const collected = form.result({ item: types.at(-1) ?? dynType, key: keyType, body: last });
        const shown = formatType(collected.kind === 'bool' ? intType : collected);
        this.#report(at, `found no matching overload for '_?_:_' applied to '(${formatType(type)}, ${shown}, ${shown})'`);
      }
    }
    return form.result({ item: types.at(-1) ?? dynType, key: keyType, body: last });
  }

  #itemTypes(range: CelType, node: ASTNode, count: number): readonly CelType[] {
    switch (range.kind) {
      case 'list':
        return count === 2 ? [intType, range.params[0] ?? dynType] : [range.params[0] ?? dynType];
      case 'map':
        return range.params.slice(0, count);
      case 'dyn':
      case 'error':
      case 'param':
        return [dynType, dynType].slice(0, count);
      default: {
        const why = 'cannot be range of a comprehension (must be list, map, or dynamic)';
        this.#report(positionOf(node, this.#source), `expression of type '${formatType(range)}' ${why}`);
        return [errorType, errorType].slice(0, count);
      }
    }
  }
}

/** How a macro is called, and what it gives. */
interface MacroForm {
  readonly names: number;
  readonly bodies: number;
  /** Whether the first body decides over an item. */
  readonly isFiltered: boolean;
  readonly isOptional?: boolean;
  readonly result: (types: { item: CelType; key: CelType; body: CelType }) => CelType;
}

const quantifierForms: readonly MacroForm[] = [1, 2].map((names) => ({ names, bodies: 1, isFiltered: true, result: () => boolType }));
const forms = (names: number, result: MacroForm['result']): readonly MacroForm[] => [
  { names, bodies: 1, isFiltered: false, result },
  { names, bodies: 2, isFiltered: true, result },
];

/** Every macro on a target, by its name. */
export const macroForms: Readonly<Record<string, readonly MacroForm[] | undefined>> = {
  all: quantifierForms,
  exists: quantifierForms,
  existsOne: quantifierForms,
  exists_one: quantifierForms,
  filter: [{ names: 1, bodies: 1, isFiltered: true, result: ({ item }) => listType(item) }],
  map: forms(1, ({ body }) => listType(body)),
  transformList: forms(2, ({ body }) => listType(body)),
  transformMap: forms(2, ({ key, body }) => mapType(key, body)),
  transformMapEntry: forms(2, ({ body }) => body),
  optMap: [{ names: 1, bodies: 1, isFiltered: false, isOptional: true, result: ({ body }) => optionalType(body) }],
  optFlatMap: [{ names: 1, bodies: 1, isFiltered: false, isOptional: true, result: ({ body }) => body }],
};

function literalType(value: unknown): CelType {
  if (value === null) return nullType;
  if (typeof value === 'string') return stringType;
  if (typeof value === 'boolean') return boolType;
  if (typeof value === 'bigint') return intType;
  if (typeof value === 'number') return doubleType;
  return value instanceof Uint8Array ? bytesType : uintType;
}

/** `a.b` for a chain of plain selections. */
function nameOf(node: ASTNode): string | undefined {
  if (node.op === 'id') return node.args;
  if (node.op !== '.') return undefined;
  const before = nameOf(node.args[0]);
  return before === undefined ? undefined : `${before}.${node.args[1]}`;
}

/** Where messages place a part: at its operator, dot, bracket or parenthesis. */
function positionOf(node: ASTNode, source: string): number {
  const after = (end: number, pattern: RegExp, back: number) => {
    pattern.lastIndex = end;
    return end + (pattern.exec(source)?.[0].length ?? back) - back;
  };
  switch (node.op) {
    case 'value':
    case 'id':
    case 'list':
    case 'map':
    case '!_':
    case '-_':
      return node.start;
    case 'call':
      return after(node.start, /\w+\s*\(/y, 1);
    case 'rcall':
      return after(node.args[1].end, /[\s)]*\.\s*\w+\s*\(/y, 1);
    case '[]':
    case '[?]':
      return after(node.args[0].end, /[\s)]*\[/y, 1);
    case '?:':
      return after(node.args[0].end, /[\s)]*\?/y, 1);
    default:
      return after(node.args[0].end, /[\s)]*/y, 0);
  }
}
