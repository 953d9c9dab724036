// Which kinds a server has, by its aggregated discovery documents, those of later CustomResourceDefinitions
// included; for what works on any kind: garbage collection, emptying namespaces, kubectl.

import { defineKind, type Kind } from '../api/kind.ts';
import { StatusError } from '../api/status.ts';
import type { KubeObject } from '../api/wire.ts';
import { errorOf } from './decode.ts';
import { readBody, type Transport } from './transport.ts';

export interface DiscoveredKind {
  kind: Kind;
  verbs: readonly string[];
  /** Names of its subresources: `status`, `scale`, ... */
  subresources: readonly string[];
  /** Of the versions of its group that have it, the one the server prefers. */
  isPreferred: boolean;
}

export interface Discovery {
  kinds: DiscoveredKind[];
  /** Group versions (`metrics.k8s.io/v1beta1`) whose kinds the server could not tell. */
  stale: string[];
}

const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** @throws StatusError when the server cannot be asked; groups that fail alone are named in `stale` */
export async function discover(transport: Transport): Promise<Discovery> {
  const [core, groups] = await Promise.all(['/api', '/apis'].map((path) => get(transport, path)));
  const found: Discovery = { kinds: [], stale: [] };
  for (const group of [...listOf(core, 'items'), ...listOf(groups, 'items')]) addGroup(found, group);
  return found;
}

type Json = Record<string, unknown>;

async function get(transport: Transport, path: string): Promise<Json> {
  const response = await transport.request({ method: 'GET', path, headers: { accept } });
  const text = (await readBody(response)).toString('utf8');
  if (response.status >= 400) throw errorOf(response.status, text);
  const value: unknown = JSON.parse(text);
  if (!isRecord(value) || !Array.isArray(value.items)) throw new StatusError('', `${path} is not an APIGroupDiscoveryList`);
  return value;
}

function addGroup(found: Discovery, groupDocument: Json): void {
  const group = textOf(isRecord(groupDocument.metadata) ? groupDocument.metadata.name : undefined);
  const seen = new Set<string>();
  for (const versionDocument of listOf(groupDocument, 'versions')) {
    const version = textOf(versionDocument.version);
    if (versionDocument.freshness === 'Stale') {
      // What the server remembers of it is not asked for: nobody would answer.
      found.stale.push(group ? `${group}/${version}` : version);
      continue;
    }
    for (const resource of listOf(versionDocument, 'resources')) {
      const plural = textOf(resource.resource);
      const responseKind = isRecord(resource.responseKind) ? textOf(resource.responseKind.kind) : '';
      if (!plural || !responseKind) continue;
      const verbs = textsOf(resource.verbs);
      const kind = defineKind<KubeObject>({
        group,
        version,
        kind: responseKind,
        plural,
        namespaced: resource.scope === 'Namespaced',
        shortNames: textsOf(resource.shortNames),
        categories: textsOf(resource.categories),
      });
      const subresources = listOf(resource, 'subresources').map((each) => textOf(each.subresource));
      // Versions come in the server's order of preference.
      found.kinds.push({ kind, verbs, subresources, isPreferred: !seen.has(plural) });
      seen.add(plural);
    }
  }
}

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []);
const listOf = (value: Json | undefined, field: string): Json[] => {
  const list = value?.[field];
  return Array.isArray(list) ? list.filter(isRecord) : [];
};
