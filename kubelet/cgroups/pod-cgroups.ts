// The cgroups of pods, which are the kubelet's to make, limit and remove; runtimes put containers below them. Both
// hierarchies: v1 (a tree for each controller) and v2 (one tree).

import { mkdir, readdir, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/core.ts';
import { podLimits, podRequests, qosClassOf } from '../../api/pods.ts';
import type { Log } from '../../base/log.ts';
import { cpuPeriodMicros, type PodCgroupLimits, podCgroupLimits } from '../containers/resources.ts';

export interface PodCgroups {
  /** What CRI is told as cgroup_parent; '' leaves it to the runtime. */
  parentOf(pod: Pod): string;
  setUp(pod: Pod): Promise<void>;
  tearDown(pod: Pod): Promise<void>;
  /** Removes the cgroups of pods whose uid is not among these. */
  collect(uids: ReadonlySet<string>): Promise<void>;
}

/** For nodes without cgroups of their own (simulated ones). */
export const noCgroups: PodCgroups = {
  parentOf: () => '',
  async setUp() {},
  async tearDown() {},
  async collect() {},
};

export interface CgroupsOptions {
  /** Default `/sys/fs/cgroup`. */
  root?: string;
  driver: 'cgroupfs' | 'systemd';
  /** Under which `kubepods` lies: `/` or `/t8s`. */
  parent: string;
  podPidsMax?: number;
  log: Log;
}

const v1Controllers = [
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'pids',
  'blkio',
  'devices',
  'freezer',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'systemd',
];

export async function createPodCgroups(options: CgroupsOptions): Promise<PodCgroups> {
  const root = options.root ?? '/sys/fs/cgroup';
  const isV2 = await exists(join(root, 'cgroup.controllers'));
  return isV2 ? new CgroupTree(options, [root], true) : new CgroupTree(options, await hierarchies(root), false);
}

/** The directories of v1 controllers, without those that are links to another. */
async function hierarchies(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(ignoreMissing);
  return (entries ?? [])
    .filter((entry) => entry.isDirectory() && entry.name.split(',').some((name) => v1Controllers.includes(name)))
    .map((entry) => join(root, entry.name));
}

class CgroupTree implements PodCgroups {
  readonly #options: CgroupsOptions;
  readonly #roots: readonly string[];
  readonly #isV2: boolean;
  readonly #prepared = new Set<string>();

  constructor(options: CgroupsOptions, roots: readonly string[], isV2: boolean) {
    this.#options = options;
    this.#roots = roots;
    this.#isV2 = isV2;
  }

  parentOf(pod: Pod): string {
    const segments = segmentsOf(pod);
    if (this.#options.driver === 'systemd') return systemdSlice(this.#options.parent, segments);
    return join('/', this.#options.parent, ...segments);
  }

  async setUp(pod: Pod): Promise<void> {
    const path = this.#pathOf(pod);
    const limits = podCgroupLimits(pod, podRequests(pod), podLimits(pod));
    if (this.#isV2) await this.#prepareParents(path);
    await Promise.all(
      this.#roots.map(async (root) => {
        await mkdir(join(root, path), { recursive: true });
        await this.#limit(root, path, limits);
      }),
    );
  }

  async tearDown(pod: Pod): Promise<void> {
    const path = this.#pathOf(pod);
    await Promise.all(this.#roots.map((root) => removeTree(join(root, path))));
  }

  async collect(uids: ReadonlySet<string>): Promise<void> {
    const { driver, parent } = this.#options;
    for (const segments of [['kubepods'], ['kubepods', 'burstable'], ['kubepods', 'besteffort']]) {
      const path = driver === 'systemd' ? sliceDirectories(systemdSlice(parent, segments)) : join(parent, ...segments);
      for (const root of this.#roots) {
        for (const entry of (await readdir(join(root, path), { withFileTypes: true }).catch(ignoreMissing)) ?? []) {
          const uid = /(?:^|-)pod([0-9a-f_-]+)(?:\.slice)?$/.exec(entry.name)?.[1]?.replaceAll('_', '-');
          if (entry.isDirectory() && uid && !uids.has(uid)) await removeTree(join(root, path, entry.name));
        }
      }
    }
  }

  #pathOf(pod: Pod): string {
    const parent = this.parentOf(pod);
    return this.#options.driver === 'systemd' ? sliceDirectories(parent) : parent;
  }

  /** v2 hands a controller down only when told to, level by level. */
  async #prepareParents(path: string): Promise<void> {
    const [root] = this.#roots as [string];
    const parts = path.split('/').filter((p) => p !== '');
    for (let depth = 0; depth < parts.length; depth++) {
      const at = join(root, ...parts.slice(0, depth));
      if (this.#prepared.has(at)) continue;
      await mkdir(at, { recursive: true });
      for (const controller of ['cpu', 'memory', 'pids', 'cpuset', 'io']) {
        await this.#write(join(at, 'cgroup.subtree_control'), `+${controller}`);
      }
      this.#prepared.add(at);
    }
  }

  async #limit(root: string, path: string, limits: PodCgroupLimits): Promise<void> {
    const at = (file: string) => join(root, path, file);
    const { podPidsMax } = this.#options;
    if (this.#isV2) {
      await this.#write(at('cpu.weight'), String(cpuWeight(limits.cpuShares)));
      if (limits.cpuQuotaMicros) await this.#write(at('cpu.max'), `${limits.cpuQuotaMicros} ${cpuPeriodMicros}`);
      if (limits.memoryLimitBytes) await this.#write(at('memory.max'), String(limits.memoryLimitBytes));
      if (podPidsMax) await this.#write(at('pids.max'), String(podPidsMax));
      return;
    }
    const controllers = (root.split('/').at(-1) ?? '').split(',');
    if (controllers.includes('cpu')) {
      await this.#write(at('cpu.shares'), String(limits.cpuShares));
      if (limits.cpuQuotaMicros) {
        await this.#write(at('cpu.cfs_period_us'), String(cpuPeriodMicros));
        await this.#write(at('cpu.cfs_quota_us'), String(limits.cpuQuotaMicros));
      }
    }
    if (controllers.includes('memory') && limits.memoryLimitBytes)
      await this.#write(at('memory.limit_in_bytes'), String(limits.memoryLimitBytes));
    if (controllers.includes('pids') && podPidsMax) await this.#write(at('pids.max'), String(podPidsMax));
  }

  /** A controller that this kernel lacks, or does not hand down here, limits nothing; that is worth a line, not a failure. */
  async #write(path: string, text: string): Promise<void> {
    try {
      await writeFile(path, text);
    } catch (error) {
      this.#options.log.debug('cgroup file not written', { path, text, error: String(error) });
    }
  }
}

