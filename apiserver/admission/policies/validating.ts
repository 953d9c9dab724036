// Validating admission policies: expressions that every write within their reach must satisfy (admission plug-in
// ValidatingAdmissionPolicy, k8s.io/apiserver/pkg/admission/plugin/policy/validating).

import {
  type ValidatingAdmissionPolicy,
  type ValidatingAdmissionPolicyBinding,
  type Validation,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
} from '../../../api/admissionregistration.ts';
import type { Kind } from '../../../api/kind.ts';
import type { StatusReason } from '../../../api/status.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import { AdmissionExpressions, type AdmissionProgram } from '../../cel/admission-expressions.ts';
import { CelError } from '../../cel/environment.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';
import { resourcesMatch } from '../matching.ts';
import { Budget, budgetMax, type CompiledVariable, type Evaluation, type EvaluationScope, OutOfBudgetError } from './evaluation.ts';
import { Findings } from './findings.ts';
import { compileOrError, conditionsHold } from './match-conditions.ts';
import { ConfigurationError, paramsOf } from './params.ts';
import { type Hook, PolicyIndex } from './policy-index.ts';
import { PolicyMetrics } from './policy-metrics.ts';
import { namespaceOf } from './request-values.ts';
import { versionedEvaluation } from './versioned-evaluation.ts';

const messageBytesMax = 5 * 1024;

type Compiled = AdmissionProgram | CelError;

interface CompiledPolicy {
  expressions: AdmissionExpressions;
  variables: readonly CompiledVariable[];
  validations: readonly { validation: Validation; program: Compiled; message: Compiled | undefined }[];
  annotations: readonly { key: string; program: Compiled }[];
}

const compiledPolicies = new WeakMap<ValidatingAdmissionPolicy, CompiledPolicy>();

function compiledOf(policy: ValidatingAdmissionPolicy): CompiledPolicy {
  const known = compiledPolicies.get(policy);
  if (known) return known;
  const { paramKind, variables = [], validations = [], auditAnnotations = [] } = policy.spec ?? {};
  const expressions = new AdmissionExpressions({ hasParams: paramKind !== undefined, hasAuthorizer: true }, true);
  const compile = (expression: string, types: readonly string[], hasAuthorizer = true) =>
    compileOrError(() => expressions.compile(expression, types, { hasAuthorizer }));
  const compiled: CompiledPolicy = {
    expressions,
    variables: variables.map(({ name, expression }) => ({ name, program: compileOrError(() => expressions.declare(name, expression)) })),
    validations: validations.map((validation) => ({
      validation,
      program: compile(validation.expression, ['bool']),
      message: validation.messageExpression ? compile(validation.messageExpression, ['string'], false) : undefined,
    })),
    annotations: auditAnnotations.map(({ key, valueExpression }) => ({ key, program: compile(valueExpression, ['string', 'null']) })),
  };
  compiledPolicies.set(policy, compiled);
  return compiled;
}

type ValidatingHook = Hook<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>;

export function validatingPolicies(view: ClusterView, authorizer?: Authorizer): AdmissionPlugin {
  const index = new PolicyIndex(view, validatingAdmissionPolicies, validatingAdmissionPolicyBindings);
  const metrics = view.measures && new PolicyMetrics(view.measures.registry, 'validating');
  return {
    name: 'ValidatingAdmissionPolicy',
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    handles: (attributes) => index.hooksFor(attributes).length > 0,
    async validate(attributes) {
      const findings = new Findings();
      const evaluations = new Map<Kind, Evaluation>();
      const evaluationAs = async (kind: Kind) => {
        const found = evaluations.get(kind) ?? (await versionedEvaluation(view, attributes, kind, authorizer));
        evaluations.set(kind, found);
        return found;
      };
      for (const hook of index.hooksFor(attributes)) {
        const kind = await resourcesMatch(view, hook.policy.spec?.matchConstraints, attributes);
        if (kind) await new Application({ view, hook, attributes, findings, metrics, evaluationOf: () => evaluationAs(kind) }).run();
      }
      findings.publish(attributes);
      const refusal = findings.refusal(attributes);
      if (refusal) throw refusal;
    },
  };
}

