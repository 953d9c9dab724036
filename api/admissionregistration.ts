// The kinds of admissionregistration.k8s.io/v1, with their wire types.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type MutatingWebhookConfiguration = Wire<k.V1MutatingWebhookConfiguration>;
export type ValidatingWebhookConfiguration = Wire<k.V1ValidatingWebhookConfiguration>;
export type MutatingWebhook = Wire<k.V1MutatingWebhook>;
export type ValidatingWebhook = Wire<k.V1ValidatingWebhook>;
export type ValidatingAdmissionPolicy = Wire<k.V1ValidatingAdmissionPolicy>;
export type ValidatingAdmissionPolicyBinding = Wire<k.V1ValidatingAdmissionPolicyBinding>;
export type MutatingAdmissionPolicy = Wire<k.V1MutatingAdmissionPolicy>;
export type MutatingAdmissionPolicyBinding = Wire<k.V1MutatingAdmissionPolicyBinding>;
export type AuditAnnotation = Wire<k.V1AuditAnnotation>;
export type MatchCondition = Wire<k.V1MatchCondition>;
export type MatchResources = Wire<k.V1MatchResources>;
export type Mutation = Wire<k.V1Mutation>;
export type NamedRuleWithOperations = Wire<k.V1NamedRuleWithOperations>;
export type ParamKind = Wire<k.V1ParamKind>;
export type ParamRef = Wire<k.V1ParamRef>;
export type RuleWithOperations = Wire<k.V1RuleWithOperations>;
export type Validation = Wire<k.V1Validation>;
export type Variable = Wire<k.V1Variable>;

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
export const validatingAdmissionPolicies = defineKind<ValidatingAdmissionPolicy>({
  group,
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  categories,
  namespaced: false,
});
export const validatingAdmissionPolicyBindings = defineKind<ValidatingAdmissionPolicyBinding>({
  group,
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  categories,
  namespaced: false,
});
export const mutatingAdmissionPolicies = defineKind<MutatingAdmissionPolicy>({
  group,
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  categories,
  namespaced: false,
});
export const mutatingAdmissionPolicyBindings = defineKind<MutatingAdmissionPolicyBinding>({
  group,
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  categories,
  namespaced: false,
});
