// Validating admission policies and their bindings: expressions that refuse requests, and where they do.

import {
  type ValidatingAdmissionPolicy,
  type ValidatingAdmissionPolicyBinding,
  type Validation,
  type Variable,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
} from '../../api/admissionregistration.ts';
import { duplicate, type FieldError, invalid, notSupported, required } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import { qualifiedNameProblems } from '../../api/validation/formats.ts';
import type { KubeObject } from '../../api/wire.ts';
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
import { ageColumn, integer, nameColumn, selectorText, text } from './columns.ts';
import { bumpGeneration, keep, startGeneration } from './generation.ts';
import { serve } from './resource.ts';

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const auditAnnotationsMax = 20;
const valueExpressionBytesMax = 5 * 1024;
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);

/** Adds the problems of a policy's variables, declaring each for the expressions that follow. */
export function variablesErrors(
  variables: readonly Variable[] | undefined,
  expressions: AdmissionExpressions,
  at: string,
  errors: FieldError[],
): void {
  eachAt(variables, at, ({ name = '', expression = '' }, each) => {
    if (!name.trim()) errors.push(required(`${each}.name`, 'name is not specified'));
    else if (!identifier.test(name) || reserved.has(name)) errors.push(invalid(`${each}.name`, name, 'name is not a valid CEL identifier'));
    if (!expression.trim()) errors.push(required(`${each}.expression`, 'expression is not specified'));
    else errors.push(...expressions.declareErrors(name, expression, `${each}.expression`));
  });
}

function validationErrors(validation: Validation, expressions: AdmissionExpressions, at: string, errors: FieldError[]): void {
  const { expression = '', message = '', messageExpression = '', reason } = validation;
  if (!expression.trim()) errors.push(required(`${at}.expression`, 'expression is not specified'));
  else errors.push(...expressions.errors(expression, ['bool'], `${at}.expression`));
  if (messageExpression && !messageExpression.trim())
    errors.push(invalid(`${at}.messageExpression`, messageExpression, 'must be non-empty if specified'));
  else if (messageExpression)
    errors.push(...expressions.errors(messageExpression, ['string'], `${at}.messageExpression`, { hasAuthorizer: false }));
  if (message && !message.trim()) errors.push(invalid(`${at}.message`, message, 'message must be non-empty if specified'));
  else if (/[\n\r]/.test(message.trim())) errors.push(invalid(`${at}.message`, message, 'message must not contain line breaks'));
  if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(`${at}.reason`, reason, reasons));
}

function validatePolicy({ metadata, spec = {} }: ValidatingAdmissionPolicy): FieldError[] {
  const errors: FieldError[] = [];
  const scope = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true };
  choiceErrors(spec.failurePolicy, failurePolicies, 'spec.failurePolicy', errors);
  if (spec.paramKind) paramKindErrors(spec.paramKind, 'spec.paramKind', errors);
  matchConstraintsErrors(spec.matchConstraints, 'spec.matchConstraints', errors);
  matchConditionsErrors(spec.matchConditions, new AdmissionExpressions(scope), 'spec.matchConditions', errors);
  const expressions = new AdmissionExpressions(scope, (spec.variables?.length ?? 0) > 0);
  variablesErrors(spec.variables, expressions, 'spec.variables', errors);
  if (!spec.validations?.length && !spec.auditAnnotations?.length) {
    const why = 'validations or auditAnnotations must contain at least one item';
    errors.push(required('spec.validations', why), required('spec.auditAnnotations', why));
  }
  eachAt(spec.validations, 'spec.validations', (validation, at) => validationErrors(validation, expressions, at, errors));
  if (spec.auditAnnotations && spec.auditAnnotations.length > auditAnnotationsMax)
    errors.push(invalid('spec.auditAnnotations', spec.auditAnnotations, `must not have more than ${auditAnnotationsMax} auditAnnotations`));
  const keys = new Set<string>();
  eachAt(spec.auditAnnotations, 'spec.auditAnnotations', ({ key = '', valueExpression = '' }, at) => {
    const name = metadata?.name;
    if (!name) errors.push(invalid(`${at}.key`, key, 'requires metadata.name be non-empty'));
    else for (const problem of qualifiedNameProblems(`${name}/${key}`)) errors.push(invalid(`${at}.key`, `${name}/${key}`, problem));
    const trimmed = valueExpression.trim();
    if (!trimmed) errors.push(required(`${at}.valueExpression`, 'valueExpression is not specified'));
    else if (Buffer.byteLength(trimmed) > valueExpressionBytesMax)
      errors.push(required(`${at}.valueExpression`, `must not exceed ${valueExpressionBytesMax} bytes in length`));
    else errors.push(...expressions.errors(trimmed, ['string', 'null'], `${at}.valueExpression`, { value: valueExpression }));
    if (keys.has(key)) errors.push(duplicate(`${at}.key`, key));
    keys.add(key);
  });
  return errors;
}

