// What a cluster is started with: flags and a YAML file (`--config`), checked and completed. A value the user gave
// once and that must not change under a running data directory is kept in cluster-record.ts.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { ConfigError } from './config-error.ts';
import { duration, hstsDirectives, originPatterns, type ServingConfig } from './serving.ts';

export { ConfigError };

export interface ClusterConfig extends ServingConfig {
  /** The cluster's name: `t8s` unless said otherwise; names the kubeconfig context. */
  name: string;
  /** Absolute. Everything a cluster keeps is under it. */
  dataDirectory: string;
  /** The API server's port; undefined: what the cluster had before, else 6443, else any free one. */
  port: number | undefined;
  /** The address the API server listens on. */
  bindAddress: string;
  /** Empty: the embedded store. */
  etcdServers: string[];
  /** `containerd` (found and supervised), `simulated`, or the path of a CRI socket. */
  runtime: string;
  /** Number of simulated nodes; undefined: one real node, or one simulated with `runtime: simulated`. */
  nodes: number | undefined;
  nodeName: string | undefined;
  /** The address the node is known by; undefined: this machine's first global one. */
  nodeAddress: string | undefined;
  podCidr: string | undefined;
  serviceCidr: string | undefined;
  /** Bearer tokens with their users, as CSV; undefined: none. */
  tokenAuthFile: string | undefined;
  /** EncryptionConfiguration: what is encrypted in the store, and with which keys. */
  encryptionProviderConfig: string | undefined;
  /** Read it again whenever it changes. */
  encryptionProviderConfigAutomaticReload: boolean;
  /** audit.k8s.io/v1 Policy: which requests are recorded. */
  auditPolicyFile: string | undefined;
  /** Where; nothing is recorded without a policy. */
  auditLogPath: string | undefined;
  /** Megabytes after which a new log file is begun; undefined: 100. */
  auditLogMaxsize: number | undefined;
  /** How many full log files are kept; undefined: 10. */
  auditLogMaxbackup: number | undefined;
  /** A kubeconfig that leads to a service that takes events. */
  auditWebhookConfigFile: string | undefined;
  /** Whether requests without credentials are taken for system:anonymous. */
  anonymousAuth: boolean;
  /** A kubeconfig that leads to a service that knows tokens. */
  authenticationTokenWebhookConfigFile: string | undefined;
  /** Asked in this order. */
  authorizationMode: AuthorizationMode[];
  /** A kubeconfig that leads to a service that decides; goes with mode Webhook. */
  authorizationWebhookConfigFile: string | undefined;
  /** ID tokens of this issuer are believed, when they are for `oidcClientId`. */
  oidcIssuerUrl: string | undefined;
  oidcClientId: string | undefined;
  /** PEM; undefined: the system's authorities. */
  oidcCaFile: string | undefined;
  oidcUsernameClaim: string | undefined;
  oidcUsernamePrefix: string | undefined;
  oidcGroupsClaim: string | undefined;
  oidcGroupsPrefix: string | undefined;
  oidcRequiredClaim: Record<string, string>;
  oidcSigningAlgs: string[];
  /** Admission plug-ins in addition to the default ones. */
  enableAdmissionPlugins: string[];
  /** Default ones that do not run. */
  disableAdmissionPlugins: string[];
  /** An AdmissionConfiguration: what plug-ins are told. */
  admissionControlConfigFile: string | undefined;
  /** How long pods stay on a node that is not ready, or cannot be reached, unless they say so themselves. */
  defaultNotReadyTolerationSeconds: number;
  defaultUnreachableTolerationSeconds: number;
  /** The port on which the controllers' metrics and health are served over HTTPS; 0: none. Kubernetes' is 10257. */
  controllerManagerSecurePort: number;
  /** The scheduler's; Kubernetes' is 10259. */
  schedulerSecurePort: number;
  /** How long events are kept, in seconds. */
  eventTtl: number;
  /** Metrics that no component shows. */
  disabledMetrics: string[];
  /** `metric,label` to the values that are told apart, with commas between them. */
  allowMetricLabels: Record<string, string>;
  detach: boolean;
  verbosity: 'error' | 'warn' | 'info' | 'debug';
}

const authorizationModes = ['Node', 'RBAC', 'Webhook', 'AlwaysAllow', 'AlwaysDeny'] as const;
export type AuthorizationMode = (typeof authorizationModes)[number];

/** Flags as commander gives them; a flag wins over the file. */
export type ConfigFlags = Partial<Record<keyof typeof readers, unknown>> & { config?: string };

const text = (key: string, value: unknown): string => {
  if (typeof value !== 'string' || value === '') throw new ConfigError(`${key}: want a string, got ${JSON.stringify(value)}`);
  return value;
};
const integer =
  (min: number, max: number) =>
  (key: string, value: unknown): number => {
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max) {
      throw new ConfigError(`${key}: want a whole number from ${min} to ${max}, got ${JSON.stringify(value)}`);
    }
    return number;
  };
