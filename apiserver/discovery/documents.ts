// Discovery: what the server serves, in each form that clients ask for it. Pure: resource declarations in, documents
// out; the server caches what comes out until its declarations change.

import { createHash } from 'node:crypto';
import { groupPriorityOf } from '../resources/apiservices.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** metav1.APIResource */
export interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  kind: string;
  group?: string;
  version?: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  storageVersionHash?: string;
}

/** A group version that another server answers for. */
export interface RemoteVersion {
  group: string;
  version: string;
  groupPriority: number;
  versionPriority: number;
  /** What it said when it last answered. */
  resources: readonly ApiResource[];
  /** It answered the last time. */
  isCurrent: boolean;
}

/** A group and its versions, the preferred one first. */
interface ServedGroup {
  name: string;
  versions: string[];
}

/** Kubernetes' own order of groups (the priorities of its APIServices); custom ones follow by name. */
const groupOrder = [
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'resource.k8s.io',
];

/** `GET /api` */
export function apiVersions(serverAddress: string): object {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }] };
}

/** `GET /apis` */
export function apiGroupList(declarations: readonly ResourceDeclaration[], remote: readonly RemoteVersion[] = []): object {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: servedGroups(declarations, remote)
      .filter(({ name }) => name !== '')
      .map(groupFields),
  };
}

/** `GET /apis/GROUP`; undefined: no such group. */
export function apiGroup(
  declarations: readonly ResourceDeclaration[],
  name: string,
  remote: readonly RemoteVersion[] = [],
): object | undefined {
  const group = servedGroups(declarations, remote).find((served) => served.name === name);
  return group && name !== '' ? { kind: 'APIGroup', apiVersion: 'v1', ...groupFields(group) } : undefined;
}

function groupFields({ name, versions }: ServedGroup): object {
  const listed = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: listed, preferredVersion: listed[0] };
}

/** `GET /api/v1` and `GET /apis/GROUP/VERSION`; undefined: not served. */
export function apiResourceList(declarations: readonly ResourceDeclaration[], group: string, version: string): object | undefined {
  const served = declarationsOf(declarations, group, version);
  if (served.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    ...(group ? { apiVersion: 'v1' } : {}),
    groupVersion: group ? `${group}/${version}` : version,
    resources: served.flatMap(apiResources),
  };
}