/** What came of one expression. */
interface Decision {
  readonly outcome: 'admit' | 'deny' | 'error';
  readonly message: string;
  readonly reason: StatusReason;
  readonly seconds: number;
}

const admitted: Decision = { outcome: 'admit', message: '', reason: '', seconds: 0 };
const failed = ({ message }: CelError, seconds = 0): Decision => ({ outcome: 'error', message, reason: 'Invalid', seconds });

/** What came of all expressions of a policy, for one binding and one parameter. */
interface Judgement {
  readonly decisions: readonly Decision[];
  /** Values, and why there are none. */
  readonly annotations: readonly { readonly key: string; readonly value: string | Decision }[];
}

interface ApplicationParts {
  readonly view: ClusterView;
  readonly hook: ValidatingHook;
  readonly attributes: AdmissionAttributes;
  readonly findings: Findings;
  readonly metrics: PolicyMetrics | undefined;
  /** Of the request as one for the kind that the policy's rules name. @throws ConfigurationError */
  evaluationOf(): Promise<Evaluation>;
}

/** One policy, applied to one request. */
class Application {
  readonly #parts: ApplicationParts;
  readonly #policy: string;
  /** What fails is passed over. */
  readonly #ignoresFailures: boolean;

  constructor(parts: ApplicationParts) {
    this.#parts = parts;
    const { policy } = parts.hook;
    this.#policy = policy.metadata?.name ?? '';
    this.#ignoresFailures = policy.spec?.failurePolicy === 'Ignore';
  }

  async run(): Promise<void> {
    const { view, attributes, hook } = this.#parts;
    const { bindings, configurationError, paramKind } = hook;
    if (configurationError !== undefined) {
      this.#misconfigured(`failed to configure policy: ${configurationError}`, undefined);
      return;
    }
    for (const binding of bindings) {
      if (!(await resourcesMatch(view, binding.spec?.matchResources, attributes))) continue;
      try {
        const params = await paramsOf(view, paramKind, binding.spec?.paramRef, namespaceOf(attributes));
        if (params.length === 0) continue;
        const evaluation = await this.#parts.evaluationOf();
        for (const param of params) await this.#validate(binding, param, evaluation);
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        this.#misconfigured(`failed to configure binding: ${error.message}`, binding.metadata?.name);
      }
    }
  }

  #misconfigured(message: string, binding: string | undefined): void {
    if (!this.#ignoresFailures) this.#parts.findings.deny({ policy: this.#policy, binding, message, reason: 'Invalid' });
  }

