// `t8s down`: ends a cluster and everything it left on the machine, whether its process still runs or was killed. With
// --delete its data go too.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { readClusterRecord, readRunRecord, removeRunRecord, startTicksOf } from '../cluster-record.ts';
import { type CommandIo, UserError } from '../command-io.ts';
import { readConfig } from '../config.ts';
import { contextName, kubeconfigFile, removeFromKubeconfig } from '../kubeconfig.ts';
import { createLog } from '../log.ts';
import { sweep } from '../sweep.ts';

export interface DownOptions {
  dataDir?: string;
  name?: string;
  delete?: boolean;
}

/** Pods may take their grace period. */
const stopSecondsMax = 90;

export async function down(options: DownOptions, io: CommandIo): Promise<number> {
  const config = readConfig({ dataDir: options.dataDir, name: options.name }, io.env, io.isRoot);
  if (!existsSync(config.dataDirectory)) throw new UserError(`there is no cluster in ${config.dataDirectory}`);
  const run = readRunRecord(config.dataDirectory);
  if (run) {
    process.kill(run.pid, 'SIGTERM');
    await gone(run.pid, run.startTicks);
  }
  const record = readClusterRecord(config.dataDirectory);
  if (record) await sweep({ dataDirectory: config.dataDirectory, record, clock: systemClock, log: createLog(io.err, config.verbosity) });
  removeRunRecord(config.dataDirectory);
  removeFromKubeconfig(kubeconfigFile(io.env), contextName(record?.name ?? config.name));
  if (options.delete) rmSync(config.dataDirectory, { recursive: true, force: true });
  else rmSync(join(config.dataDirectory, 'kubeconfig'), { force: true });
  io.out.write(
    `cluster ${record?.name ?? config.name} is down${options.delete ? ` and ${config.dataDirectory} is deleted` : `; its objects are kept in ${config.dataDirectory}`}\n`,
  );
  return 0;
}

async function gone(pid: number, startTicks: string): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + stopSecondsMax * 1000;
  while (startTicksOf(pid) === startTicks) {
    if (systemClock.monotonicMs() > deadlineMs)
      throw new UserError(`pid ${pid} has not stopped within ${stopSecondsMax} s; if it hangs: kill -9 ${pid}, then t8s down again`);
    await new Promise<void>((resolve) => systemClock.setTimer(50, resolve));
  }
}
