// One containerd of our own: configured, started under the data directory, watched, restarted when it dies, and found again by
// the next life of t8s, whose end never ends it: it runs in a session of its own, and its pods in theirs.

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, watch } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { backoffMs } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { bridgeName, type ContainerdPaths, cniConfig, containerdConfig, containerdPaths } from './containerd/configuration.ts';
import { type ContainerdBinaries, defaultCniDirectories, defaultSearchPath, findBinaries } from './containerd/find-binaries.ts';
import { forgetProcess, isRunning, type ProcessRecord, recordedProcess, recordProcess } from './containerd/process-record.ts';
import { connectCri } from './cri.ts';
import { ensurePauseImage } from './images/ensure-pause-image.ts';
import type { ContainerRuntime } from './runtime.ts';

export interface ContainerdOptions {
  /** What outlives the machine's restart: images, configuration, log. */
  directory: string;
  /** What does not: socket, pid, addresses in use. Best on /run; short, as a socket's path has at most 107 bytes. */
  stateDirectory: string;
  /** The addresses of this node's pods, like `10.244.0.0/24`. */
  podCidr: string;
  clock: Clock;
  random: Random;
  log: Log;
  /** Where CNI plugins are looked for. Default: where Debian and others put them. */
  cniDirectories?: string[];
  /** Where programs are looked for. Default: the usual directories. */
  searchPath?: string[];
  /**
   * Default: crun where it is installed and works, since it starts a container in half of runc's time and a command in less;
   * where both kinds of cgroups are mounted it does not, and runc is used.
   */
  defaultRuntime?: 'runc' | 'crun';
  /** For pods' interfaces, in bytes. */
  mtuBytes?: number;
  /** Serve host ports by CNI's portmap plugin. Default false: the service proxy does, and a pod then costs 5 to 10 ms less. */
  portmap?: boolean;
  /** Variables for containerd beside PATH: a proxy for pulls. */
  environment?: Record<string, string>;
}

export interface SupervisedContainerd {
  readonly socket: string;
  /** A connection to it, which outlives its restarts; closed by `stop` and `leave`. */
  readonly runtime: ContainerRuntime;
  /** True when it ran already: pods from before may be running. */
  readonly wasRunning: boolean;
  /** The bridge device that pods of this node are plugged into. */
  readonly bridge: string;
  /** undefined while it is being restarted. */
  readonly pid: number | undefined;
  /** Ends containerd, and the bridge if no pod is left on it. Pods that still run go on. */
  stop(): Promise<void>;
  /** Ends the supervision alone. */
  leave(): Promise<void>;
}

const restartBackoff = { baseMs: 200, capMs: 30_000 };
/** After running this long, the next failure counts as the first again. */
const steadyMs = 60_000;
const startMsMax = 30_000;
/** Then it is killed, which costs nothing but a moment at the next start; 1.6 can hang when told to end as it starts. */
const stopMsMax = 2000;
const logBytesMax = 10 * 1024 * 1024;
const socketPathBytesMax = 107;

/** @throws MissingBinaries, or Error with the end of containerd's log when it does not come up. */
export async function superviseContainerd(options: ContainerdOptions): Promise<SupervisedContainerd> {
  const { directory, stateDirectory, searchPath = defaultSearchPath, cniDirectories = defaultCniDirectories } = options;
  const paths = containerdPaths(directory, stateDirectory);
  if (Buffer.byteLength(paths.socket) > socketPathBytesMax) {
    throw new Error(`the socket's path ${paths.socket} is longer than ${socketPathBytesMax} bytes: give a shorter state directory`);
  }
  const binaries = await findBinaries({ searchPath, cniDirectories });
  const bridge = bridgeName(directory);
  const configDigest = await configure(options, { paths, binaries, bridge });
  const supervisor = new Supervisor({ options, paths, binaries, configDigest, searchPath });
  const wasRunning = await supervisor.start();
  try {
    const runtime = await connectCri({ ...options, socket: paths.socket });
    await ensurePauseImage(runtime, { ...options, socket: paths.socket });
    supervisor.keepRunning();
    return {
      socket: paths.socket,
      runtime,
      wasRunning,
      bridge,
      get pid() {
        return supervisor.pid;
      },
      async stop() {
        await runtime.close();
        await supervisor.stop();
        await removeIdleBridge(bridge, searchPath);
      },
      async leave() {
        await runtime.close();
        supervisor.leave();
      },
    };
  } catch (error) {
    if (wasRunning) supervisor.leave();
    else await supervisor.stop();
    throw error;
  }
}

