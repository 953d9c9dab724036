import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '../../api/status.ts';
import type { KubeObject, ManagedFieldsEntry } from '../../api/wire.ts';
import { schemaOf } from '../schema/schema.ts';
import { applyPatch } from './apply-patch.ts';
import { fieldManagerName, trackUpdate } from './track-update.ts';

interface Deployment extends KubeObject {
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}
const schema = schemaOf('apps', 'v1', 'Deployment')!;
const kind = { apiVersion: 'apps/v1', kind: 'Deployment' };
const at = (second: number) => `2024-01-01T00:00:0${second}Z`;

interface Options {
  second?: number;
  subresource?: string;
  force?: boolean;
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const item of Object.values(Object.freeze(value))) freeze(item);
  return value;
}

function update(old: Deployment | undefined, object: object, manager: string, { second = 0, subresource = '' }: Options = {}): Deployment {
  const next = { ...kind, ...object } as Deployment;
  const resets = subresource === 'status' ? ['spec'] : ['status'];
  const entries = trackUpdate({
    old,
    new: freeze(next),
    manager,
    subresource,
    apiVersion: kind.apiVersion,
    time: at(second),
    schema,
    resets,
  });
  const { managedFields: _, ...metadata } = next.metadata ?? {};
  return freeze({ ...next, metadata: { ...metadata, ...(entries ? { managedFields: entries } : {}) } });
}

function apply(
  live: Deployment | undefined,
  applied: object,
  manager: string,
  { second = 0, force = false, subresource = '' }: Options = {},
): Deployment {
  const body = freeze({ ...kind, ...applied });
  return freeze(applyPatch({ live, applied: body, manager, force, ...kind, subresource, time: at(second), schema, resets: ['status'] }));
}

function managersOf(object: Deployment): Record<string, string[]> {
  const list = (object.metadata?.managedFields ?? []).map((entry) => [
    `${entry.manager} ${entry.operation}`,
    leavesOf(entry.fieldsV1 ?? {}),
  ]);
  return Object.fromEntries(list);
}

/** `f:spec f:replicas` for each member. */
function leavesOf(fields: object, prefix = ''): string[] {
  return Object.entries(fields).flatMap(([element, below]) => {
    if (element === '.') return [`${prefix}.`];
    const entry = below as object;
    return Object.keys(entry).length === 0 ? [prefix + element] : leavesOf(entry, `${prefix}${element} `);
  });
}

function refusal(act: () => unknown): StatusError {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error;
  }
  return assert.fail('was not refused');
}

const web = {
  metadata: { name: 'web', namespace: 'a', labels: { app: 'web' } },
  spec: { replicas: 1, selector: { matchLabels: { app: 'web' } } },
};
const withReplicas = (replicas: number) => ({ metadata: { name: 'web', namespace: 'a' }, spec: { replicas } });

test('who creates an object manages what it says, as Kubernetes records it', () => {
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: {
      containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, protocol: 'TCP' }] }],
      securityContext: {},
      dnsPolicy: 'ClusterFirst',
    },
  };
  const { metadata } = update(undefined, { ...web, spec: { ...web.spec, template, strategy: { type: 'Recreate' } } }, 'kubectl-create');
  assert.deepEqual(metadata?.managedFields, [
    {
      manager: 'kubectl-create',
      operation: 'Update',
      apiVersion: 'apps/v1',
      time: at(0),
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
        'f:spec': {
          'f:replicas': {},
          'f:selector': {},
          'f:strategy': { 'f:type': {} },
          'f:template': {
            'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
            'f:spec': {
              'f:containers': {
                'k:{"name":"c"}': {
                  '.': {},
                  'f:image': {},
                  'f:name': {},
                  'f:ports': { '.': {}, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} } },
                  'f:resources': {},
                },
              },
              'f:dnsPolicy': {},
              'f:securityContext': {},
            },
          },
        },
      },
    },
  ]);
  assert.deepEqual(Object.keys(metadata?.managedFields?.[0]?.fieldsV1 ?? {}), ['f:metadata', 'f:spec']);
});

