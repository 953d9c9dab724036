// Mutating admission policies: expressions whose patches are applied to what is written (admission plug-in
// MutatingAdmissionPolicy, k8s.io/apiserver/pkg/admission/plugin/policy/mutating).

import {
  type MutatingAdmissionPolicy,
  type MutatingAdmissionPolicyBinding,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
} from '../../../api/admissionregistration.ts';
import { jsonPatch } from '../../../api/patch/json-patch.ts';
import { forbiddenError } from '../../../api/status.ts';
import type { KubeObject } from '../../../api/wire.ts';
import { mergeObjects } from '../../apply/merge.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import { AdmissionExpressions } from '../../cel/admission-expressions.ts';
import { CelError, type CelProgram } from '../../cel/environment.ts';
import { plainJson } from '../../cel/patch-types.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';
import { resourcesMatch } from '../matching.ts';
import { replaceObject } from '../replace-object.ts';
import { type CompiledVariable, compileVariables, conditionsHold, Evaluation } from './evaluation.ts';
import { ConfigurationError, paramsOf } from './params.ts';

interface CompiledPolicy {
  variables: CompiledVariable[];
  mutations: { program: CelProgram; isJsonPatch: boolean }[];
}

const compiledPolicies = new WeakMap<MutatingAdmissionPolicy, CompiledPolicy>();

function compiledOf(policy: MutatingAdmissionPolicy): CompiledPolicy {
  const known = compiledPolicies.get(policy);
  if (known) return known;
  const { paramKind, variables, mutations = [] } = policy.spec ?? {};
  const expressions = new AdmissionExpressions({ hasParams: paramKind !== undefined, hasAuthorizer: true }, true);
  const compiled: CompiledPolicy = {
    variables: compileVariables(variables, expressions),
    mutations: mutations.map(({ patchType, applyConfiguration, jsonPatch: patch }) => ({
      program: expressions.compile((applyConfiguration ?? patch)?.expression?.trim() ?? '', [], { hasPatchTypes: true }),
      isJsonPatch: patchType === 'JSONPatch',
    })),
  };
  compiledPolicies.set(policy, compiled);
  return compiled;
}

const isExempt = ({ kind }: AdmissionAttributes) => kind.group === 'admissionregistration.k8s.io';

export function mutatingPolicies(view: ClusterView, authorizer?: Authorizer): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionPolicy',
    operations: ['CREATE', 'UPDATE', 'CONNECT'],
    handles: (attributes) => view.list(mutatingAdmissionPolicyBindings).length > 0 && !isExempt(attributes),
    async admit(attributes) {
      if (!attributes.object) return;
      const evaluation = await Evaluation.of(attributes, view, authorizer);
      const run = { view, attributes, evaluation };
      const again: { policy: MutatingAdmissionPolicy; text: string }[] = [];
      for (const policy of view.list(mutatingAdmissionPolicies)) {
        if (!(await applyPolicy(run, policy))) continue;
        if (policy.spec?.reinvocationPolicy === 'IfNeeded') again.push({ policy, text: JSON.stringify(attributes.object) });
      }
      // Once more, in order, for those whose object another policy has changed after them.
      for (const { policy, text } of again) if (JSON.stringify(attributes.object) !== text) await applyPolicy(run, policy);
    },
  };
}

interface Run {
  view: ClusterView;
  attributes: AdmissionAttributes;
  evaluation: Evaluation;
}

/** Whether the policy is about the request. */
async function applyPolicy(run: Run, policy: MutatingAdmissionPolicy): Promise<boolean> {
  const { view, attributes } = run;
  const bindings = view.list(mutatingAdmissionPolicyBindings).filter(({ spec }) => spec?.policyName === policy.metadata?.name);
  if (bindings.length === 0 || !(await resourcesMatch(view, policy.spec?.matchConstraints, attributes))) return false;
  let isConcerned = false;
  for (const binding of bindings) {
    if (!(await resourcesMatch(view, binding.spec?.matchResources, attributes))) continue;
    isConcerned = true;
    await applyBinding(run, policy, binding);
  }
  return isConcerned;
}

async function applyBinding(run: Run, policy: MutatingAdmissionPolicy, binding: MutatingAdmissionPolicyBinding): Promise<void> {
  const { view, attributes, evaluation } = run;
  const { paramKind, failurePolicy, matchConditions } = policy.spec ?? {};
  try {
    for (const param of paramsOf(view, paramKind, binding.spec?.paramRef, attributes)) {
      if (!(await conditionsHold(matchConditions, evaluation, { params: param, hasParams: paramKind !== undefined }))) continue;
      await mutate(run, policy, param);
    }
  } catch (error) {
    if (!(error instanceof CelError) && !(error instanceof ConfigurationError)) throw error;
    if (failurePolicy === 'Ignore') return;
    const head = error instanceof ConfigurationError ? 'failed to configure binding: ' : '';
    const who = `policy '${policy.metadata?.name}' with binding '${binding.metadata?.name}' denied request`;
    throw forbiddenError(attributes.kind, attributes.name, `${who}: ${head}${error.message}`);
  }
}

/** @throws CelError for an expression that fails, or makes no patch that can be applied */
async function mutate({ view, attributes, evaluation }: Run, policy: MutatingAdmissionPolicy, param: KubeObject | null): Promise<void> {
  const { variables, mutations } = compiledOf(policy);
  const served = view.resources.ofKind(attributes.kind);
  const { object } = attributes;
  if (!object || !served) return;
  for (const { program, isJsonPatch } of mutations) {
    const made = plainJson(await evaluation.evaluate(program, param, variables), isJsonPatch ? '' : 'Object');
    const patched = isJsonPatch ? patchedBy(object, made) : (mergeObjects(object as never, made as never, served.schema) as KubeObject);
    replaceObject(object, JSON.parse(JSON.stringify(patched)) as KubeObject);
    served.declaration.defaults?.(object);
    evaluation.refresh(object);
  }
}

function patchedBy(object: KubeObject, operations: unknown): KubeObject {
  try {
    return jsonPatch(object, operations) as KubeObject;
  } catch (error) {
    throw new CelError(`JSON Patch: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
