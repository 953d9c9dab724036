// Nobody gives away more than they have: who writes a role must hold its rules (or may `escalate`), who writes a binding
// must hold the role's rules (or may `bind` it). Follows
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping.

import { isDeepStrictEqual } from 'node:util';
import { type ClusterRole, type ClusterRoleBinding, clusterRoles, type PolicyRule, rbacGroup, roles } from '../../../api/rbac.ts';
import { forbiddenError, notFoundError } from '../../../api/status.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../../admission/admission.ts';
import type { Authorizer } from '../authorizer.ts';
import { rulesFor } from './rbac-authorizer.ts';
import type { RbacIndex } from './rbac-index.ts';
import { compactRules, describeRule, quotedList, uncovered } from './rules.ts';

const fullAuthority: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** Kubernetes does this in the registry of the four kinds; here it is the last check before the write. */
export function rbacEscalation(index: RbacIndex, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    operations: ['CREATE', 'UPDATE'],
    handles: ({ kind, subresource, user }) => kind.group === rbacGroup && subresource === '' && !user.groups.includes('system:masters'),
    async validate(write) {
      if (write.kind.plural.endsWith('bindings')) await checkBinding(write, index, authorizer);
      else await checkRole(write, index, authorizer);
    },
  };
}

async function checkRole(write: AdmissionAttributes, index: RbacIndex, authorizer: Authorizer): Promise<void> {
  const role = write.object as ClusterRole;
  const old = write.old as ClusterRole | undefined;
  if (old && isDeepStrictEqual(role.rules ?? [], old.rules ?? []) && isDeepStrictEqual(role.aggregationRule, old.aggregationRule)) return;
  if (await mayDo(write, authorizer, { verb: 'escalate', resource: write.kind.plural, name: write.name, namespace: write.namespace }))
    return;
  confirmNoEscalation(write, role.rules ?? [], index);
  if (!role.aggregationRule && !old?.aggregationRule) return;
  const { rules } = rulesFor(index, write.user, '');
  if (uncovered(rules, fullAuthority).length === 0) return;
  throw forbiddenError(write.kind, write.name, 'must have cluster-admin privileges to use an aggregationRule');
}

async function checkBinding(write: AdmissionAttributes, index: RbacIndex, authorizer: Authorizer): Promise<void> {
  const { roleRef, subjects } = write.object as ClusterRoleBinding;
  const old = write.old as ClusterRoleBinding | undefined;
  if (old && isDeepStrictEqual(roleRef, old.roleRef) && isDeepStrictEqual(subjects ?? [], old.subjects ?? [])) return;
  const kind = roleRef.kind === 'ClusterRole' ? clusterRoles : roles;
  if (await mayDo(write, authorizer, { verb: 'bind', resource: kind.plural, name: roleRef.name, namespace: write.namespace })) return;
  const rules = index.rulesOf(roleRef, write.namespace);
  if (!rules) throw notFoundError(kind, roleRef.name);
  confirmNoEscalation(write, rules, index);
}

async function mayDo(
  { user }: AdmissionAttributes,
  authorizer: Authorizer,
  asked: { verb: string; resource: string; name: string; namespace: string },
): Promise<boolean> {
  const { decision } = await authorizer({
    user,
    isResourceRequest: true,
    group: rbacGroup,
    version: '*',
    subresource: '',
    path: '',
    ...asked,
  });
  return decision === 'allow';
}

function confirmNoEscalation(write: AdmissionAttributes, wanted: readonly PolicyRule[], index: RbacIndex): void {
  const { user } = write;
  const { rules, problems } = rulesFor(index, user, write.namespace);
  const missing = uncovered(rules, wanted);
  if (missing.length === 0) return;
  const texts = [...new Set(compactRules(missing).map(describeRule))].sort();
  const unresolved = problems.length > 0 ? `; resolution errors: [${problems.join(', ')}]` : '';
  const who = `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)})`;
  const why = `${who} is attempting to grant RBAC permissions not currently held:\n${texts.join('\n')}${unresolved}`;
  throw forbiddenError(write.kind, write.name, why);
}
