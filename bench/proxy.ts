// What the kernel service proxy costs: loading 1,000 services of 5 endpoints, changing one endpoint, reading everything
// back, starting again over what is there. In a network namespace of its own; needs root and nft. Run: node bench/proxy.ts

import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { run } from '../proxy/nft.ts';
import { Nftables } from '../proxy/nftables.ts';
import { type PlanNode, planOf, planService } from '../proxy/plan.ts';

const serviceCount = 1000;
const endpointCount = 5;
const node: PlanNode = { name: 'n1', addresses: ['192.0.2.1'] };
const namespace = `t8s-bench-${systemRandom.uuid().slice(0, 8)}`;

function serviceFrontends(i: number, endpoints: number[]) {
  const clusterIP = `10.97.${i >> 8}.${i & 255}`;
  const name = `s${i}`;
  const ports = [{ port: 80, protocol: 'TCP', nodePort: i % 10 === 0 ? 30000 + i : undefined }];
  return planService(
    {
      metadata: { namespace: 'default', name },
      spec: {
        type: 'NodePort',
        clusterIP,
        clusterIPs: [clusterIP],
        ports: ports.map(({ nodePort, ...p }) => (nodePort ? { ...p, nodePort } : p)),
      },
    },
    [
      {
        addressType: 'IPv4',
        ports: [{ name: '', port: 8080, protocol: 'TCP' }],
        endpoints: endpoints.map((e) => ({ addresses: [`10.88.${(i * 7 + e) & 255}.${(e % 250) + 1}`] })),
      },
    ],
    node,
  );
}

function newApplier(): Nftables {
  return new Nftables({
    clusterName: 'bench',
    clusterCidr: '10.88.0.0/16',
    serviceCidr: '10.97.0.0/16',
    bridge: 'cni0',
    nodeAddresses: node.addresses,
    clock: systemClock,
    log: silentLog,
    within: ['ip', 'netns', 'exec', namespace],
  });
}

interface Row {
  what: string;
  'p50 ms': number;
  'p99 ms': number;
  'own CPU ms': number;
}

const rows: Row[] = [];

async function measure(what: string, count: number, body: (i: number) => Promise<unknown>): Promise<void> {
  const latenciesMs: number[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    const startMs = performance.now();
    await body(i);
    latenciesMs.push(performance.now() - startMs);
  }
  const { user, system } = process.cpuUsage(before);
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number) => Math.round((latenciesMs[Math.min(count - 1, Math.floor(count * share))] as number) * 100) / 100;
  rows.push({ what, 'p50 ms': at(0.5), 'p99 ms': at(0.99), 'own CPU ms': Math.round((user + system) / count / 10) / 100 });
}

await run(['ip', 'netns', 'add', namespace]);
try {
  await run(['ip', '-n', namespace, 'link', 'set', 'lo', 'up']);
  await run(['ip', '-n', namespace, 'addr', 'add', '192.0.2.1/32', 'dev', 'lo']);
  const all = Array.from({ length: serviceCount }, (_, i) => serviceFrontends(i, [1, 2, 3, 4, 5]));
  const applier = newApplier();
  await applier.apply(planOf([]));
  await measure(`load ${serviceCount} services x ${endpointCount} endpoints`, 1, () => applier.apply(planOf(all.flat())));
  await measure('one endpoint of one service replaced', 200, (i) => {
    all[i % 7] = serviceFrontends(i % 7, [1, 2, 3, 4, 6 + (i % 40)]);
    return applier.apply(planOf(all.flat()));
  });
  await measure('one service scaled by one', 200, (i) => {
    all[11] = serviceFrontends(11, i % 2 ? [1, 2, 3, 4, 5] : [1, 2, 3, 4]);
    return applier.apply(planOf(all.flat()));
  });
  await measure('read back and compared, nothing to repair', 5, () => applier.reconcile());
  await applier.close({ remove: false });
  const second = newApplier();
  await measure('started again over what is there', 1, () => second.apply(planOf(all.flat())));
  await second.close({ remove: true });
} finally {
  await run(['ip', 'netns', 'del', namespace]);
}
console.table(rows);
