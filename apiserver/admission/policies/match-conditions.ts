// Match conditions, of policies and of webhooks: expressions that must all be true of a request
// (k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions).

import type { MatchCondition } from '../../../api/admissionregistration.ts';
import type { KubeObject } from '../../../api/wire.ts';
import { AdmissionExpressions, type AdmissionProgram } from '../../cel/admission-expressions.ts';
import { CelError } from '../../cel/environment.ts';
import { Budget, type CompiledVariable, conditionsBudgetMax, type Evaluation, OutOfBudgetError } from './evaluation.ts';

const compiledConditions = new WeakMap<readonly MatchCondition[], readonly (AdmissionProgram | CelError)[]>();

export interface ConditionOptions {
  params?: KubeObject | null | undefined;
  hasParams?: boolean;
  /** Those of the policy, and how its conditions are compiled with them. */
  variables?: readonly CompiledVariable[];
  expressions?: AdmissionExpressions;
}

/**
 * Whether all conditions hold. One that does not hold settles it, even where others fail.
 * @throws CelError with the failures of those that cannot be evaluated
 */
export async function conditionsHold(
  conditions: readonly MatchCondition[] | undefined,
  evaluation: Evaluation,
  { params = null, hasParams = false, variables = [], expressions }: ConditionOptions = {},
): Promise<boolean> {
  if (!conditions?.length) return true;
  let compiled = compiledConditions.get(conditions);
  if (!compiled) {
    compiled = compile(conditions, expressions ?? new AdmissionExpressions({ hasParams, hasAuthorizer: true }));
    compiledConditions.set(conditions, compiled);
  }
  const scope = evaluation.scope({ params, variables, budget: new Budget(conditionsBudgetMax), hidesNamespace: true });
  const failures = new Set<string>();
  for (const program of compiled) {
    try {
      if (program instanceof CelError) throw program;
      if ((await scope.evaluate(program)) !== true) return false;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      if (error instanceof OutOfBudgetError) throw error;
      failures.add(error.message);
    }
  }
  if (failures.size === 0) return true;
  const all = [...failures];
  throw new CelError(all.length === 1 ? all[0] : `[${all.join(', ')}]`);
}

function compile(conditions: readonly MatchCondition[], expressions: AdmissionExpressions): (AdmissionProgram | CelError)[] {
  return conditions.map(({ expression }) => compileOrError(() => expressions.compile(expression, ['bool'])));
}

/** What is stored has been compiled before; should it not compile any more, its evaluation says so. */
export function compileOrError(compile: () => AdmissionProgram): AdmissionProgram | CelError {
  try {
    return compile();
  } catch (error) {
    if (error instanceof CelError) return new CelError(`compilation error: ${error.message}`, { cause: error });
    throw error;
  }
}
