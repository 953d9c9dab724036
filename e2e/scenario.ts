// Plays a transcript in a machine of its own: a network namespace with no way out, where `t8s`, kubectl, helm and the
// programs of this computer are at hand. What a scenario starts ends with its machine.

import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeBusyboxArchive } from '../testing/busybox-archive.ts';
import { type LinuxMachine, startMachine } from '../testing/linux-machine.ts';
import { clientTools } from './tools.ts';
import { playTranscript, type TranscriptHost } from './transcript.ts';

const root = resolve(import.meta.dirname, '..');

export interface ScenarioOptions {
  /** Flags that the scenario gives to every `t8s up` as `$UP`. */
  upFlags?: string;
  /** Run in the machine before the scenario. */
  prepare?(machine: LinuxMachine): Promise<void>;
}

/** @throws Error naming the line that failed, with the cluster's log after it */
export async function playScenario(file: string, options: ScenarioOptions = {}): Promise<void> {
  if (!existsSync(join(root, 'dist/t8s.js'))) throw new Error('there is no built program: node tools/build.ts');
  const tools = await clientTools();
  const machine = await startMachine({ name: 'e2e' });
  try {
    const home = join(machine.directory, 'home');
    const data = join(machine.directory, 'data');
    await mkdir(home, { recursive: true });
    const busyboxImageName = await writeBusyboxArchive(join(machine.directory, 'busybox.tar'));
    await options.prepare?.(machine);
    const env = {
      PATH: [
        join(root, 'bin'),
        tools.directory,
        join(root, 'node_modules/.bin'),
        '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ].join(':'),
      HOME: home,
      KUBECONFIG: join(home, 'kubeconfig'),
      DATA: data,
      MACHINE: machine.directory,
      ADDRESS: machine.address,
      BUSYBOX: busyboxImageName,
      OLD_KUBECTL: tools.oldKubectl ?? 'kubectl-1.20-is-missing',
      UP: `--data-dir ${data} ${options.upFlags ?? ''}`,
      NODE_COMPILE_CACHE: join(root, '.cache/compile'),
    };
    const host: TranscriptHost = {
      async run(command, variables) {
        const { exitCode, stdout } = await machine.exec(['sh', '-c', `cd ${root} && { ${command}\n} 2>&1`], {
          env: { ...env, ...variables },
        });
        return { status: exitCode, output: stdout };
      },
      pause: () => pause(200),
      nowMs: () => performance.now(),
    };
    try {
      await playTranscript(basename(file), await readFile(file, 'utf8'), host);
    } catch (error) {
      const log = await machine.exec(['sh', '-c', `tail -n 40 ${data}/t8s.log 2>/dev/null`]);
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n--- t8s.log\n${log.stdout}`);
    }
  } finally {
    await machine.stop();
  }
}
