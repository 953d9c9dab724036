// Validating admission policies: expressions that every write within their reach must satisfy (admission plug-in
// ValidatingAdmissionPolicy, k8s.io/apiserver/pkg/admission/plugin/policy/validating).

import {
  type ValidatingAdmissionPolicy,
  type ValidatingAdmissionPolicyBinding,
  type Validation,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
} from '../../../api/admissionregistration.ts';
import { forbiddenError, StatusError, type StatusReason } from '../../../api/status.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import { AdmissionExpressions } from '../../cel/admission-expressions.ts';
import { CelError, type CelProgram } from '../../cel/environment.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import type { ClusterView } from '../cluster-view.ts';
import { resourcesMatch } from '../matching.ts';
import { type CompiledVariable, compileVariables, conditionsHold, Evaluation } from './evaluation.ts';
import { ConfigurationError, paramsOf } from './params.ts';

const codes: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, Invalid: 422, RequestEntityTooLarge: 413 };
const messageBytesMax = 5 * 1024;
const annotationLengthMax = 10 * 1024;
const failuresMax = 50;

interface CompiledPolicy {
  variables: CompiledVariable[];
  validations: { validation: Validation; program: CelProgram; message: CelProgram | undefined }[];
  annotations: { key: string; program: CelProgram }[];
}

interface Denial {
  policy: string;
  binding: string;
  message: string;
  reason: StatusReason;
}

interface Failure {
  message: string;
  policy: string;
  binding: string;
  expressionIndex: number;
  validationActions: readonly string[];
}

/** What the policies found, of all bindings. */
class Findings {
  readonly denials: Denial[] = [];
  readonly failures: Failure[] = [];
  readonly annotations = new Map<string, Set<string>>();
}

const compiledPolicies = new WeakMap<ValidatingAdmissionPolicy, CompiledPolicy>();

/** @throws CelError, which validation keeps out */
function compiledOf(policy: ValidatingAdmissionPolicy): CompiledPolicy {
  const known = compiledPolicies.get(policy);
  if (known) return known;
  const { paramKind, variables, validations = [], auditAnnotations = [] } = policy.spec ?? {};
  const scope = { hasParams: paramKind !== undefined, hasAuthorizer: true };
  const expressions = new AdmissionExpressions(scope, (variables?.length ?? 0) > 0);
  const compiled: CompiledPolicy = {
    variables: compileVariables(variables, expressions),
    validations: validations.map((validation) => ({
      validation,
      program: expressions.compile(validation.expression, ['bool']),
      message: validation.messageExpression
        ? expressions.compile(validation.messageExpression, ['string'], { hasAuthorizer: false })
        : undefined,
    })),
    annotations: auditAnnotations.map(({ key, valueExpression }) => ({
      key,
      program: expressions.compile(valueExpression.trim(), ['string', 'null']),
    })),
  };
  compiledPolicies.set(policy, compiled);
  return compiled;
}

/** What decides about admission must stay repairable when admission is broken. */
const isExempt = ({ kind }: AdmissionAttributes) => kind.group === 'admissionregistration.k8s.io';

export function validatingPolicies(view: ClusterView, authorizer?: Authorizer): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionPolicy',
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    handles: (attributes) => view.list(validatingAdmissionPolicyBindings).length > 0 && !isExempt(attributes),
    async validate(attributes) {
      const findings = new Findings();
      const evaluation = await Evaluation.of(attributes, view, authorizer);
      for (const policy of view.list(validatingAdmissionPolicies)) {
        const bindings = view.list(validatingAdmissionPolicyBindings).filter(({ spec }) => spec?.policyName === policy.metadata?.name);
        if (bindings.length === 0 || !(await resourcesMatch(view, policy.spec?.matchConstraints, attributes))) continue;
        for (const binding of bindings) await applyBinding({ view, policy, binding, attributes, evaluation }, findings);
      }
      for (const [key, values] of findings.annotations) attributes.annotate(key, [...values].join(', '));
      if (findings.failures.length)
        attributes.annotate(
          'validation.policy.admission.k8s.io/validation_failure',
          JSON.stringify(findings.failures.slice(0, failuresMax)),
        );
      const [denial] = findings.denials;
      if (denial) throw refusalOf(denial, attributes);
    },
  };
}

