import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PromisedMetric, promisedMetrics } from '../client/metrics/stability.ts';
import { Cluster } from './cluster.ts';

/** What Kubernetes promises and we have not, and why. */
const absent: Record<string, string> = {
  apiserver_authentication_config_controller_automatic_reload_last_timestamp_seconds: 'configuration files are not reloaded',
  apiserver_authentication_config_controller_automatic_reloads_total: 'configuration files are not reloaded',
  apiserver_authorization_config_controller_automatic_reload_last_timestamp_seconds: 'configuration files are not reloaded',
  apiserver_authorization_config_controller_automatic_reloads_total: 'configuration files are not reloaded',
  apiserver_cel_compilation_duration_seconds: 'compiling and evaluating expressions is not timed',
  apiserver_cel_evaluation_duration_seconds: 'compiling and evaluating expressions is not timed',
  apiserver_validation_declarative_validation_mismatch_total: 'there is one validation and nothing to compare it with',
  apiserver_validation_declarative_validation_panic_total: 'there is one validation and nothing to compare it with',
  kubernetes_feature_enabled: 'there are no feature gates',
  cronjob_controller_job_creation_skew_duration_seconds: 'nothing runs cron jobs',
  job_controller_job_pods_finished_total: 'nothing runs jobs',
  job_controller_job_sync_duration_seconds: 'nothing runs jobs',
  job_controller_job_syncs_total: 'nothing runs jobs',
  job_controller_jobs_finished_total: 'nothing runs jobs',
  statefulset_controller_statefulset_max_unavailable: 'nothing runs stateful sets',
  statefulset_controller_statefulset_unavailable_replicas: 'nothing runs stateful sets',
  node_collector_evictions_total: 'the controller that evicts is not measured',
  kube_pod_resource_limit: 'the scheduler has no /metrics/resources',
  kube_pod_resource_request: 'the scheduler has no /metrics/resources',
};

/** Served on pages of their own, which the tests beside them look at. */
const elsewhere = /^(kubernetes_healthcheck|container_|node_(cpu|memory)|pod_(cpu|memory)|resource_scrape_error|prober_)/;

test('every metric that Kubernetes promises is there with its type and labels, or is named with why not', async (t) => {
  const cluster = await Cluster.start({ nodes: 1 });
  t.after(() => cluster.close());
  const served = new Map<string, Map<string, { type: string; labels: string[] }>>();
  for (const component of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet/node-1'] as const) {
    const registry = cluster.metricsRegistryOf(component);
    const families = new Map((await registry.getMetricsAsJSON()).map((family) => [family.name, family]));
    const metrics = registry.describe().map(({ name, labels }) => {
      const family = families.get(name);
      // Some families keep plain numbers and know their labels when they have series.
      const seen = family && 'values' in family ? Object.keys(family.values[0]?.labels ?? {}).filter((label) => label !== 'le') : [];
      return [name, { type: String(family?.type), labels: (labels.length > 0 ? labels : seen).sort() }] as const;
    });
    served.set(component.split('/')[0] ?? '', new Map(metrics));
  }
  const wrong: string[] = [];
  const check = (name: string, component: string, { type, labels }: PromisedMetric) => {
    const found = served.get(component)?.get(name);
    const text = found ? `${found.type} ${found.labels.join(' ')}` : 'absent';
    if (text !== `${type} ${[...labels].sort().join(' ')}`) wrong.push(`${component}: ${name} is ${text}`);
  };
  for (const [name, promised] of promisedMetrics) {
    const components = promised.component === 'all' ? [...served.keys()] : [promised.component];
    if (name in absent) {
      for (const component of components)
        if (served.get(component)?.has(name)) wrong.push(`${name} is there: it need not be excused any more`);
    } else if (!elsewhere.test(name)) for (const component of components) check(name, component, promised);
  }
  for (const name of Object.keys(absent)) if (!promisedMetrics.has(name)) wrong.push(`${name} is not promised`);
  assert.deepEqual(wrong, []);
});
