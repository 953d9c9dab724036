// The command: reads argv and the environment and leads to one file per command.

import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { systemClock } from '../base/clock.ts';
import { keepingAlive } from '../base/keep-alive.ts';
import { runKubectl } from '../kubectl/kubectl.ts';
import { MissingBinaries } from '../runtime/containerd/find-binaries.ts';
import { RuntimeError } from '../runtime/runtime.ts';
import { StoreDirectoryError } from '../store/lmdb-directory.ts';
import { StoreUnavailableError } from '../store/store.ts';
import { readRunRecord } from './cluster-record.ts';
import { type CommandIo, UserError } from './command-io.ts';
import { down } from './commands/down.ts';
import { listImages, loadImages } from './commands/image.ts';
import { status } from './commands/status.ts';
import { up } from './commands/up.ts';
import { ConfigError, readConfig } from './config.ts';
import { kubeconfigFile } from './kubeconfig.ts';

const io: CommandIo = {
  env: process.env,
  isRoot: process.getuid?.() === 0,
  out: process.stdout,
  err: process.stderr,
};

const program = new Command('t8s')
  .description('Kubernetes in TypeScript: a cluster that starts in a second')
  .exitOverride()
  .enablePositionalOptions();
const located = (command: Command) =>
  command
    .option('--data-dir <directory>', 'where the cluster keeps everything')
    .option('--name <name>', "the cluster's name (default: t8s)");
let exitStatus = 0;
// Whoever read our output may go away (`| head`); a cluster runs on without being read.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
const answer = async (work: Promise<number>) => {
  exitStatus = await keepingAlive(() => work);
};

located(program.command('up').description('bring a cluster up'))
  .option('--config <file>', 'a YAML file with any of these settings, in camel case')
  .option('--port <port>', "the API server's port (default: 6443, or any free one)")
  .option('--bind-address <address>', 'where the API server listens (default: 0.0.0.0)')
  .option('--etcd-servers <urls>', 'keep objects in this etcd instead of the embedded store')
  .option('--runtime <runtime>', 'containerd (default), simulated, or the path of a CRI socket')
  .option('--nodes <count>', 'this many simulated nodes; 0 for a control plane alone')
  .option('--node-name <name>', "the node's name (default: the machine's)")
  .option('--node-address <address>', "the node's address (default: the machine's first)")
  .option('--pod-cidr <range>', "the pods' addresses (default: 10.244.0.0/16)")
  .option('--service-cidr <range>', "the services' addresses (default: 10.96.0.0/16)")
  .option('--token-auth-file <file>', 'bearer tokens: a CSV file of token,user,uid,"group1,group2"')
  .option('--encryption-provider-config <file>', 'an EncryptionConfiguration: what is encrypted in the store')
  .option('--encryption-provider-config-automatic-reload <boolean>', 'read it again whenever it changes (default: false)')
  .option('--audit-policy-file <file>', 'an audit Policy: which requests are recorded')
  .option('--audit-log-path <file>', 'where they are recorded')
  .option('--audit-log-maxsize <megabytes>', 'when a new file is begun (default: 100)')
  .option('--audit-log-maxbackup <count>', 'how many full files are kept (default: 10)')
  .option('--audit-webhook-config-file <file>', 'a kubeconfig: send them to this service, too')
  .option('--anonymous-auth <boolean>', 'take requests without credentials for system:anonymous (default: true)')
  .option('--authentication-token-webhook-config-file <file>', 'a kubeconfig: ask this service whose a token is')
  .option('--authorization-mode <modes>', 'who decides, in this order: Node, RBAC, Webhook, AlwaysAllow, AlwaysDeny (default: Node,RBAC)')
  .option('--authorization-webhook-config-file <file>', 'a kubeconfig: ask this service, in mode Webhook')
  .option('--oidc-issuer-url <url>', 'believe the ID tokens of this issuer')
  .option('--oidc-client-id <id>', 'that are for this client')
  .option('--oidc-ca-file <file>', "the issuer's authority, in PEM (default: the system's)")
  .option('--oidc-username-claim <claim>', "the user's name (default: sub)")
  .option('--oidc-username-prefix <prefix>', "what goes before it (default: the issuer and '#'; '-' for nothing)")
  .option('--oidc-groups-claim <claim>', "the user's groups")
  .option('--oidc-groups-prefix <prefix>', 'what goes before them')
  .option('--oidc-required-claim <pairs>', 'name=value pairs that a token has to carry')
  .option('--oidc-signing-algs <algorithms>', 'accepted signatures (default: RS256)')
  .option('--enable-admission-plugins <names>', 'admission plug-ins to run in addition to the default ones')
  .option('--disable-admission-plugins <names>', 'default admission plug-ins not to run')
  .option('--admission-control-config-file <file>', 'an AdmissionConfiguration: what admission plug-ins are told')
  .option('--default-not-ready-toleration-seconds <seconds>', 'how long pods stay on a node that is not ready (default: 300)')
  .option('--default-unreachable-toleration-seconds <seconds>', 'how long on one that cannot be reached (default: 300)')
  .option('--controller-manager-secure-port <port>', "serve the controllers' metrics on this port (Kubernetes' is 10257; default: 0, none)")
  .option('--scheduler-secure-port <port>', "serve the scheduler's metrics on this port (Kubernetes' is 10259; default: 0, none)")
  .option('--event-ttl <duration>', 'how long events are kept (default: 1h0m0s)')
  .option('--disabled-metrics <names>', 'metrics that are not shown')
  .option('--allow-metric-labels <list>', "metric,label='value1,value2': all other values are shown as unexpected")
  .option('--max-requests-inflight <count>', 'requests that only read, at a time (default: 400); with the next, what priority levels share')
  .option('--max-mutating-requests-inflight <count>', 'requests that write, at a time (default: 200)')
  .option('--request-timeout <duration>', 'after which other requests than watches and streams are given up (default: 1m0s)')
  .option('--min-request-timeout <seconds>', 'watches last from this long to twice as long (default: 1800)')
  .option('--shutdown-delay-duration <duration>', 'how long an API server that ends still serves, but is not ready (default: 0s)')
  .option('--strict-transport-security-directives <directives>', 'of the header that binds browsers to HTTPS')
  .option('--cors-allowed-origins <patterns>', 'expressions of the origins whose pages may ask from browsers')
  .option('-d, --detach', 'run in the background')
  .option('--no-detach')
  .option('--verbosity <level>', 'error, warn (default), info or debug')
  .action((flags) => answer(up(flags, io)));