interface Application {
  view: ClusterView;
  policy: ValidatingAdmissionPolicy;
  binding: ValidatingAdmissionPolicyBinding;
  attributes: AdmissionAttributes;
  evaluation: Evaluation;
}

async function applyBinding({ view, policy, binding, attributes, evaluation }: Application, findings: Findings): Promise<void> {
  const { paramKind, failurePolicy } = policy.spec ?? {};
  const names = { policy: policy.metadata?.name ?? '', binding: binding.metadata?.name ?? '' };
  try {
    if (!(await resourcesMatch(view, binding.spec?.matchResources, attributes))) return;
    const params = paramsOf(view, paramKind, binding.spec?.paramRef, attributes);
    for (const param of params) await validateWith(param, { policy, binding, attributes, evaluation, names }, findings);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    if (failurePolicy === 'Ignore') return;
    findings.denials.push({ ...names, message: `failed to configure binding: ${error.message}`, reason: 'Invalid' });
  }
}

type OneRun = Omit<Application, 'view'> & { names: { policy: string; binding: string } };

async function validateWith(param: KubeObject | null, run: OneRun, findings: Findings): Promise<void> {
  const { policy, binding, attributes, evaluation, names } = run;
  const { matchConditions, failurePolicy, paramKind } = policy.spec ?? {};
  const actions = binding.spec?.validationActions ?? [];
  const isIgnored = failurePolicy === 'Ignore';
  const deny = (message: string, reason: StatusReason, expressionIndex: number) => {
    if (actions.includes('Deny')) findings.denials.push({ ...names, message, reason });
    if (actions.includes('Audit')) findings.failures.push({ message, ...names, expressionIndex, validationActions: actions });
    if (actions.includes('Warn'))
      attributes.warn(`Validation failed for ValidatingAdmissionPolicy '${names.policy}' with binding '${names.binding}': ${message}`);
  };
  try {
    if (!(await conditionsHold(matchConditions, evaluation, { params: param, hasParams: paramKind !== undefined }))) return;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    if (!isIgnored) deny(error.message, 'Invalid', 0);
    return;
  }
  const { variables, validations, annotations } = compiledOf(policy);
  const attempt = (program: CelProgram) => evaluation.evaluate(program, param, variables);
  for (const [i, { validation, program, message }] of validations.entries()) {
    let result: unknown;
    try {
      result = await attempt(program);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      if (!isIgnored) deny(`expression '${validation.expression}' resulted in error: ${error.message}`, 'Invalid', i);
      continue;
    }
    if (result !== true) deny(await messageOf(validation, message, attempt), reasonOf(validation), i);
  }
  for (const { key, program } of annotations) {
    try {
      const value = await attempt(program);
      if (typeof value === 'string' && value.trim()) add(findings, `${names.policy}/${key}`, value.trim().slice(0, annotationLengthMax));
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      if (!isIgnored) findings.denials.push({ ...names, message: error.message, reason: 'Invalid' });
    }
  }
}

const reasonOf = ({ reason }: Validation): StatusReason =>
  reason === 'Forbidden' || reason === 'Unauthorized' || reason === 'RequestEntityTooLarge' ? reason : 'Invalid';

function add({ annotations }: Findings, key: string, value: string): void {
  const values = annotations.get(key) ?? new Set();
  annotations.set(key, values.add(value));
}

/** An expression for a message that fails, or makes none that can be shown, is passed over. */
async function messageOf(
  { expression, message = '' }: Validation,
  program: CelProgram | undefined,
  attempt: (program: CelProgram) => Promise<unknown>,
): Promise<string> {
  if (program) {
    try {
      const made = String(await attempt(program)).trim();
      if (made && Buffer.byteLength(made) <= messageBytesMax && !/[\n\r]/.test(made)) return made;
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
    }
  }
  return message.trim() || `failed expression: ${expression.trim()}`;
}

function refusalOf({ policy, binding, message, reason }: Denial, { kind, name }: AdmissionAttributes): StatusError {
  const text = `ValidatingAdmissionPolicy '${policy}' with binding '${binding}' denied request: ${message}`;
  const { message: full, details } = forbiddenError(kind, name, text);
  const causes = [...(details?.causes ?? []), { message: text }];
  return StatusError.fromStatus({ reason, message: full, code: codes[reason] ?? 422, details: { ...details, causes } });
}
