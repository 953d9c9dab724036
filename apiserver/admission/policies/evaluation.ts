// What admission expressions see of a request, and evaluating them: an answer of the authorizer that is not there yet is
// waited for, and the expression evaluated again.

import type { MatchCondition, Variable } from '../../../api/admissionregistration.ts';
import { type Namespace, namespaces } from '../../../api/core.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import { AdmissionExpressions, ComposedVariables } from '../../cel/admission-expressions.ts';
import { AuthorizerValue, Decisions } from '../../cel/authorizer.ts';
import { CelError, type CelProgram } from '../../cel/environment.ts';
import { celValue } from '../../customresources/cel-value.ts';
import type { AdmissionAttributes } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';

/** Without an authorizer nobody may do anything. */
const nobody: Authorizer = () => ({ decision: 'no opinion' });
/** An expression asks no more different questions of the authorizer, one after the other. */
const roundsMax = 100;

/** One request, as all expressions about it see it. */
export class Evaluation {
  readonly #decisions: Decisions;
  readonly #values: Record<string, unknown>;

  constructor(attributes: AdmissionAttributes, namespace: Namespace | undefined, authorizer: Authorizer = nobody) {
    this.#decisions = new Decisions(authorizer);
    const { kind, subresource, namespace: namespaceName, name, user, operation } = attributes;
    const verbs: Record<string, string> = { CREATE: 'create', UPDATE: 'update', DELETE: 'delete', CONNECT: 'connect' };
    const asked = { verb: verbs[operation] ?? '', group: kind.group, version: kind.version, resource: kind.plural };
    this.#values = {
      object: value(attributes.object),
      oldObject: value(attributes.old),
      request: value(requestOf(attributes)),
      namespaceObject: value(namespace),
      authorizer: new AuthorizerValue(this.#decisions, user, { ...asked, subresource, namespace: namespaceName, name }),
    };
  }

  static async of(attributes: AdmissionAttributes, view: ClusterView, authorizer?: Authorizer): Promise<Evaluation> {
    const { kind, namespace } = attributes;
    const isInNamespace = kind.namespaced && namespace !== '';
    return new Evaluation(attributes, isInNamespace ? await view.get(namespaces, '', namespace) : undefined, authorizer);
  }

  /** Sees the object as it is now. */
  refresh(object: KubeObject | undefined): void {
    this.#values['object'] = value(object);
  }

  /** `variables` are compiled, and evaluated when an expression asks for them. @throws CelError */
  async evaluate(program: CelProgram, params?: KubeObject | null, variables: readonly CompiledVariable[] = []): Promise<unknown> {
    const values: Record<string, unknown> = { ...this.#values, params: params === undefined ? null : value(params ?? undefined) };
    for (let round = 0; round < roundsMax; round++) {
      values['variables'] = composed(variables, values);
      let outcome: { result: unknown } | { error: unknown };
      try {
        outcome = { result: program.evaluate(values) };
      } catch (error) {
        outcome = { error };
      }
      if (await this.#decisions.arrived()) continue;
      if ('error' in outcome) throw outcome.error;
      return outcome.result;
    }
    throw new CelError('the authorizer was asked too often');
  }
}

export interface CompiledVariable {
  name: string;
  program: CelProgram;
}

/** Each is evaluated once, and only when it is asked for. */
function composed(variables: readonly CompiledVariable[], values: Record<string, unknown>): ComposedVariables {
  const all = new ComposedVariables();
  for (const { name, program } of variables) {
    let known: { result: unknown } | undefined;
    Object.defineProperty(all, name, {
      // What walks over all values must not evaluate it.
      enumerable: false,
      get: () => {
        try {
          known ??= { result: program.evaluate(values) };
        } catch (error) {
          if (!(error instanceof CelError)) throw error;
          throw new CelError(`composited variable "${name}" fails to evaluate: ${error.message}`, { cause: error });
        }
        return known.result;
      },
    });
  }
  return all;
}

/** @throws CelError for a variable that does not compile */
export function compileVariables(variables: readonly Variable[] | undefined, expressions: AdmissionExpressions): CompiledVariable[] {
  return (variables ?? []).map(({ name, expression }) => ({ name, program: expressions.declare(name, expression) }));
}

const value = (object: object | undefined): unknown => (object === undefined ? null : celValue(object, undefined));

function requestOf({ kind, subresource, namespace, name, operation, user, dryRun, options }: AdmissionAttributes): object {
  const { group, version } = kind;
  const type = { group, version, kind: kind.kind };
  const resource = { group, version, resource: kind.plural };
  const { name: username, uid = '', groups, extra = {} } = user;
  return {
    kind: type,
    resource,
    requestKind: type,
    requestResource: resource,
    ...(subresource ? { subResource: subresource, requestSubResource: subresource } : {}),
    name,
    namespace,
    operation,
    userInfo: { username, uid, groups, extra },
    dryRun,
    ...(options ? { options } : {}),
  };
}

const compiledConditions = new WeakMap<object, { name: string; program: CelProgram }[]>();

/**
 * Whether all conditions hold. One that does not hold settles it, even where others fail.
 * @throws CelError with the failures of those that cannot be evaluated
 */
export async function conditionsHold(
  conditions: readonly MatchCondition[] | undefined,
  evaluation: Evaluation,
  { params, hasParams = false }: { params?: KubeObject | null | undefined; hasParams?: boolean } = {},
): Promise<boolean> {
  if (!conditions?.length) return true;
  let compiled = compiledConditions.get(conditions);
  if (!compiled) {
    const expressions = new AdmissionExpressions({ hasParams, hasAuthorizer: true });
    compiled = conditions.map(({ name, expression }) => ({ name, program: expressions.compile(expression, ['bool']) }));
    compiledConditions.set(conditions, compiled);
  }
  const failures: string[] = [];
  for (const { name, program } of compiled) {
    try {
      if ((await evaluation.evaluate(program, params)) !== true) return false;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      failures.push(`matchCondition "${name}": ${error.message}`);
    }
  }
  if (failures.length) throw new CelError(failures.join(', '));
  return true;
}