located(program.command('down').description('end a cluster and everything it left on the machine'))
  .option('--delete', 'delete its data too')
  .action((flags) => answer(down(flags, io)));
located(program.command('status').description("each component's health, address, pid and memory"))
  .option('-o, --output <format>', 'json')
  .action((flags) => answer(status(flags, io)));
const image = program.command('image').description("the node's images");
located(image.command('load <files...>').description('load OCI or docker-save archives; - for standard input'))
  .option('--as <image>', 'a name for an archive that has none')
  .action((files, flags) => answer(loadImages(files, flags, io)));
located(image.command('ls').description('list images')).action((flags) => answer(listImages(flags, io)));
program
  .command('kubectl')
  .description('a small kubectl: get, apply, describe, delete, logs, exec, scale')
  .allowUnknownOption()
  .passThroughOptions()
  .helpOption(false)
  .argument('[args...]')
  .action((args: string[]) => answer(kubectl(args)));

function kubectl(args: readonly string[]): Promise<number> {
  const end = new AbortController();
  process.once('SIGINT', () => end.abort());
  const own = readConfig({}, process.env, io.isRoot).dataDirectory;
  const defaultKubeconfig = readRunRecord(own) ? join(own, 'kubeconfig') : kubeconfigFile(process.env);
  return runKubectl(args, {
    io: { env: process.env, in: process.stdin, out: process.stdout, err: process.stderr },
    defaultKubeconfig,
    nowMs: () => systemClock.nowMs(),
    signal: end.signal,
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) exitStatus = error.exitCode;
  else if (isForTheUser(error)) {
    process.stderr.write(`t8s: ${error.message}\n`);
    exitStatus = 1;
  } else throw error;
}
process.exit(exitStatus);

/** What the machine, the flags or another program is to blame for: told in one message, without a stack trace. */
function isForTheUser(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const classes = [UserError, ConfigError, StoreDirectoryError, StoreUnavailableError, RuntimeError, MissingBinaries];
  if (classes.some((each) => error instanceof each)) return true;
  return 'code' in error && ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'ENOSPC', 'EROFS'].includes(String(error.code));
}
