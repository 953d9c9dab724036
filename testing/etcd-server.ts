// A real etcd for tests: one member on free loopback ports with its data in a directory of its own. Dies with this process.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';

export interface EtcdServer {
  /** For clients: `http://127.0.0.1:port`. The same after a restart. */
  readonly endpoint: string;
  /** Ends the process as a power cut would (SIGKILL), and waits until it is gone. Its data stay. */
  kill(): Promise<void>;
  /** Starts it again, with the same data and ports, and waits until it answers. */
  restart(): Promise<void>;
  /** Kills it and removes its data. */
  stop(): Promise<void>;
}

/** Whether the machine has an etcd; without one, tests of it say so and skip. */
export function etcdIsInstalled(): boolean {
  return spawnSync('etcd', ['--version']).status === 0;
}

const startMsMax = 20_000;

/** Starts an etcd and waits until it answers. @throws with etcd's own last words when it does not start. */
export async function startEtcdServer(): Promise<EtcdServer> {
  const directory = mkdtempSync(join(tmpdir(), 'etcd-server-'));
  const [clientPort, peerPort] = await freePorts(2);
  const endpoint = `http://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  let child: ChildProcess | undefined;
  const killAtExit = () => {
    child?.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', killAtExit);

  const start = async () => {
    const flags = ['--name=test', `--data-dir=${directory}/data`, '--log-level=error', '--logger=zap', `--initial-cluster=test=${peer}`];
    const urls = [
      `--listen-client-urls=${endpoint}`,
      `--advertise-client-urls=${endpoint}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
    ];
    const started = spawn('etcd', [...flags, ...urls], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    let words = '';
    started.stderr.on('data', (chunk) => {
      words = (words + chunk).slice(-4000);
    });
    const deadline = AbortSignal.timeout(startMsMax);
    while (!(await isHealthy(endpoint))) {
      if (started.exitCode !== null || started.signalCode !== null) throw new Error(`etcd did not start: ${words}`);
      if (deadline.aborted) throw new Error(`etcd did not answer within ${startMsMax} ms: ${words}`);
      await after(20);
    }
  };
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const stop = async () => {
    process.removeListener('exit', killAtExit);
    await kill();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, kill, restart: start, stop };
}

async function isHealthy(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(2000) });
    return response.ok && ((await response.json()) as { health?: string }).health === 'true';
  } catch (error) {
    // Not listening yet, or not answering: the caller asks again until its deadline.
    if (error instanceof Error) return false;
    throw error;
  }
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
