// The rules on a real kernel, in network namespaces that the test makes: a node with a bridge, pods on it, and a client
// outside. None of them has a way out of the machine.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { run } from './nft.ts';
import { isNftablesUsable, Nftables, tableName } from './nftables.ts';
import { type Endpoint, type Frontend, planOf } from './plan.ts';

const id = randomBytes(3).toString('hex');
const node = `t8s-n-${id}`;
const outside = `t8s-o-${id}`;
const podNames = [1, 2, 3].map((n) => `t8s-p${n}-${id}`);
const podAddress = (n: number) => `10.88.0.${n + 1}`;
const nodeAddress = '192.0.2.1';
const outsideAddress = '192.0.2.2';
const serviceAddress = '10.97.0.10';
const servers: ChildProcess[] = [];
const warnings: string[] = [];
const clusterName = `test-${id}`;

const isRoot = process.getuid?.() === 0 && (await run(['nft', '--version'])).code === 0;
const skip = isRoot ? false : 'needs root and nft';

async function ip(...args: string[]): Promise<void> {
  const { code, stderr } = await run(['ip', ...args]);
  assert.equal(code, 0, `ip ${args.join(' ')}: ${stderr}`);
}

const inside = (namespace: string) => ['ip', 'netns', 'exec', namespace];

