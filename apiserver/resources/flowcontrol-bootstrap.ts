// The priority levels and flow schemas that every cluster begins with: the mandatory ones, whose specs are fixed, and
// those that Kubernetes suggests (k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap).

import type { FlowSchema, PriorityLevelConfiguration } from '../../api/flowcontrol.ts';

type FlowSchemaSpec = NonNullable<FlowSchema['spec']>;
type Rule = NonNullable<FlowSchemaSpec['rules']>[number];
type Subject = Rule['subjects'][number];

const annotations = { 'apf.kubernetes.io/autoupdate-spec': 'true' };
const group = (name: string): Subject => ({ kind: 'Group', group: { name } });
const user = (name: string): Subject => ({ kind: 'User', user: { name } });
const systemAccounts: Subject = { kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: 'kube-system' } };
const everybody = [group('system:unauthenticated'), group('system:authenticated')];

const everything = (subjects: Subject[]): Rule => ({
  subjects,
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
});
const leases = (verbs: string[]) => ({ verbs, apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] });

interface FlowOptions {
  level: string;
  precedence: number;
  distinguish?: 'ByUser' | 'ByNamespace';
  rule: Rule;
}

const flow = (name: string, { level, precedence, distinguish, rule }: FlowOptions): FlowSchema => ({
  metadata: { name, annotations },
  spec: {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence: precedence,
    ...(distinguish ? { distinguisherMethod: { type: distinguish } } : {}),
    rules: [rule],
  },
});

export const mandatoryFlowSchemas: readonly FlowSchema[] = [
  flow('exempt', { level: 'exempt', precedence: 1, rule: everything([group('system:masters')]) }),
  flow('catch-all', { level: 'catch-all', precedence: 10_000, distinguish: 'ByUser', rule: everything(everybody) }),
];

const suggestedFlowSchemas: readonly FlowSchema[] = [
  flow('probes', {
    level: 'exempt',
    precedence: 2,
    rule: { subjects: everybody, nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] },
  }),
  flow('system-leader-election', {
    level: 'leader-election',
    precedence: 100,
    distinguish: 'ByUser',
    rule: {
      subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler'), systemAccounts],
      resourceRules: [leases(['get', 'create', 'update'])],
    },
  }),
  flow('system-node-high', {
    level: 'node-high',
    precedence: 400,
    distinguish: 'ByUser',
    rule: {
      subjects: [group('system:nodes')],
      resourceRules: [
        { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], namespaces: ['*'], clusterScope: true },
        leases(['*']),
      ],
    },
  }),
  flow('system-nodes', { level: 'system', precedence: 500, distinguish: 'ByUser', rule: everything([group('system:nodes')]) }),
  flow('kube-controller-manager', {
    level: 'workload-high',
    precedence: 800,
    distinguish: 'ByNamespace',
    rule: everything([user('system:kube-controller-manager')]),
  }),
  flow('kube-scheduler', {
    level: 'workload-high',
    precedence: 800,
    distinguish: 'ByNamespace',
    rule: everything([user('system:kube-scheduler')]),
  }),
  flow('kube-system-service-accounts', {
    level: 'workload-high',
    precedence: 900,
    distinguish: 'ByNamespace',
    rule: everything([systemAccounts]),
  }),
  flow('service-accounts', {
    level: 'workload-low',
    precedence: 9000,
    distinguish: 'ByUser',
    rule: everything([group('system:serviceaccounts')]),
  }),
  flow('global-default', { level: 'global-default', precedence: 9900, distinguish: 'ByUser', rule: everything(everybody) }),
];

interface LevelOptions {
  shares: number;
  lendable: number;
  queues: number;
  handSize: number;
}

const level = (name: string, { shares, lendable, queues, handSize }: LevelOptions): PriorityLevelConfiguration => ({
  metadata: { name, annotations },
  spec: {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: shares,
      lendablePercent: lendable,
      limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
    },
  },
});

export const mandatoryPriorityLevels: readonly PriorityLevelConfiguration[] = [
  { metadata: { name: 'exempt', annotations }, spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } } },
  {
    metadata: { name: 'catch-all', annotations },
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } } },
  },
];

const suggestedPriorityLevels: readonly PriorityLevelConfiguration[] = [
  level('system', { shares: 30, lendable: 33, queues: 64, handSize: 6 }),
  level('node-high', { shares: 40, lendable: 25, queues: 64, handSize: 6 }),
  level('leader-election', { shares: 10, lendable: 0, queues: 16, handSize: 4 }),
  level('workload-high', { shares: 40, lendable: 50, queues: 128, handSize: 6 }),
  level('workload-low', { shares: 100, lendable: 90, queues: 128, handSize: 6 }),
  level('global-default', { shares: 20, lendable: 50, queues: 128, handSize: 6 }),
];

export const bootstrapPriorityLevels = [...mandatoryPriorityLevels, ...suggestedPriorityLevels];
export const bootstrapFlowSchemas = [...mandatoryFlowSchemas, ...suggestedFlowSchemas];
