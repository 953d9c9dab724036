// Our own kubectl, for machines without one: get, apply, describe, delete, logs, exec, scale. Kinds come from the
// server's discovery and columns from its Tables, so it knows every kind the server knows.

import { Command, CommanderError } from 'commander';
import { isStatus } from '../api/status.ts';
import { createHttpsTransport } from '../client/https-transport.ts';
import { KubeconfigError, readKubeconfig } from '../client/kubeconfig.ts';
import { createClient } from '../client/rest-client.ts';
import { apply } from './commands/apply.ts';
import { deleteCommand } from './commands/delete.ts';
import { describe } from './commands/describe.ts';
import { exec } from './commands/exec.ts';
import { get } from './commands/get.ts';
import { logs } from './commands/logs.ts';
import { scale } from './commands/scale.ts';
import { type KubectlContext, KubectlError, type KubectlIo } from './context.ts';
import { discover } from './discovery.ts';

export interface KubectlOptions {
  io: KubectlIo;
  /** Where to look when neither --kubeconfig nor the environment says. */
  defaultKubeconfig: string;
  nowMs(): number;
  signal: AbortSignal;
}

interface GlobalOptions {
  kubeconfig?: string;
  context?: string;
  namespace?: string;
}

/** Runs one command line; answers its exit status. */
export async function runKubectl(args: readonly string[], options: KubectlOptions): Promise<number> {
  let exitStatus = 0;
  const program = new Command('kubectl').description('a small kubectl: what it lacks, the real one does').exitOverride();
  program.configureOutput({ writeOut: (text) => void options.io.out.write(text), writeErr: (text) => void options.io.err.write(text) });
  const add = (usage: string, description: string) =>
    program
      .command(usage)
      .description(description)
      .option('--kubeconfig <file>')
      .option('--context <name>')
      .option('-n, --namespace <name>');
  const within = async (globals: GlobalOptions, work: (context: KubectlContext) => Promise<number | void>) => {
    const context = await connect(globals, options);
    try {
      exitStatus = (await work(context)) ?? 0;
    } finally {
      await context.client.transport.close();
    }
  };
  add('get [resources...]', 'show objects')
    .option('-o, --output <format>')
    .option('-l, --selector <labels>')
    .option('--field-selector <fields>')
    .option('-A, --all-namespaces')
    .option('-w, --watch')
    .option('--show-labels')
    .option('--no-headers')
    .action((resources, flags) => within(flags, (context) => get(resources, flags, context)));
  add('apply', 'create or change objects')
    .option('-f, --filename <files...>')
    .option('-R, --recursive')
    .option('--force-conflicts')
    .option('--dry-run <mode>')
    .option('--field-manager <name>')
    .option('--server-side')
    .action((flags) => within(flags, (context) => apply(flags, context)));
  add('describe [resources...]', 'show objects in detail, with their events')
    .option('-l, --selector <labels>')
    .action((resources, flags) => within(flags, (context) => describe(resources, flags, context)));
  add('delete [resources...]', 'delete objects')
    .option('-f, --filename <files...>')
    .option('-R, --recursive')
    .option('-l, --selector <labels>')
    .option('--all')
    .option('--grace-period <seconds>')
    .option('--cascade <policy>')
    .option('--ignore-not-found')
    .option('--no-wait')
    .option('--now')
    .option('--force')
    .action((resources, flags) => within(flags, (context) => deleteCommand(resources, flags, context)));
  add('logs <pod>', "print a container's output")
    .option('-c, --container <name>')
    .option('-f, --follow')
    .option('-p, --previous')
    .option('--tail <lines>')
    .option('--since <duration>')
    .option('--timestamps')
    .option('--all-containers')
    .action((pod, flags) => within(flags, (context) => logs(pod, flags, context)));
  add('exec <pod> [command...]', 'run a command in a container')
    .option('-c, --container <name>')
    .option('-i, --stdin')
    .option('-t, --tty')
    .passThroughOptions(false)
    .action((pod, command, flags) => within(flags, (context) => exec(pod, command, flags, context)));
  add('scale [resources...]', 'set the number of replicas')
    .option('--replicas <count>')
    .option('--current-replicas <count>')
    .action((resources, flags) => within(flags, (context) => scale(resources, flags, context)));
  try {
    await program.parseAsync(args as string[], { from: 'user' });
    return exitStatus;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    const message = messageFor(error);
    if (message === undefined) throw error;
    options.io.err.write(`${message}\n`);
    return 1;
  }
}

async function connect(globals: GlobalOptions, options: KubectlOptions): Promise<KubectlContext> {
  const [fromEnv] = (options.io.env['KUBECONFIG'] ?? '').split(':');
  const file = globals.kubeconfig ?? (fromEnv || options.defaultKubeconfig);
  const { transport, namespace } = await readKubeconfig(file, globals.context ? { context: globals.context } : {});
  const https = createHttpsTransport(transport);
  return {
    io: options.io,
    client: createClient(https),
    connection: transport,
    discovery: await discover(https),
    namespace: globals.namespace ?? namespace,
    signal: options.signal,
    nowMs: options.nowMs,
  };
}

/** What a user can act on; undefined: a bug of ours, to be seen whole. */
function messageFor(error: unknown): string | undefined {
  if (isStatus(error))
    return error.reason ? `Error from server (${error.reason}): ${error.message}` : `Error from server: ${error.message}`;
  if (error instanceof KubectlError) return `error: ${error.message}`;
  if (error instanceof KubeconfigError) return `error: ${error.message}`;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return `error: ${error.message}`;
  return undefined;
}
