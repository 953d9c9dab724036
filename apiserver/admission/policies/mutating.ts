// Mutating admission policies: expressions whose patches are applied to what is written (admission plug-in
// MutatingAdmissionPolicy, k8s.io/apiserver/pkg/admission/plugin/policy/mutating).

import { isDeepStrictEqual } from 'node:util';
import {
  type MutatingAdmissionPolicy,
  type MutatingAdmissionPolicyBinding,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
} from '../../../api/admissionregistration.ts';
import { forbiddenError, StatusError, type StatusReason } from '../../../api/status.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import { AdmissionExpressions, type AdmissionProgram } from '../../cel/admission-expressions.ts';
import { CelError } from '../../cel/environment.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';
import { resourcesMatch } from '../matching.ts';
import type { InvocationMemory } from '../reinvocation.ts';
import { replaceObject } from '../replace-object.ts';
import { Budget, budgetMax, type CompiledVariable, Evaluation } from './evaluation.ts';
import { compileOrError, conditionsHold } from './match-conditions.ts';
import { ConfigurationError, paramsOf } from './params.ts';
import { withConfiguration, withOperations } from './patches.ts';
import { type Hook, PolicyIndex } from './policy-index.ts';
import { PolicyMetrics } from './policy-metrics.ts';
import { namespaceOf } from './request-values.ts';

interface CompiledPolicy {
  expressions: AdmissionExpressions;
  variables: readonly CompiledVariable[];
  mutations: readonly { program: AdmissionProgram | CelError; isJsonPatch: boolean }[];
}

const compiledPolicies = new WeakMap<MutatingAdmissionPolicy, CompiledPolicy>();

function compiledOf(policy: MutatingAdmissionPolicy): CompiledPolicy {
  const known = compiledPolicies.get(policy);
  if (known) return known;
  const { paramKind, variables = [], mutations = [] } = policy.spec ?? {};
  const expressions = new AdmissionExpressions({ hasParams: paramKind !== undefined, hasAuthorizer: true }, true);
  const compiled: CompiledPolicy = {
    expressions,
    variables: variables.map(({ name, expression }) => ({ name, program: compileOrError(() => expressions.declare(name, expression)) })),
    mutations: mutations.map(({ patchType, applyConfiguration, jsonPatch }) => {
      const isJsonPatch = patchType === 'JSONPatch';
      const expression = (isJsonPatch ? jsonPatch : applyConfiguration)?.expression ?? '';
      const types = [isJsonPatch ? 'list(JSONPatch)' : 'Object'];
      return { program: compileOrError(() => expressions.compile(expression, types, { hasPatchTypes: true })), isJsonPatch };
    }),
  };
  compiledPolicies.set(policy, compiled);
  return compiled;
}

type MutatingHook = Hook<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding>;

/** One policy, for one binding and one parameter. */
interface Invocation {
  readonly policy: MutatingAdmissionPolicy;
  readonly binding: MutatingAdmissionPolicyBinding;
  readonly param: KubeObject | null;
  /** The same from one pass to the next. */
  readonly key: string;
}

interface PolicyProblem {
  readonly policy: MutatingAdmissionPolicy;
  readonly binding: MutatingAdmissionPolicyBinding | undefined;
  readonly message: string;
  readonly reason: StatusReason;
}

export function mutatingPolicies(view: ClusterView, authorizer?: Authorizer): AdmissionPlugin {
  const index = new PolicyIndex(view, mutatingAdmissionPolicies, mutatingAdmissionPolicyBindings);
  const metrics = view.measures && new PolicyMetrics(view.measures.registry, 'mutating');
  return {
    name: 'MutatingAdmissionPolicy',
    // There is nothing to change in a deletion.
    operations: ['CREATE', 'UPDATE', 'CONNECT'],
    handles: (attributes) => index.hooksFor(attributes).length > 0,
    async admit(attributes, reinvocation) {
      const problems: PolicyProblem[] = [];
      const invocations: Invocation[] = [];
      for (const hook of index.hooksFor(attributes)) await collect(view, hook, attributes, invocations, problems);
      if (invocations.length) {
        const evaluation = await Evaluation.of(attributes, view, authorizer);
        await new Pass(view, attributes, evaluation, reinvocation.memoryOf('MutatingAdmissionPolicy'), metrics).run(invocations, problems);
      }
      const refusal = refusalOf(problems, attributes);
      if (refusal) throw refusal;
    },
  };
}

/** Adds what the policy is to be invoked with. */
async function collect(
  view: ClusterView,
  { policy, bindings, paramKind, configurationError }: MutatingHook,
  attributes: AdmissionAttributes,
  invocations: Invocation[],
  problems: PolicyProblem[],
): Promise<void> {
  if (!(await resourcesMatch(view, policy.spec?.matchConstraints, attributes))) return;
  if (configurationError !== undefined) {
    problems.push({ policy, binding: undefined, message: `failed to configure policy: ${configurationError}`, reason: '' });
    return;
  }
  for (const binding of bindings) {
    if (!(await resourcesMatch(view, binding.spec?.matchResources, attributes))) continue;
    try {
      for (const param of await paramsOf(view, paramKind, binding.spec?.paramRef, namespaceOf(attributes))) {
        const { namespace = '', name = '' } = param?.metadata ?? {};
        const key = JSON.stringify([policy.metadata?.name, binding.metadata?.name, namespace, name]);
        invocations.push({ policy, binding, param, key });
      }
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push({ policy, binding, message: `failed to configure binding: ${error.message}`, reason: '' });
    }
  }
}

