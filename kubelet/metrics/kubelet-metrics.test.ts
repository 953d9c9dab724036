import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Pod, pods } from '../../api/core.ts';
import { clusterRoleBindings, clusterRoles } from '../../api/rbac.ts';
import { createAuthority, createCertificate, type KeyPairPem } from '../../apiserver/pki/certificates.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { createSimulatedRuntime } from '../../runtime/simulated.ts';
import { Cluster } from '../../testing/cluster.ts';
import { startKubelet } from '../kubelet.ts';

const web: Pod = {
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    containers: [{ name: 'app', image: 'example.com/web:1', readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 } }],
  },
};

/** A kubelet that listens, on a simulated runtime, and one pod that runs there. */
async function served(t: TestContext) {
  const cluster = await Cluster.start({ nodes: 0 });
  t.after(() => cluster.close());
  const directory = await mkdtemp(join(tmpdir(), 't8s-kubelet-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const authority = await createAuthority('test-ca', systemClock);
  const certificate = (commonName: string, ...organizations: string[]) =>
    createCertificate(authority, { commonName, organizations, serverNames: ['127.0.0.1'], isClient: true, validDays: 1 }, systemClock);
  const own = await certificate('node');
  const { clock, random, caches } = cluster;
  const kubelet = await startKubelet({
    nodeName: 'measured',
    client: cluster.clientOf('system:node:measured', 'system:nodes'),
    caches,
    runtime: createSimulatedRuntime({ clock, random, podCidr: '10.244.9.0/24' }),
    rootDirectory: directory,
    podLogsDirectory: join(directory, 'logs'),
    capacity: { cpu: '32', memory: '256Gi', pods: '110' },
    mountsVolumes: false,
    nodeAddresses: ['127.0.0.1'],
    podCidr: '10.244.9.0/24',
    tls: { cert: own.certPem, key: own.keyPem, clientCa: authority.certPem },
    address: '127.0.0.1',
    port: 0,
    clock,
    random,
    log: silentLog,
  });
  t.after(() => kubelet.close({ stopPods: false }));
  await cluster.client.create(pods, web);
  const isReady = (pod: Pod) => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  await cluster.until(async () => isReady(await cluster.client.get(pods, { namespace: 'default', name: 'web' })));
  const get = (path: string, as?: KeyPairPem) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const credentials = as ? { cert: as.certPem, key: as.keyPem } : {};
      request({ host: '127.0.0.1', port: kubelet.port, path, ca: authority.certPem, agent: false, ...credentials }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      })
        .on('error', reject)
        .end();
    });
  return { cluster, get, certificate };
}

test('a kubelet tells what it does, what its probes say and what its pods use', async (t) => {
  const { get, certificate } = await served(t);
  const admin = await certificate('admin', 'system:masters');
  const has = (text: string, ...patterns: RegExp[]) => {
    for (const pattern of patterns) assert.match(text, pattern);
  };
  has(
    (await get('/metrics', admin)).text,
    /^kubelet_node_name\{node="measured"\} 1$/m,
    /^kubelet_running_pods 1$/m,
    /^kubelet_running_containers\{container_state="running"\} 1$/m,
    /^kubelet_desired_pods\{static=""\} 1$/m,
    /^kubelet_started_pods_total 1$/m,
    /^kubelet_started_containers_total\{container_type="container"\} 1$/m,
    /^kubelet_pod_start_duration_seconds_count 1$/m,
    /^kubelet_runtime_operations_total\{operation_type="run_podsandbox"\} 1$/m,
    /^kubelet_runtime_operations_duration_seconds_count\{operation_type="start_container"\} 1$/m,
    /^kubelet_pod_worker_duration_seconds_count\{operation_type="create"\} 1$/m,
    /^kubelet_pleg_relist_duration_seconds_count [1-9]/m,
  );
  has(
    (await get('/metrics/probes', admin)).text,
    /^# HELP prober_probe_total \[BETA\] /m,
    /^prober_probe_total\{container="app",namespace="default",pod="web",pod_uid="[-\w]+",probe_type="Readiness",result="successful"\} [1-9]/m,
  );
  has(
    (await get('/metrics/resource', admin)).text,
    /^# HELP container_start_time_seconds \[STABLE\] /m,
    /^container_memory_working_set_bytes\{container="app",namespace="default",pod="web"\} \S+ \d+$/m,
    /^container_start_time_seconds\{container="app",namespace="default",pod="web"\} \S+$/m,
    /^pod_cpu_usage_seconds_total\{namespace="default",pod="web"\} \S+ \d+$/m,
    /^node_memory_working_set_bytes \S+ \d+$/m,
    /^resource_scrape_error 0$/m,
  );
  has(
    (await get('/metrics/cadvisor', admin)).text,
    /^container_cpu_usage_seconds_total\{container="app",cpu="total",id="\w+",image="example.com\/web:1",name="\w+",namespace="default",pod="web"\} /m,
    /^machine_cpu_cores [1-9]/m,
  );
  const { node, pods: used } = JSON.parse((await get('/stats/summary', admin)).text);
  assert.equal(node.nodeName, 'measured');
  assert.deepEqual([used.length, used[0].podRef.name, used[0].containers[0].name], [1, 'web', 'app']);
  assert.ok(used[0].memory.workingSetBytes >= used[0].containers[0].memory.workingSetBytes);
});

test('a kubelet lets read what the API server lets read, path by path', async (t) => {
  const { cluster, get, certificate } = await served(t);
  const reader = await certificate('reader');
  assert.equal((await get('/metrics')).status, 401);
  const refused = 'Forbidden (user=reader, verb=get, resource=nodes, subresource(s)=[metrics])\n';
  assert.deepEqual(await get('/metrics', reader), { status: 403, text: refused });
  const stranger = await get('/pods', await certificate('stranger'));
  assert.equal(stranger.text, 'Forbidden (user=stranger, verb=get, resource=nodes, subresource(s)=[pods proxy])\n');
  await cluster.client.create(clusterRoles, {
    metadata: { name: 'reader' },
    rules: [{ apiGroups: [''], resources: ['nodes/metrics', 'nodes/pods'], verbs: ['get'] }],
  });
  await cluster.client.create(clusterRoleBindings, {
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'reader' }],
  });
  await cluster.step({ seconds: 31 }); // a refusal is remembered for half a minute
  assert.equal((await get('/metrics/resource', reader)).status, 200);
  assert.equal((await get('/pods', reader)).status, 200);
  assert.equal((await get('/stats/summary', reader)).status, 403);
  assert.equal((await get('/containerLogs/default/web/app', reader)).status, 403);
});