before(async () => {
  if (skip) return;
  for (const name of [node, outside, ...podNames]) {
    await ip('netns', 'add', name);
    await ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  await ip('-n', node, 'link', 'add', 'cni0', 'type', 'bridge');
  await ip('-n', node, 'addr', 'add', '10.88.0.1/24', 'dev', 'cni0');
  await ip('-n', node, 'link', 'set', 'cni0', 'up');
  await ip('-n', node, 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside);
  await ip('-n', node, 'addr', 'add', `${nodeAddress}/24`, 'dev', 'lan');
  await ip('-n', node, 'link', 'set', 'lan', 'up');
  await ip('-n', outside, 'addr', 'add', `${outsideAddress}/24`, 'dev', 'eth0');
  await ip('-n', outside, 'link', 'set', 'eth0', 'up');
  for (const [i, name] of podNames.entries()) {
    const veth = `v${i}`;
    await ip('-n', node, 'link', 'add', veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    await ip('-n', node, 'link', 'set', veth, 'master', 'cni0', 'up');
    // A pod can reach itself over its own bridge port.
    await run([...inside(node), 'sh', '-c', `echo 1 >/sys/class/net/${veth}/brport/hairpin_mode`]);
    await ip('-n', name, 'addr', 'add', `${podAddress(i + 1)}/24`, 'dev', 'eth0');
    await ip('-n', name, 'link', 'set', 'eth0', 'up');
    await ip('-n', name, 'route', 'add', 'default', 'via', '10.88.0.1');
  }
  await Promise.all(podNames.map((name, i) => serve(name, i + 1)));
});

after(async () => {
  for (const server of servers) server.kill('SIGKILL');
  if (!skip) for (const name of [...podNames, outside, node]) await run(['ip', 'netns', 'del', name]);
});

/** A pod that answers `<its number> <client address>` over TCP and UDP. */
async function serve(namespace: string, number: number): Promise<void> {
  const code = `
    const net = require('net'), dgram = require('dgram')
    const u = dgram.createSocket('udp4')
    u.on('message', (m, from) => u.send('${number} ' + from.address, from.port, from.address)).bind(8080)
    net.createServer((s) => { s.on('error', () => {}); s.end('${number} ' + s.remoteAddress.replace('::ffff:', '')) })
      .listen({ port: 8080, host: '0.0.0.0', backlog: 512 }, () => console.log('up'))`;
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  servers.push(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
}

/** What `count` connections from a namespace are answered, a few at a time; errors by their code. */
async function ask(
  namespace: string,
  to: { address: string; port: number; protocol?: 'tcp' | 'udp'; sameSocket?: boolean },
  count = 1,
): Promise<string[]> {
  const code = `
    const net = require('net'), dgram = require('dgram')
    const tcp = () => new Promise((r) => { let got = ''; const s = net.connect({ host: '${to.address}', port: ${to.port}, timeout: 4000 })
      s.on('data', (d) => got += d).on('end', () => r(got)).on('error', (e) => r(e.code)).on('timeout', () => { s.destroy(); r('timeout') }) })
    let shared
    const udp = () => new Promise((r) => { const s = ${to.sameSocket ?? false} ? (shared ??= dgram.createSocket('udp4')) : dgram.createSocket('udp4')
      const t = setTimeout(() => { r('timeout') }, 4000)
      s.once('message', (d) => { clearTimeout(t); r(String(d)); if (s !== shared) s.close() }); s.send('x', ${to.port}, '${to.address}') })
    const answers = []
    const one = async () => { while (answers.length + busy < ${count}) { busy++; const a = await ${to.protocol ?? 'tcp'}(); busy--; answers.push(a) } }
    let busy = 0
    Promise.all(Array.from({ length: ${to.sameSocket ? 1 : 8} }, one)).then(() => { console.log(JSON.stringify(answers)); process.exit() })`;
  const { stdout, stderr } = await run([...inside(namespace), process.execPath, '-e', code]);
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as string[];
}

function endpoints(...numbers: number[]): Endpoint[] {
  return numbers.map((n) => ({ address: podAddress(n), port: 8080 }));
}

function frontend(change: Partial<Frontend> = {}): Frontend {
  return {
    of: 'default/web',
    scope: 'any',
    address: serviceAddress,
    protocol: 'tcp',
    port: 80,
    endpoints: endpoints(1, 2, 3),
    masquerade: 'outside',
    whenEmpty: 'reject',
    affinitySeconds: 0,
    ...change,
  };
}

const planWith = (...frontends: Frontend[]) => planOf(frontends);
const at = { address: serviceAddress, port: 80 };

function newApplier(): Nftables {
  return new Nftables({
    clusterName,
    clusterCidr: '10.88.0.0/16',
    serviceCidr: '10.97.0.0/16',
    bridge: 'cni0',
    nodeAddresses: [nodeAddress, '127.0.0.1'],
    clock: systemClock,
    log: { ...silentLog, warn: (message) => warnings.push(message) },
    within: inside(node),
  });
}

async function withApplier(body: (applier: Nftables) => Promise<void>): Promise<void> {
  const applier = newApplier();
  try {
    await body(applier);
  } finally {
    await applier.close({ remove: true });
  }
}

const numbersOf = (answers: string[]) => answers.map((a) => a.split(' ')[0] as string);

/** Pearson's statistic for `answers` over three equally likely endpoints; 18.4 is its 0.0001 quantile at 2 degrees of freedom. */
function chiSquared(answers: string[]): number {
  const expected = answers.length / 3;
  return ['1', '2', '3'].reduce((sum, n) => sum + (numbersOf(answers).filter((a) => a === n).length - expected) ** 2 / expected, 0);
}

test('this kernel can do what the rules need', { skip }, async () => {
  assert.equal(await isNftablesUsable(inside(node)), true);
});

test('connections from the node and from a pod spread evenly over three endpoints', { skip }, async () => {
  await withApplier(async (applier) => {
    await applier.apply(planWith(frontend()));
    for (const from of [node, podNames[0] as string]) {
      const answers = await ask(from, at, 300);
      assert(chiSquared(answers) < 18.4, `uneven from ${from}: ${JSON.stringify(numbersOf(answers).sort())}`);
    }
  });
});

test('a pod keeps its own address toward others and is masqueraded only when it reaches itself', { skip }, async () => {
  await withApplier(async (applier) => {
    await applier.apply(planWith(frontend()));
    const answers = new Set(await ask(podNames[0] as string, at, 60));
    assert.deepEqual([...answers].sort(), ['1 10.88.0.1', `2 ${podAddress(1)}`, `3 ${podAddress(1)}`]);
  });
});

test('UDP is spread, and a client follows when its endpoint goes', { skip }, async () => {
  await withApplier(async (applier) => {
    const udp = (numbers: number[]) => frontend({ protocol: 'udp', port: 53, endpoints: endpoints(...numbers) });
    await applier.apply(planWith(udp([1, 2, 3])));
    const to = { address: serviceAddress, port: 53, protocol: 'udp' as const };
    const answers = await ask(podNames[0] as string, to, 90);
    assert.deepEqual([...new Set(numbersOf(answers))].sort(), ['1', '2', '3']);
    const flows = async () => (await run([...inside(node), 'conntrack', '-L', '-p', 'udp', '--orig-dst', serviceAddress])).stdout;
    assert.match(await flows(), /src=10\.88\.0\.3/);
    await applier.apply(planWith(udp([3])));
    assert.doesNotMatch(await flows(), /src=10\.88\.0\.[23] dst=\S+ sport=8080/);
    assert.deepEqual(new Set(numbersOf(await ask(podNames[1] as string, to, 10))), new Set(['3']));
  });
});

test('a client with affinity stays with its endpoint when others come and go, and moves when its own goes', { skip }, async () => {
  await withApplier(async (applier) => {
    const sticky = (...numbers: number[]) => planWith(frontend({ affinitySeconds: 600, endpoints: endpoints(...numbers) }));
    await applier.apply(sticky(1, 2, 3));
    const [first = ''] = numbersOf(await ask(node, at));
    assert.deepEqual(new Set(numbersOf(await ask(node, at, 30))), new Set([first]));
    const others = [1, 2, 3].filter((n) => String(n) !== first);
    await applier.apply(sticky(Number(first), others[0] as number));
    assert.deepEqual(new Set(numbersOf(await ask(node, at, 30))), new Set([first]));
    await applier.apply(sticky(...others));
    const [second = ''] = numbersOf(await ask(node, at));
    assert.notEqual(second, first);
    assert.deepEqual(new Set(numbersOf(await ask(node, at, 20))), new Set([second]));
  });
});

test('a service without endpoints refuses at once, and so does an address that no service has', { skip }, async () => {
  await withApplier(async (applier) => {
    await applier.apply(planWith(frontend({ endpoints: [] })));
    for (const from of [node, podNames[0] as string]) {
      assert.deepEqual(await ask(from, at), ['ECONNREFUSED']);
      assert.deepEqual(await ask(from, { address: '10.97.200.1', port: 1 }), ['ECONNREFUSED']);
    }
  });
});

test("a node port answers from outside, from a pod and from the node, behind the node's address", { skip }, async () => {
  await withApplier(async (applier) => {
    await applier.apply(planWith(frontend({ address: nodeAddress, port: 30080, masquerade: 'always' })));
    const to = { address: nodeAddress, port: 30080 };
    assert.deepEqual([...new Set(await ask(outside, to, 60))].sort(), ['1 10.88.0.1', '2 10.88.0.1', '3 10.88.0.1']);
    assert.equal(new Set(numbersOf(await ask(podNames[0] as string, to, 60))).size, 3);
    assert.equal(new Set(numbersOf(await ask(node, to, 60))).size, 3);
    assert.deepEqual(await ask(outside, { address: nodeAddress, port: 30081 }), ['ECONNREFUSED']);
  });
});

test("a Local external policy shows the client's address, while near clients reach every endpoint", { skip }, async () => {
  await withApplier(async (applier) => {
    const local = { address: nodeAddress, port: 30080 };
    await applier.apply(
      planWith(frontend({ ...local, masquerade: 'never', endpoints: endpoints(1) }), frontend({ ...local, scope: 'near' })),
    );
    // The pod answers by its default route, so the outside client's own address is a way back.
    assert.deepEqual([...new Set(await ask(outside, local, 20))], [`1 ${outsideAddress}`]);
    assert.equal(new Set(numbersOf(await ask(node, local, 60))).size, 3);
    assert.equal(new Set(numbersOf(await ask(podNames[1] as string, local, 60))).size, 3);
  });
});

test('source ranges let in only those named', { skip }, async () => {
  await withApplier(async (applier) => {
    const lb = (ranges: string[]) => frontend({ address: '198.51.100.7', masquerade: 'always', sourceRanges: ranges });
    await run(['ip', '-n', outside, 'route', 'replace', '198.51.100.7', 'via', nodeAddress]);
    await applier.apply(planWith(lb([`${outsideAddress}/32`, '203.0.113.0/24'])));
    assert.equal(numbersOf(await ask(outside, { address: '198.51.100.7', port: 80 })).length, 1);
    assert.match((await ask(outside, { address: '198.51.100.7', port: 80 }))[0] as string, /^[123] /);
    await applier.apply(planWith(lb(['203.0.113.0/24'])));
    assert.deepEqual(await ask(outside, { address: '198.51.100.7', port: 80 }), ['timeout']);
  });
});

test('no connection fails while endpoints come and go under a client', { skip }, async () => {
  await withApplier(async (applier) => {
    await applier.apply(planWith(frontend()));
    const choices = [endpoints(1), endpoints(1, 2), endpoints(2, 3), endpoints(3), endpoints(1, 2, 3)];
    let isDone = false;
    const asking = ask(podNames[0] as string, at, 1500).finally(() => {
      isDone = true;
    });
    let changes = 0;
    for (; !isDone && changes < 2000; changes++)
      await applier.apply(planWith(frontend({ endpoints: choices[changes % choices.length] as Endpoint[] })));
    const failures = (await asking).filter((answer) => !/^[123] /.test(answer));
    assert.deepEqual(failures, []);
    assert.deepEqual(warnings, []);
    assert(changes >= choices.length, `only ${changes} changes`);
  });
});

test('a second start adopts what is there: nothing is written, and connections go on meanwhile', { skip }, async () => {
  const first = newApplier();
  const plan = planWith(
    frontend(),
    frontend({ address: '10.97.0.11', affinitySeconds: 60 }),
    frontend({ address: '10.97.0.12', protocol: 'udp', endpoints: [] }),
    frontend({ address: '198.51.100.7', sourceRanges: ['203.0.113.0/24', '192.0.2.2'], masquerade: 'always' }),
    frontend({ address: nodeAddress, port: 30080, scope: 'near' }),
  );
  await first.apply(plan);
  await first.close({ remove: false });
  const list = async () => (await run([...inside(node), 'nft', '-a', 'list', 'table', 'ip', tableName(clusterName)])).stdout;
  const before = await list();
  assert.match(before, /goto outside-tcp-to-3/);
  assert.match((await ask(node, at))[0] as string, /^[123] /);
  const second = newApplier();
  try {
    await second.apply(plan);
    // Handles are numbered by the kernel: any rule written again would have a new one.
    assert.equal(await list(), before);
    assert.equal(await second.reconcile(), 0);
  } finally {
    await second.close({ remove: true });
  }
  assert.equal(await list(), '');
});

test('what something else changes or deletes is put back', { skip }, async () => {
  await withApplier(async (applier) => {
    const plan = planWith(frontend());
    await applier.apply(plan);
    const table = tableName(clusterName);
    const tamper = [
      `flush chain ip ${table} tcp-to-3`,
      `delete element ip ${table} endpoints-tcp { ${serviceAddress} . 80 . 1 }`,
      `add element ip ${table} rejected { ${serviceAddress} . tcp . 80 }`,
      `add chain ip ${table} foreign`,
      `add rule ip ${table} foreign counter drop`,
    ];
    const { code, stderr } = await run([...inside(node), 'nft', '-f', '-'], { input: `${tamper.join('\n')}\n` });
    assert.equal(code, 0, stderr);
    assert.equal(await applier.reconcile(), 4);
    assert.equal(await applier.reconcile(), 0);
    assert.equal(new Set(numbersOf(await ask(node, at, 60))).size, 3);
    await run([...inside(node), 'nft', 'delete', 'table', 'ip', table]);
    // It does not know yet; the change fails and everything is written anew.
    await applier.apply(planWith(frontend({ endpoints: endpoints(2) })));
    assert.deepEqual(new Set(numbersOf(await ask(node, at, 10))), new Set(['2']));
  });
});

test('a change is made though the nft process was killed, and nothing is lost', { skip }, async () => {
  await withApplier(async (applier) => {
    await applier.apply(planWith(frontend({ endpoints: endpoints(1) })));
    await applier.apply(planWith(frontend({ endpoints: endpoints(2) })));
    const { stdout } = await run(['ip', 'netns', 'pids', node]);
    const pids = stdout.split('\n').filter(Boolean).map(Number);
    assert.equal(pids.length, 1, 'one long-lived nft');
    process.kill(pids[0] as number, 'SIGKILL');
    await applier.apply(planWith(frontend({ endpoints: endpoints(3) })));
    assert.deepEqual(new Set(numbersOf(await ask(node, at, 10))), new Set(['3']));
  });
});

test('service addresses are routed to a device of the machine, never to a gateway', { skip }, async () => {
  await withApplier(async (applier) => {
    await applier.apply(planWith());
    const { stdout } = await run([...inside(node), 'ip', 'route', 'get', '10.97.9.9']);
    assert.match(stdout, /dev t8s-/);
    assert.doesNotMatch(stdout, /via/);
  });
});
