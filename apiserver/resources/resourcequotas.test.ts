import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceQuota } from '../../api/core.ts';
import { validateResourceQuota } from './resourcequotas.ts';

type Spec = NonNullable<ResourceQuota['spec']>;

const selecting = (scopeName: string, operator: string, values?: string[]): Spec => ({
  hard: { pods: '1' },
  scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values ? { values } : {}) }] },
});
const at = 'spec.scopeSelector.matchExpressions';
const cases: [string, Spec, string[]][] = [
  [
    'counts of any kind, storage classes and devices',
    { hard: { 'count/a.b': '1', 'g.storageclass.storage.k8s.io/requests.storage': '1Gi' } },
    [],
  ],
  ['huge pages', { hard: { 'requests.hugepages-2Mi': '4Mi' } }, []],
  [
    'storage is of volumes, not of quotas',
    { hard: { storage: '1Gi' } },
    ['spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota'],
  ],
  ['a count is whole', { hard: { pods: '1500m' } }, ['spec.hard[pods]: Invalid value: "1500m": must be an integer']],
  ['a scope that is none', { scopes: ['Some'] }, ['spec.scopes: Invalid value: ["Some"]: unsupported scope']],
  [
    'claims are in no scope of pods',
    { hard: { persistentvolumeclaims: '1' }, scopes: ['Terminating'] },
    ['spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource'],
  ],
  [
    'pods without requests are only counted',
    { hard: { pods: '1', 'requests.cpu': '1' }, scopes: ['BestEffort'] },
    ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
  ],
  [
    'scopes that contradict each other',
    { scopes: ['Terminating', 'NotTerminating'] },
    ['spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'],
  ],
  ['a class among some', selecting('PriorityClass', 'In', ['a']), []],
  [
    'a class among none',
    selecting('PriorityClass', 'In'),
    [`${at}.values: Required value: must be at least one value when \`operator\` is 'In' or 'NotIn' for scope selector`],
  ],
  [
    'any class among some',
    selecting('PriorityClass', 'Exists', ['a']),
    [`${at}.values: Invalid value: ["a"]: must be no value when \`operator\` is 'Exist' or 'DoesNotExist' for scope selector`],
  ],
  [
    'an operator that is none',
    selecting('PriorityClass', 'Like', ['a']),
    [`${at}.operator: Invalid value: "Like": not a valid selector operator`],
  ],
  [
    'a scope without values',
    selecting('Terminating', 'DoesNotExist'),
    [
      `${at}.operator: Invalid value: "DoesNotExist": must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity`,
    ],
  ],
];
for (const [title, spec, expected] of cases) {
  test(`quotas: ${title}`, () =>
    assert.deepEqual(
      validateResourceQuota({ spec }).map(({ field, message }) => `${field}: ${message}`),
      expected,
    ));
}
