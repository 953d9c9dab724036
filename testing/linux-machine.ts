// A machine of its own for a test, made of namespaces on this one: network, mounts, processes, host name, IPC and its own part
// of the cgroups. Machines share a LAN that has no way out, so nothing a test sends can leave. Needs Linux and root.
//
// A sweep before the first machine removes what crashed runs left: each leftover carries its maker's pid and start time.

import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process, { geteuid, pid, platform } from 'node:process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A reason why this computer can host no machines, or undefined: for a test's `skip`. */
export function cannotHostMachines(): string | undefined {
  if (platform !== 'linux') return `needs Linux for machines made of namespaces, this is ${platform}`;
  if (geteuid?.() !== 0) return 'needs root to make machines of namespaces';
  const missing = ['ip', 'nsenter', 'unshare', 'setpriv', 'mount'].filter(
    (name) => !binaryDirectories.some((dir) => existsSync(join(dir, name))),
  );
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')} (Debian: apt-get install iproute2 util-linux mount)`;
}

const binaryDirectories = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const machinePath = `/usr/local/sbin:/usr/local/bin:${binaryDirectories.join(':')}`;

/** The Ethernet that machines are plugged into: a bridge in a namespace with no other device. */
export interface Lan {
  readonly name: string;
  close(): Promise<void>;
}

export interface MachineOptions {
  /** Its host name. */
  name: string;
  /** Default: a LAN of its own, which ends with it. */
  lan?: Lan;
}

export interface ExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface LinuxMachine {
  readonly name: string;
  /** On the LAN; its others are reached by theirs, and nothing else is. */
  readonly address: string;
  /** On the shared file system: both sides see what is in it; gone with the machine. */
  readonly directory: string;
  /** The process id of its init, as seen from here. */
  readonly pid: number;
  /** Runs a command to its end; a failure is told by `exitCode`. Its output is bounded to 64 MiB. */
  exec(command: string[], options?: { env?: Record<string, string>; input?: string }): Promise<ExecResult>;
  /** Starts a command; it ends with the machine at the latest. */
  spawn(command: string[], options?: SpawnOptions): ChildProcess;
  /** Signals a command that `spawn` started; `kill` on the child itself would end only what waits for it. */
  signal(child: ChildProcess, signal: NodeJS.Signals): Promise<void>;
  /** Everything in it dies at once, as when the plug is pulled. What it wrote to its directory stays until `stop`. */
  powerCut(): Promise<void>;
  /** After a power cut: the same name, address and directory, an empty /run. */
  boot(): Promise<void>;
  /** Ends it and removes all that was made for it. */
  stop(): Promise<void>;
}

let sweeping: Promise<void> | undefined;

export async function createLan(): Promise<Lan> {
  const reason = cannotHostMachines();
  if (reason) throw new Error(reason);
  sweeping ??= sweep();
  await sweeping;
  const name = `${prefix}${await ownerMark(pid)}-${randomBytes(3).toString('hex')}`;
  await inHost(`ip netns add ${name}
    ip -n ${name} link add lan type bridge
    ip -n ${name} link set lan up
    ip -n ${name} link set lo up`);
  lanPorts.set(name, 1);
  // Machines' own rules decide about their traffic; the switch between them must not filter.
  await run('nsenter', [`--net=/run/netns/${name}`, 'sh', '-c', 'echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables || true']);
  return {
    name,
    async close() {
      lanPorts.delete(name);
      await inHost(`ip netns delete ${name}`);
    },
  };
}

/** How many addresses of each LAN are given out. */
const lanPorts = new Map<string, number>();
const prefix = 't8s-';

export async function startMachine({ name, lan: sharedLan }: MachineOptions): Promise<LinuxMachine> {
  const lan = sharedLan ?? (await createLan());
  const port = (lanPorts.get(lan.name) ?? 1) + 1;
  if (port > 254) throw new Error(`the LAN ${lan.name} has no address left`);
  lanPorts.set(lan.name, port);
  const directory = await mkdtemp(join(tmpdir(), `${lan.name}-${port}-`));
  const machine = new Machine({ name, lan, port, directory, ownsLan: !sharedLan });
  try {
    await machine.plugIn();
    await machine.boot();
  } catch (error) {
    await machine.stop();
    throw error;
  }
  return machine;
}

class Machine implements LinuxMachine {
  readonly name: string;
  readonly address: string;
  readonly directory: string;
  readonly #lan: Lan;
  readonly #ownsLan: boolean;
  readonly #id: string;
  readonly #port: number;
  #init: ChildProcess | undefined;
  #pid = 0;

  constructor(made: { name: string; lan: Lan; port: number; directory: string; ownsLan: boolean }) {
    this.name = made.name;
    this.address = `192.0.2.${made.port}`;
    this.directory = made.directory;
    this.#lan = made.lan;
    this.#ownsLan = made.ownsLan;
    this.#port = made.port;
    this.#id = `${made.lan.name}-${made.port}`;
  }

