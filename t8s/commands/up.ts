// `t8s up`: brings a cluster up in the foreground, or with --detach in the background, and takes it down on Ctrl-C.

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, systemClock, timestamp } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { startCluster } from '../cluster.ts';
import {
  type ClusterRecord,
  readClusterRecord,
  readRunRecord,
  removeRunRecord,
  writeClusterRecord,
  writeRunRecord,
} from '../cluster-record.ts';
import { type CommandIo, UserError } from '../command-io.ts';
import { type ClusterConfig, type ConfigFlags, readConfig } from '../config.ts';
import { contextName, kubeconfigFile, mergeKubeconfig } from '../kubeconfig.ts';
import { createLog } from '../log.ts';
import { freeRange } from '../machine-network.ts';
import { printedSteps } from '../steps.ts';
import { sweepMachine } from '../sweep.ts';

/** How long a start in the background may take. */
const detachSecondsMax = 120;

/** Runs until it is told to stop; exit status 0 after a graceful end. */
export async function up(flags: ConfigFlags, io: CommandIo): Promise<number> {
  const config = readConfig(flags, io.env, io.isRoot);
  checkMachine(config, io);
  const running = readRunRecord(config.dataDirectory);
  if (running) {
    throw new UserError(
      `a cluster is running in ${config.dataDirectory} already (pid ${running.pid}, ${running.server}); stop it with: t8s down --data-dir ${config.dataDirectory}`,
    );
  }
  mkdirSync(config.dataDirectory, { recursive: true, mode: 0o700 });
  return config.detach ? detach(config, io) : foreground(config, io, systemClock);
}

/** Where containers can't run, says so and names the two ways on. */
function checkMachine(config: ClusterConfig, io: CommandIo): void {
  const needsContainers = config.runtime !== 'simulated' && config.nodes === undefined;
  if (!needsContainers) return;
  const otherwise = 'or run without containers: t8s up --runtime simulated';
  if (process.platform !== 'linux')
    throw new UserError(`containers need Linux, and this is ${process.platform}: use a Linux machine, ${otherwise}`);
  if (!io.isRoot) throw new UserError(`containers need root: run it with sudo, ${otherwise}`);
}

async function foreground(config: ClusterConfig, io: CommandIo, clock: Clock): Promise<number> {
  const startMs = clock.monotonicMs();
  const steps = printedSteps(io.out, clock);
  const log = createLog(io.err, config.verbosity);
  const record = await settleRecord(config);
  steps.say(`Starting cluster ${record.name} in ${config.dataDirectory}`);
  const cluster = await startCluster({ config, record, steps, clock, random: systemRandom, log });
  const context = contextName(config.name);
  const file = kubeconfigFile(io.env);
  const { pki, server } = cluster;
  mergeKubeconfig(file, { name: context, server, caPem: pki.authority.certPem, certPem: pki.admin.certPem, keyPem: pki.admin.keyPem });
  const writeRun = () => writeRunRecord(config.dataDirectory, { startedAt: timestamp(clock), server, components: cluster.components() });
  writeRun();
  steps.say(`Ready after ${((clock.monotonicMs() - startMs) / 1000).toFixed(2)} s at ${server}`);
  steps.say(
    `\nContext ${JSON.stringify(context)} is the current one in ${file} (a copy is ${join(config.dataDirectory, 'kubeconfig')}). Try:`,
  );
  steps.say('  kubectl get nodes\n  kubectl apply -f manifests/examples/pod.yaml\n  kubectl logs -f hello');
  const signal = await terminationSignal();
  if (signal === 'SIGINT') io.out.write('\n');
  steps.say('Stopping; once more to leave the pods as they are.');
  const stopAndSweep = async () => {
    await cluster.stop({ stopPods: true });
    await sweepMachine({ dataDirectory: config.dataDirectory, record, clock, log });
  };
  const impatient = terminationSignal().then(() => 'impatient' as const);
  const stopped = await Promise.race([stopAndSweep().then(() => 'stopped' as const), impatient]);
  removeRunRecord(config.dataDirectory);
  if (stopped === 'stopped') steps.say('Stopped.');
  return stopped === 'stopped' ? 0 : 1;
}

function terminationSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
  });
}

/** What the data directory remembers, completed by what is new; what must not change is refused. */
async function settleRecord(config: ClusterConfig): Promise<ClusterRecord> {
  const known = readClusterRecord(config.dataDirectory);
  if (known) {
    for (const key of ['name', 'podCidr', 'serviceCidr', 'nodeName'] as const) {
      const asked = key === 'name' ? config.name : config[key];
      if (asked !== undefined && asked !== known[key] && !(key === 'name' && asked === 't8s')) {
        throw new UserError(`${config.dataDirectory} holds a cluster whose ${key} is ${known[key]}, not ${asked}: use another --data-dir`);
      }
    }
  }
  const record: ClusterRecord = {
    name: known?.name ?? config.name,
    port: config.port ?? (await usablePort(known?.port ?? 6443)),
    kubeletPort: await usablePort(known?.kubeletPort ?? 10250),
    podCidr: known?.podCidr ?? config.podCidr ?? freeRange(244, 254),
    serviceCidr: known?.serviceCidr ?? config.serviceCidr ?? freeRange(96, 111),
    nodeName: known?.nodeName ?? config.nodeName ?? nodeNameOf(hostname()),
  };
  writeClusterRecord(config.dataDirectory, record);
  return record;
}

function nodeNameOf(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^-a-z0-9]/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 40) || 'node'
  );
}

/** `wanted` when it is free, else any that is. */
async function usablePort(wanted: number): Promise<number> {
  return (await bindOnce(wanted)) ?? (await bindOnce(0)) ?? wanted;
}

function bindOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(undefined) : reject(error),
    );
    server.listen({ port, host: '0.0.0.0' }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}

/** Starts the same command without --detach in a session of its own and waits until it is ready or has failed. */
async function detach(config: ClusterConfig, io: CommandIo): Promise<number> {
  const logFile = join(config.dataDirectory, 't8s.log');
  const output = openSync(logFile, 'w', 0o600);
  const args = process.argv.slice(1).filter((arg) => arg !== '--detach' && arg !== '-d');
  const child = spawn(process.execPath, [...process.execArgv, ...args, '--no-detach'], {
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  child.once('error', (error) => io.err.write(`${error.message}\n`));
  const deadlineMs = systemClock.monotonicMs() + detachSecondsMax * 1000;
  while (systemClock.monotonicMs() < deadlineMs) {
    const run = readRunRecord(config.dataDirectory);
    if (run && run.pid === child.pid) {
      child.unref();
      io.out.write(readFileSync(logFile, 'utf8'));
      io.out.write(
        `\nIt runs in the background (pid ${run.pid}, log ${logFile}); stop it with: npx t8s down${config.name === 't8s' ? '' : ` --data-dir ${config.dataDirectory}`}\n`,
      );
      return 0;
    }
    const code = await Promise.race([exited, pause(20)]);
    if (code !== undefined)
      throw new UserError(`the cluster did not start:\n${existsSync(logFile) ? readFileSync(logFile, 'utf8').trim() : ''}`);
  }
  child.kill('SIGTERM');
  throw new UserError(`the cluster was not ready after ${detachSecondsMax} s; see ${logFile}`);
}