/** `kubepods`, `burstable` (not for Guaranteed), `pod<uid>`. */
function segmentsOf(pod: Pod): string[] {
  const qos = qosClassOf(pod).toLowerCase();
  return ['kubepods', ...(qos === 'guaranteed' ? [] : [qos]), `pod${pod.metadata?.uid ?? ''}`];
}

/** `kubepods-burstable-pod<uid with underscores>.slice` */
function systemdSlice(parent: string, segments: readonly string[]): string {
  const all = [...parent.split('/').filter((p) => p !== ''), ...segments];
  return `${all.map((segment) => segment.replace(/\.slice$/, '').replaceAll('-', '_')).join('-')}.slice`;
}

/** systemd's own layout: a slice lies in the slices whose names it begins with. */
function sliceDirectories(slice: string): string {
  const parts = slice.replace(/\.slice$/, '').split('-');
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('-')}.slice`).join('/');
}

/** v1's 2..262144 shares onto v2's 1..10000. */
export function cpuWeight(shares: number): number {
  return Math.max(1, Math.floor(1 + ((shares - 2) * 9999) / 262_142));
}

/** Depth first; a cgroup that still has processes stays for the next collection. */
async function removeTree(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(ignoreMissing);
  if (!entries) return;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  await rmdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EBUSY' && error.code !== 'ENOENT') throw error;
  });
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENODEV') return undefined;
  throw error;
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
