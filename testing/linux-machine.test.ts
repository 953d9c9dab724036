import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cannotHostMachines, createLan, type Lan, type LinuxMachine, startMachine } from './linux-machine.ts';

const skip = cannotHostMachines() ?? false;
let lan: Lan;
let one: LinuxMachine;
let two: LinuxMachine;

before(async () => {
  if (skip) return;
  lan = await createLan();
  [one, two] = await Promise.all([startMachine({ name: 'one', lan }), startMachine({ name: 'two', lan })]);
});
after(async () => {
  await one?.stop();
  await two?.stop();
  await lan?.close();
});

const outputOf = async (machine: LinuxMachine, script: string) => {
  const { exitCode, stdout, stderr } = await machine.exec(['sh', '-c', script]);
  assert.equal(exitCode, 0, stderr);
  return stdout.trim();
};

test('a machine has its own host name, processes, devices and /run', { skip }, async () => {
  assert.equal(await outputOf(one, 'hostname'), 'one');
  assert.equal(await outputOf(two, 'hostname'), 'two');
  assert.equal(await outputOf(one, 'cat /proc/1/comm'), 'sh');
  assert.deepEqual((await outputOf(one, 'ls /sys/class/net')).split('\n'), ['eth0', 'lo']);
  assert.equal(await outputOf(one, 'ls -A /run/netns'), '');
});

test('machines reach each other over their LAN and nothing beyond it', { skip }, async () => {
  await outputOf(one, `ping -c 1 -W 2 ${two.address} || busybox ping -c 1 -W 2 ${two.address}`);
  assert.equal(await outputOf(one, 'ip route show default'), '');
  const away = await one.exec(['busybox', 'nc', '-w', '1', '198.51.100.1', '80']);
  assert.notEqual(away.exitCode, 0);
  assert.match(away.stderr, /unreachable/i);
});

test('a command gets its input and environment and tells its exit code and output', { skip }, async () => {
  const result = await one.exec(['sh', '-c', 'cat; echo $GREETING >&2; exit 7'], { env: { GREETING: 'hello' }, input: 'in' });
  assert.deepEqual(result, { exitCode: 7, stdout: 'in', stderr: 'hello\n' });
});

test('its cgroups begin at a root of its own', { skip }, async () => {
  const lines = (await outputOf(one, 'cat /proc/self/cgroup')).split('\n').filter((line) => !line.startsWith('0::'));
  for (const line of lines) assert.match(line, /:\/$/);
});

test('a power cut ends every process, and the machine boots again with its directory and address', { skip }, async () => {
  await writeFile(join(two.directory, 'note'), 'kept');
  const child = two.spawn(['sleep', '1000']);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await outputOf(two, 'touch /run/lost; setsid sleep 2000 >/dev/null 2>&1 </dev/null & true');
  await two.powerCut();
  await ended;
  await two.boot();
  assert.equal(await outputOf(two, `cat ${two.directory}/note`), 'kept');
  assert.doesNotMatch(await outputOf(two, 'ls /run'), /lost/);
  assert.doesNotMatch(await outputOf(two, 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'), /sleep [12]000 /);
  await outputOf(two, `ping -c 1 -W 2 ${one.address} || busybox ping -c 1 -W 2 ${one.address}`);
});

test('a stopped machine leaves neither directory nor network behind', { skip }, async () => {
  const third = await startMachine({ name: 'three' });
  assert.ok(existsSync(third.directory));
  const name = third.directory.split('/').at(-1)?.split('-').slice(0, 6).join('-');
  assert.ok(existsSync(`/run/netns/${name}`));
  await third.stop();
  assert.ok(!existsSync(third.directory));
  assert.ok(!existsSync(`/run/netns/${name}`));
});

test('a signal reaches the spawned command itself', { skip }, async () => {
  const child = one.spawn(['sh', '-c', 'trap "exit 9" USR1; echo ready; while :; do sleep 0.05; done'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await one.signal(child, 'SIGUSR1');
  assert.equal(await ended, 9);
});
