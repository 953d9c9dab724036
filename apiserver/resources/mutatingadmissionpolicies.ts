// Mutating admission policies and their bindings: expressions that change requests' objects, and where they do.

import {
  type MatchResources,
  type MutatingAdmissionPolicy,
  type MutatingAdmissionPolicyBinding,
  type Mutation,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
} from '../../api/admissionregistration.ts';
import { type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import { AdmissionExpressions } from '../cel/admission-expressions.ts';
import {
  choiceErrors,
  defaultMatchResources,
  failurePolicies,
  matchConditionsErrors,
  matchConstraintsErrors,
  matchResourcesErrors,
  paramKindErrors,
  paramRefErrors,
  policyNameErrors,
} from './admission-rules.ts';
import { ageColumn, integer, nameColumn } from './columns.ts';
import { bumpGeneration, startGeneration } from './generation.ts';
import { serve } from './resource.ts';
import { bindingColumns, paramKindColumn, variablesErrors } from './validatingadmissionpolicies.ts';

/** There is nothing to change in a deletion. */
const operations = ['*', 'CONNECT', 'CREATE', 'UPDATE'];
const reinvocationPolicies = ['IfNeeded', 'Never'];
const patchTypes = ['ApplyConfiguration', 'JSONPatch'];
/** The field each patch type's expression stands in, and what it evaluates to. */
const patchKinds = {
  ApplyConfiguration: { field: 'applyConfiguration', other: 'jsonPatch', type: 'Object' },
  JSONPatch: { field: 'jsonPatch', other: 'applyConfiguration', type: 'list(JSONPatch)' },
} as const;

function operationsErrors(match: MatchResources | undefined, at: string, errors: FieldError[]): void {
  for (const rule of match?.resourceRules ?? [])
    for (const operation of rule.operations ?? [])
      if (!operations.includes(operation)) errors.push(notSupported(at, operation, operations));
}

function mutationErrors(mutation: Mutation, expressions: AdmissionExpressions, at: string, errors: FieldError[]): void {
  const { patchType } = mutation;
  if (!patchType) {
    errors.push(required(`${at}.patchType`));
    return;
  }
  if (patchType !== 'ApplyConfiguration' && patchType !== 'JSONPatch') {
    errors.push(notSupported(`${at}.patchType`, patchType, patchTypes));
    return;
  }
  const { field, other, type } = patchKinds[patchType];
  const expression = mutation[field]?.expression?.trim();
  if (!mutation[field]) errors.push(required(`${at}.${field}`, `must be specified when patchType is ${patchType}`));
  else if (!expression) errors.push(required(`${at}.${field}.expression`));
  else errors.push(...expressions.errors(expression, [type], `${at}.${field}.expression`, { hasPatchTypes: true }));
  if (mutation[other]) errors.push(invalid(`${at}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`));
}

function validatePolicy({ spec = {} }: MutatingAdmissionPolicy): FieldError[] {
  const errors: FieldError[] = [];
  const scope = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true };
  choiceErrors(spec.failurePolicy, failurePolicies, 'spec.failurePolicy', errors);
  if (spec.paramKind) paramKindErrors(spec.paramKind, 'spec.paramKind', errors);
  matchConstraintsErrors(spec.matchConstraints, 'spec.matchConstraints', errors);
  operationsErrors(spec.matchConstraints, 'spec.matchConstraints.resourceRules.operations', errors);
  matchConditionsErrors(spec.matchConditions, new AdmissionExpressions(scope), 'spec.matchConditions', errors);
  const expressions = new AdmissionExpressions(scope, true);
  variablesErrors(spec.variables, expressions, 'spec.variables', errors);
  if (!spec.mutations?.length) errors.push(required('spec.mutations', 'mutations must contain at least one item'));
  eachAt(spec.mutations, 'spec.mutations', (mutation, at) => mutationErrors(mutation, expressions, at, errors));
  choiceErrors(spec.reinvocationPolicy || undefined, reinvocationPolicies, 'spec.reinvocationPolicy', errors);
  return errors;
}

export const mutatingAdmissionPolicyResource = serve<MutatingAdmissionPolicy>(mutatingAdmissionPolicies, {
  defaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= 'Fail';
    defaultMatchResources(spec.matchConstraints);
  },
  beforeCreate: startGeneration,
  beforeUpdate: bumpGeneration,
  validate: validatePolicy,
  columns: [
    nameColumn(),
    integer(
      'Mutations',
      'Mutation indicates the number of mutations rules defined in this configuration',
      ({ spec }) => spec?.mutations?.length,
    ),
    paramKindColumn(),
    ageColumn(),
  ],
});

function validateBinding({ spec }: MutatingAdmissionPolicyBinding): FieldError[] {
  const errors: FieldError[] = [];
  policyNameErrors(spec?.policyName, 'spec.policyName', errors);
  paramRefErrors(spec?.paramRef, 'spec.paramRef', errors);
  matchResourcesErrors(spec?.matchResources, 'spec.matchResources', errors);
  operationsErrors(spec?.matchResources, 'spec.matchResources.resourceRules.operations', errors);
  return errors;
}

export const mutatingAdmissionPolicyBindingResource = serve<MutatingAdmissionPolicyBinding>(mutatingAdmissionPolicyBindings, {
  defaults: ({ spec }) => defaultMatchResources(spec?.matchResources),
  beforeCreate: startGeneration,
  beforeUpdate: bumpGeneration,
  validate: validateBinding,
  columns: bindingColumns(),
});
