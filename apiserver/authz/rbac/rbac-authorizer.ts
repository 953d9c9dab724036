// The RBAC authorizer: allows what a role that is bound to the user, or to a group of theirs, allows. It never denies.

import { type PolicyRule, type RbacSubject, rbacGroup } from '../../../api/rbac.ts';
import type { UserInfo } from '../../resources/resource.ts';
import { type Authorizer, aggregateErrors, type Decision } from '../authorizer.ts';
import type { Grant, IndexedBinding, RbacIndex } from './rbac-index.ts';
import { SubjectRulesCache } from './subject-rules.ts';

const noOpinion: Decision = Object.freeze({ decision: 'no opinion' });

export function rbacAuthorizer(index: RbacIndex): Authorizer {
  const rules = new SubjectRulesCache(index);
  return (asked) => {
    const problems: string[] = [];
    // Cluster-wide grants first: most components have nothing else.
    for (const namespace of asked.isResourceRequest && asked.namespace ? ['', asked.namespace] : ['']) {
      const { grant, missing } = rules.find(asked, namespace);
      if (grant) return { decision: 'allow', reason: `RBAC: allowed by ${describeGrant(grant)}` };
      for (const roleRef of missing) problems.push(missingRole(roleRef));
    }
    return problems.length === 0 ? noOpinion : { decision: 'no opinion', reason: `RBAC: ${aggregateErrors(problems)}` };
  };
}

/** Everything that `user` may do in `namespace` ('' for the cluster alone), and what could not be found out. */
export function rulesFor(index: RbacIndex, user: UserInfo, namespace: string): { rules: PolicyRule[]; problems: string[] } {
  const rules: PolicyRule[] = [];
  const problems: string[] = [];
  for (const each of namespace ? ['', namespace] : ['']) {
    for (const { binding } of index.grantsOf(user, each)) {
      const found = index.rulesOf(binding.roleRef, each);
      if (found) rules.push(...found);
      else problems.push(missingRole(binding.roleRef));
    }
  }
  return { rules, problems };
}

const missingRole = ({ kind, name }: IndexedBinding['roleRef']) => `${kind.toLowerCase()}.${rbacGroup} ${JSON.stringify(name)} not found`;

function describeGrant({ binding, subject }: Grant): string {
  const kind = binding.namespace ? 'RoleBinding' : 'ClusterRoleBinding';
  const name = binding.namespace ? `${binding.name}/${binding.namespace}` : binding.name;
  const { roleRef } = binding;
  return `${kind} ${JSON.stringify(name)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${describeSubject(subject)}`;
}

function describeSubject({ kind, name, namespace }: RbacSubject): string {
  return `${kind} ${JSON.stringify(kind === 'ServiceAccount' ? `${name}/${namespace ?? ''}` : name)}`;
}