const name = (key: string, value: unknown): string => {
  const given = text(key, value);
  if (!/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(given)) {
    throw new ConfigError(`${key}: want at most 40 lower-case letters, digits and '-', got ${JSON.stringify(value)}`);
  }
  return given;
};
const cidr = (key: string, value: unknown): string => {
  const given = text(key, value);
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(given);
  if (!match || match.slice(1, 5).some((part) => Number(part) > 255) || Number(match[5]) < 8 || Number(match[5]) > 24) {
    throw new ConfigError(`${key}: want an IPv4 range such as 10.244.0.0/16 with a prefix from 8 to 24, got ${JSON.stringify(value)}`);
  }
  return given;
};
const addresses = (key: string, value: unknown): string[] => {
  const list = typeof value === 'string' ? value.split(',') : value;
  if (!Array.isArray(list)) throw new ConfigError(`${key}: want a list of URLs, got ${JSON.stringify(value)}`);
  for (const item of list) {
    if (typeof item !== 'string' || !/^https?:\/\/[^\s/]+$/.test(item))
      throw new ConfigError(`${key}: want http(s)://HOST:PORT, got ${JSON.stringify(item)}`);
  }
  return list as string[];
};
const runtime = (key: string, value: unknown): string => {
  const given = text(key, value).replace(/^unix:\/\//, '');
  if (given !== 'containerd' && given !== 'simulated' && !given.startsWith('/')) {
    throw new ConfigError(`${key}: want containerd, simulated or the path of a CRI socket, got ${JSON.stringify(value)}`);
  }
  return given;
};
const listOf = (key: string, value: unknown): string[] => {
  const list = typeof value === 'string' ? value.split(',') : value;
  if (!Array.isArray(list) || list.length === 0 || !list.every((each) => typeof each === 'string' && each !== ''))
    throw new ConfigError(`${key}: want a list separated by commas, got ${JSON.stringify(value)}`);
  return list as string[];
};
const oneOfEach =
  <T extends string>(known: readonly T[]) =>
  (key: string, value: unknown): T[] => {
    const list = listOf(key, value);
    for (const [index, each] of list.entries()) {
      if (!known.includes(each as T)) throw new ConfigError(`${key}: ${JSON.stringify(each)} is none of ${known.join(', ')}`);
      if (list.indexOf(each) !== index) throw new ConfigError(`${key}: ${each} is given twice`);
    }
    return list as T[];
  };
const signingAlgorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const;
const pairs = (key: string, value: unknown): Record<string, string> => {
  const items =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).map((pair) => pair.join('='))
      : listOf(key, value);
  return Object.fromEntries(
    items.map((item) => {
      const at = item.indexOf('=');
      if (at < 1) throw new ConfigError(`${key}: want name=value, got ${JSON.stringify(item)}`);
      return [item.slice(0, at), item.slice(at + 1)];
    }),
  );
};
/** A duration as Go writes it, `1h0m0s`, in seconds. */
const seconds = (key: string, value: unknown): number => {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text(key, value));
  const total = parts ? Number(parts[1] ?? 0) * 3600 + Number(parts[2] ?? 0) * 60 + Number(parts[3] ?? 0) : 0;
  if (total <= 0) throw new ConfigError(`${key}: want a duration such as 1h30m, got ${JSON.stringify(value)}`);
  return total;
};
/** `metric,label='v1,v2',metric,label='v3'`, or a map of the same. */
const labelValues = (key: string, value: unknown): Record<string, string> => {
  const pattern = /([a-zA-Z_:][\w:]*,\w+)=(?:'([^']*)'|([^,']*))(,|$)/y;
  if (typeof value !== 'string') return pairs(key, value);
  const found: Record<string, string> = {};
  while (pattern.lastIndex < value.length || value === '') {
    const match = pattern.exec(value);
    if (!match) throw new ConfigError(`${key}: want metric,label='value1,value2', got ${JSON.stringify(value)}`);
    found[match[1] as string] = match[2] ?? match[3] ?? '';
  }
  return found;
};
const issuer = (key: string, value: unknown): string => {
  const given = text(key, value);
  if (!URL.canParse(given) || new URL(given).protocol !== 'https:')
    throw new ConfigError(`${key}: want a URL that begins with https://, got ${JSON.stringify(value)}`);
  return given;
};
const truth = (key: string, value: unknown): boolean => flag(key, value === 'true' ? true : value === 'false' ? false : value);
const flag = (key: string, value: unknown): boolean => {
  if (typeof value !== 'boolean') throw new ConfigError(`${key}: want true or false, got ${JSON.stringify(value)}`);
  return value;
};
const verbosity = (key: string, value: unknown): ClusterConfig['verbosity'] => {
  if (value === 'error' || value === 'warn' || value === 'info' || value === 'debug') return value;
  throw new ConfigError(`${key}: want error, warn, info or debug, got ${JSON.stringify(value)}`);
};

