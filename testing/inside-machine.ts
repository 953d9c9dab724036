// Lets a test file run inside a machine of its own: what it does to networks, mounts and cgroups stays in there. The test runner
// sees the file's tests as if they ran here.

import { constants } from 'node:os';
import process, { argv, env, execArgv, execPath } from 'node:process';
import { cannotHostMachines, startMachine } from './linux-machine.ts';

/** Set in there, to the machine's directory. */
const insideVariable = 'T8S_TEST_MACHINE';

export interface Inside {
  /** Why the tests cannot run here, or false: for `test(title, { skip }, ...)`. */
  skip: string | false;
  /** A directory that goes with the machine. */
  directory: string;
}

/**
 * Awaited before anything else in a test file: starts a machine, runs the file again inside it, and ends this process with
 * its exit code. Returns at once when inside already, or when this computer can host no machines.
 */
export async function enterMachine(name: string): Promise<Inside> {
  const directory = env[insideVariable];
  if (directory !== undefined) return { skip: false, directory };
  const skip = cannotHostMachines();
  if (skip) return { skip, directory: '' };
  const machine = await startMachine({ name });
  const stopOn = (signal: NodeJS.Signals) => machine.stop().then(() => process.exit(128 + constants.signals[signal]));
  process.once('SIGTERM', stopOn);
  process.once('SIGINT', stopOn);
  const child = machine.spawn([execPath, ...execArgv, ...argv.slice(1)], {
    stdio: 'inherit',
    env: { ...env, [insideVariable]: machine.directory },
    cwd: process.cwd(),
  });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
  await machine.stop();
  process.exit(exitCode);
}