  get pid(): number {
    return this.#pid;
  }

  /** The network outlives a power cut, as a cable does. */
  async plugIn(): Promise<void> {
    await inHost(`ip netns add ${this.#id}
      ip -n ${this.#id} link add eth0 type veth peer name port${this.#port} netns ${this.#lan.name}
      ip -n ${this.#lan.name} link set port${this.#port} master lan up
      ip -n ${this.#id} addr add ${this.address}/24 dev eth0
      ip -n ${this.#id} link set eth0 up
      ip -n ${this.#id} link set lo up`);
  }

  async boot(): Promise<void> {
    if (this.#init) throw new Error(`machine ${this.name} runs already`);
    const namespaces = ['--mount', '--propagation', 'private', '--uts', '--ipc', '--pid', '--cgroup', '--mount-proc'];
    const init = spawn(
      'setpriv',
      // It dies with its maker, whatever that dies of.
      [
        ...['--pdeathsig', 'KILL', 'nsenter', `--net=/run/netns/${this.#id}`, 'sh', '-ec', cgroupScript, 'sh', this.#id],
        ...['unshare', ...namespaces, '--fork', '--kill-child=SIGKILL', 'sh', '-c', initScript, 'init', this.name],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: machinePath } },
    );
    let said = '';
    init.stderr?.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-4000);
    });
    await new Promise<void>((resolve, reject) => {
      init.once('error', reject);
      init.once('exit', (code) => reject(new Error(`machine ${this.name} did not boot (exit ${code}): ${said}`)));
      init.stdout?.once('data', () => resolve());
    });
    init.removeAllListeners('exit');
    this.#init = init;
    this.#pid = await onlyChildOf(init);
  }

  async exec(command: string[], options: { env?: Record<string, string>; input?: string } = {}): Promise<ExecResult> {
    const child = this.spawn(command, { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: machinePath, ...options.env } });
    const output: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
    let bytes = 0;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= execBytesMax) output[name].push(chunk);
      });
    }
    // A command may end without reading its input.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? 137));
    });
    return { exitCode, stdout: Buffer.concat(output.stdout).toString(), stderr: Buffer.concat(output.stderr).toString() };
  }

  spawn(command: string[], options: SpawnOptions = {}): ChildProcess {
    if (!this.#init) throw new Error(`machine ${this.name} is not running`);
    const entering = ['nsenter', '--target', String(this.#pid), '--net', '--mount', '--uts', '--ipc', '--pid', '--cgroup'];
    const directory = options.cwd === undefined ? '/' : String(options.cwd);
    return spawn('sh', ['-ec', joinScript, 'sh', this.#id, ...entering, `--wdns=${directory}`, ...command], {
      env: { PATH: machinePath },
      ...options,
      cwd: '/',
    });
  }

  async signal(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    process.kill(await onlyChildOf(child), signal);
  }

  async powerCut(): Promise<void> {
    const init = this.#init;
    if (!init) return;
    this.#init = undefined;
    if (init.exitCode === null && init.signalCode === null) {
      const ended = new Promise((resolve) => init.once('exit', resolve));
      // The kernel kills and reaps everything inside before it lets the init go, and unshare ends after its child.
      process.kill(this.#pid, 'SIGKILL');
      await ended;
    }
    this.#pid = 0;
  }

  async stop(): Promise<void> {
    await this.powerCut();
    await removeCgroups(this.#id);
    await inHost(`ip netns delete ${this.#id} || true`);
    await rm(this.directory, { recursive: true, force: true });
    if (this.#ownsLan) await this.#lan.close();
  }
}

const execBytesMax = 64 * 1024 * 1024;

/** Before the namespaces: into a cgroup of the machine's own in each hierarchy, which then is the root of its cgroup namespace. */
const cgroupScript = `id=$1; shift
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  for c in $(cat /sys/fs/cgroup/cgroup.controllers); do echo +$c >/sys/fs/cgroup/cgroup.subtree_control || true; done
  mkdir -p /sys/fs/cgroup/$id
  echo $$ >/sys/fs/cgroup/$id/cgroup.procs
else
  for h in /sys/fs/cgroup/*; do
    if [ ! -e $h/cgroup.procs ] || [ -L $h ]; then continue; fi
    mkdir -p $h/$id
    if [ -e $h/cpuset.cpus ]; then
      echo 1 >$h/$id/cgroup.clone_children
      for part in cpus mems; do cat $h/cpuset.$part >$h/$id/cpuset.$part; done
    fi
    echo $$ >$h/$id/cgroup.procs
  done
fi
exec "$@"`;

/** Later processes join the same cgroups; on v2 a leaf, as only leaves may hold processes. */
const joinScript = `id=$1; shift
for c in /sys/fs/cgroup/$id/init /sys/fs/cgroup/*/$id; do
  if [ -e $c/cgroup.procs ] && [ ! -L \${c%/*} ]; then echo $$ >$c/cgroup.procs; fi
done
exec "$@"`;

/**
 * Runs as pid 1 of the machine and reaps what is orphaned. /sys is mounted anew to show this network's devices. Of the two kinds of cgroups on a machine that
 * has both, it has v1's only: crun refuses to start otherwise.
 */
const initScript = `set -e
hostname "$1"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock
is_v2=; if [ -e /sys/fs/cgroup/cgroup.controllers ]; then is_v2=1; fi
mount -t sysfs sysfs /sys
if [ $is_v2 ]; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mkdir /sys/fs/cgroup/init
  echo 1 >/sys/fs/cgroup/init/cgroup.procs
  for c in $(cat /sys/fs/cgroup/cgroup.controllers); do echo +$c >/sys/fs/cgroup/cgroup.subtree_control || true; done
else
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  while IFS=: read -r number controllers path; do
    case $controllers in
      '') continue ;;
      name=*) directory=/sys/fs/cgroup/\${controllers#name=}; options=none,$controllers ;;
      *) directory=/sys/fs/cgroup/$controllers; options=$controllers ;;
    esac
    mkdir $directory
    mount -t cgroup -o $options cgroup $directory
    case $controllers in *,*) for c in $(echo $controllers | tr , ' '); do ln -s $controllers /sys/fs/cgroup/$c; done ;; esac
  done </proc/self/cgroup
fi
mount --make-rshared /
echo 1 >/proc/sys/net/ipv4/ip_forward
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables; fi
echo booted
trap 'exit 0' TERM INT
while :; do sleep 1000000 & wait $!; done
`;

/** The process that a forking program like nsenter waits for. */
async function onlyChildOf(parent: ChildProcess): Promise<number> {
  const children = await readFile(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8');
  const child = Number(children.trim().split(' ')[0]);
  if (!child) throw new Error(`process ${parent.pid} has no child`);
  return child;
}

async function inHost(script: string): Promise<void> {
  await run('sh', ['-ec', script], { env: { PATH: machinePath } });
}

/** Whose leftovers these are: pid namespace, process id, and start time in clock ticks. */
async function ownerMark(owner: number): Promise<string | undefined> {
  try {
    const [stat, namespace] = await Promise.all([readFile(`/proc/${owner}/stat`, 'utf8'), readlink('/proc/self/ns/pid')]);
    return `${namespace.replace(/\D/g, '')}-${owner}-${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return undefined;
    throw error;
  }
}

/** Removes what runs that are no more left behind; what belongs to running ones, or to another pid namespace, stays. */
async function sweep(): Promise<void> {
  const namespace = (await readlink('/proc/self/ns/pid')).replace(/\D/g, '');
  const isOrphaned = async (name: string) => {
    const [, ownerNamespace, owner, ticks] = new RegExp(`^${prefix}(\\d+)-(\\d+)-(\\d+)-`).exec(name) ?? [];
    return ownerNamespace === namespace && (await ownerMark(Number(owner))) !== `${namespace}-${owner}-${ticks}`;
  };
  for (const root of await cgroupRoots()) {
    for (const name of await namesIn(root)) if (await isOrphaned(name)) await removeCgroups(name);
  }
  for (const name of await namesIn('/run/netns')) if (await isOrphaned(name)) await inHost(`ip netns delete ${name} || true`);
  for (const name of await namesIn(tmpdir())) {
    if (await isOrphaned(name)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** One root for v2, one for each hierarchy of v1. */
async function cgroupRoots(): Promise<string[]> {
  const root = '/sys/fs/cgroup';
  if (existsSync(join(root, 'cgroup.controllers'))) return [root];
  return (await namesIn(root)).map((name) => join(root, name));
}

/** Kills what is left in a machine's cgroups, then removes them, depth first. */
async function removeCgroups(id: string): Promise<void> {
  for (const root of await cgroupRoots()) await removeCgroup(join(root, id));
}

async function removeCgroup(path: string): Promise<void> {
  for (const entry of await directoriesIn(path)) await removeCgroup(join(path, entry));
  for (let attempt = 0; existsSync(path); attempt++) {
    for (const left of (await readFile(join(path, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean)) killIfThere(Number(left));
    try {
      await rmdir(path);
    } catch (error) {
      if (errorCode(error) !== 'EBUSY' || attempt === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function killIfThere(left: number): void {
  try {
    process.kill(left, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

async function namesIn(path: string): Promise<string[]> {
  return existsSync(path) ? readdir(path) : [];
}

async function directoriesIn(path: string): Promise<string[]> {
  if (!existsSync(path)) return [];
  return (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
