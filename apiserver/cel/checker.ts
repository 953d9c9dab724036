// Checks the types of an expression before it ever runs, and says what is wrong in cel-go's words.

import { type Comprehension, type Expr, qualifiedName, type Select, type StructExpr } from './ast.ts';
import { type Overload, overloadsOf, typeNamed } from './declarations.ts';
import type { Issue } from './issues.ts';
import { literalIssue, mixedLiterals } from './literal-checks.ts';
import { constructible } from './patch-types.ts';
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
import { CelUint } from './values.ts';

/** What became of a check. */
export interface Checked {
  readonly type: CelType;
  readonly issues: readonly Issue[];
  /** The type of every part. */
  readonly types: ReadonlyMap<Expr, CelType>;
  /** Of each call the forms of its function that fit. */
  readonly overloads: ReadonlyMap<Expr, readonly Overload[]>;
}

type Scope = ReadonlyMap<string, CelType>;

/** Checks `ast` where `variables` are all there is. */
export function checkTypes(ast: Expr, variables: Readonly<Record<string, CelType>>): Checked {
  const checker = new Checker();
  checker.check(ast, new Map(Object.entries(variables)));
  return checker.finish(ast);
}

const unwrapped = (type: CelType) => (isOptionalType(type) ? (type.params[0] ?? dynType) : type);

class Checker {
  readonly #issues: Issue[] = [];
  readonly #types = new Map<Expr, CelType>();
  readonly #overloads = new Map<Expr, readonly Overload[]>();
  #bindings: Bindings = new Map();
  #freshCount = 0;

