// The expressions of admission policies and of webhooks' match conditions: which variables they see, what they may evaluate
// to, and the variables a policy composes. After k8s.io/apiserver/pkg/admission/plugin/cel.

import { type FieldError, invalid } from '../../api/field-error.ts';
import { registerAuthorizer } from './authorizer.ts';
import { CelError, type CelProgram, celEnvironment, compileCel } from './environment.ts';
import { patchConstructors, registerPatchTypes } from './patch-types.ts';

export interface ExpressionScope {
  /** `params` is declared. */
  hasParams: boolean;
  /** `authorizer` is declared. */
  hasAuthorizer: boolean;
  /** `Object{...}`, `JSONPatch{...}` and jsonpatch.escapeKey may be written. */
  hasPatchTypes?: boolean;
}

/** What a policy's `variables` is at run time: a getter for each name. */
export class ComposedVariables {}

const always = ['object', 'oldObject', 'request', 'namespaceObject'];

/** Compiles expressions one after the other; variables declared in between are seen by those that follow. */
export class AdmissionExpressions {
  readonly #scope: ExpressionScope;
  readonly #composes: boolean;
  readonly #fields: Record<string, string> = {};
  readonly #environments = new Map<string, ReturnType<typeof celEnvironment>>();

  /** `composes`: `variables` is declared, even while it is empty. */
  constructor(scope: ExpressionScope, composes = false) {
    this.#scope = scope;
    this.#composes = composes;
  }

  /** Declares `variables.<name>`. @throws CelError, having declared it of any type */
  declare(name: string, expression: string): CelProgram {
    let type = 'dyn';
    try {
      const program = this.compile(expression, []);
      type = fieldType(program.type);
      return program;
    } finally {
      this.#fields[name] = type;
      this.#environments.clear();
    }
  }

  /** `types`: what the expression may evaluate to; empty for anything. @throws CelError */
  compile(expression: string, types: readonly string[], scope: Partial<ExpressionScope> = {}): CelProgram {
    const { hasPatchTypes = false, ...rest } = { ...this.#scope, ...scope };
    const environment = this.#environment({ ...rest, hasPatchTypes });
    let program: CelProgram;
    try {
      program = compileCel(environment, hasPatchTypes ? patchConstructors(expression) : expression);
    } catch (error) {
      if (error instanceof CelError) throw new CelError(`compilation failed: ${error.message}`, { cause: error });
      throw error;
    }
    if (types.length === 0 || types.some((type) => isOf(program.type, type))) return program;
    const got = shownType(program.type);
    const wanted = types.map(shownType);
    throw new CelError(`must evaluate to ${wanted.length === 1 ? wanted[0] : `one of [${wanted.join(' ')}]`} but got ${got}`);
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

  #environment(scope: ExpressionScope) {
    const id = JSON.stringify(scope);
    let environment = this.#environments.get(id);
    if (!environment) {
      environment = celEnvironment([...always, ...(scope.hasParams ? ['params'] : [])]);
      if (this.#composes) {
        environment.registerType('kubernetes.variables', { ctor: ComposedVariables, fields: this.#fields });
        environment.registerVariable('variables', 'kubernetes.variables');
      }
      if (scope.hasAuthorizer) registerAuthorizer(environment);
      if (scope.hasPatchTypes) registerPatchTypes(environment);
      this.#environments.set(id, environment);
    }
    return environment;
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

/** Lists whose items are known only at run time pass for lists of anything. */
const isOf = (type: string, wanted: string) => type === wanted || (wanted.startsWith('list<') && (type === 'list' || type === 'list<dyn>'));

/** As CEL itself writes types. */
function shownType(type: string): string {
  if (type === 'null') return 'null_type';
  if (type === 'list') return 'list(dyn)';
  if (type === 'map') return 'map(dyn, dyn)';
  return type
    .replaceAll('<', '(')
    .replaceAll('>', ')')
    .replaceAll('optional(', 'optional_type(')
    .replaceAll('google.protobuf.Timestamp', 'timestamp')
    .replaceAll('google.protobuf.Duration', 'duration');
}

/** Variables of plain types keep them; others are checked when they are evaluated. */
const fieldType = (type: string) => (/^(bool|int|uint|double|string|bytes|list<(bool|int|string)>)$/.test(type) ? type : 'dyn');