  async #validate(binding: ValidatingAdmissionPolicyBinding, params: KubeObject | null, evaluation: Evaluation): Promise<void> {
    let judgement: Judgement;
    try {
      judgement = await this.#judge(params, evaluation);
    } catch (error) {
      // A failure that leaves nothing else to say.
      if (!(error instanceof CelError)) throw error;
      judgement = { decisions: [failed(error)], annotations: [] };
    }
    for (const [i, decision] of judgement.decisions.entries()) this.#carryOut(binding, decision, i);
    for (const { key, value } of judgement.annotations) {
      if (typeof value === 'string') this.#parts.findings.annotate(`${this.#policy}/${key}`, value);
      else if (!this.#ignoresFailures) {
        const { message, seconds } = value;
        this.#parts.findings.deny({ policy: this.#policy, binding: binding.metadata?.name, message, reason: 'Invalid' });
        this.#observe(binding, 'deny', message, seconds);
      }
    }
  }

  /** @throws CelError when match conditions fail, or everything together costs too much */
  async #judge(params: KubeObject | null, evaluation: Evaluation): Promise<Judgement> {
    const { policy } = this.#parts.hook;
    const { expressions, variables, validations, annotations } = compiledOf(policy);
    const conditions = policy.spec?.matchConditions;
    if (!(await conditionsHold(conditions, evaluation, { params, variables, expressions }))) return { decisions: [], annotations: [] };
    const scope = evaluation.scope({ params, variables, budget: new Budget(budgetMax) });
    const outcomes: Attempt[] = [];
    for (const { program } of validations) outcomes.push(await attempt(scope, program));
    const decisions: Decision[] = [];
    for (const [i, { validation, message }] of validations.entries())
      decisions.push(await decide(outcomes[i]!, validation, message, scope));
    if (annotations.length === 0) return { decisions, annotations: [] };
    const made: { key: string; value: string | Decision }[] = [];
    const annotationScope = evaluation.scope({ params, variables, budget: new Budget(budgetMax) });
    for (const { key, program } of annotations) {
      const { result, seconds } = await attempt(annotationScope, program);
      if (result instanceof CelError) made.push({ key, value: failed(result, seconds) });
      else if (typeof result === 'string' && result.trim()) made.push({ key, value: result.trim() });
    }
    return { decisions, annotations: made };
  }

  #carryOut(binding: ValidatingAdmissionPolicyBinding, { outcome, message, reason, seconds }: Decision, expressionIndex: number): void {
    if (outcome === 'admit') return;
    if (outcome === 'error' && this.#ignoresFailures) {
      this.#observe(binding, 'allow', message, seconds);
      return;
    }
    const names = { policy: this.#policy, binding: binding.metadata?.name ?? '' };
    const validationActions = binding.spec?.validationActions ?? [];
    for (const action of validationActions) {
      if (action === 'Deny') this.#parts.findings.deny({ ...names, message, reason });
      else if (action === 'Audit') this.#parts.findings.audit({ message, ...names, expressionIndex, validationActions });
      else {
        const head = `Validation failed for ValidatingAdmissionPolicy '${names.policy}' with binding '${names.binding}'`;
        this.#parts.attributes.warn(`${head}: ${message}`);
      }
      this.#observe(binding, action.toLowerCase(), message, seconds);
    }
  }

  #observe(binding: ValidatingAdmissionPolicyBinding, enforcementAction: string, message: string, seconds: number): void {
    this.#parts.metrics?.observe({ policy: this.#policy, binding: binding.metadata?.name ?? '', message, seconds, enforcementAction });
  }
}

interface Attempt {
  /** Or why there is none. */
  readonly result: unknown;
  readonly seconds: number;
}

/** @throws OutOfBudgetError */
async function attempt(scope: EvaluationScope, program: Compiled): Promise<Attempt> {
  if (program instanceof CelError) return { result: program, seconds: 0 };
  const startMs = scope.clock?.monotonicMs() ?? 0;
  let result: unknown;
  try {
    result = await scope.evaluate(program);
  } catch (error) {
    if (!(error instanceof CelError) || error instanceof OutOfBudgetError) throw error;
    result = error;
  }
  return { result, seconds: ((scope.clock?.monotonicMs() ?? 0) - startMs) / 1000 };
}

async function decide(
  { result, seconds }: Attempt,
  validation: Validation,
  messageProgram: Compiled | undefined,
  scope: EvaluationScope,
): Promise<Decision> {
  if (result instanceof CelError) return failed(result, seconds);
  if (result === true) return admitted;
  const { reason = 'Invalid' } = validation;
  try {
    const message = await messageOf(validation, messageProgram, scope);
    return { outcome: 'deny', message, reason: reason as StatusReason, seconds };
  } catch (error) {
    if (!(error instanceof OutOfBudgetError)) throw error;
    return failed(new CelError(`failed messageExpression: ${error.message}`), seconds);
  }
}

/** An expression for a message that fails, or makes none that can be shown, is passed over. @throws OutOfBudgetError */
async function messageOf({ expression, message = '' }: Validation, program: Compiled | undefined, scope: EvaluationScope) {
  const made = program && (await attempt(scope, program)).result;
  if (typeof made === 'string') {
    const text = made.trim();
    if (text && Buffer.byteLength(text) <= messageBytesMax && !text.includes('\n')) return text;
  }
  return message.trim() || `failed expression: ${expression.trim()}`;
}
