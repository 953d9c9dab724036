// What a data directory remembers: cluster.json, which outlives the process (ranges and ports a cluster must keep),
// and run.json, which says who runs it now.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ClusterRecord {
  name: string;
  port: number;
  kubeletPort: number;
  podCidr: string;
  serviceCidr: string;
  nodeName: string;
}

export interface RunRecord {
  pid: number;
  /** The process's start time in clock ticks since boot: tells it from a later one with the same pid. */
  startTicks: string;
  /** Wall time, RFC 3339. */
  startedAt: string;
  server: string;
  components: { name: string; address?: string; pid: number }[];
}

const clusterFile = (dataDirectory: string) => join(dataDirectory, 'cluster.json');
const runFile = (dataDirectory: string) => join(dataDirectory, 'run.json');

export function readClusterRecord(dataDirectory: string): ClusterRecord | undefined {
  return readJson<ClusterRecord>(clusterFile(dataDirectory), ['name', 'port', 'kubeletPort', 'podCidr', 'serviceCidr', 'nodeName']);
}

export function writeClusterRecord(dataDirectory: string, record: ClusterRecord): void {
  writeJson(clusterFile(dataDirectory), record);
}

/** The process that runs this cluster; undefined when none does, whatever run.json still says. */
export function readRunRecord(dataDirectory: string): RunRecord | undefined {
  const record = readJson<RunRecord>(runFile(dataDirectory), ['pid', 'startTicks', 'server', 'components']);
  return record && startTicksOf(record.pid) === record.startTicks ? record : undefined;
}

export function writeRunRecord(dataDirectory: string, record: Omit<RunRecord, 'pid' | 'startTicks'>): void {
  writeJson(runFile(dataDirectory), { ...record, pid: process.pid, startTicks: startTicksOf(process.pid) ?? '' });
}

export function removeRunRecord(dataDirectory: string): void {
  rmSync(runFile(dataDirectory), { force: true });
}

/** Field 22 of /proc/PID/stat; undefined when there is no such process, 'unknown' where there is no /proc. */
export function startTicksOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return isAlive(pid) ? 'unknown' : undefined;
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  const stat = readFileSync(file, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    if (error instanceof Error && 'code' in error && error.code === 'EPERM') return true;
    throw error;
  }
}

function readJson<T>(file: string, keys: string[]): T | undefined {
  if (!existsSync(file)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !(key in value)) throw new Error(`${file} is not what t8s wrote: ${key} is missing`);
  }
  return value as T;
}

/** Readers see the old file or the new one, never half of one. */
function writeJson(file: string, value: unknown): void {
  mkdirSync(join(file, '..'), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(temporary, file);
}
