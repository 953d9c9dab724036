// Evaluating admission expressions about one request: an answer of the authorizer that is not there yet is waited for, and the
// expression evaluated again; what expressions cost is held against a budget.

import { type Namespace, namespaces } from '../../../api/core.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import type { AdmissionProgram } from '../../cel/admission-expressions.ts';
import { AuthorizerValue, Decisions } from '../../cel/authorizer.ts';
import { CelError, callCostMax } from '../../cel/environment.ts';
import type { AdmissionAttributes } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';
import {
  LazyValue,
  type MatchedKind,
  namespaceOf,
  namespaceValue,
  nothing,
  paramsValue,
  type RequestValues,
  requestOf,
} from './request-values.ts';

/** Without an authorizer nobody may do anything. */
const nobody: Authorizer = () => ({ decision: 'no opinion' });
/** An expression asks no more different questions of the authorizer, one after the other. */
const roundsMax = 100;
/** What a policy's expressions of one sort may cost together, for one binding and one parameter. */
export const budgetMax = 10_000_000;
export const conditionsBudgetMax = 2_500_000;

/** What expressions may still cost. */
export class Budget {
  #left: number;
  constructor(left: number) {
    this.#left = left;
  }

  /** @throws OutOfBudgetError */
  spend(cost: number): void {
    this.#left -= cost;
    if (this.#left < 0) throw new OutOfBudgetError();
  }
}

/** The expressions of a policy have cost too much; none is evaluated any more. */
export class OutOfBudgetError extends CelError {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run');
  }
}

export interface CompiledVariable {
  name: string;
  /** Or why there is none. */
  program: AdmissionProgram | CelError;
}

export interface ScopeOptions {
  params?: KubeObject | null;
  variables?: readonly CompiledVariable[];
  budget: Budget;
  /** Match conditions do not see the namespace. */
  hidesNamespace?: boolean;
}

interface EvaluationOptions {
  authorizer?: Authorizer | undefined;
  /** What a rule matched, where it is not the request's own kind. */
  matched?: MatchedKind | undefined;
  clock?: Clock | undefined;
}

/** One request, as all expressions about it see it. */
export class Evaluation {
  readonly decisions: Decisions;
  readonly values: RequestValues;
  /** Measures evaluations, where that is wanted. */
  readonly clock: Clock | undefined;

  constructor(
    attributes: AdmissionAttributes,
    namespace: Namespace | undefined,
    { authorizer = nobody, matched, clock }: EvaluationOptions,
  ) {
    this.decisions = new Decisions(authorizer);
    this.clock = clock;
    const { kind, subresource, name, user } = attributes;
    const asked = { group: kind.group, resource: kind.plural, subresource, namespace: namespaceOf(attributes), name };
    this.values = {
      object: new LazyValue(attributes.object),
      oldObject: new LazyValue(attributes.old),
      request: new LazyValue(requestOf(attributes, matched)),
      namespaceObject: namespaceValue(namespace),
      authorizer: new AuthorizerValue(this.decisions, user, asked),
    };
  }

  static async of(attributes: AdmissionAttributes, view: ClusterView, authorizer?: Authorizer, matched?: MatchedKind): Promise<Evaluation> {
    const { kind, namespace } = attributes;
    const isInNamespace = kind.namespaced && namespace !== '';
    const clock = view.measures?.clock;
    return new Evaluation(attributes, isInNamespace ? await view.get(namespaces, '', namespace) : undefined, {
      authorizer,
      matched,
      clock,
    });
  }

  /** Sees the object as it is now; scopes made before do not. */
  refresh(object: KubeObject | undefined): void {
    this.values.object = new LazyValue(object);
  }

  scope(options: ScopeOptions): EvaluationScope {
    return new EvaluationScope(this, options);
  }
}

const none = {};

/** What expressions see by name; each is converted when it is asked for. */
function scopeValues(request: RequestValues, params: LazyValue, variables: object): Readonly<Record<string, unknown>> {
  const { object, oldObject, request: asked, namespaceObject, authorizer } = request;
  return {
    variables,
    authorizer,
    get object() {
      return object.value;
    },
    get oldObject() {
      return oldObject.value;
    },
    get request() {
      return asked.value;
    },
    get namespaceObject() {
      return namespaceObject.value;
    },
    get params() {
      return params.value;
    },
  };
}

/** The variables of one policy with one parameter; composed ones are evaluated once, and only when they are asked for. */
export class EvaluationScope {
  readonly clock: Clock | undefined;
  readonly #decisions: Decisions;
  readonly #budget: Budget;
  readonly #values: Readonly<Record<string, unknown>>;
  /** What composed variables have cost in the evaluation under way. */
  #composedCost = 0;

  constructor({ decisions, values, clock }: Evaluation, { params = null, variables, budget, hidesNamespace = false }: ScopeOptions) {
    this.clock = clock;
    this.#decisions = decisions;
    this.#budget = budget;
    const namespaceObject = hidesNamespace ? nothing : values.namespaceObject;
    this.#values = scopeValues({ ...values, namespaceObject }, paramsValue(params), this.#composed(variables));
  }

  /** @throws CelError when the expression fails; OutOfBudgetError when no more may be evaluated */
  async evaluate(program: AdmissionProgram): Promise<unknown> {
    this.#composedCost = 0;
    for (let round = 0; round < roundsMax; round++) {
      let outcome: { result: unknown } | { error: CelError };
      let cost = 0;
      try {
        outcome = { result: this.#run(program, (spent) => (cost += spent)) };
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        outcome = { error };
      }
      if (await this.#decisions.arrived()) continue;
      this.#budget.spend(cost + this.#composedCost);
      if ('error' in outcome) throw new CelError(`expression '${program.expression}' resulted in error: ${outcome.error.message}`);
      return outcome.result;
    }
    throw new CelError('the authorizer was asked too often');
  }

  #run(program: AdmissionProgram, spend: (cost: number) => void): unknown {
    const meter = { cost: 0, limit: callCostMax };
    try {
      return program.evaluate(this.#values, meter);
    } finally {
      spend(meter.cost);
    }
  }

  #composed(variables: readonly CompiledVariable[] | undefined): object {
    if (!variables?.length) return none;
    const all = {};
    for (const { name, program } of variables) {
      let known: { result: unknown } | undefined;
      Object.defineProperty(all, name, {
        // What walks over all values must not evaluate it.
        enumerable: false,
        get: () => {
          if (program instanceof CelError) throw new CelError(`composited variable "${name}" fails to compile: ${program.message}`);
          try {
            known ??= { result: this.#run(program, (cost) => (this.#composedCost += cost)) };
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
}