/** Each setting, as it is spelled in the file and (in kebab case) as a flag. */
const readers = {
  name,
  dataDir: text,
  port: integer(1, 65535),
  bindAddress: text,
  etcdServers: addresses,
  runtime,
  nodes: integer(0, 5000),
  nodeName: name,
  nodeAddress: text,
  podCidr: cidr,
  serviceCidr: cidr,
  tokenAuthFile: text,
  encryptionProviderConfig: text,
  encryptionProviderConfigAutomaticReload: truth,
  auditPolicyFile: text,
  auditLogPath: text,
  auditLogMaxsize: integer(1, 100_000),
  auditLogMaxbackup: integer(1, 10_000),
  auditWebhookConfigFile: text,
  anonymousAuth: truth,
  authenticationTokenWebhookConfigFile: text,
  authorizationMode: oneOfEach(authorizationModes),
  authorizationWebhookConfigFile: text,
  oidcIssuerUrl: issuer,
  oidcClientId: text,
  oidcCaFile: text,
  oidcUsernameClaim: text,
  oidcUsernamePrefix: text,
  oidcGroupsClaim: text,
  oidcGroupsPrefix: text,
  oidcRequiredClaim: pairs,
  oidcSigningAlgs: oneOfEach(signingAlgorithms),
  enableAdmissionPlugins: listOf,
  disableAdmissionPlugins: listOf,
  admissionControlConfigFile: text,
  defaultNotReadyTolerationSeconds: integer(0, 2 ** 31),
  defaultUnreachableTolerationSeconds: integer(0, 2 ** 31),
  controllerManagerSecurePort: integer(0, 65535),
  schedulerSecurePort: integer(0, 65535),
  eventTtl: seconds,
  disabledMetrics: listOf,
  allowMetricLabels: labelValues,
  maxRequestsInflight: integer(1, 1_000_000),
  maxMutatingRequestsInflight: integer(1, 1_000_000),
  requestTimeout: duration,
  minRequestTimeout: integer(1, 2 ** 31),
  shutdownDelayDuration: duration,
  strictTransportSecurityDirectives: (key: string, value: unknown) => hstsDirectives(key, listOf(key, value)),
  corsAllowedOrigins: (key: string, value: unknown) => originPatterns(key, listOf(key, value)),
  detach: flag,
  verbosity,
};

/**
 * The configuration that `flags` and the file they name ask for.
 * @throws ConfigError
 */
