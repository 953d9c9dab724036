// The kinds of authorization.k8s.io/v1: questions that are answered and not stored.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type SubjectAccessReview = Wire<k.V1SubjectAccessReview>;
export type SelfSubjectAccessReview = Wire<k.V1SelfSubjectAccessReview>;
export type LocalSubjectAccessReview = Wire<k.V1LocalSubjectAccessReview>;
export type SelfSubjectRulesReview = Wire<k.V1SelfSubjectRulesReview>;
export type ResourceAttributes = Wire<k.V1ResourceAttributes>;
export type NonResourceAttributes = Wire<k.V1NonResourceAttributes>;

export const authorizationGroup = 'authorization.k8s.io';

const review = { group: authorizationGroup, namespaced: false };
export const subjectAccessReviews = defineKind<SubjectAccessReview>({
  ...review,
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
});
export const selfSubjectAccessReviews = defineKind<SelfSubjectAccessReview>({
  ...review,
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
});
export const localSubjectAccessReviews = defineKind<LocalSubjectAccessReview>({
  group: authorizationGroup,
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
});
export const selfSubjectRulesReviews = defineKind<SelfSubjectRulesReview>({
  ...review,
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
});
