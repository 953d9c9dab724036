import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusError } from '../../api/status.ts';
import type { KubeObject, ManagedFieldsEntry } from '../../api/wire.ts';
import { schemaOf } from '../schema/schema.ts';
import { applyPatch } from './apply-patch.ts';
import { onlyVersion } from './kind-versions.ts';
import { fieldManagerName, trackUpdate } from './track-update.ts';

interface Deployment extends KubeObject {
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}
const schema = schemaOf('apps', 'v1', 'Deployment')!;
const kind = { apiVersion: 'apps/v1', kind: 'Deployment' };
const versions = onlyVersion('apps/v1', schema);
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

async function update(
  old: Deployment | undefined,
  object: object,
  manager: string,
  { second = 0, subresource = '' }: Options = {},
): Promise<Deployment> {
  const next = { ...kind, ...object } as Deployment;
  const resets = subresource === 'status' ? ['spec'] : ['status'];
  const entries = await trackUpdate({
    old,
    new: freeze(next),
    manager,
    subresource,
    versions,
    time: at(second),
    resets,
  });
  const { managedFields: _, ...metadata } = next.metadata ?? {};
  return freeze({ ...next, metadata: { ...metadata, ...(entries ? { managedFields: entries } : {}) } });
}

async function apply(
  live: Deployment | undefined,
  applied: object,
  manager: string,
  { second = 0, force = false, subresource = '' }: Options = {},
): Promise<Deployment> {
  const body = freeze({ ...kind, ...applied });
  return freeze(
    (await applyPatch({
      live,
      applied: body,
      manager,
      force,
      kind: 'Deployment',
      versions,
      subresource,
      time: at(second),
      resets: ['status'],
    })) as Deployment,
  );
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

async function refusal(act: () => Promise<unknown>): Promise<StatusError> {
  try {
    await act();
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

test('who creates an object manages what it says, as Kubernetes records it', async () => {
  const template = {
    metadata: { labels: { app: 'web' } },
    spec: {
      containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80, protocol: 'TCP' }] }],
      securityContext: {},
      dnsPolicy: 'ClusterFirst',
    },
  };
  const { metadata } = await update(
    undefined,
    { ...web, spec: { ...web.spec, template, strategy: { type: 'Recreate' } } },
    'kubectl-create',
  );
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

test('who changes a field takes it from who managed it, and others keep theirs', async () => {
  const created = await update(undefined, web, 'creator');
  const changed = await update(created, { ...web, metadata: { ...created.metadata }, spec: { ...web.spec, replicas: 3 } }, 'scaler', {
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

test('a write that changes nothing leaves managedFields as they are, even when the client leaves them out', async () => {
  const created = await update(undefined, web, 'creator');
  const same = await update(created, web, 'other', { second: 5 });
  assert.equal(same.metadata?.managedFields?.[0], created.metadata?.managedFields?.[0]);
  assert.equal(same.metadata?.managedFields?.length, 1);
});

test('status is managed by a subresource entry, and what the server resets by nobody', async () => {
  const created = await update(undefined, { ...web, status: { replicas: 9 } }, 'creator');
  assert.deepEqual(
    managersOf(created)['creator Update']?.filter((path) => path.includes('status')),
    [],
  );
  const reported = await update(created, { ...web, spec: {}, status: { replicas: 1 } }, 'controller', { subresource: 'status', second: 1 });
  const entry = reported.metadata?.managedFields?.find(({ manager }) => manager === 'controller');
  assert.equal(entry?.subresource, 'status');
  assert.deepEqual(entry?.fieldsV1, { 'f:status': { 'f:replicas': {} } });
});

test('managedFields set to nothing end the tracking', async () => {
  const created = await update(undefined, web, 'creator');
  for (const managedFields of [[], [{}]] as ManagedFieldsEntry[][]) {
    const reset = await update(created, { ...web, metadata: { ...web.metadata, managedFields } }, 'creator', { second: 1 });
    assert.equal(reset.metadata?.managedFields, undefined);
    assert.equal(
      (await update(reset, { ...web, spec: { ...web.spec, replicas: 9 } }, 'creator', { second: 2 })).metadata?.managedFields,
      undefined,
    );
  }
});

test('garbled managedFields are ignored, and well-formed ones are taken', async () => {
  const created = await update(undefined, web, 'creator');
  const garbled = [{ manager: 'x', operation: 'Mend', apiVersion: 'apps/v1', fieldsType: 'FieldsV1', fieldsV1: {} }];
  const kept = await update(created, { ...web, metadata: { ...web.metadata, managedFields: garbled } }, 'other', { second: 1 });
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
  const taken = await update(created, { ...web, metadata: { ...web.metadata, managedFields: given } }, 'other', { second: 1 });
  assert.deepEqual(managersOf(taken), { 'x Apply': ['f:spec f:replicas'] });
});

test('beyond ten managers by update, the oldest are merged', async () => {
  let object = await update(undefined, web, 'm0');
  for (let i = 1; i <= 12; i++)
    object = await update(
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

test('the first apply creates the object and manages what it says', async () => {
  const { metadata, spec } = await apply(undefined, web, 'gitops');
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

test('an apply that would change what another manages is refused, and says whose it is', async () => {
  const created = await update(undefined, web, 'kubectl');
  const one = await refusal(() => apply(created, withReplicas(2), 'gitops'));
  assert.equal(one.code, 409);
  assert.equal(one.reason, 'Conflict');
  assert.equal(one.message, 'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas');
  assert.deepEqual(one.details?.causes, [
    { reason: 'FieldManagerConflict', message: 'conflict with "kubectl" using apps/v1', field: '.spec.replicas' },
  ]);
  const two = await refusal(() => apply(created, { metadata: { name: 'web', labels: { app: 'x' } }, spec: { replicas: 2 } }, 'gitops'));
  assert.equal(
    two.message,
    'Apply failed with 2 conflicts: conflicts with "kubectl" using apps/v1:\n- .metadata.labels.app\n- .spec.replicas',
  );
  const applied = await apply(undefined, web, 'first');
  assert.equal(
    (await refusal(() => apply(applied, withReplicas(2), 'gitops'))).message,
    'Apply failed with 1 conflict: conflict with "first": .spec.replicas',
  );
});

test('force takes the field over', async () => {
  const forced = await apply(await update(undefined, web, 'kubectl'), withReplicas(2), 'gitops', { force: true, second: 1 });
  assert.equal(forced.spec?.['replicas'], 2);
  assert.deepEqual(managersOf(forced)['gitops Apply'], ['f:spec f:replicas']);
  assert.ok(!managersOf(forced)['kubectl Update']?.includes('f:spec f:replicas'));
});

test('who applies the same value shares the field, and it stays until the last gives it up', async () => {
  const shared = await apply(await apply(undefined, web, 'one'), withReplicas(1), 'two', { second: 1 });
  assert.deepEqual(managersOf(shared)['two Apply'], ['f:spec f:replicas']);
  const { replicas: _, ...rest } = web.spec;
  const left = await apply(shared, { ...web, spec: rest }, 'one', { second: 2 });
  assert.equal(left.spec?.['replicas'], 1);
  const gone = await apply(left, { metadata: { name: 'web' } }, 'two', { second: 3 });
  assert.equal(gone.spec?.['replicas'], undefined);
  assert.deepEqual(Object.keys(managersOf(gone)), ['one Apply']);
});

const withContainers = (...containers: object[]) => ({ metadata: { name: 'web' }, spec: { template: { spec: { containers } } } });
const containersOf = (object: Deployment) =>
  (object.spec?.['template'] as { spec?: { containers?: object[] } } | undefined)?.spec?.containers;

test('list elements are merged by their keys, and go when their applier gives them up and nobody else is in them', async () => {
  const applied = await apply(undefined, withContainers({ name: 'a', image: 'i' }, { name: 'b', image: 'j' }), 'one');
  const shared = await apply(applied, withContainers({ name: 'b', env: [{ name: 'X', value: '1' }] }), 'two', { second: 1 });
  assert.deepEqual(containersOf(shared), [
    { name: 'a', image: 'i' },
    { name: 'b', image: 'j', env: [{ name: 'X', value: '1' }] },
  ]);
  const left = await apply(shared, withContainers({ name: 'c', image: 'k' }), 'one', { second: 2 });
  assert.deepEqual(containersOf(left), [
    { name: 'b', env: [{ name: 'X', value: '1' }] },
    { name: 'c', image: 'k' },
  ]);
});

test('a default stands in for a key of a list element', async () => {
  const live = await apply(undefined, withContainers({ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP' }] }), 'one');
  const again = await apply(live, withContainers({ name: 'a', ports: [{ containerPort: 80, name: 'http' }] }), 'two', { second: 1 });
  assert.deepEqual(containersOf(again), [{ name: 'a', ports: [{ containerPort: 80, protocol: 'TCP', name: 'http' }] }]);
});

test('sets are united, and atomic lists and maps are one field', async () => {
  const finalizers = (...names: string[]) => ({ metadata: { name: 'web', finalizers: names } });
  const both = await apply(await apply(undefined, finalizers('a', 'b'), 'one'), finalizers('c', 'b'), 'two', { second: 1 });
  assert.deepEqual(both.metadata?.finalizers, ['a', 'c', 'b']);
  assert.deepEqual(managersOf(both)['two Apply'], ['f:metadata f:finalizers v:"b"', 'f:metadata f:finalizers v:"c"']);
  const tolerating = (key: string) => ({ metadata: { name: 'web' }, spec: { template: { spec: { tolerations: [{ key }] } } } });
  const conflict = await refusal(async () => apply(await apply(undefined, tolerating('a'), 'one'), tolerating('b'), 'two'));
  assert.match(conflict.message, /: \.spec\.template\.spec\.tolerations$/);
});

test('an apply that changes nothing says the same again', async () => {
  const applied = await apply(undefined, web, 'gitops');
  assert.deepEqual(await apply(applied, web, 'gitops', { second: 9 }), applied);
});

test('applying to an object that nobody tracked keeps what it has under before-first-apply', async () => {
  const live = freeze({ ...kind, ...web, metadata: { ...web.metadata, uid: 'u' } });
  const applied = await apply(live, { metadata: { name: 'web', labels: { team: 'x' } } }, 'gitops', { second: 1 });
  assert.deepEqual(applied.metadata?.labels, { app: 'web', team: 'x' });
  assert.ok(managersOf(applied)['before-first-apply Update']?.includes('f:spec f:replicas'));
  assert.match(
    (await refusal(() => apply(live, withReplicas(2), 'gitops'))).message,
    /conflict with "before-first-apply" using apps\/v1: \.spec\.replicas$/,
  );
});

test('kubectl may change what it applied from the client before, and keeps its annotation right', async () => {
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
  const last = JSON.stringify({ ...kind, ...web });
  const annotated = { ...web, metadata: { ...web.metadata, annotations: { [annotation]: last } } };
  const live = await update(undefined, annotated, 'kubectl-client-side-apply');
  const applied = await apply(live, withReplicas(2), 'kubectl', { second: 1 });
  assert.equal(applied.spec?.['replicas'], 2);
  assert.deepEqual(JSON.parse(applied.metadata?.annotations?.[annotation] ?? ''), { ...kind, ...withReplicas(2) });
  assert.equal((await refusal(() => apply(live, withReplicas(2), 'gitops'))).reason, 'Conflict');
  const scaled = await update(live, { ...annotated, spec: { ...web.spec, replicas: 5 } }, 'scaler', { second: 1 });
  assert.match(
    (await refusal(() => apply(scaled, withReplicas(2), 'kubectl'))).message,
    /conflict with "scaler" using apps\/v1: \.spec\.replicas$/,
  );
});

test('a body that cannot be applied is refused with the field that is wrong', async () => {
  const head = 'failed to create typed patch object (a/web; apps/v1, Kind=Deployment): ';
  const spec = (value: object) => ({ metadata: { name: 'web', namespace: 'a' }, spec: value });
  assert.equal((await refusal(() => apply(undefined, spec({ foo: 1 }), 'x'))).message, `${head}.spec.foo: field not declared in schema`);
  assert.equal(
    (await refusal(() => apply(undefined, spec({ replicas: 'two' }), 'x'))).message,
    `${head}.spec.replicas: expected numeric (int or float), got string`,
  );
  const doubled = { template: { spec: { containers: [{ name: 'a' }, { name: 'a' }] } } };
  assert.equal(
    (await refusal(() => apply(undefined, spec(doubled), 'x'))).message,
    `${head}.spec.template.spec.containers: duplicate entries for key [name="a"]`,
  );
  const unnamed = { template: { spec: { containers: [{ image: 'a' }] } } };
  assert.match(
    (await refusal(() => apply(undefined, spec(unnamed), 'x'))).message,
    /element 0: associative list with keys has an element that omits key field "name"/,
  );
  assert.equal(
    (await refusal(() => apply(undefined, { metadata: { managedFields: [] } }, 'x'))).message,
    'metadata.managedFields must be nil',
  );
  assert.equal(
    (await refusal(() => apply(undefined, { kind: 'ReplicaSet' }, 'x'))).message,
    'invalid object type: apps/v1, Kind=ReplicaSet',
  );
});

test('a request that names no manager goes by the head of its user agent', async () => {
  assert.equal(fieldManagerName('me', 'kubectl/v1.36.0 (linux/amd64)'), 'me');
  assert.equal(fieldManagerName(undefined, 'kubectl/v1.36.0 (linux/amd64)'), 'kubectl');
  assert.equal(fieldManagerName('', `${'x'.repeat(200)}/1`).length, 128);
});
