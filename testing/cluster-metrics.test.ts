import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodes, pods, replicationControllers } from '../api/core.ts';
import { Cluster } from './cluster.ts';

const big = { requests: { cpu: '1000' } };

test('controllers and scheduler tell what they do under the names of Kubernetes, in virtual time', async (t) => {
  const cluster = await Cluster.start({ nodes: 1 });
  t.after(() => cluster.close());
  await cluster.until(async () => (await cluster.client.list(nodes)).items.every(({ spec }) => !spec?.taints?.length));
  const container = { name: 'c', image: 'example.com/web:1' };
  await cluster.client.create(replicationControllers, {
    metadata: { name: 'web', namespace: 'default' },
    spec: { replicas: 3, selector: { app: 'web' }, template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } } },
  });
  await cluster.client.create(pods, {
    metadata: { name: 'big', namespace: 'default' },
    spec: { containers: [{ ...container, resources: big }] },
  });
  const gated = { containers: [container], schedulingGates: [{ name: 'example.com/later' }] };
  await cluster.client.create(pods, { metadata: { name: 'gated', namespace: 'default' }, spec: gated });
  await cluster.until(async () => (await cluster.client.list(pods)).items.filter((pod) => pod.status?.phase === 'Running').length === 3);

  const managers = readings(await cluster.metricsOf('kube-controller-manager'));
  assert.equal(managers.get('workqueue_depth{name="replicationmanager"}'), 0);
  assert.ok((managers.get('workqueue_adds_total{name="replicationmanager"}') ?? 0) >= 2);
  assert.equal(
    managers.get('workqueue_queue_duration_seconds_count{name="replicationmanager"}'),
    managers.get('workqueue_adds_total{name="replicationmanager"}'),
  );
  assert.equal(
    managers.get('workqueue_work_duration_seconds_bucket{name="replicationmanager",le="1e-06"}'),
    managers.get('workqueue_work_duration_seconds_count{name="replicationmanager"}'),
    'in virtual time work takes none',
  );
  for (const name of ['ClusterRoleAggregator', 'deployment', 'endpoint_slice', 'garbage_collector_attempt_to_delete', 'pvcprotection'])
    assert.ok(managers.has(`workqueue_unfinished_work_seconds{name="${name}"}`), name);
  assert.ok((managers.get('rest_client_requests_total{code="201",host="in-process",method="POST"}') ?? 0) >= 3);

  const scheduler = readings(await cluster.metricsOf('kube-scheduler'));
  assert.equal(scheduler.get('scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"}'), 3);
  assert.ok((scheduler.get('scheduler_schedule_attempts_total{profile="default-scheduler",result="unschedulable"}') ?? 0) >= 1);
  assert.equal(scheduler.get('scheduler_pod_scheduling_attempts_bucket{le="1"}'), 3);
  assert.equal(scheduler.get('scheduler_pod_scheduling_sli_duration_seconds_count{attempts="1"}'), 3);
  assert.equal(scheduler.get('scheduler_queue_incoming_pods_total{event="UnschedulablePodAdd",queue="active"}'), 4);
  assert.ok((scheduler.get('scheduler_queue_incoming_pods_total{event="ScheduleAttemptFailure",queue="unschedulable"}') ?? 0) >= 1);
  assert.equal(scheduler.get('scheduler_pending_pods{queue="gated"}'), 1);
  const waiting = ['active', 'backoff', 'unschedulable'].map(
    (queue) => scheduler.get(`scheduler_pending_pods{queue="${queue}"}`) ?? Number.NaN,
  );
  assert.equal(
    waiting.reduce((sum, each) => sum + each),
    1,
    'the one that fits nowhere',
  );
  assert.ok((scheduler.get('scheduler_preemption_attempts_total') ?? 0) >= 1);
  assert.equal(scheduler.get('scheduler_cache_size{type="nodes"}'), 1);
  for (const point of ['PreFilter', 'Filter', 'Bind'])
    assert.ok(
      (scheduler.get(
        `scheduler_framework_extension_point_duration_seconds_count{extension_point="${point}",profile="default-scheduler",status="Success"}`,
      ) ?? 0) >= 3,
      point,
    );
});

test('two clusters of one process count apart', async (t) => {
  const [busy, idle] = await Promise.all([Cluster.start({ nodes: 1 }), Cluster.start({ nodes: 0 })]);
  t.after(() => Promise.all([busy.close(), idle.close()]));
  await busy.client.create(pods, { metadata: { name: 'a', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }] } });
  await busy.until(async () => (await busy.client.get(pods, { namespace: 'default', name: 'a' })).spec?.nodeName !== undefined);
  const scheduled = 'scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"}';
  assert.equal(readings(await busy.metricsOf('kube-scheduler')).get(scheduled), 1);
  assert.equal(readings(await idle.metricsOf('kube-scheduler')).get(scheduled), undefined);
});

function readings(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}