function apiResources(declaration: ResourceDeclaration): ApiResource[] {
  const { kind } = declaration;
  const main: ApiResource = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: verbsOf(declaration),
    ...(kind.shortNames.length > 0 ? { shortNames: [...kind.shortNames] } : {}),
    ...(kind.categories.length > 0 ? { categories: [...kind.categories] } : {}),
    ...(verbsOf(declaration).includes('list') ? { storageVersionHash: storageVersionHash(declaration) } : {}),
  };
  const subresources = subresourcesOf(declaration).map(({ name, kind: subKind, group, version, verbs }) => ({
    name: `${kind.plural}/${name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(group !== undefined && group !== kind.group ? { group } : {}),
    ...(version !== undefined && (version !== kind.version || group !== kind.group) ? { version } : {}),
    kind: subKind,
    verbs: [...verbs],
  }));
  return [main, ...subresources];
}

interface ServedSubresource {
  name: string;
  kind: string;
  group: string | undefined;
  version: string | undefined;
  verbs: readonly string[];
}

function subresourcesOf(declaration: ResourceDeclaration): ServedSubresource[] {
  const { kind } = declaration;
  const list: ServedSubresource[] = [];
  if (declaration.status)
    list.push({ name: 'status', kind: kind.kind, group: undefined, version: undefined, verbs: ['get', 'patch', 'update'] });
  if (declaration.scale)
    list.push({ name: 'scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get', 'patch', 'update'] });
  for (const [name, sub] of Object.entries(declaration.subresources ?? {})) {
    list.push({ name, kind: sub.kind, group: sub.group, version: sub.version, verbs: sub.verbs });
  }
  return list.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function verbsOf(declaration: ResourceDeclaration): string[] {
  return [...(declaration.verbs ?? allVerbs)].sort();
}

/** base64 of the first eight bytes of sha256("group/version/Kind"), as k8s.io/apiserver/pkg/endpoints/discovery does. */
function storageVersionHash({ kind }: ResourceDeclaration): string {
  return createHash('sha256').update(`${kind.group}/${kind.version}/${kind.kind}`).digest().subarray(0, 8).toString('base64');
}

/**
 * Aggregated discovery: `GET /api` (`isCore`) or `GET /apis` when the client accepts
 * `g=apidiscovery.k8s.io;as=APIGroupDiscoveryList`.
 */
export function aggregatedDiscovery(
  declarations: readonly ResourceDeclaration[],
  isCore: boolean,
  version: 'v2' | 'v2beta1',
  remote: readonly RemoteVersion[] = [],
): object {
  const groups = servedGroups(declarations, remote).filter(({ name }) => (name === '') === isCore);
  const byVersion = Map.groupBy(declarations, ({ kind }) => `${kind.group}/${kind.version}`);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { ...(group.name ? { name: group.name } : {}), creationTimestamp: null },
      versions: group.versions.map((groupVersion) => {
        const own = byVersion.get(`${group.name}/${groupVersion}`);
        if (own)
          return {
            version: groupVersion,
            resources: declarationsOf(own, group.name, groupVersion).map(aggregatedResource),
            freshness: 'Current',
          };
        const theirs = remote.find((each) => each.group === group.name && each.version === groupVersion);
        const freshness = theirs?.isCurrent ? 'Current' : 'Stale';
        return { version: groupVersion, resources: theirs ? remoteResources(theirs) : [], freshness };
      }),
    })),
  };
}

/** What another server lists, in the form of aggregated discovery. */
function remoteResources({ group, version, resources }: RemoteVersion): object[] {
  const responseKind = (each: ApiResource) => ({ group: each.group ?? group, version: each.version ?? version, kind: each.kind });
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((main) => {
      const { name, singularName, namespaced, verbs, shortNames, categories } = main;
      const subresources = resources
        .filter((each) => each.name.startsWith(`${name}/`))
        .map((each) => ({ subresource: each.name.slice(name.length + 1), responseKind: responseKind(each), verbs: each.verbs }));
      return {
        resource: name,
        responseKind: responseKind(main),
        scope: namespaced ? 'Namespaced' : 'Cluster',
        singularResource: singularName,
        verbs,
        ...(shortNames ? { shortNames } : {}),
        ...(categories ? { categories } : {}),
        ...(subresources.length > 0 ? { subresources } : {}),
      };
    });
}

function aggregatedResource(declaration: ResourceDeclaration): object {
  const { kind } = declaration;
  const subresources = subresourcesOf(declaration).map((sub) => ({
    subresource: sub.name,
    responseKind: { group: sub.group ?? kind.group, version: sub.version ?? kind.version, kind: sub.kind },
    verbs: [...sub.verbs],
  }));
  return {
    resource: kind.plural,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: verbsOf(declaration),
    ...(kind.shortNames.length > 0 ? { shortNames: [...kind.shortNames] } : {}),
    ...(kind.categories.length > 0 ? { categories: [...kind.categories] } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}

function declarationsOf(declarations: readonly ResourceDeclaration[], group: string, version: string): ResourceDeclaration[] {
  return declarations
    .filter(({ kind }) => kind.group === group && kind.version === version)
    .sort((a, b) => (a.kind.plural < b.kind.plural ? -1 : 1));
}

function servedGroups(declarations: readonly ResourceDeclaration[], remote: readonly RemoteVersion[] = []): ServedGroup[] {
  const versions = new Map<string, Set<string>>();
  for (const { kind } of declarations) {
    const known = versions.get(kind.group) ?? new Set();
    known.add(kind.version);
    versions.set(kind.group, known);
  }
  const local = [...versions]
    .map(([name, served]) => ({ name, versions: [...served].sort(compareVersions) }))
    .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
  return withRemote(local, remote);
}

/** Others' groups among ours, by their priority, after ours of the same; a further version of a group that is served here comes after its own. */
function withRemote(local: ServedGroup[], remote: readonly RemoteVersion[]): ServedGroup[] {
  const groups = local.map(({ name, versions }) => ({ name, versions: [...versions] }));
  const inOrder = [...remote].sort(
    (a, b) =>
      b.groupPriority - a.groupPriority ||
      (a.group === b.group ? b.versionPriority - a.versionPriority || compareVersions(a.version, b.version) : a.group < b.group ? -1 : 1),
  );
  const priorities = new Map(groups.map(({ name }) => [name, groupPriorityOf(name)]));
  for (const { group, version, groupPriority } of inOrder) {
    const known = groups.find(({ name }) => name === group);
    if (known) {
      if (!known.versions.includes(version)) known.versions.push(version);
      continue;
    }
    priorities.set(group, groupPriority);
    const below = groups.findIndex(({ name }) => (priorities.get(name) ?? 0) < groupPriority);
    groups.splice(below === -1 ? groups.length : below, 0, { name: group, versions: [version] });
  }
  return groups;
}

function rank(group: string): number {
  const at = groupOrder.indexOf(group);
  return at === -1 ? groupOrder.length : at;
}

/**
 * Kubernetes' version priority: v2 before v1 before v1beta2 before v1alpha1 before anything else.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority
 */
export function compareVersions(a: string, b: string): number {
  const left = versionParts(a);
  const right = versionParts(b);
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : a > b ? 1 : 0;
  return right.stability - left.stability || right.major - left.major || right.minor - left.minor;
}

function versionParts(version: string): { stability: number; major: number; minor: number } | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (!match) return undefined;
  return { stability: match[2] === 'alpha' ? 0 : match[2] === 'beta' ? 1 : 2, major: Number(match[1]), minor: Number(match[3] ?? 0) };
}
