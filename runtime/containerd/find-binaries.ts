// Finds the programs that a node with containers is made of, and says which Debian package brings what is missing.

import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface ContainerdBinaries {
  containerd: string;
  runc: string;
  /** undefined: not installed, which is fine. */
  crun?: string;
  /** The first directory that holds every CNI plugin we use. */
  cniDirectory: string;
}

export interface FindBinariesOptions {
  /** Where programs are looked for, in this order. */
  searchPath: string[];
  cniDirectories: string[];
}

/** Where programs lie on the distributions we know, also for a service started with an empty PATH. */
export const defaultSearchPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
export const defaultCniDirectories = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'];

const cniPlugins = ['bridge', 'host-local', 'loopback', 'portmap'];

/** @throws MissingBinaries, with everything that is missing at once. */
export async function findBinaries({ searchPath, cniDirectories }: FindBinariesOptions): Promise<ContainerdBinaries> {
  const find = (name: string) => firstOf(searchPath.map((directory) => join(directory, name)));
  const [containerd, shim, runc, crun, cniDirectory] = await Promise.all([
    find('containerd'),
    find('containerd-shim-runc-v2'),
    find('runc'),
    find('crun'),
    directoryWith(cniDirectories, cniPlugins),
  ]);
  const missing: MissingBinary[] = [];
  if (!containerd) missing.push({ program: 'containerd', debianPackage: 'containerd' });
  if (!shim) missing.push({ program: 'containerd-shim-runc-v2', debianPackage: 'containerd' });
  if (!runc) missing.push({ program: 'runc', debianPackage: 'runc' });
  if (!cniDirectory) missing.push({ program: `CNI plugins (${cniPlugins.join(', ')})`, debianPackage: 'containernetworking-plugins' });
  if (!containerd || !shim || !runc || !cniDirectory) throw new MissingBinaries(missing);
  return { containerd, runc, cniDirectory, ...(crun && { crun }) };
}

interface MissingBinary {
  program: string;
  debianPackage: string;
}

/** Programs without which no container can run, and how to get them. */
export class MissingBinaries extends Error {
  override name = 'MissingBinaries';
  readonly debianPackages: string[];
  constructor(missing: MissingBinary[]) {
    const debianPackages = [...new Set(missing.map((one) => one.debianPackage))];
    super(
      `missing on this machine: ${missing.map((one) => one.program).join(', ')}; on Debian: apt-get install ${debianPackages.join(' ')}`,
    );
    this.debianPackages = debianPackages;
  }
}

async function firstOf(paths: string[]): Promise<string | undefined> {
  for (const path of paths) if (await isExecutable(path)) return path;
  return undefined;
}

async function directoryWith(directories: string[], programs: string[]): Promise<string | undefined> {
  for (const directory of directories) {
    const found = await Promise.all(programs.map((program) => isExecutable(join(directory, program))));
    if (found.every(Boolean)) return directory;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    // Directories are executable too, in their own way: /run/containerd is one.
    return (await stat(path)).isFile();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