function validateStatus({ status }: ValidatingAdmissionPolicy): FieldError[] {
  const errors: FieldError[] = [];
  eachAt(status?.typeChecking?.expressionWarnings, 'status.typeChecking.expressionWarnings', ({ fieldRef, warning }, at) => {
    if (!warning) errors.push(required(`${at}.warning`));
    if (!fieldRef?.trim()) errors.push(required(`${at}.fieldRef`));
  });
  eachAt(status?.conditions, 'status.conditions', ({ type, status: state, reason, lastTransitionTime }, at) => {
    if (!type) errors.push(required(`${at}.type`));
    else for (const problem of qualifiedNameProblems(type)) errors.push(invalid(`${at}.type`, type, problem));
    if (!['True', 'False', 'Unknown'].includes(state)) errors.push(notSupported(`${at}.status`, state, ['False', 'True', 'Unknown']));
    if (!lastTransitionTime) errors.push(required(`${at}.lastTransitionTime`));
    if (!reason) errors.push(required(`${at}.reason`));
  });
  return errors;
}

type Parametrized = KubeObject & { spec?: { paramKind?: { apiVersion?: string; kind?: string } } };

/** The ParamKind column of policies. */
export const paramKindColumn = <T extends Parametrized>() =>
  text<T>('ParamKind', 'ParamKind specifies the kind of resources used to parameterize this policy', ({ spec }) =>
    spec?.paramKind ? `${spec.paramKind.apiVersion}/${spec.paramKind.kind}` : '<unset>',
  );

/** The columns of bindings. */
export const bindingColumns = <
  T extends Pick<ValidatingAdmissionPolicyBinding, 'metadata'> & { spec?: Partial<ValidatingAdmissionPolicyBinding['spec']> },
>() => [
  nameColumn<T>(),
  text<T>(
    'PolicyName',
    'PolicyName indicates the policy definition which the policy binding binded to',
    ({ spec }) => spec?.policyName ?? '',
  ),
  text<T>('ParamRef', 'ParamRef indicates the param resource which sets the configration param', ({ spec }) => {
    const ref = spec?.paramRef;
    if (ref?.name) return `${ref.namespace || '*'}/${ref.name}`;
    return ref?.selector ? selectorText(ref.selector) : '<unset>';
  }),
  ageColumn<T>(),
];

export const validatingAdmissionPolicyResource = serve<ValidatingAdmissionPolicy>(validatingAdmissionPolicies, {
  defaults({ spec }) {
    if (!spec) return;
    spec.failurePolicy ??= 'Fail';
    defaultMatchResources(spec.matchConstraints);
  },
  beforeCreate(policy) {
    policy.status = {};
    startGeneration(policy);
  },
  beforeUpdate(policy, old) {
    keep(policy, old, 'status');
    bumpGeneration(policy, old);
  },
  validate: validatePolicy,
  status: { validateUpdate: validateStatus },
  columns: [
    nameColumn(),
    integer(
      'Validations',
      'Validations indicates the number of validation rules defined in this configuration',
      ({ spec }) => spec?.validations?.length,
    ),
    paramKindColumn(),
    ageColumn(),
  ],
});

const actions = ['Audit', 'Deny', 'Warn'];

function validateBinding({ spec }: ValidatingAdmissionPolicyBinding): FieldError[] {
  const errors: FieldError[] = [];
  policyNameErrors(spec?.policyName, 'spec.policyName', errors);
  paramRefErrors(spec?.paramRef, 'spec.paramRef', errors);
  // Kubernetes' own spelling.
  matchResourcesErrors(spec?.matchResources, 'spec.matchResouces', errors);
  const at = 'spec.validationActions';
  const chosen = new Set<string>();
  eachAt(spec?.validationActions, at, (action, each) => {
    if (!actions.includes(action)) errors.push(notSupported(each, action, actions));
    if (chosen.has(action)) errors.push(duplicate(each, action));
    chosen.add(action);
  });
  if (chosen.has('Deny') && chosen.has('Warn')) {
    const why =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(invalid(at, spec?.validationActions, why));
  }
  if (chosen.size === 0) errors.push(required(at, 'at least one validation action is required'));
  return errors;
}

export const validatingAdmissionPolicyBindingResource = serve<ValidatingAdmissionPolicyBinding>(validatingAdmissionPolicyBindings, {
  defaults: ({ spec }) => defaultMatchResources(spec?.matchResources),
  beforeCreate: startGeneration,
  beforeUpdate: bumpGeneration,
  validate: validateBinding,
  columns: bindingColumns(),
});
