// What an expression is once it is parsed: calls, selections, literals and comprehensions; operators are calls under cel-go's names, macros
// have become comprehensions. `at` is where messages place a part: at its operator, dot, bracket or parenthesis.

export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | StructExpr | Comprehension;

export interface Literal {
  readonly op: 'literal';
  readonly at: number;
  /** null, a boolean, a string, a bigint, a CelUint, a number (double) or bytes. */
  readonly value: unknown;
}

export interface Ident {
  readonly op: 'ident';
  readonly at: number;
  /** With its leading dot, if it was written with one. */
  readonly name: string;
}

export interface Select {
  readonly op: 'select';
  readonly at: number;
  readonly operand: Expr;
  readonly field: string;
  /** has(operand.field) */
  readonly isTest: boolean;
}

export interface Call {
  readonly op: 'call';
  readonly at: number;
  /** `_+_`, `_[_]`, `_?._`, `@in`, `size`, ... */
  readonly name: string;
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
}

export interface ListExpr {
  readonly op: 'list';
  readonly at: number;
  readonly items: readonly Expr[];
  /** The items written `?x`, by their index. */
  readonly optional: ReadonlySet<number>;
}

export interface Entry {
  readonly at: number;
  readonly key: Expr;
  readonly value: Expr;
  /** `{?key: value}` */
  readonly isOptional: boolean;
}

export interface MapExpr {
  readonly op: 'map';
  readonly at: number;
  readonly entries: readonly Entry[];
}

export interface FieldInit {
  readonly at: number;
  readonly name: string;
  readonly value: Expr;
  readonly isOptional: boolean;
}

/** `Object.spec{...}` */
export interface StructExpr {
  readonly op: 'struct';
  readonly at: number;
  readonly name: string;
  readonly fields: readonly FieldInit[];
}

/** A loop over `range`: while `condition` holds the accumulator becomes `step`; in the end stands `result`. */
export interface Comprehension {
  readonly op: 'comprehension';
  readonly at: number;
  readonly range: Expr;
  /** One variable sees items of a list and keys of a map; two see index and item, or key and value. */
  readonly variables: readonly string[];
  readonly accumulator: string;
  readonly initial: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** `a.b` of a chain of plain selections. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.op === 'ident') return expr.name;
  if (expr.op !== 'select' || expr.isTest) return undefined;
  const before = qualifiedName(expr.operand);
  return before === undefined ? undefined : `${before}.${expr.field}`;
}
