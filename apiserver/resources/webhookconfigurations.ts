// Webhook configurations: who is asked about which writes. The two kinds differ in reinvocation alone.

import {
  type MutatingWebhook,
  type MutatingWebhookConfiguration,
  mutatingWebhookConfigurations,
  type ValidatingWebhook,
  type ValidatingWebhookConfiguration,
  validatingWebhookConfigurations,
} from '../../api/admissionregistration.ts';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../api/field-error.ts';
import { eachAt } from '../../api/validation/each.ts';
import { dns1123SubdomainProblems } from '../../api/validation/formats.ts';
import type { KubeObject } from '../../api/wire.ts';
import { ageColumn, integer, nameColumn } from './columns.ts';
import { bumpGeneration, startGeneration } from './generation.ts';
import { serve } from './resource.ts';

type Webhook = MutatingWebhook | ValidatingWebhook;

function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443;
  for (const rule of webhook.rules ?? []) rule.scope ??= '*';
}

function validateWebhooks(webhooks: readonly Webhook[] | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  eachAt(webhooks, 'webhooks', (webhook, at) => {
    const { name = '', sideEffects, timeoutSeconds = 10, clientConfig, admissionReviewVersions } = webhook;
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (!name) errors.push(required(`${at}.name`));
    else for (const problem of dns1123SubdomainProblems(name)) errors.push(invalid(`${at}.name`, name, problem));
    if (name && name.split('.').length < 3)
      errors.push(invalid(`${at}.name`, name, 'should be a domain with at least three segments separated by dots'));
    if (!['None', 'NoneOnDryRun'].includes(sideEffects))
      errors.push(notSupported(`${at}.sideEffects`, sideEffects, ['None', 'NoneOnDryRun']));
    if (timeoutSeconds < 1 || timeoutSeconds > 30)
      errors.push(invalid(`${at}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'));
    if (!admissionReviewVersions?.length) errors.push(required(`${at}.admissionReviewVersions`, 'must specify one of v1, v1beta1'));
    else if (!admissionReviewVersions.includes('v1'))
      errors.push(invalid(`${at}.admissionReviewVersions`, admissionReviewVersions, 'must include at least one of v1, v1beta1'));
    if ((clientConfig?.url === undefined) === (clientConfig?.service === undefined))
      errors.push(required(`${at}.clientConfig`, 'exactly one of url or service is required'));
    if (clientConfig?.url !== undefined && !clientConfig.url.startsWith('https://'))
      errors.push(invalid(`${at}.clientConfig.url`, clientConfig.url, "'https' is the only allowed URL scheme"));
    // Better refused than taken and not kept: there is nothing here yet that evaluates them.
    if (webhook.matchConditions?.length)
      errors.push(forbidden(`${at}.matchConditions`, 'match conditions are not supported by this server'));
  });
  return errors;
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
  beforeUpdate: bumpGeneration,
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  columns,
});

export const validatingWebhookConfigurationResource = serve<ValidatingWebhookConfiguration>(validatingWebhookConfigurations, {
  defaults({ webhooks }) {
    for (const webhook of webhooks ?? []) defaultWebhook(webhook);
  },
  beforeCreate: startGeneration,
  beforeUpdate: bumpGeneration,
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  columns,
});
