// Custom kinds beside the cluster's own: what collects garbage and what empties namespaces must learn of them while they run.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { customResourceDefinitions } from '../api/apiextensions.ts';
import { isConditionTrue } from '../api/conditions.ts';
import { configMaps, namespaces } from '../api/core.ts';
import { defineKind } from '../api/kind.ts';
import { isStatus } from '../api/status.ts';
import type { KubeObject } from '../api/wire.ts';
import { Cluster } from './cluster.ts';

const widgets = defineKind<KubeObject>({ group: 'example.com', kind: 'Widget', plural: 'widgets', namespaced: true });
const crates = defineKind<KubeObject>({ group: 'example.com', kind: 'Crate', plural: 'crates', namespaced: false });

let cluster: Cluster;
before(async () => {
  cluster = await Cluster.start({ nodes: 1 });
  for (const { plural, kind, namespaced } of [widgets, crates]) {
    const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } } };
    await cluster.client.create(customResourceDefinitions, {
      metadata: { name: `${plural}.example.com` },
      spec: {
        group: 'example.com',
        scope: namespaced ? 'Namespaced' : 'Cluster',
        names: { plural, kind },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
      },
    });
    await cluster.until(async () => {
      const { status } = await cluster.client.get(customResourceDefinitions, { name: `${plural}.example.com` });
      return isConditionTrue(status?.conditions, 'Established');
    });
  }
});
after(() => cluster.close());

async function isGone(get: () => Promise<unknown>): Promise<boolean> {
  try {
    await get();
    return false;
  } catch (error) {
    if (isStatus(error, 'NotFound')) return true;
    throw error;
  }
}

const widget = (name: string, metadata: object = {}): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'default', ...metadata },
});

test('an object of a custom kind goes with its owner, whatever kind that is', async () => {
  const owner = await cluster.client.create(configMaps, { metadata: { name: 'owner', namespace: 'default' } });
  const ownedBy = (apiVersion: string, kind: string, { metadata }: KubeObject) => ({
    ownerReferences: [{ apiVersion, kind, name: metadata?.name ?? '', uid: metadata?.uid ?? '' }],
  });
  const middle = await cluster.client.create(widgets, widget('middle', ownedBy('v1', 'ConfigMap', owner)));
  await cluster.client.create(configMaps, {
    metadata: { name: 'leaf', namespace: 'default', ...ownedBy('example.com/v1', 'Widget', middle) },
  });
  const crate = await cluster.client.create(crates, { apiVersion: 'example.com/v1', kind: 'Crate', metadata: { name: 'crate' } });
  await cluster.client.create(widgets, widget('crated', ownedBy('example.com/v1', 'Crate', crate)));
  await cluster.client.create(widgets, widget('free'));
  await cluster.client.delete(configMaps, { namespace: 'default', name: 'owner' });
  await cluster.client.delete(crates, { name: 'crate' });
  await cluster.until(() => isGone(() => cluster.client.get(widgets, { namespace: 'default', name: 'middle' })), { seconds: 20 });
  await cluster.until(() => isGone(() => cluster.client.get(configMaps, { namespace: 'default', name: 'leaf' })), { seconds: 20 });
  await cluster.until(() => isGone(() => cluster.client.get(widgets, { namespace: 'default', name: 'crated' })), { seconds: 20 });
  assert.equal((await cluster.client.get(widgets, { namespace: 'default', name: 'free' })).metadata?.name, 'free');
});

test('a namespace is gone only when its objects of custom kinds are, finalizers and all', async () => {
  await cluster.client.create(namespaces, { metadata: { name: 'short' } });
  await cluster.client.create(widgets, { ...widget('plain'), metadata: { name: 'plain', namespace: 'short' } });
  const held = { name: 'held', namespace: 'short', finalizers: ['example.com/wait'] };
  await cluster.client.create(widgets, { ...widget('held'), metadata: held });
  await cluster.client.delete(namespaces, { name: 'short' });
  await cluster.until(() => isGone(() => cluster.client.get(widgets, { namespace: 'short', name: 'plain' })), { seconds: 20 });
  const { status } = await cluster.client.get(namespaces, { name: 'short' });
  assert.equal(status?.phase, 'Terminating');
  const remaining = await cluster.client.get(widgets, { namespace: 'short', name: 'held' });
  assert.ok(remaining.metadata?.deletionTimestamp);
  await cluster.client.update(widgets, { ...remaining, metadata: { ...remaining.metadata, finalizers: [] } });
  await cluster.until(() => isGone(() => cluster.client.get(namespaces, { name: 'short' })), { seconds: 600 });
});
