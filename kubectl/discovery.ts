// Which kinds the server has, learned from its discovery documents, and what a user means by `po`, `deploy/web` or
// `things.example.com`.

import { apiVersionOf, type Kind } from '../api/kind.ts';
import { type Status, StatusError } from '../api/status.ts';
import { readBody, type Transport } from '../client/transport.ts';
import { KubectlError } from './context.ts';

export interface DiscoveredKind extends Kind {
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

export interface Discovery {
  kinds: readonly DiscoveredKind[];
  /** By plural, singular, short name or kind, each with `.group` or `.version.group` when it must be told apart. @throws KubectlError */
  resolve(name: string): DiscoveredKind;
  /** By `apiVersion` and `kind`, as a manifest names it. @throws KubectlError */
  ofManifest(apiVersion: string, kind: string): DiscoveredKind;
  /** The kinds of a category such as `all`. */
  category(name: string): DiscoveredKind[];
}

interface GroupDiscovery {
  metadata?: { name?: string };
  versions?: {
    version: string;
    resources?: {
      resource: string;
      responseKind?: { kind?: string };
      scope: string;
      singularResource: string;
      verbs: string[];
      shortNames?: string[];
      categories?: string[];
      subresources?: { subresource: string }[];
    }[];
  }[];
}

const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

export async function discover(transport: Transport): Promise<Discovery> {
  const [core, groups] = await Promise.all(['/api', '/apis'].map((path) => fetchGroups(transport, path)));
  return discoveryOf([...(core ?? []), ...(groups ?? [])]);
}

async function fetchGroups(transport: Transport, path: string): Promise<GroupDiscovery[]> {
  const response = await transport.request({ method: 'GET', path, headers: { accept } });
  const body = JSON.parse((await readBody(response, 64 << 20)).toString()) as { items?: GroupDiscovery[] };
  if (response.status !== 200) throw StatusError.fromStatus(body as Partial<Status>);
  if (!Array.isArray(body.items)) throw new KubectlError(`the server's discovery at ${path} is not understood`);
  return body.items;
}

/** In the server's order: earlier groups and versions win an ambiguous name. */
export function discoveryOf(groups: readonly GroupDiscovery[]): Discovery {
  const kinds = groups.flatMap((group) =>
    (group.versions ?? []).flatMap((version) =>
      (version.resources ?? []).map(
        (resource): DiscoveredKind => ({
          group: group.metadata?.name ?? '',
          version: version.version,
          kind: resource.responseKind?.kind ?? '',
          plural: resource.resource,
          singular: resource.singularResource,
          shortNames: resource.shortNames ?? [],
          categories: resource.categories ?? [],
          namespaced: resource.scope === 'Namespaced',
          verbs: resource.verbs,
          subresources: (resource.subresources ?? []).map((sub) => sub.subresource),
        }),
      ),
    ),
  );
  return {
    kinds,
    resolve(name) {
      const [head = '', ...rest] = name.toLowerCase().split('.');
      const tail = rest.join('.');
      const found = kinds.find(
        (kind) =>
          (kind.plural === head || kind.singular === head || kind.kind.toLowerCase() === head || kind.shortNames.includes(head)) &&
          (tail === '' || tail === kind.group || tail === `${kind.version}.${kind.group}` || (kind.group === '' && tail === kind.version)),
      );
      if (!found) throw new KubectlError(`the server doesn't have a resource type ${JSON.stringify(name)}`);
      return found;
    },
    ofManifest(apiVersion, kind) {
      const found = kinds.find((each) => each.kind === kind && apiVersionOf(each) === apiVersion);
      if (!found) throw new KubectlError(`no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`);
      return found;
    },
    category: (name) => kinds.filter((kind) => kind.categories.includes(name) && kind.verbs.includes('list')),
  };
}
