// Mutating admission policies: expressions whose patches are applied to what is written (admission plug-in
// MutatingAdmissionPolicy, k8s.io/apiserver/pkg/admission/plugin/policy/mutating).

import { isDeepStrictEqual } from 'node:util';
import {
  type MutatingAdmissionPolicy,
  type MutatingAdmissionPolicyBinding,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
} from '../../../api/admissionregistration.ts';
import type { Kind } from '../../../api/kind.ts';
import { forbiddenError, StatusError, type StatusReason } from '../../../api/status.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import { AdmissionExpressions, type AdmissionProgram } from '../../cel/admission-expressions.ts';
import { CelError } from '../../cel/environment.ts';
import { defaultObject } from '../../resources/defaulted.ts';
import { schemaOf } from '../../schema/schema.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';
import { resourcesMatch } from '../matching.ts';
import type { InvocationMemory } from '../reinvocation.ts';
import { replaceObject } from '../replace-object.ts';
import { converted } from '../webhooks/hooks.ts';
import { Budget, budgetMax, type CompiledVariable, type Evaluation } from './evaluation.ts';
import { compileOrError, conditionsHold } from './match-conditions.ts';
import { ConfigurationError, paramsOf } from './params.ts';
import { withConfiguration, withOperations } from './patches.ts';
import { type Hook, PolicyIndex } from './policy-index.ts';
import { PolicyMetrics } from './policy-metrics.ts';
import { namespaceOf } from './request-values.ts';
import { versionedEvaluation } from './versioned-evaluation.ts';

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
  /** What the policy's rules name. */
  readonly kind: Kind;
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
        const memory = reinvocation.memoryOf('MutatingAdmissionPolicy');
        await new Pass({ view, attributes, authorizer, memory, metrics }).run(invocations, problems);
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
  const kind = await resourcesMatch(view, policy.spec?.matchConstraints, attributes);
  if (!kind) return;
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
        invocations.push({ policy, binding, param, kind, key });
      }
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push({ policy, binding, message: `failed to configure binding: ${error.message}`, reason: '' });
    }
  }
}

interface PassParts {
  readonly view: ClusterView;
  readonly attributes: AdmissionAttributes;
  readonly authorizer: Authorizer | undefined;
  readonly memory: InvocationMemory;
  readonly metrics: PolicyMetrics | undefined;
}

/** The invocations about one request, in order. */
class Pass {
  readonly #parts: PassParts;
  /** Of the object as it is now, and of the kind it was made for. */
  #evaluation: { kind: Kind; evaluation: Evaluation } | undefined;

  constructor(parts: PassParts) {
    this.#parts = parts;
  }

  async run(invocations: readonly Invocation[], problems: PolicyProblem[]): Promise<void> {
    const { memory, attributes } = this.#parts;
    memory.begin(attributes.object);
    let hasRun = false;
    for (const invocation of invocations) {
      const { policy, binding, param, kind, key } = invocation;
      const { matchConditions, reinvocationPolicy } = policy.spec ?? {};
      try {
        const { expressions, variables } = compiledOf(policy);
        const evaluation = await this.#evaluationAs(kind);
        if (!(await conditionsHold(matchConditions, evaluation, { params: param, variables, expressions }))) continue;
      } catch (error) {
        if (!(error instanceof CelError) && !(error instanceof ConfigurationError)) throw error;
        problems.push({ policy, binding, message: error.message, reason: 'Invalid' });
        continue;
      }
      if (!memory.isDue(key)) continue;
      if (attributes.object) hasRun = (await this.#mutate(invocation, attributes.object, problems)) || hasRun;
      if (reinvocationPolicy === 'IfNeeded') memory.mayRepeat(key);
    }
    if (hasRun) memory.changed();
    memory.end(attributes.object);
  }

  async #evaluationAs(kind: Kind): Promise<Evaluation> {
    if (this.#evaluation?.kind === kind) return this.#evaluation.evaluation;
    const { view, attributes, authorizer } = this.#parts;
    const evaluation = await versionedEvaluation(view, attributes, kind, authorizer);
    this.#evaluation = { kind, evaluation };
    return evaluation;
  }

  /** Whether any mutation went through. */
  async #mutate({ policy, binding, param, kind }: Invocation, object: KubeObject, problems: PolicyProblem[]): Promise<boolean> {
    const { view, memory, metrics } = this.#parts;
    const { variables, mutations } = compiledOf(policy);
    // What lies deeper is never changed in place.
    const before = { ...object, metadata: { ...object.metadata } };
    let hasRun = false;
    for (const { program, isJsonPatch } of mutations) {
      const startMs = view.measures?.clock.monotonicMs() ?? 0;
      let message: string | undefined;
      try {
        if (program instanceof CelError) throw new CelError(program.message.replace(/^compilation error: /, ''));
        const evaluation = await this.#evaluationAs(kind);
        const scope = evaluation.scope({ params: param, variables, budget: new Budget(budgetMax) });
        await this.#apply(object, kind, await scope.evaluate(program), isJsonPatch);
        hasRun = true;
      } catch (error) {
        if (!(error instanceof CelError) && !(error instanceof StatusError)) throw error;
        message = error.message;
        if (error instanceof StatusError) throw error;
        problems.push({ policy, binding, message, reason: 'Invalid' });
      } finally {
        const seconds = ((view.measures?.clock.monotonicMs() ?? 0) - startMs) / 1000;
        metrics?.observe({ policy: policy.metadata?.name ?? '', binding: binding.metadata?.name ?? '', message, seconds });
      }
    }
    if (!isDeepStrictEqual(before, object)) memory.changed();
    return hasRun;
  }

  /** `made` for an object of `kind`. @throws CelError, or StatusError for what is no such object any more */
  async #apply(object: KubeObject, kind: Kind, made: unknown, isJsonPatch: boolean): Promise<void> {
    const { view, attributes } = this.#parts;
    const { objectKind } = attributes;
    const served = objectKind ? undefined : view.resources.ofKind(kind);
    const schema = objectKind ? schemaOf(objectKind.group, objectKind.version, objectKind.kind) : served?.schema;
    if (!schema) throw unknownKindError(objectKind ?? kind);
    const isOwn = kind === attributes.kind || objectKind !== undefined;
    const current = isOwn ? object : await converted(view, object, attributes.kind, kind);
    const patched = isJsonPatch ? withOperations(current, made, schema) : withConfiguration(current, made, schema);
    if (served) defaultObject(served.declaration, patched);
    replaceObject(object, isOwn ? patched : await converted(view, patched, kind, attributes.kind));
    if (isOwn) this.#evaluation?.evaluation.refresh(object);
    else this.#evaluation = undefined;
  }
}

function unknownKindError({ group, version, kind }: Pick<Kind, 'group' | 'version' | 'kind'>): StatusError {
  const hint = 'There can be a delay between when CustomResourceDefinitions are created and when they are available.';
  return new StatusError('ServiceUnavailable', `Resource kind ${group}/${version}, Kind=${kind} not found. ${hint}`);
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
