// A pod's resolv.conf by its dnsPolicy and dnsConfig, with the limits Kubernetes puts on it.

import { readFile } from 'node:fs/promises';
import type { Pod } from '../../api/core.ts';
import type * as cri from '../../runtime/cri-types.ts';

const serversMax = 3;
const searchesMax = 32;
const searchCharactersMax = 2048;

export interface ClusterDns {
  servers: readonly string[];
  /** `cluster.local` */
  domain: string;
}

interface ResolvConf {
  servers: string[];
  searches: string[];
  options: string[];
}

/** The node's own settings; empty when it has none. */
export async function readResolvConf(path: string): Promise<ResolvConf> {
  let text = '';
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return parseResolvConf(text);
}

export function parseResolvConf(text: string): ResolvConf {
  const result: ResolvConf = { servers: [], searches: [], options: [] };
  for (const line of text.split('\n')) {
    const [word, ...rest] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (word === 'nameserver' && rest[0]) result.servers.push(rest[0]);
    else if (word === 'search') result.searches = rest.map((domain) => (domain === '.' ? '.' : domain.replace(/\.$/, '')));
    else if (word === 'domain' && rest[0] && result.searches.length === 0) result.searches = [rest[0]];
    else if (word === 'options') result.options = rest;
  }
  return result;
}

/** The sandbox's DNS configuration. */
export function podDns(pod: Pod, host: ResolvConf, cluster: ClusterDns | undefined): cri.DNSConfig {
  const base = baseDns(pod, host, cluster);
  const extra = pod.spec?.dnsConfig;
  const servers = unique([...base.servers, ...(extra?.nameservers ?? [])]).slice(0, serversMax);
  const searches = fitting(unique([...base.searches, ...(extra?.searches ?? [])]));
  return { servers, searches, options: mergeOptions(base.options, extra?.options ?? []) };
}

function baseDns(pod: Pod, host: ResolvConf, cluster: ClusterDns | undefined): ResolvConf {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'None') return { servers: [], searches: [], options: [] };
  const isCluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec?.hostNetwork);
  if (!isCluster || !cluster || cluster.servers.length === 0) return host;
  const namespace = pod.metadata?.namespace ?? 'default';
  const own = [`${namespace}.svc.${cluster.domain}`, `svc.${cluster.domain}`, cluster.domain];
  return {
    servers: [...cluster.servers],
    searches: unique([...own, ...host.searches]),
    options: mergeOptions(host.options, [{ name: 'ndots', value: '5' }]),
  };
}

function mergeOptions(base: readonly string[], extra: readonly { name?: string; value?: string }[]): string[] {
  const merged = new Map(base.map((option) => [option.split(':')[0] as string, option]));
  for (const { name = '', value } of extra) merged.set(name, value === undefined ? name : `${name}:${value}`);
  return [...merged.values()];
}

function fitting(searches: readonly string[]): string[] {
  const kept: string[] = [];
  let characters = 0;
  for (const search of searches.slice(0, searchesMax)) {
    characters += search.length + (kept.length ? 1 : 0);
    if (characters > searchCharactersMax) break;
    kept.push(search);
  }
  return kept;
}

const unique = (values: readonly string[]) => [...new Set(values)];
