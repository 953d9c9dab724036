// The kinds of admissionregistration.k8s.io/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type MutatingWebhookConfiguration = Wire<k.V1MutatingWebhookConfiguration>;
export type ValidatingWebhookConfiguration = Wire<k.V1ValidatingWebhookConfiguration>;
export type MutatingWebhook = Wire<k.V1MutatingWebhook>;
export type ValidatingWebhook = Wire<k.V1ValidatingWebhook>;

const group = 'admissionregistration.k8s.io';
const categories = ['api-extensions'];

export const mutatingWebhookConfigurations = defineKind<MutatingWebhookConfiguration>({
  group,
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  categories,
  namespaced: false,
});
export const validatingWebhookConfigurations = defineKind<ValidatingWebhookConfiguration>({
  group,
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  categories,
  namespaced: false,
});
