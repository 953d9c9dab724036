// Operations of the check-list that are not served, each with its reason. The test fails when one of them is served.

import { type ListedOperation, listedOperations, nameOf } from './table.ts';

const reasons: readonly { is(operation: ListedOperation): boolean; why: string }[] = [
  {
    is: ({ path }) => path === '/apis/internal.apiserver.k8s.io/' || path === '/apis/storagemigration.k8s.io/',
    why: 'all versions of the group are alpha or beta, which Kubernetes serves only when they are switched on',
  },
];

/** Why, by the operation's name. */
export const notServed: ReadonlyMap<string, string> = new Map(
  listedOperations().flatMap((operation) => {
    const reason = reasons.find(({ is }) => is(operation));
    return reason ? [[nameOf(operation), reason.why]] : [];
  }),
);
