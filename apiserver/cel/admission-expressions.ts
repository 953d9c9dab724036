// The expressions of admission policies and of webhooks' match conditions: which variables they see, what they may evaluate
// to, and the variables a policy composes. After k8s.io/apiserver/pkg/admission/plugin/cel.

import { type FieldError, invalid } from '../../api/field-error.ts';
import { authorizerType, namespaceType, requestType, resourceCheckType } from './admission-types.ts';
import type { Meter } from './attribute.ts';
import { costMax } from './cost.ts';
import { CelError, type CheckedProgram, checkOnly, compilationProblem, compileChecked, type TypedVariable } from './environment.ts';
import { patchTypesVariable } from './patch-types.ts';
import { type CelType, dynType, listType, mapType, structType } from './types.ts';

export interface ExpressionScope {
  /** `params` is declared. */
  hasParams: boolean;
  /** `authorizer` is declared. */
  hasAuthorizer: boolean;
  /** `Object{...}`, `JSONPatch{...}` and jsonpatch.escapeKey may be written. */
  hasPatchTypes?: boolean;
}

/** Types that are known better than of anything: of the objects of a kind, and of parameters. */
export interface KnownTypes {
  object?: CelType | undefined;
  params?: CelType | undefined;
}

/** An expression of a policy, compiled. */
export interface AdmissionProgram {
  readonly expression: string;
  readonly type: string;
  /**
   * `values` for every variable, `variables` among them with a property for each composed one. What it really costs is added to `meter`.
   * @throws CelError
   */
  evaluate(values: Readonly<Record<string, unknown>>, meter?: Meter): unknown;
}

/** Compiles expressions one after the other; variables declared in between are seen by those that follow. */
export class AdmissionExpressions {
  readonly #scope: ExpressionScope;
  readonly #known: KnownTypes;
  readonly #composed: Map<string, CelType> | undefined;

  /** `composes`: `variables` is declared, even while it is empty. */
  constructor(scope: ExpressionScope, composes = false, known: KnownTypes = {}) {
    this.#scope = scope;
    this.#known = known;
    this.#composed = composes ? new Map() : undefined;
  }

  /** Declares `variables.<name>`. @throws CelError, having declared it of any type */
  declare(name: string, expression: string): AdmissionProgram {
    this.#composed?.set(name, dynType);
    const { checked, program } = this.#compile(expression, {});
    this.#composed?.set(name, composedType(checked.celType));
    return program;
  }

  /** As `declare`, without making anything to evaluate. */
  declareType(name: string, expression: string): void {
    let type = dynType;
    try {
      type = composedType(this.check(expression));
    } finally {
      this.#composed?.set(name, type);
    }
  }

  /** `types`: what the expression may evaluate to; empty for anything. @throws CelError */
  compile(expression: string, types: readonly string[], scope: Partial<ExpressionScope> = {}): AdmissionProgram {
    const { program } = this.#compile(expression, scope);
    if (types.length === 0 || types.includes(program.type)) return program;
    const wanted = types.map(shownType);
    const choice = wanted.length === 1 ? wanted[0] : `one of [${wanted.join(' ')}]`;
    throw new CelError(`must evaluate to ${choice} but got ${shownType(program.type)}`);
  }

  /** The type of an expression. @throws CelError with cel-go's messages alone */
  check(expression: string): CelType {
    return checkOnly(expression, this.#variables(this.#scope));
  }

  /** The problem of an expression that does not compile, if it has one. `value`: what is shown of it. */
  errors(
    expression: string,
    types: readonly string[],
    at: string,
    { value = expression, ...scope }: Partial<ExpressionScope> & { value?: string } = {},
  ): FieldError[] {
    return problemsOf(() => this.compile(expression, types, scope), value, at);
  }

  /** As `errors`, for a variable. */
  declareErrors(name: string, expression: string, at: string): FieldError[] {
    return problemsOf(() => this.declare(name, expression), expression, at);
  }

  #compile(expression: string, scope: Partial<ExpressionScope>): { checked: CheckedProgram; program: AdmissionProgram } {
    const variables = this.#variables({ ...this.#scope, ...scope });
    let checked: CheckedProgram;
    try {
      checked = compileChecked(expression, variables);
    } catch (error) {
      if (error instanceof CelError) throw new CelError(compilationProblem(error), { cause: error });
      throw error;
    }
    const program: AdmissionProgram = {
      expression,
      type: checked.type,
      evaluate: (values, meter) => checked.evaluate(values, meter),
    };
    return { checked, program };
  }

  #variables({ hasParams, hasAuthorizer, hasPatchTypes }: ExpressionScope): Record<string, TypedVariable> {
    const { object = dynType, params = dynType } = this.#known;
    const types: Record<string, CelType> = { object, oldObject: object, request: requestType, namespaceObject: namespaceType };
    if (hasParams) types['params'] = params;
    if (hasAuthorizer) {
      types['authorizer'] = authorizerType;
      types['authorizer.requestResource'] = resourceCheckType;
    }
    if (hasPatchTypes) types[patchTypesVariable] = dynType;
    const composed = this.#composed;
    if (composed) types['variables'] = structType('kubernetes.variables', (name) => composed.get(name));
    return Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type, sizeMax: costMax }]));
  }
}

function problemsOf(compile: () => unknown, value: string, at: string): FieldError[] {
  try {
    compile();
    return [];
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return [invalid(at, value, error.message)];
  }
}

/** As Kubernetes prints the type of a result. */
const shownType = (type: string) =>
  type
    .replace(/\bnull\b/g, 'null_type')
    .replace(/\btimestamp\b/g, 'google.protobuf.Timestamp')
    .replace(/\bduration\b/g, 'google.protobuf.Duration');

/** Variables keep plain types, lists and maps; other types are checked when they are evaluated. */
function composedType(type: CelType): CelType {
  const [first = dynType, second = dynType] = type.params;
  if (type.kind === 'list') return listType(composedType(first));
  if (type.kind === 'map') return mapType(composedType(first), composedType(second));
  return ['bool', 'bytes', 'double', 'duration', 'int', 'null', 'string', 'timestamp', 'uint'].includes(type.kind) ? type : dynType;
}
