import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyRule } from '../../../api/rbac.ts';
import { seededRandom } from '../../../base/random.ts';
import type { AuthorizationAttributes } from '../authorizer.ts';
import type { Grant, RbacIndex } from './rbac-index.ts';
import { ruleAllows } from './rules.ts';
import { SubjectRulesCache } from './subject-rules.ts';

const seed = Number(process.env['SEED'] ?? 20260924);

test(`what is found by key is what going through all rules finds, the first of several (seed ${seed})`, () => {
  const random = seededRandom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.float() * values.length)] as T;
  const some = <T>(values: readonly T[]): T[] => values.filter(() => random.float() < 0.4);
  const verbs = ['get', 'list', '*'];
  const groups = ['', 'apps', '*'];
  const resources = ['pods', 'pods/log', '*/log', '*', 'deployments'];
  for (let round = 0; round < 300; round++) {
    const bound: { grant: Grant; rules: PolicyRule[] }[] = Array.from({ length: 4 }, (_, at) => ({
      grant: {
        binding: { name: `b${at}`, namespace: '', roleRef: { kind: 'ClusterRole', name: `r${at}` } },
        subject: { kind: 'User', name: 'ann' },
      },
      rules: Array.from({ length: 2 }, () =>
        random.float() < 0.2
          ? { verbs: some(verbs), nonResourceURLs: some(['/a', '/a/*', '*']) }
          : {
              verbs: some(verbs),
              apiGroups: some(groups),
              resources: some(resources),
              ...(random.float() < 0.3 ? { resourceNames: ['x'] } : {}),
            },
      ),
    }));
    const index = {
      generation: 0,
      grantsOf: () => bound.map(({ grant }) => grant),
      rulesOf: ({ name }: { name: string }) => bound.find(({ grant }) => grant.binding.roleRef.name === name)?.rules,
    } as unknown as RbacIndex;
    const cache = new SubjectRulesCache(index);
    for (let ask = 0; ask < 20; ask++) {
      const asked: AuthorizationAttributes = {
        user: { name: 'ann', groups: [] },
        verb: pick(['get', 'list', 'watch']),
        isResourceRequest: random.float() < 0.8,
        group: pick(['', 'apps', 'batch']),
        version: 'v1',
        resource: pick(['pods', 'deployments', 'jobs']),
        subresource: pick(['', 'log']),
        namespace: '',
        name: pick(['', 'x']),
        path: pick(['/a', '/a/b', '/c']),
      };
      const expected = bound.find(({ rules }) => rules.some((rule) => ruleAllows(rule, asked)))?.grant;
      assert.equal(cache.find(asked, '').grant, expected, JSON.stringify({ round, asked, bound }));
    }
  }
});
