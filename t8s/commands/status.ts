// `t8s status`: whether a cluster runs, and each of its components' health, address, pid and memory.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHttpsTransport } from '../../client/https-transport.ts';
import { readBody } from '../../client/transport.ts';
import { type RunRecord, readRunRecord, startTicksOf } from '../cluster-record.ts';
import type { CommandIo } from '../command-io.ts';
import { readConfig } from '../config.ts';

export interface StatusOptions {
  dataDir?: string;
  name?: string;
  output?: string;
}

interface ComponentStatus {
  name: string;
  health: string;
  address: string;
  pid: number;
  /** Resident, of its process; components of one process share it. */
  memoryBytes: number | null;
}

/** Exit status 0 when everything is healthy, 1 when something is not, 3 when no cluster runs there. */
export async function status(options: StatusOptions, io: CommandIo): Promise<number> {
  const config = readConfig({ dataDir: options.dataDir, name: options.name }, io.env, io.isRoot);
  const run = readRunRecord(config.dataDirectory);
  if (!run) {
    if (options.output === 'json') io.out.write(`${JSON.stringify({ running: false, dataDirectory: config.dataDirectory })}\n`);
    else io.out.write(`no cluster is running in ${config.dataDirectory}\n`);
    return 3;
  }
  const components = await componentStatuses(config.dataDirectory, run);
  if (options.output === 'json') {
    io.out.write(
      `${JSON.stringify({ running: true, dataDirectory: config.dataDirectory, server: run.server, startedAt: run.startedAt, components }, null, 2)}\n`,
    );
  } else {
    io.out.write(renderTable(components));
  }
  return components.every((component) => component.health === 'ok') ? 0 : 1;
}

async function componentStatuses(dataDirectory: string, run: RunRecord): Promise<ComponentStatus[]> {
  const failing = await failingChecks(dataDirectory, run);
  return run.components.map(({ name, address, pid }) => ({
    name,
    health: startTicksOf(pid) === undefined ? 'gone' : (failing.get(name) ?? failing.get('') ?? 'ok'),
    address: address ?? '',
    pid,
    memoryBytes: residentBytes(pid),
  }));
}

/** The failing checks of /readyz by component name; '' for the API server itself not answering. */
async function failingChecks(dataDirectory: string, run: RunRecord): Promise<Map<string, string>> {
  const failing = new Map<string, string>();
  const transport = createHttpsTransport({
    server: run.server,
    ca: readFileSync(join(dataDirectory, 'pki/ca.crt'), 'utf8'),
    cert: readFileSync(join(dataDirectory, 'pki/admin.crt'), 'utf8'),
    key: readFileSync(join(dataDirectory, 'pki/admin.key'), 'utf8'),
  });
  try {
    const response = await transport.request({ method: 'GET', path: '/readyz?verbose', signal: AbortSignal.timeout(5000) });
    const body = (await readBody(response, 1 << 20)).toString();
    for (const match of body.matchAll(/^\[-\](\S+) (.*)$/gm)) failing.set(match[1] as string, match[2] as string);
    if (response.status !== 200 && failing.size === 0) failing.set('apiserver', `readyz answered ${response.status}`);
  } catch (error) {
    failing.set('apiserver', error instanceof Error ? error.message : String(error));
  } finally {
    await transport.close();
  }
  return failing;
}

function residentBytes(pid: number): number | null {
  if (process.platform !== 'linux' || startTicksOf(pid) === undefined) return null;
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return match ? Number(match[1]) * 1024 : null;
}

function renderTable(components: ComponentStatus[]): string {
  const rows = [
    ['COMPONENT', 'HEALTH', 'ADDRESS', 'PID', 'MEMORY'],
    ...components.map((c) => [
      c.name,
      c.health,
      c.address || '-',
      String(c.pid),
      c.memoryBytes === null ? '-' : `${Math.round(c.memoryBytes / 1e6)} MB`,
    ]),
  ];
  const widths = (rows[0] as string[]).map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd((widths[column] as number) + 3))
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}
