import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces, pods } from '../../api/core.ts';
import { defineKind } from '../../api/kind.ts';
import { type ResourceDeclaration, serve } from '../resources/resource.ts';
import { aggregatedDiscovery, apiGroup, apiGroupList, apiResourceList, compareVersions } from './documents.ts';

const bare = { validate: () => [], columns: [] };
const replicas = { specReplicas: () => 1, setReplicas() {}, statusReplicas: () => 1, selector: () => '' };
const autoscaling = (version: string) =>
  defineKind({ group: 'autoscaling', version, kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', shortNames: ['hpa'] });
const declarations = [
  serve(pods, {
    ...bare,
    status: {},
    subresources: {
      log: { kind: 'Pod', verbs: ['get'], handler: 'log' },
      eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'], handler: 'eviction' },
    },
  }),
  serve(namespaces, { ...bare, verbs: ['get', 'list'] }),
  serve(autoscaling('v1'), bare),
  serve(autoscaling('v2'), { ...bare, scale: replicas }),
  serve(defineKind({ group: 'example.com', version: 'v1', kind: 'Thing', plural: 'things' }), bare),
] as unknown as ResourceDeclaration[];

test('a group version lists its resources by name, each followed by its subresources', () => {
  const list = apiResourceList(declarations, '', 'v1') as {
    groupVersion: string;
    resources: { name: string; kind: string; group?: string; verbs: string[] }[];
  };
  assert.equal(list.groupVersion, 'v1');
  assert.deepEqual(
    list.resources.map((resource) => resource.name),
    ['namespaces', 'pods', 'pods/eviction', 'pods/log', 'pods/status'],
  );
  assert.deepEqual(list.resources[0]?.verbs, ['get', 'list']);
  assert.deepEqual([list.resources[2]?.group, list.resources[2]?.kind], ['policy', 'Eviction']);
  assert.equal(apiResourceList(declarations, 'apps', 'v1'), undefined);
});

test('groups come in the order of Kubernetes, their newest stable version preferred', () => {
  const list = apiGroupList(declarations) as { groups: { name: string; preferredVersion: { groupVersion: string } }[] };
  assert.deepEqual(
    list.groups.map((group) => group.name),
    ['autoscaling', 'example.com'],
  );
  assert.equal(list.groups[0]?.preferredVersion.groupVersion, 'autoscaling/v2');
  assert.equal(apiGroup(declarations, ''), undefined);
});

test('groups of other servers stand where their priority puts them, after ours of the same', () => {
  const at = (group: string, version: string, groupPriority: number, versionPriority = 1) => {
    return { group, version, groupPriority, versionPriority, resources: [], isCurrent: true };
  };
  const remote = [
    at('low', 'v1', 100),
    at('same', 'v1', 1000),
    at('high', 'v1', 19_000),
    at('high', 'v2', 19_000, 9),
    at('autoscaling', 'v9', 1),
  ];
  const { groups } = apiGroupList(declarations, remote) as { groups: { name: string; versions: { version: string }[] }[] };
  assert.deepEqual(
    groups.map(({ name, versions }) => [name, ...versions.map(({ version }) => version)]),
    [
      ['high', 'v2', 'v1'],
      ['autoscaling', 'v2', 'v1', 'v9'],
      ['example.com', 'v1'],
      ['same', 'v1'],
      ['low', 'v1'],
    ],
  );
});

test('aggregated discovery holds the same, with scopes and kinds of subresources', () => {
  const core = aggregatedDiscovery(declarations, true, 'v2') as {
    items: { versions: { resources: { resource: string; scope: string; subresources?: { subresource: string }[] }[] }[] }[];
  };
  const resources = core.items[0]?.versions[0]?.resources;
  assert.deepEqual(
    resources?.map((resource) => [resource.resource, resource.scope]),
    [
      ['namespaces', 'Cluster'],
      ['pods', 'Namespaced'],
    ],
  );
  assert.deepEqual(
    resources?.[1]?.subresources?.map((sub) => sub.subresource),
    ['eviction', 'log', 'status'],
  );
});

test('versions sort by stability, then number, then name', () => {
  assert.deepEqual(['foo1', 'v1', 'v1alpha1', 'v10', 'v1beta2', 'v2', 'v1beta1', 'v11alpha2', 'bar'].sort(compareVersions), [
    'v10',
    'v2',
    'v1',
    'v1beta2',
    'v1beta1',
    'v11alpha2',
    'v1alpha1',
    'bar',
    'foo1',
  ]);
});