test('who changes a field takes it from who managed it, and others keep theirs', () => {
  const created = update(undefined, web, 'creator');
  const changed = update(created, { ...web, metadata: { ...created.metadata }, spec: { ...web.spec, replicas: 3 } }, 'scaler', {
    second: 1,
  });
  assert.deepEqual(managersOf(changed), {
    'creator Update': ['f:metadata f:labels .', 'f:metadata f:labels f:app', 'f:spec f:selector'],
    'scaler Update': ['f:spec f:replicas'],
  });
  assert.deepEqual(
    changed.metadata?.managedFields?.map(({ time }) => time),
    [at(0), at(1)],
  );
});

test('a write that changes nothing leaves managedFields as they are, even when the client leaves them out', () => {
  const created = update(undefined, web, 'creator');
  const same = update(created, web, 'other', { second: 5 });
  assert.equal(same.metadata?.managedFields?.[0], created.metadata?.managedFields?.[0]);
  assert.equal(same.metadata?.managedFields?.length, 1);
});

test('status is managed by a subresource entry, and what the server resets by nobody', () => {
  const created = update(undefined, { ...web, status: { replicas: 9 } }, 'creator');
  assert.deepEqual(
    managersOf(created)['creator Update']?.filter((path) => path.includes('status')),
    [],
  );
  const reported = update(created, { ...web, spec: {}, status: { replicas: 1 } }, 'controller', { subresource: 'status', second: 1 });
  const entry = reported.metadata?.managedFields?.find(({ manager }) => manager === 'controller');
  assert.equal(entry?.subresource, 'status');
  assert.deepEqual(entry?.fieldsV1, { 'f:status': { 'f:replicas': {} } });
});

test('managedFields set to nothing end the tracking', () => {
  const created = update(undefined, web, 'creator');
  for (const managedFields of [[], [{}]] as ManagedFieldsEntry[][]) {
    const reset = update(created, { ...web, metadata: { ...web.metadata, managedFields } }, 'creator', { second: 1 });
    assert.equal(reset.metadata?.managedFields, undefined);
    assert.equal(
      update(reset, { ...web, spec: { ...web.spec, replicas: 9 } }, 'creator', { second: 2 }).metadata?.managedFields,
      undefined,
    );
  }
});

test('garbled managedFields are ignored, and well-formed ones are taken', () => {
  const created = update(undefined, web, 'creator');
  const garbled = [{ manager: 'x', operation: 'Mend', apiVersion: 'apps/v1', fieldsType: 'FieldsV1', fieldsV1: {} }];
  const kept = update(created, { ...web, metadata: { ...web.metadata, managedFields: garbled } }, 'other', { second: 1 });
  assert.deepEqual(Object.keys(managersOf(kept)), ['creator Update']);
  const given = [
    {
      manager: 'x',
      operation: 'Apply',
      apiVersion: 'apps/v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:replicas': {} }, 'q:1': {} },
    },
  ];
  const taken = update(created, { ...web, metadata: { ...web.metadata, managedFields: given } }, 'other', { second: 1 });
  assert.deepEqual(managersOf(taken), { 'x Apply': ['f:spec f:replicas'] });
});

test('beyond ten managers by update, the oldest are merged', () => {
  let object = update(undefined, web, 'm0');
  for (let i = 1; i <= 12; i++)
    object = update(
      object,
      { ...web, metadata: { ...object.metadata, annotations: { ...object.metadata?.annotations, [`k${i}`]: '' } } },
      `m${i}`,
      { second: Math.min(i, 9) },
    );
  const names = object.metadata?.managedFields?.map(({ manager }) => manager);
  assert.equal(names?.length, 10);
  assert.equal(names?.[0], 'ancient-changes');
  assert.ok(managersOf(object)['ancient-changes Update']?.includes('f:spec f:replicas'));
});

test('the first apply creates the object and manages what it says', () => {
  const { metadata, spec } = apply(undefined, web, 'gitops');
  assert.deepEqual(spec, web.spec);
  assert.deepEqual(metadata?.managedFields, [
    {
      manager: 'gitops',
      operation: 'Apply',
      apiVersion: 'apps/v1',
      time: at(0),
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:metadata': { 'f:labels': { 'f:app': {} } }, 'f:spec': { 'f:replicas': {}, 'f:selector': {} } },
    },
  ]);
});

