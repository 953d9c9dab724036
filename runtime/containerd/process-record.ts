// A process we started in an earlier life, found again: its pid on disk is believed only if the process of that
// number began at the same tick and runs the same command, since the kernel gives numbers out again.

import { readFile, rename, rm, writeFile } from 'node:fs/promises';

export interface ProcessRecord {
  pid: number;
  /** Start in clock ticks since the machine's boot: field 22 of /proc/PID/stat. */
  startTicks: number;
  command: string[];
  /** Digest of what it was configured with. */
  configDigest: string;
}

/** Notes the running process `pid`. @throws Error when it is gone already. */
export async function recordProcess(path: string, pid: number, configDigest: string): Promise<ProcessRecord> {
  const running = await runningProcess(pid);
  if (!running) throw new Error(`process ${pid} ended as it started`);
  const record = { pid, ...running, configDigest };
  await writeFile(`${path}.new`, JSON.stringify(record));
  await rename(`${path}.new`, path);
  return record;
}

/** The process noted at `path`, if it still runs. */
export async function recordedProcess(path: string): Promise<ProcessRecord | undefined> {
  const text = await readUnlessGone(path);
  if (!text) return undefined;
  const record = JSON.parse(text) as ProcessRecord;
  return (await isRunning(record)) ? record : undefined;
}

export async function forgetProcess(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** False once it has exited, even while its parent has not yet taken note. */
export async function isRunning(record: ProcessRecord): Promise<boolean> {
  const running = await runningProcess(record.pid);
  return running?.startTicks === record.startTicks && running.command.join('\0') === record.command.join('\0');
}

async function runningProcess(pid: number): Promise<{ startTicks: number; command: string[] } | undefined> {
  const [stat, commandLine] = await Promise.all([readUnlessGone(`/proc/${pid}/stat`), readUnlessGone(`/proc/${pid}/cmdline`)]);
  // The second field is the program's name in parentheses and may hold spaces; the third is the state.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (!fields || commandLine === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { startTicks: Number(fields[19]), command: commandLine.split('\0').filter((word) => word !== '') };
}

async function readUnlessGone(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