/** The invocations about one request, in order. */
class Pass {
  readonly #view: ClusterView;
  readonly #attributes: AdmissionAttributes;
  readonly #evaluation: Evaluation;
  readonly #memory: InvocationMemory;
  readonly #metrics: PolicyMetrics | undefined;

  constructor(
    view: ClusterView,
    attributes: AdmissionAttributes,
    evaluation: Evaluation,
    memory: InvocationMemory,
    metrics: PolicyMetrics | undefined,
  ) {
    this.#view = view;
    this.#attributes = attributes;
    this.#evaluation = evaluation;
    this.#memory = memory;
    this.#metrics = metrics;
  }

  async run(invocations: readonly Invocation[], problems: PolicyProblem[]): Promise<void> {
    const { object } = this.#attributes;
    this.#memory.begin(object);
    let hasRun = false;
    for (const invocation of invocations) {
      const { policy, binding, param, key } = invocation;
      const { matchConditions, reinvocationPolicy } = policy.spec ?? {};
      try {
        const { expressions, variables } = compiledOf(policy);
        if (!(await conditionsHold(matchConditions, this.#evaluation, { params: param, variables, expressions }))) continue;
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        problems.push({ policy, binding, message: error.message, reason: 'Invalid' });
        continue;
      }
      if (!this.#memory.isDue(key)) continue;
      if (object) hasRun = (await this.#mutate(invocation, object, problems)) || hasRun;
      if (reinvocationPolicy === 'IfNeeded') this.#memory.mayRepeat(key);
    }
    if (hasRun) this.#memory.changed();
    this.#memory.end(object);
  }

  /** Whether any mutation went through. */
  async #mutate({ policy, binding, param }: Invocation, object: KubeObject, problems: PolicyProblem[]): Promise<boolean> {
    const { variables, mutations } = compiledOf(policy);
    const before = structuredClone(object);
    let hasRun = false;
    for (const { program, isJsonPatch } of mutations) {
      const startMs = this.#view.measures?.clock.monotonicMs() ?? 0;
      let message: string | undefined;
      try {
        if (program instanceof CelError) throw new CelError(program.message.replace(/^compilation error: /, ''));
        const scope = this.#evaluation.scope({ params: param, variables, budget: new Budget(budgetMax) });
        this.#apply(object, await scope.evaluate(program), isJsonPatch);
        hasRun = true;
      } catch (error) {
        if (!(error instanceof CelError) && !(error instanceof StatusError)) throw error;
        message = error.message;
        if (error instanceof StatusError) throw error;
        problems.push({ policy, binding, message, reason: 'Invalid' });
      } finally {
        const seconds = ((this.#view.measures?.clock.monotonicMs() ?? 0) - startMs) / 1000;
        this.#metrics?.observe({ policy: policy.metadata?.name ?? '', binding: binding.metadata?.name ?? '', message, seconds });
      }
    }
    if (!isDeepStrictEqual(before, object)) this.#memory.changed();
    return hasRun;
  }

  /** @throws CelError, or StatusError for what is no such object any more */
  #apply(object: KubeObject, made: unknown, isJsonPatch: boolean): void {
    const { kind } = this.#attributes;
    const served = this.#view.resources.ofKind(kind);
    if (!served) {
      const why = `Resource kind ${kind.group}/${kind.version}, Kind=${kind.kind} not found.`;
      throw new StatusError(
        'ServiceUnavailable',
        `${why} There can be a delay between when CustomResourceDefinitions are created and when they are available.`,
      );
    }
    replaceObject(object, isJsonPatch ? withOperations(object, made, served.schema) : withConfiguration(object, made, served.schema));
    served.declaration.defaults?.(object);
    this.#evaluation.refresh(object);
  }
}

function refusalOf(problems: readonly PolicyProblem[], { kind, name }: AdmissionAttributes): StatusError | undefined {
  const grave = problems.filter(({ policy }) => policy.spec?.failurePolicy !== 'Ignore');
  const [first] = grave;
  if (!first) return undefined;
  const { details, code } = forbiddenError(kind, name, 'admission request denied by policy');
  const texts = grave.map(({ policy, binding, message }) =>
    binding
      ? `policy '${policy.metadata?.name}' with binding '${binding.metadata?.name}' denied request: ${message}`
      : `policy ${JSON.stringify(policy.metadata?.name)} denied request: ${message}`,
  );
  const causes = [...(details?.causes ?? []), ...texts.map((message) => ({ message }))];
  return StatusError.fromStatus({ reason: first.reason || 'Forbidden', message: texts[0] ?? '', code, details: { ...details, causes } });
}