test('an apply that would change what another manages is refused, and says whose it is', () => {
  const created = update(undefined, web, 'kubectl');
  const one = refusal(() => apply(created, withReplicas(2), 'gitops'));
  assert.equal(one.code, 409);
  assert.equal(one.reason, 'Conflict');
  assert.equal(one.message, 'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas');
  assert.deepEqual(one.details?.causes, [
    { reason: 'FieldManagerConflict', message: 'conflict with "kubectl" using apps/v1', field: '.spec.replicas' },
  ]);
  const two = refusal(() => apply(created, { metadata: { name: 'web', labels: { app: 'x' } }, spec: { replicas: 2 } }, 'gitops'));
  assert.equal(
    two.message,
    'Apply failed with 2 conflicts: conflicts with "kubectl" using apps/v1:\n- .metadata.labels.app\n- .spec.replicas',
  );
  const applied = apply(undefined, web, 'first');
  assert.equal(
    refusal(() => apply(applied, withReplicas(2), 'gitops')).message,
    'Apply failed with 1 conflict: conflict with "first": .spec.replicas',
  );
});

test('force takes the field over', () => {
  const forced = apply(update(undefined, web, 'kubectl'), withReplicas(2), 'gitops', { force: true, second: 1 });
  assert.equal(forced.spec?.['replicas'], 2);
  assert.deepEqual(managersOf(forced)['gitops Apply'], ['f:spec f:replicas']);
  assert.ok(!managersOf(forced)['kubectl Update']?.includes('f:spec f:replicas'));
});

test('who applies the same value shares the field, and it stays until the last gives it up', () => {
  const shared = apply(apply(undefined, web, 'one'), withReplicas(1), 'two', { second: 1 });
  assert.deepEqual(managersOf(shared)['two Apply'], ['f:spec f:replicas']);
  const { replicas: _, ...rest } = web.spec;
  const left = apply(shared, { ...web, spec: rest }, 'one', { second: 2 });
  assert.equal(left.spec?.['replicas'], 1);
  const gone = apply(left, { metadata: { name: 'web' } }, 'two', { second: 3 });
  assert.equal(gone.spec?.['replicas'], undefined);
  assert.deepEqual(Object.keys(managersOf(gone)), ['one Apply']);
});

const withContainers = (...containers: object[]) => ({ metadata: { name: 'web' }, spec: { template: { spec: { containers } } } });
const containersOf = (object: Deployment) =>
  (object.spec?.['template'] as { spec?: { containers?: object[] } } | undefined)?.spec?.containers;

test('list elements are merged by their keys, and go when their applier gives them up and nobody else is in them', () => {
  const applied = apply(undefined, withContainers({ name: 'a', image: 'i' }, { name: 'b', image: 'j' }), 'one');
  const shared = apply(applied, withContainers({ name: 'b', env: [{ name: 'X', value: '1' }] }), 'two', { second: 1 });
  assert.deepEqual(containersOf(shared), [
    { name: 'a', image: 'i' },
    { name: 'b', image: 'j', env: [{ name: 'X', value: '1' }] },
  ]);
  const left = apply(shared, withContainers({ name: 'c', image: 'k' }), 'one', { second: 2 });
  assert.deepEqual(containersOf(left), [
    { name: 'b', env: [{ name: 'X', value: '1' }] },
    { name: 'c', image: 'k' },
  ]);
});

test('a default stands in for a key of a list element', () => {
  const live = apply(undefined, withContainers({ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }] }), 'one');
  const again = apply(live, withContainers({ name: 'a', ports: [{ containerPort: 80, name: 'http' }] }), 'two', { second: 1 });
  assert.deepEqual(containersOf(again), [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }] }]);
});

test('sets are united, and atomic lists and maps are one field', () => {
  const finalizers = (...names: string[]) => ({ metadata: { name: 'web', finalizers: names } });
  const both = apply(apply(undefined, finalizers('a', 'b'), 'one'), finalizers('c', 'b'), 'two', { second: 1 });
  assert.deepEqual(both.metadata?.finalizers, ['a', 'c', 'b']);
  assert.deepEqual(managersOf(both)['two Apply'], ['f:metadata f:finalizers v:"b"', 'f:metadata f:finalizers v:"c"']);
  const tolerating = (key: string) => ({ metadata: { name: 'web' }, spec: { template: { spec: { tolerations: [{ key }] } } } });
  const conflict = refusal(() => apply(apply(undefined, tolerating('a'), 'one'), tolerating('b'), 'two'));
  assert.match(conflict.message, /: \.spec\.template\.spec\.tolerations$/);
});

