// Reviews: questions about who may do what and whose a token is. They are answered when they are posted, and not kept.

import { selfSubjectReviews, tokenReviews } from '../../api/authentication.ts';
import {
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
} from '../../api/authorization.ts';
import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/wire.ts';
import { nameColumn } from './columns.ts';
import { type ResourceDeclaration, serve } from './resource.ts';

function review<T extends KubeObject>(kind: Kind<T>, handler: string): ResourceDeclaration<T> {
  return serve(kind, { verbs: ['create'], handler, validate: () => [], columns: [nameColumn()] });
}

export const reviewResources = [
  review(tokenReviews, 'token-review'),
  review(selfSubjectReviews, 'self-subject-review'),
  review(localSubjectAccessReviews, 'local-subject-access-review'),
  review(selfSubjectAccessReviews, 'self-subject-access-review'),
  review(selfSubjectRulesReviews, 'self-subject-rules-review'),
  review(subjectAccessReviews, 'subject-access-review'),
] as ResourceDeclaration[];
