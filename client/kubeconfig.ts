// Reads a kubeconfig file: which server a context means, and who we are to it. What a file may say that we
// do not do (exec and auth-provider plugins) is refused by name, never passed over.

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { HttpsTransportOptions } from './https-transport.ts';

export interface KubeconfigContext {
  transport: HttpsTransportOptions;
  /** The context's namespace; `default` when it names none. */
  namespace: string;
  /** The context's name. */
  context: string;
}

export class KubeconfigError extends Error {
  override name = 'KubeconfigError';
}

type Json = Record<string, unknown>;

/**
 * @param options.context instead of the file's current-context
 * @throws KubeconfigError naming the file and what is missing in it
 */
export async function readKubeconfig(file: string, options: { context?: string } = {}): Promise<KubeconfigContext> {
  const fail = (why: string) => new KubeconfigError(`kubeconfig ${file}: ${why}`);
  const config = recordOf(parse(await readFile(file, 'utf8')), fail);
  const name = options.context ?? textOf(config['current-context']);
  if (!name) throw fail('current-context is not set');
  const context = entryOf(config, 'contexts', 'context', name, fail);
  const cluster = entryOf(config, 'clusters', 'cluster', textOf(context.cluster) ?? '', fail);
  const user = context.user ? entryOf(config, 'users', 'user', textOf(context.user) ?? '', fail) : {};
  for (const plugin of ['exec', 'auth-provider', 'username'])
    if (user[plugin]) throw fail(`user ${String(context.user)} uses ${plugin}, which is not supported`);

  const server = textOf(cluster.server);
  if (!server) throw fail(`cluster ${String(context.cluster)} has no server`);
  const ca = await pemOf(cluster, 'certificate-authority', file);
  const serverName = textOf(cluster['tls-server-name']);
  return {
    context: name,
    namespace: textOf(context.namespace) ?? 'default',
    transport: {
      server,
      ...(ca ? { ca } : {}),
      ...(await credentialsOf(user, file)),
      ...(serverName ? { serverName } : {}),
      ...(cluster['insecure-skip-tls-verify'] === true ? { insecureSkipTlsVerify: true } : {}),
    },
  };
}

export type Credentials = Pick<HttpsTransportOptions, 'cert' | 'key' | 'token'>;

/** A user of a kubeconfig that is read for its users alone. */
export interface KubeconfigUser extends Credentials {
  /** Unique in its file. */
  name: string;
  basic?: { username: string; password: string };
}

/**
 * Every user of a file, by name, and the name of the current context's.
 * @throws KubeconfigError for what is none, and for users that are known in a way we do not do
 */
export async function readKubeconfigUsers(
  file: string,
): Promise<{ users: ReadonlyMap<string, KubeconfigUser>; current: string | undefined }> {
  const fail = (why: string) => new KubeconfigError(`kubeconfig ${file}: ${why}`);
  const config = recordOf(parse(await readFile(file, 'utf8')), fail);
  const users = new Map<string, KubeconfigUser>();
  for (const entry of Array.isArray(config.users) ? config.users : []) {
    const name = textOf(entry?.name) ?? '';
    const user = recordOf(entry?.user ?? {}, fail);
    for (const plugin of ['exec', 'auth-provider', 'as'])
      if (user[plugin]) throw fail(`user ${name} uses ${plugin}, which is not supported`);
    const basic = { username: textOf(user.username) ?? '', password: textOf(user.password) ?? '' };
    users.set(name, { name, ...(await credentialsOf(user, file)), ...(basic.username || basic.password ? { basic } : {}) });
  }
  const name = textOf(config['current-context']);
  const contexts = Array.isArray(config.contexts) ? config.contexts : [];
  return { users, current: textOf(contexts.find((each) => each?.name === name)?.context?.user) };
}

async function credentialsOf(user: Json, file: string): Promise<Credentials> {
  const cert = await pemOf(user, 'client-certificate', file);
  const key = await pemOf(user, 'client-key', file);
  const tokenFile = textOf(user.tokenFile);
  const token = textOf(user.token);
  return {
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    // Mounted tokens are replaced while in use, so the file is read again each time.
    ...(tokenFile ? { token: async () => (await readFile(resolve(dirname(file), tokenFile), 'utf8')).trim() } : token ? { token } : {}),
  };
}

async function pemOf(holder: Json, field: string, file: string): Promise<Buffer | undefined> {
  const data = textOf(holder[`${field}-data`]);
  if (data) return Buffer.from(data, 'base64');
  const path = textOf(holder[field]);
  return path ? readFile(resolve(dirname(file), path)) : undefined;
}

function entryOf(config: Json, list: string, field: string, name: string, fail: (why: string) => Error): Json {
  const entries = config[list];
  const entry = Array.isArray(entries) ? entries.find((e) => e?.name === name) : undefined;
  if (!entry) throw fail(`there is no ${field} ${JSON.stringify(name)}`);
  return recordOf(entry[field], fail);
}

function recordOf(value: unknown, fail: (why: string) => Error): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail('is not a kubeconfig');
  return value as Json;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