export function readConfig(flags: ConfigFlags, env: NodeJS.ProcessEnv, isRoot: boolean): ClusterConfig {
  const given = { ...(flags.config ? readConfigFile(flags.config) : {}), ...withoutUndefined(flags) };
  const read = <K extends keyof typeof readers>(key: K) =>
    key in given ? (readers[key](key, (given as Record<string, unknown>)[key]) as ReturnType<(typeof readers)[K]>) : undefined;
  const clusterName = read('name') ?? 't8s';
  const config: ClusterConfig = {
    name: clusterName,
    dataDirectory: resolve(read('dataDir') ?? defaultDataDirectory(clusterName, env, isRoot)),
    port: read('port'),
    bindAddress: read('bindAddress') ?? '0.0.0.0',
    etcdServers: read('etcdServers') ?? [],
    runtime: read('runtime') ?? 'containerd',
    nodes: read('nodes'),
    nodeName: read('nodeName'),
    nodeAddress: read('nodeAddress'),
    podCidr: read('podCidr'),
    tokenAuthFile: read('tokenAuthFile'),
    serviceCidr: read('serviceCidr'),
    encryptionProviderConfig: read('encryptionProviderConfig'),
    encryptionProviderConfigAutomaticReload: read('encryptionProviderConfigAutomaticReload') ?? false,
    auditPolicyFile: read('auditPolicyFile'),
    auditLogPath: read('auditLogPath'),
    auditLogMaxsize: read('auditLogMaxsize'),
    auditLogMaxbackup: read('auditLogMaxbackup'),
    auditWebhookConfigFile: read('auditWebhookConfigFile'),
    anonymousAuth: read('anonymousAuth') ?? true,
    authenticationTokenWebhookConfigFile: read('authenticationTokenWebhookConfigFile'),
    authorizationMode: read('authorizationMode') ?? ['Node', 'RBAC'],
    authorizationWebhookConfigFile: read('authorizationWebhookConfigFile'),
    oidcIssuerUrl: read('oidcIssuerUrl'),
    oidcClientId: read('oidcClientId'),
    oidcCaFile: read('oidcCaFile'),
    oidcUsernameClaim: read('oidcUsernameClaim'),
    oidcUsernamePrefix: read('oidcUsernamePrefix'),
    oidcGroupsClaim: read('oidcGroupsClaim'),
    oidcGroupsPrefix: read('oidcGroupsPrefix'),
    oidcRequiredClaim: read('oidcRequiredClaim') ?? {},
    oidcSigningAlgs: read('oidcSigningAlgs') ?? ['RS256'],
    enableAdmissionPlugins: read('enableAdmissionPlugins') ?? [],
    maxRequestsInflight: read('maxRequestsInflight') ?? 400,
    maxMutatingRequestsInflight: read('maxMutatingRequestsInflight') ?? 200,
    requestTimeout: read('requestTimeout') || 60_000,
    minRequestTimeout: read('minRequestTimeout') ?? 1800,
    shutdownDelayDuration: read('shutdownDelayDuration') ?? 0,
    strictTransportSecurityDirectives: read('strictTransportSecurityDirectives') ?? [],
    corsAllowedOrigins: read('corsAllowedOrigins') ?? [],
    disableAdmissionPlugins: read('disableAdmissionPlugins') ?? [],
    admissionControlConfigFile: read('admissionControlConfigFile'),
    defaultNotReadyTolerationSeconds: read('defaultNotReadyTolerationSeconds') ?? 300,
    defaultUnreachableTolerationSeconds: read('defaultUnreachableTolerationSeconds') ?? 300,
    controllerManagerSecurePort: read('controllerManagerSecurePort') ?? 0,
    schedulerSecurePort: read('schedulerSecurePort') ?? 0,
    eventTtl: read('eventTtl') ?? 3600,
    disabledMetrics: read('disabledMetrics') ?? [],
    allowMetricLabels: read('allowMetricLabels') ?? {},
    detach: read('detach') ?? false,
    verbosity: read('verbosity') ?? 'warn',
  };
  checkTogether(config);
  return config;
}

/** Settings that mean nothing without another. */
function checkTogether(config: ClusterConfig): void {
  const { authorizationMode, authorizationWebhookConfigFile, oidcIssuerUrl, oidcClientId, auditPolicyFile, auditLogPath } = config;
  if (authorizationMode.includes('Webhook') !== (authorizationWebhookConfigFile !== undefined))
    throw new ConfigError('authorizationMode Webhook and authorizationWebhookConfigFile go together');
  if (config.encryptionProviderConfigAutomaticReload && config.encryptionProviderConfig === undefined)
    throw new ConfigError('encryptionProviderConfigAutomaticReload must be set with encryptionProviderConfig');
  if ((oidcIssuerUrl === undefined) !== (oidcClientId === undefined)) throw new ConfigError('oidcIssuerUrl and oidcClientId go together');
  if (oidcIssuerUrl === undefined && (config.oidcCaFile ?? config.oidcGroupsClaim ?? config.oidcUsernameClaim))
    throw new ConfigError('oidc settings want oidcIssuerUrl and oidcClientId');
  if ((auditLogPath ?? config.auditWebhookConfigFile) !== undefined && auditPolicyFile === undefined)
    throw new ConfigError('auditLogPath and auditWebhookConfigFile want auditPolicyFile: without a policy nothing is recorded');
  if (auditPolicyFile !== undefined && (auditLogPath ?? config.auditWebhookConfigFile) === undefined)
    throw new ConfigError('auditPolicyFile wants auditLogPath or auditWebhookConfigFile: nobody would see what is recorded');
}

/** `/var/lib/t8s/NAME` for root, else under the user's data home. */
export function defaultDataDirectory(clusterName: string, env: NodeJS.ProcessEnv, isRoot: boolean): string {
  if (isRoot) return join('/var/lib/t8s', clusterName);
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share'), 't8s', clusterName);
}

function readConfigFile(file: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof YAMLParseError) throw new ConfigError(`${file}: ${error.message}`);
    if (error instanceof Error && 'code' in error) throw new ConfigError(`--config ${file}: ${error.message}`);
    throw error;
  }
  if (content === null) return {};
  if (typeof content !== 'object' || Array.isArray(content)) throw new ConfigError(`${file}: want a map of settings`);
  for (const key of Object.keys(content)) {
    if (!(key in readers))
      throw new ConfigError(`${file}: unknown setting ${JSON.stringify(key)}; known are ${Object.keys(readers).join(', ')}`);
  }
  return content as Record<string, unknown>;
}

function withoutUndefined(flags: ConfigFlags): Record<string, unknown> {
  return Object.fromEntries(Object.entries(flags).filter(([key, value]) => key !== 'config' && value !== undefined));
}
