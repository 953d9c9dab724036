// Webhook configurations: who is asked about which writes. The two kinds differ in reinvocation alone.

import {
  type MutatingWebhook,
  type MutatingWebhookConfiguration,
  mutatingWebhookConfigurations,
  type ValidatingWebhook,
  type ValidatingWebhookConfiguration,
  validatingWebhookConfigurations,
} from '../../api/admissionregistration.ts';
import { duplicate, type FieldError, invalid, required } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1035LabelProblems, dns1123SubdomainProblems } from '../../api/validation/formats.ts';
import { labelSelectorErrors } from '../../api/validation/label-selector.ts';
import { semanticEqual } from '../../api/validation/semantic-equal.ts';
import type { KubeObject } from '../../api/wire.ts';
import { AdmissionExpressions } from '../cel/admission-expressions.ts';
import { choiceErrors, defaultRules, failurePolicies, matchConditionsErrors, ruleErrors } from './admission-rules.ts';
import { ageColumn, integer, nameColumn } from './columns.ts';
import { startGeneration } from './generation.ts';
import { serve } from './resource.ts';
import { clientConfigErrors } from './webhook-client-config.ts';

type Webhook = MutatingWebhook | ValidatingWebhook;

function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443;
  defaultRules(webhook.rules);
}

function validateWebhooks(webhooks: readonly Webhook[] | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  eachAt(webhooks, 'webhooks', (webhook, at) => {
    const { name = '', sideEffects, timeoutSeconds = 10, clientConfig, admissionReviewVersions } = webhook;
    if (name && names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    qualifiedDomainErrors(name, `${at}.name`, errors);
    eachAt(webhook.rules, `${at}.rules`, (rule, each) => ruleErrors(rule, each, errors));
    choiceErrors(webhook.failurePolicy, failurePolicies, `${at}.failurePolicy`, errors);
    choiceErrors(webhook.matchPolicy, ['Equivalent', 'Exact'], `${at}.matchPolicy`, errors);
    if (!sideEffects) errors.push(required(`${at}.sideEffects`, 'must specify one of None, NoneOnDryRun'));
    else choiceErrors(sideEffects, ['None', 'NoneOnDryRun'], `${at}.sideEffects`, errors);
    if (timeoutSeconds < 1 || timeoutSeconds > 30)
      errors.push(invalid(`${at}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'));
    labelSelectorErrors(webhook.namespaceSelector, `${at}.namespaceSelector`, errors);
    labelSelectorErrors(webhook.objectSelector, `${at}.objectSelector`, errors);
    if ('reinvocationPolicy' in webhook)
      choiceErrors(webhook.reinvocationPolicy, ['IfNeeded', 'Never'], `${at}.reinvocationPolicy`, errors);
    errors.push(...clientConfigErrors(clientConfig ?? {}, `${at}.clientConfig`));
    const expressions = new AdmissionExpressions({ hasParams: false, hasAuthorizer: true });
    matchConditionsErrors(webhook.matchConditions, expressions, `${at}.matchConditions`, errors);
    reviewVersionsErrors(admissionReviewVersions, `${at}.admissionReviewVersions`, errors);
  });
  return errors;
}

/** A webhook's name is a domain of at least three segments. */
function qualifiedDomainErrors(name: string, at: string, errors: FieldError[]): void {
  if (!name) errors.push(required(at));
  else {
    for (const problem of dns1123SubdomainProblems(name)) errors.push(invalid(at, name, problem));
    if (name.split('.').length < 3) errors.push(invalid(at, name, 'should be a domain with at least three segments separated by dots'));
  }
}

function reviewVersionsErrors(versions: readonly string[] | undefined, at: string, errors: FieldError[]): void {
  if (!versions?.length) {
    errors.push(required(at, 'must specify one of v1, v1beta1'));
    return;
  }
  eachAt(versions, at, (version, each, i) => {
    if (versions.indexOf(version) < i) errors.push(invalid(each, version, 'duplicate version'));
    else for (const problem of dns1035LabelProblems(version)) errors.push(invalid(each, version, problem));
  });
  if (!versions.includes('v1') && !versions.includes('v1beta1'))
    errors.push(invalid(at, versions, 'must include at least one of v1, v1beta1'));
}

function bumpForWebhooks<T extends KubeObject & { webhooks?: Webhook[] }>(object: T, old: T): void {
  const generation = old.metadata?.generation ?? 0;
  object.metadata ??= {};
  object.metadata.generation = semanticEqual(object.webhooks, old.webhooks) ? generation : generation + 1;
}

const columns = [
  nameColumn(),
  integer<KubeObject & { webhooks?: Webhook[] }>('Webhooks', 'How many webhooks it names.', ({ webhooks }) => webhooks?.length ?? 0),
  ageColumn(),
];

export const mutatingWebhookConfigurationResource = serve<MutatingWebhookConfiguration>(mutatingWebhookConfigurations, {
  defaults({ webhooks }) {
    for (const webhook of webhooks ?? []) {
      defaultWebhook(webhook);
      webhook.reinvocationPolicy ??= 'Never';
    }
  },
  beforeCreate: startGeneration,
  beforeUpdate: bumpForWebhooks,
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  columns,
});

export const validatingWebhookConfigurationResource = serve<ValidatingWebhookConfiguration>(validatingWebhookConfigurations, {
  defaults({ webhooks }) {
    for (const webhook of webhooks ?? []) defaultWebhook(webhook);
  },
  beforeCreate: startGeneration,
  beforeUpdate: bumpForWebhooks,
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  columns,
});
