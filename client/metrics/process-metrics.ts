// process_*: what Prometheus' client libraries tell of the process, read when asked for. Several components of one process
// tell the same.

import { readdirSync, readFileSync } from 'node:fs';
import { Counter, Gauge, type Registry } from 'prom-client';

export function registerProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Total user and system CPU time spent in seconds.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `process_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('start_time_seconds', 'Start time of the process since unix epoch in seconds.', () => performance.timeOrigin / 1000);
  gauge('resident_memory_bytes', 'Resident memory size in bytes.', () => process.memoryUsage.rss());
  if (process.platform !== 'linux') return;
  gauge('virtual_memory_bytes', 'Virtual memory size in bytes.', () => Number(statFields()[20]));
  gauge('open_fds', 'Number of open file descriptors.', () => readdirSync('/proc/self/fd').length);
  gauge('max_fds', 'Maximum number of open file descriptors.', () => limitOf('Max open files'));
  gauge('virtual_memory_max_bytes', 'Maximum amount of virtual memory available in bytes.', () => limitOf('Max address space'));
}

/** /proc/self/stat, behind the command's name, which may contain spaces: the first is field 3 of proc(5). */
function statFields(): string[] {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** The soft limit; as Go's client has it, one that is not set is the largest number there is. */
function limitOf(name: string): number {
  const line = readFileSync('/proc/self/limits', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(name));
  const limit = line?.slice(name.length).trim().split(/\s+/)[0];
  return limit === undefined || limit === 'unlimited' ? 2 ** 64 : Number(limit);
}