test('an apply that changes nothing says the same again', () => {
  const applied = apply(undefined, web, 'gitops');
  assert.deepEqual(apply(applied, web, 'gitops', { second: 9 }), applied);
});

test('applying to an object that nobody tracked keeps what it has under before-first-apply', () => {
  const live = freeze({ ...kind, ...web, metadata: { ...web.metadata, uid: 'u' } });
  const applied = apply(live, { metadata: { name: 'web', labels: { team: 'x' } } }, 'gitops', { second: 1 });
  assert.deepEqual(applied.metadata?.labels, { app: 'web', team: 'x' });
  assert.ok(managersOf(applied)['before-first-apply Update']?.includes('f:spec f:replicas'));
  assert.match(
    refusal(() => apply(live, withReplicas(2), 'gitops')).message,
    /conflict with "before-first-apply" using apps\/v1: \.spec\.replicas$/,
  );
});

test('kubectl may change what it applied from the client before, and keeps its annotation right', () => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const last = JSON.stringify({ ...kind, ...web });
  const annotated = { ...web, metadata: { ...web.metadata, annotations: { [annotation]: last } } };
  const live = update(undefined, annotated, 'kubectl-client-side-apply');
  const applied = apply(live, withReplicas(2), 'kubectl', { second: 1 });
  assert.equal(applied.spec?.['replicas'], 2);
  assert.deepEqual(JSON.parse(applied.metadata?.annotations?.[annotation] ?? ''), { ...kind, ...withReplicas(2) });
  assert.equal(refusal(() => apply(live, withReplicas(2), 'gitops')).reason, 'Conflict');
  const scaled = update(live, { ...annotated, spec: { ...web.spec, replicas: 5 } }, 'scaler', { second: 1 });
  assert.match(
    refusal(() => apply(scaled, withReplicas(2), 'kubectl')).message,
    /conflict with "scaler" using apps\/v1: \.spec\.replicas$/,
  );
});

test('a body that cannot be applied is refused with the field that is wrong', () => {
  const head = 'failed to create typed patch object (a/web; apps/v1, Kind=Deployment): ';
  const spec = (value: object) => ({ metadata: { name: 'web', namespace: 'a' }, spec: value });
  assert.equal(refusal(() => apply(undefined, spec({ foo: 1 }), 'x')).message, `${head}.spec.foo: field not declared in schema`);
  assert.equal(
    refusal(() => apply(undefined, spec({ replicas: 'two' }), 'x')).message,
    `${head}.spec.replicas: expected numeric (int or float), got &{two}`,
  );
  const doubled = { template: { spec: { containers: [{ name: 'a' }, { name: 'a' }] } } };
  assert.equal(
    refusal(() => apply(undefined, spec(doubled), 'x')).message,
    `${head}.spec.template.spec.containers: duplicate entries for key [name="a"]`,
  );
  const unnamed = { template: { spec: { containers: [{ image: 'a' }] } } };
  assert.match(
    refusal(() => apply(undefined, spec(unnamed), 'x')).message,
    /element 0: associative list with keys has an element that omits key field "name"/,
  );
  assert.equal(refusal(() => apply(undefined, { metadata: { managedFields: [] } }, 'x')).message, 'metadata.managedFields must be nil');
  assert.equal(refusal(() => apply(undefined, { kind: 'ReplicaSet' }, 'x')).message, 'invalid object type: apps/v1, Kind=ReplicaSet');
});

test('a request that names no manager goes by the head of its user agent', () => {
  assert.equal(fieldManagerName('me', 'kubectl/v1.36.0 (linux/amd64)'), 'me');
  assert.equal(fieldManagerName(undefined, 'kubectl/v1.36.0 (linux/amd64)'), 'kubectl');
  assert.equal(fieldManagerName('', `${'x'.repeat(200)}/1`).length, 128);
});
