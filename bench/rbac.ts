// What an RBAC decision costs beside many roles, and for a user of many bindings: an answer of yes by the last of the
// user's bindings, and one of no. Run: node bench/rbac.ts

import { clusterRoleBindings, clusterRoles, rbacGroup } from '../api/rbac.ts';
import { mastersAuthorizer, unionAuthorizer } from '../apiserver/authz/authorizer.ts';
import { createRbac } from '../apiserver/authz/rbac/rbac.ts';
import { startServer } from '../apiserver/server-fixture.ts';

const decisions = 200_000;

async function measure(roleCount: number, bindingCount: number) {
  const rbac = createRbac();
  const authorizer = unionAuthorizer([mastersAuthorizer, rbac.authorizer]);
  const { client, clock, close } = await startServer({ authorizer, begin: [rbac.begin] });
  for (let at = 0; at < roleCount; at++) {
    const rules = [{ verbs: ['get', 'list', 'watch'], apiGroups: [`g${at}.example.com`], resources: ['things', 'things/status'] }];
    await client.create(clusterRoles, { metadata: { name: `role-${at}` }, rules });
  }
  for (let at = 0; at < bindingCount; at++) {
    const roleRef = { apiGroup: rbacGroup, kind: 'ClusterRole', name: `role-${at}` };
    await client.create(clusterRoleBindings, {
      metadata: { name: `b-${at}` },
      roleRef,
      subjects: [{ kind: 'User', name: 'ann', apiGroup: rbacGroup }],
    });
  }
  await clock.step(0);
  const user = { name: 'ann', groups: ['dev', 'system:authenticated'] };
  const rest = {
    user,
    verb: 'get',
    isResourceRequest: true,
    version: 'v1',
    resource: 'things',
    subresource: '',
    namespace: 'default',
    name: 'x',
    path: '',
  };
  const time = async (group: string, wanted: string) => {
    const asked = { ...rest, group };
    for (let at = 0; at < 1000; at++) await rbac.authorizer(asked);
    const beginMs = performance.now();
    for (let at = 0; at < decisions; at++) await rbac.authorizer(asked);
    const { decision } = await rbac.authorizer(asked);
    if (decision !== wanted) throw new Error(`want ${wanted}, got ${decision}`);
    return `${(((performance.now() - beginMs) / decisions) * 1000).toFixed(2)} µs`;
  };
  const row = {
    roles: roleCount,
    'bindings of the user': bindingCount,
    yes: await time(`g${bindingCount - 1}.example.com`, 'allow'),
    no: await time('none', 'no opinion'),
  };
  await close();
  return row;
}

console.table([await measure(10, 10), await measure(1000, 10), await measure(1000, 100)]);
