// The kinds of authentication.k8s.io/v1: questions that are answered and not stored.

import type * as k from '@kubernetes/client-node';
import { defineKind } from './kind.ts';
import type { Wire } from './wire.ts';

export type TokenReview = Wire<k.V1TokenReview>;
export type SelfSubjectReview = Wire<k.V1SelfSubjectReview>;

export const authenticationGroup = 'authentication.k8s.io';

const review = { group: authenticationGroup, namespaced: false };
export const tokenReviews = defineKind<TokenReview>({ ...review, kind: 'TokenReview', plural: 'tokenreviews' });
export const selfSubjectReviews = defineKind<SelfSubjectReview>({ ...review, kind: 'SelfSubjectReview', plural: 'selfsubjectreviews' });