/** Writes the configuration; returns its digest, by which a containerd that runs with another one is known. */
async function configure(
  { podCidr, defaultRuntime, mtuBytes, portmap = false }: ContainerdOptions,
  { paths, binaries, bridge }: { paths: ContainerdPaths; binaries: ContainerdBinaries; bridge: string },
): Promise<string> {
  await Promise.all(
    [paths.root, paths.state, paths.cniConfigDirectory, paths.certificates].map((path) => mkdir(path, { recursive: true })),
  );
  const config = containerdConfig({
    paths,
    binaries,
    defaultRuntime: defaultRuntime ?? (binaries.crun && !hasBothCgroups() ? 'crun' : 'runc'),
    canLowerOomScore: await hasCapSysResource(),
  });
  const cni = cniConfig({ bridge, podCidr, addresses: paths.cniAddresses, portmap, ...(mtuBytes !== undefined && { mtuBytes }) });
  // containerd reads the network's file again whenever it changes, so that one needs no restart.
  await writeWhole(join(paths.cniConfigDirectory, '10-t8s.conflist'), cni);
  await writeWhole(paths.config, config);
  return createHash('sha256').update(config).digest('hex');
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function hasCapSysResource(): Promise<boolean> {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${effective}`) & (1n << 24n)) !== 0n;
}

/** The hybrid layout: v1's hierarchies, and v2's beside them. */
function hasBothCgroups(): boolean {
  return existsSync('/sys/fs/cgroup/unified/cgroup.controllers');
}

interface SupervisorOptions {
  options: ContainerdOptions;
  paths: ContainerdPaths;
  binaries: ContainerdBinaries;
  configDigest: string;
  searchPath: string[];
}

class Supervisor {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #with: SupervisorOptions;
  readonly #ended = new AbortController();
  #record: ProcessRecord | undefined;

  constructor(supervisorOptions: SupervisorOptions) {
    this.#with = supervisorOptions;
    this.#clock = supervisorOptions.options.clock;
    this.#log = supervisorOptions.options.log;
  }

  get pid(): number | undefined {
    return this.#record?.pid;
  }

  /** Returns true when an earlier life's containerd was found and kept. */
  async start(): Promise<boolean> {
    const { paths, configDigest } = this.#with;
    const earlier = await recordedProcess(paths.pidFile);
    if (earlier?.configDigest === configDigest) {
      this.#record = earlier;
      await this.#untilListening(earlier);
      return true;
    }
    if (earlier) await this.#end(earlier);
    this.#record = await this.#spawn();
    return false;
  }

  /** Watches in the background, and starts containerd again whenever it is gone. */
  keepRunning(): void {
    this.#supervise().catch((error) => {
      if (!this.#ended.signal.aborted) this.#log.error('the supervision of containerd failed', { error: String(error) });
    });
  }

  async stop(): Promise<void> {
    this.leave();
    if (this.#record) await this.#end(this.#record);
    this.#record = undefined;
    await forgetProcess(this.#with.paths.pidFile);
  }

  leave(): void {
    this.#ended.abort();
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#ended;
    let failures = 0;
    while (!signal.aborted) {
      const startedMs = this.#clock.monotonicMs();
      if (this.#record) await this.#untilGone(this.#record);
      if (signal.aborted) return;
      this.#record = undefined;
      if (this.#clock.monotonicMs() - startedMs > steadyMs) failures = 0;
      const delayMs = backoffMs(failures++, restartBackoff);
      this.#log.warn('containerd ended, starting it again', { delayMs });
      await sleep(this.#clock, delayMs, signal);
      try {
        this.#record = await this.#spawn();
      } catch (error) {
        if (signal.aborted || !(error instanceof Error)) throw error;
        this.#log.error('containerd did not start', { error: error.message });
      }
    }
  }

  async #spawn(): Promise<ProcessRecord> {
    const { paths, binaries, searchPath, configDigest, options } = this.#with;
    await rm(paths.socket, { force: true });
    if ((await sizeOf(paths.log)) > logBytesMax) await rename(paths.log, `${paths.log}.1`);
    const log = await open(paths.log, 'a');
    const logStart = (await log.stat()).size;
    const child = spawn(binaries.containerd, ['--config', paths.config], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: { ...options.environment, PATH: searchPath.join(':') },
    });
    try {
      const pid = await new Promise<number>((resolve, reject) => {
        child.once('spawn', () => resolve(child.pid ?? 0));
        child.once('error', reject);
      });
      child.unref();
      const record = await recordProcess(paths.pidFile, pid, configDigest);
      await this.#untilListening(record);
      return record;
    } catch (error) {
      const said = (await readFile(paths.log, 'utf8')).slice(logStart).trimEnd().split('\n').slice(-5).join('\n');
      throw new Error(`containerd did not start (log: ${paths.log}): ${error instanceof Error ? error.message : error}\n${said}`);
    } finally {
      await log.close();
    }
  }

  /** Resolves once the socket takes connections; every change in its directory is a reason to try. */
  async #untilListening(record: ProcessRecord): Promise<void> {
    const { paths, options } = this.#with;
    const untilMs = this.#clock.monotonicMs() + startMsMax;
    let wake = () => {};
    const watcher = watch(options.stateDirectory, () => wake());
    try {
      while (!(await accepts(paths.socket))) {
        if (!(await isRunning(record))) throw new Error(`process ${record.pid} ended`);
        if (this.#clock.monotonicMs() > untilMs) throw new Error(`nothing listens on ${paths.socket} after ${startMsMax / 1000} s`);
        await new Promise<void>((resolve) => {
          wake = resolve;
          // The socket's file appears a moment before it listens, and a process that dies changes no file.
          this.#clock.setTimer(20, resolve);
        });
      }
    } finally {
      watcher.close();
    }
  }

  /** Its open connection breaks the moment a process dies, ours or not; idle ones it closes too, so then it is looked at. */
  async #untilGone(record: ProcessRecord): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted && (await isRunning(record))) {
      await connectionEnd(this.#with.paths.socket, signal);
      if (!signal.aborted) await sleep(this.#clock, 20, signal);
    }
  }

  async #end(record: ProcessRecord): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + stopMsMax;
    if (await isRunning(record)) process.kill(record.pid, 'SIGTERM');
    for (let attempt = 0; await isRunning(record); attempt++) {
      if (this.#clock.monotonicMs() > untilMs) process.kill(record.pid, 'SIGKILL');
      await sleep(this.#clock, backoffMs(attempt, { baseMs: 2, capMs: 100 }));
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function connectionEnd(socketPath: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath, signal });
    socket.unref();
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
    socket.resume();
  });
}

/** CNI leaves the bridge behind; it goes when nothing is plugged into it. */
async function removeIdleBridge(bridge: string, searchPath: string[]): Promise<void> {
  try {
    const ports = await readdir(`/sys/class/net/${bridge}/brif`);
    if (ports.length === 0) await promisify(execFile)('ip', ['link', 'delete', bridge], { env: { PATH: searchPath.join(':') } });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error;
  }
}