  finish(ast: Expr): Checked {
    for (const [node, type] of this.#types) this.#types.set(node, substitute(this.#bindings, type, true));
    const issues = this.#issues.length > 0 ? this.#issues : mixedLiterals(ast, this.#types);
    return { type: this.#types.get(ast) ?? errorType, issues, types: this.#types, overloads: this.#overloads };
  }

  check(node: Expr, scope: Scope): CelType {
    const type = substitute(this.#bindings, this.#typeOf(node, scope));
    this.#types.set(node, type);
    return type;
  }

  #typeOf(node: Expr, scope: Scope): CelType {
    switch (node.op) {
      case 'literal':
        return literalType(node.value);
      case 'ident': {
        const name = node.name.replace(/^\./, '');
        return scope.get(name) ?? typeNamed(name) ?? this.#undeclared(node.at, name);
      }
      case 'select':
        return this.#select(node, scope);
      case 'call':
        return this.#call(node, scope);
      case 'list':
        return listType(this.#join(node.items, scope, node.optional));
      case 'map': {
        const optional = new Set(node.entries.keys().filter((i) => node.entries[i]?.isOptional));
        const keys = node.entries.map(({ key }) => key);
        const values = node.entries.map(({ value }) => value);
        return mapType(this.#join(keys, scope), this.#join(values, scope, optional));
      }
      case 'struct':
        return this.#construct(node, scope);
      case 'comprehension':
        return this.#comprehension(node, scope);
    }
  }

  #report(at: number, message: string): CelType {
    this.#issues.push({ at, message });
    return errorType;
  }

  #undeclared = (at: number, name: string) => this.#report(at, `undeclared reference to '${name}' (in container '')`);

  #mustBe(wanted: CelType, given: CelType, node: Expr): void {
    const bindings = assignAll(this.#bindings, [given], [wanted]);
    if (bindings) this.#bindings = bindings;
    else this.#report(node.at, `expected type '${formatType(wanted)}' but found '${formatType(given)}'`);
  }

  #fresh(): CelType {
    return paramType(`_var${this.#freshCount++}`);
  }

  /** The one type that all of `nodes` have; of the optional ones, what is in them. */
  #join(nodes: readonly Expr[], scope: Scope, optional?: ReadonlySet<number>): CelType {
    let joined: CelType | undefined;
    for (const [i, node] of nodes.entries()) {
      let type = this.check(node, scope);
      if (optional?.has(i)) {
        if (isOptionalType(type) || type.kind === 'dyn') type = unwrapped(type);
        else type = this.#report(node.at, `expected type 'optional_type(${formatType(type)})' but found '${formatType(type)}'`);
      }
      const bindings = joined ? assignAll(this.#bindings, [joined], [type]) : this.#bindings;
      if (joined && !bindings) joined = dynType;
      else {
        this.#bindings = bindings ?? this.#bindings;
        joined = joined ? mostGeneral(joined, type) : type;
      }
    }
    return joined ?? this.#fresh();
  }

  #select(node: Select, scope: Scope): CelType {
    const { operand, field, isTest, at } = node;
    const name = isTest ? undefined : qualifiedName(node)?.replace(/^\./, '');
    const isLocal = name !== undefined && scope.has(name.slice(0, name.indexOf('.')));
    if (name !== undefined) {
      const type = isLocal ? undefined : typeNamed(name);
      if (type) return type;
      // A variable may have a name of several parts.
      const whole = scope.get(name);
      if (whole) return whole;
    }
    const given = this.check(operand, scope);
    const type = this.#fieldType(unwrapped(given), field, at);
    if (isTest) return boolType;
    return isOptionalType(given) ? optionalType(type) : type;
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

  #call(node: Extract<Expr, { op: 'call' }>, scope: Scope): CelType {
    const { target, args, at } = node;
    const name = node.name.replace(/^\./, '');
    if (name === '_&&_' || name === '_||_') {
      for (const each of args) this.#mustBe(boolType, this.check(each, scope), each);
      return boolType;
    }
    if (name === '_?._') return this.#optionalSelect(node, scope);
    const issue = literalIssue(name, args);
    if (issue) this.#report(issue.at, issue.message);
    const namespace = target && qualifiedName(target);
    const qualified = namespace === undefined || scope.has(namespace) ? '' : `${namespace}.${name}`;
    const isQualified = overloadsOf(qualified) !== undefined;
    // What a function is called on is checked first.
    const targetType = target && !isQualified ? this.check(target, scope) : undefined;
    const argTypes = args.map((each) => this.check(each, scope));
    if (isQualified) return this.#resolve(qualified, argTypes, { at, node });
    const types = targetType ? [targetType, ...argTypes] : argTypes;
    return overloadsOf(name) ? this.#resolve(name, types, { at, node, isMember: target !== undefined }) : this.#undeclared(at, name);
  }

  #optionalSelect({ args, at }: Extract<Expr, { op: 'call' }>, scope: Scope): CelType {
    const [operand, field] = args as [Expr, Expr];
    const given = this.check(operand, scope);
    return optionalType(this.#fieldType(unwrapped(given), String(field.op === 'literal' ? field.value : ''), at));
  }

  #resolve(
    name: string,
    given: readonly CelType[],
    { at, node, isMember = false }: { at: number; node: Expr; isMember?: boolean },
  ): CelType {
    let result: CelType | undefined;
    const types = given.map((type) => substitute(this.#bindings, type));
    const fitting: Overload[] = [];
    for (const overload of overloadsOf(name) ?? []) {
      if (overload.isMember !== isMember) continue;
      const names = new Map<string, CelType>();
      const renamed = overload.params.map((param) => this.#rename(param, names));
      const bindings = assignAll(this.#bindings, types, renamed);
      if (!bindings) continue;
      this.#bindings = bindings;
      fitting.push(overload);
      const type = substitute(bindings, this.#rename(overload.result, names));
      if (result === undefined) result = type;
      else if (result.kind !== 'dyn' && !isSameType(type, result)) result = dynType;
    }
    if (result) {
      this.#overloads.set(node, fitting);
      return result;
    }
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

  /** `Name{field: value}` */
  #construct({ name, fields, at }: StructExpr, scope: Scope): CelType {
    const type = constructible(name.replace(/^\./, ''), scope);
    for (const { name: field, value, at: fieldAt, isOptional } of fields) {
      const given = this.check(value, scope);
      if (!type) continue;
      const wanted = type.field?.(field);
      const asked = wanted && isOptional ? optionalType(wanted) : wanted;
      const bindings = asked && assignAll(this.#bindings, [given], [asked]);
      if (bindings) this.#bindings = bindings;
      else if (!asked) this.#report(fieldAt, `undefined field '${field}'`);
      else {
        const message = `expected type of field '${field}' is '${formatType(asked)}' but provided type is '${formatType(given)}'`;
        this.#report(fieldAt, message);
      }
    }
    return type ?? this.#undeclared(at, name);
  }

  #comprehension(node: Comprehension, scope: Scope): CelType {
    const range = this.check(node.range, scope);
    const gathered = this.check(node.initial, scope);
    const types = this.#itemTypes(range, node.range, node.variables.length);
    const outer = new Map(scope).set(node.accumulator, gathered);
    const inner = new Map(outer);
    node.variables.forEach((name, i) => void inner.set(name, types[i] ?? dynType));
    this.#mustBe(boolType, this.check(node.condition, inner), node.condition);
    this.#mustBe(gathered, this.check(node.step, inner), node.step);
    return this.check(node.result, outer);
  }

  #itemTypes(range: CelType, node: Expr, count: number): readonly CelType[] {
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
        this.#report(node.at, `expression of type '${formatType(range)}' ${why}`);
        return [errorType, errorType].slice(0, count);
      }
    }
  }
}

function literalType(value: unknown): CelType {
  if (value === null) return nullType;
  if (typeof value === 'string') return stringType;
  if (typeof value === 'boolean') return boolType;
  if (typeof value === 'bigint') return intType;
  if (typeof value === 'number') return doubleType;
  return value instanceof CelUint ? uintType : bytesType;
}
