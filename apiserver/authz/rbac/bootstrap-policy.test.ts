// The bootstrap roles and bindings against testdata/bootstrap-policy.txt: what Kubernetes 1.36 has with its default feature
// gates, a line for each rule. T8S_WRITE_GOLDEN=1 writes the file anew; read its difference before committing it.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '../../../api/rbac.ts';
import { bootstrapClusterRoleBindings, bootstrapRoleBindings } from './bootstrap-bindings.ts';
import { bootstrapClusterRoles, bootstrapRoles } from './bootstrap-roles.ts';

const goldenFile = join(import.meta.dirname, 'testdata', 'bootstrap-policy.txt');

const nameOf = ({ metadata }: ClusterRole) => (metadata?.namespace ? `${metadata.namespace}/${metadata.name}` : metadata?.name);
const list = (values: readonly string[] = []) => values.map((value) => value || '""').join(',');

function describeRole(role: ClusterRole): string {
  const aggregates = role.aggregationRule?.clusterRoleSelectors?.map(({ matchLabels }) => Object.keys(matchLabels ?? {}).join()) ?? [];
  const labels = Object.keys(role.metadata?.labels ?? {}).filter((label) => label.includes('aggregate-to'));
  return [
    `${nameOf(role)}${labels.map((label) => ` [${label}]`).join('')}`,
    ...aggregates.map((label) => `  aggregates ${label}`),
    ...(role.rules ?? []).map((rule) => `  ${describeRule(rule)}`),
  ].join('\n');
}

const describeRule = ({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule) =>
  nonResourceURLs
    ? `${list(verbs)} of ${list(nonResourceURLs)}`
    : `${list(verbs)} of ${list(apiGroups)}: ${list(resources)}${resourceNames ? ` named ${list(resourceNames)}` : ''}`;

const describeBinding = (binding: ClusterRoleBinding) =>
  `${nameOf(binding)} -> ${binding.roleRef.kind} ${binding.roleRef.name}: ${(binding.subjects ?? [])
    .map(({ kind, name, namespace }) => `${kind} ${namespace ? `${namespace}/` : ''}${name}`)
    .join(', ')}`;

const sorted = (texts: readonly string[]) => [...texts].sort().join('\n');

test('bootstrap roles and bindings are those of Kubernetes 1.36', () => {
  const actual = `${[
    sorted(bootstrapClusterRoles().map(describeRole)),
    sorted(bootstrapRoles().map(describeRole)),
    sorted(bootstrapClusterRoleBindings().map(describeBinding)),
    sorted(bootstrapRoleBindings().map(describeBinding)),
  ].join('\n\n')}\n`;
  if (process.env['T8S_WRITE_GOLDEN']) writeFileSync(goldenFile, actual);
  assert.deepEqual(actual.split('\n'), readFileSync(goldenFile, 'utf8').split('\n'));
});

test('every bootstrap object is kept up to date at each start', () => {
  for (const { metadata } of [
    ...bootstrapClusterRoles(),
    ...bootstrapRoles(),
    ...bootstrapClusterRoleBindings(),
    ...bootstrapRoleBindings(),
  ]) {
    assert.equal(metadata?.annotations?.['rbac.authorization.kubernetes.io/autoupdate'], 'true');
    assert.equal(metadata?.labels?.['kubernetes.io/bootstrapping'], 'rbac-defaults');
  }
});
