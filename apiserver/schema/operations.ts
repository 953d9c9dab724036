// The operations that resource declarations make: which verbs at which paths, about which kinds, with which
// parameters. OpenAPI 2 and 3 print the same list in their own forms.

import { listKindOf } from '../../api/kind.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

export type HttpMethod = 'get' | 'put' | 'post' | 'delete' | 'patch' | 'head' | 'options';

export interface Parameter {
  name: string;
  in: 'query' | 'path';
  type: 'string' | 'boolean' | 'integer';
  description: string;
}

export interface Operation {
  /** `/apis/apps/v1/namespaces/{namespace}/deployments/{name}` */
  path: string;
  method: HttpMethod;
  operationId: string;
  /** x-kubernetes-action; discovery documents have none. */
  action?: string;
  /** x-kubernetes-group-version-kind: what the operation is about. */
  kind?: GroupVersionKind;
  description: string;
  /** `apps_v1` */
  tag: string;
  /** Query parameters; those in the path follow from it. */
  parameters: readonly Parameter[];
  /** The body's kind, `Patch`, or none. */
  body?: GroupVersionKind | 'Patch' | 'DeleteOptions';
  /** What answers: an object, a list, a Status, a discovery list, version.Info, text, or what no schema is published of. */
  response:
    | GroupVersionKind
    | 'Status'
    | 'WatchEvent'
    | 'APIVersions'
    | 'APIGroupList'
    | 'APIGroup'
    | 'APIResourceList'
    | 'Info'
    | 'string'
    | 'none';
  /** Answers 201 or 202 beside 200. */
  alsoAnswers: readonly (201 | 202)[];
  /** Lists can be streamed as a watch. */
  streams: boolean;
  /** Content types of the answer, when not those of every object. */
  produces?: readonly string[];
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({ name, in: 'query', type, description });
const dryRun = query('dryRun', 'string', 'All: go through every stage, but store nothing.');
const fieldManager = query(
  'fieldManager',
  'string',
  'The name under which the changed fields are recorded, at most 128 printable characters.',
);
const fieldValidation = query('fieldValidation', 'string', 'What becomes of unknown and duplicate fields: Ignore, Warn or Strict.');
const force = query('force', 'boolean', 'Of an apply: take over fields that others manage.');
const pretty = query('pretty', 'string', 'Indent the answer when true.');
const writeParameters = [pretty, dryRun, fieldManager, fieldValidation];
const deleteParameters = [
  pretty,
  dryRun,
  query('gracePeriodSeconds', 'integer', 'How long the object may take to end, in seconds; 0 is at once.'),
  query('ignoreStoreReadErrorWithClusterBreakingPotential', 'boolean', 'Delete an object that cannot be read from the store.'),
  query('orphanDependents', 'boolean', 'Deprecated: use propagationPolicy.'),
  query('propagationPolicy', 'string', 'What becomes of dependents: Orphan, Background or Foreground.'),
];
const listParameters = [
  pretty,
  query('allowWatchBookmarks', 'boolean', 'A watch may be sent BOOKMARK events.'),
  query('continue', 'string', 'Where the list before ended.'),
  query('fieldSelector', 'string', 'Restricts by fields.'),
  query('labelSelector', 'string', 'Restricts by labels.'),
  query('limit', 'integer', 'The most items to answer at once.'),
  query('resourceVersion', 'string', 'The version that the answer may be served from.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  query('sendInitialEvents', 'boolean', 'A watch begins with the state as ADDED events.'),
  query('shardSelector', 'string', 'Restricts to a shard of the objects.'),
  query('timeoutSeconds', 'integer', 'How long the call may last.'),
  query('watch', 'boolean', 'Send changes as a stream.'),
];
const withoutSendInitialEvents = listParameters.filter(({ name }) => name !== 'watch' && name !== 'allowWatchBookmarks');

const container = query('container', 'string', 'The container that is meant; the only one when left out.');
const streamParameters = [
  container,
  query('stderr', 'boolean', 'Carry the standard error of the container.'),
  query('stdin', 'boolean', 'Carry the standard input of the container.'),
  query('stdout', 'boolean', 'Carry the standard output of the container.'),
  query('tty', 'boolean', 'The streams are those of a terminal.'),
];
const proxyParameters = [query('path', 'string', 'The path that is asked for behind the proxy.')];

/** Of subresources that carry a stream, by the kind of their options. */
const streamedParameters: Readonly<Record<string, readonly Parameter[]>> = {
  PodAttachOptions: streamParameters,
  PodExecOptions: [query('command', 'string', 'The command, word by word; it runs in no shell.'), ...streamParameters],
  PodPortForwardOptions: [query('ports', 'integer', 'The ports to forward.')],
  PodProxyOptions: proxyParameters,
  ServiceProxyOptions: proxyParameters,
  NodeProxyOptions: proxyParameters,
};
const logParameters = [
  container,
  query('follow', 'boolean', 'Go on with what is written later.'),
  query('insecureSkipTLSVerifyBackend', 'boolean', "Do not check the kubelet's certificate."),
  query('limitBytes', 'integer', 'The most bytes to answer.'),
  pretty,
  query('previous', 'boolean', 'The log of the container that ran before this one.'),
  query('sinceSeconds', 'integer', 'What was written in the last so many seconds.'),
  query('stream', 'string', 'All, Stdout or Stderr.'),
  query('tailLines', 'integer', 'The last so many lines.'),
  query('timestamps', 'boolean', 'Begin each line with the time at which it was written.'),
];

/** Every operation of `declarations`, in their order. */
export function operationsOf(declarations: readonly ResourceDeclaration[]): Operation[] {
  return [...operationsByVersion(declarations).values()].flat();
}

/** The same by their document of version 3, `apis/apps/v1`. */
export function operationsByVersion(declarations: readonly ResourceDeclaration[]): Map<string, Operation[]> {
  const byVersion = new Map<string, Operation[]>();
  for (const declaration of declarations) {
    const { group, version } = declaration.kind;
    const path = groupVersionPath(group, version).slice(1);
    let operations = byVersion.get(path);
    if (!operations) {
      operations = [discoveryOperation(group, version)];
      byVersion.set(path, operations);
    }
    operations.push(...operationsOfOne(declaration));
  }
  return byVersion;
}

/** Declarations never change, and the next custom resource should cost no more for those that are there already. */
const known = new WeakMap<ResourceDeclaration, Operation[]>();

function operationsOfOne(declaration: ResourceDeclaration): Operation[] {
  let operations = known.get(declaration);
  if (!operations) {
    operations = [...resourceOperations(declaration), ...subresourceOperations(declaration), ...watchOperations(declaration)];
    known.set(declaration, operations);
  }
  return operations;
}

/** `RbacAuthorization` of `rbac.authorization.k8s.io`, `Core` of ''. */
export function groupWord(group: string): string {
  return (group || 'core')
    .replace(/\.k8s\.io$/, '')
    .split(/[.-]/)
    .map(capitalize)
    .join('');
}

/** `/api/v1` or `/apis/apps/v1` */
export function groupVersionPath(group: string, version: string): string {
  return group ? `/apis/${group}/${version}` : `/api/${version}`;
}

function tagOf(group: string, version: string): string {
  const word = groupWord(group);
  return `${word[0]!.toLowerCase()}${word.slice(1)}_${version}`;
}

function discoveryOperation(group: string, version: string): Operation {
  return {
    path: `${groupVersionPath(group, version)}/`,
    method: 'get',
    operationId: `get${groupWord(group)}${capitalize(version)}APIResources`,
    description: 'get available resources',
    tag: tagOf(group, version),
    parameters: [],
    response: 'APIResourceList',
    alsoAnswers: [],
    streams: false,
  };
}

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

function resourceOperations(declaration: ResourceDeclaration): Operation[] {
  const { kind } = declaration;
  const { group, version, namespaced } = kind;
  const own = { group, version, kind: kind.kind };
  const list = { group, version, kind: listKindOf(kind) };
  const base = groupVersionPath(group, version);
  const collection = `${base}${namespaced ? '/namespaces/{namespace}' : ''}/${kind.plural}`;
  const item = `${collection}/{name}`;
  const scope = namespaced ? 'Namespaced' : '';
  const prefix = groupWord(group) + capitalize(version);
  const verbs = new Set(declaration.verbs ?? allVerbs);
  const operations: Operation[] = [];
  const add = (verb: string, operation: Omit<Operation, 'tag' | 'kind' | 'alsoAnswers' | 'streams'> & Partial<Operation>) => {
    if (verbs.has(verb)) operations.push({ tag: tagOf(group, version), kind: own, alsoAnswers: [], streams: false, ...operation });
  };
  const named = (word: string, infix = '') => `${word}${prefix}${infix}${scope}${kind.kind}`;
  const k = kind.kind;
  add('list', {
    path: collection,
    method: 'get',
    action: 'list',
    operationId: named('list'),
    description: `list or watch objects of kind ${k}`,
    parameters: listParameters,
    response: list,
    streams: true,
  });
  add('create', {
    path: collection,
    method: 'post',
    action: 'post',
    operationId: named('create'),
    description: `create a ${k}`,
    parameters: writeParameters,
    body: own,
    response: own,
    alsoAnswers: [201, 202],
  });
  add('deletecollection', {
    path: collection,
    method: 'delete',
    action: 'deletecollection',
    operationId: named('delete', 'Collection'),
    description: `delete collection of ${k}`,
    parameters: [...deleteParameters, ...withoutSendInitialEvents.filter(({ name }) => name !== 'pretty')],
    body: 'DeleteOptions',
    response: 'Status',
  });
  add('get', {
    path: item,
    method: 'get',
    action: 'get',
    operationId: named('read'),
    description: `read the specified ${k}`,
    parameters: [pretty],
    response: own,
  });
  add('update', {
    path: item,
    method: 'put',
    action: 'put',
    operationId: named('replace'),
    description: `replace the specified ${k}`,
    parameters: writeParameters,
    body: own,
    response: own,
    alsoAnswers: [201],
  });
  add('delete', {
    path: item,
    method: 'delete',
    action: 'delete',
    operationId: named('delete'),
    description: `delete a ${k}`,
    parameters: deleteParameters,
    body: 'DeleteOptions',
    response: declaration.returnsDeletedObject === true ? own : 'Status',
    alsoAnswers: [202],
  });
  add('patch', {
    path: item,
    method: 'patch',
    action: 'patch',
    operationId: named('patch'),
    description: `partially update the specified ${k}`,
    parameters: [...writeParameters, force],
    body: 'Patch',
    response: own,
    alsoAnswers: [201],
  });
  if (namespaced) {
    add('list', {
      path: `${base}/${kind.plural}`,
      method: 'get',
      action: 'list',
      operationId: `list${prefix}${k}ForAllNamespaces`,
      description: `list or watch objects of kind ${k}`,
      parameters: listParameters,
      response: list,
      streams: true,
    });
  }
  return operations;
}

/** The paths that watches had before lists took `watch`; custom resources never had them. */
function watchOperations({ kind: { group, version, kind, plural, namespaced }, verbs, isCustom }: ResourceDeclaration): Operation[] {
  if (isCustom || !(verbs ?? allVerbs).includes('watch')) return [];
  const base = `${groupVersionPath(group, version)}/watch`;
  const prefix = `watch${groupWord(group)}${capitalize(version)}`;
  const scoped = `${prefix}${namespaced ? 'Namespaced' : ''}${kind}`;
  const collection = `${base}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`;
  const insteadOf = "deprecated: use the 'watch' parameter with a list operation instead";
  const watch = {
    method: 'get',
    kind: { group, version, kind },
    tag: tagOf(group, version),
    parameters: listParameters,
    response: 'WatchEvent',
    alsoAnswers: [],
    streams: true,
  } as const;
  const description = `watch individual changes to a list of ${kind}. ${insteadOf}.`;
  const ofOne = `watch changes to an object of kind ${kind}. ${insteadOf}, filtered to a single item with the 'fieldSelector' parameter.`;
  return [
    { ...watch, path: collection, action: 'watchlist', operationId: `${scoped}List`, description },
    { ...watch, path: `${collection}/{name}`, action: 'watch', operationId: scoped, description: ofOne },
    ...(namespaced
      ? [{ ...watch, path: `${base}/${plural}`, action: 'watchlist', operationId: `${prefix}${kind}ListForAllNamespaces`, description }]
      : []),
  ];
}

interface Subresource {
  name: string;
  kind: GroupVersionKind;
  verbs: readonly string[];
  connects: boolean;
}

function subresourcesOf(declaration: ResourceDeclaration): Subresource[] {
  const { group, version, kind } = declaration.kind;
  const all: Subresource[] = [];
  const rewritten = ['get', 'update', 'patch'];
  if (declaration.status) all.push({ name: 'status', kind: { group, version, kind }, verbs: rewritten, connects: false });
  if (declaration.scale)
    all.push({ name: 'scale', kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: rewritten, connects: false });
  for (const [name, sub] of Object.entries(declaration.subresources ?? {})) {
    const subKind = { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind };
    all.push({ name, kind: subKind, verbs: sub.verbs, connects: /Options$/.test(sub.kind) && name !== 'log' });
  }
  return all;
}

/** A proxy takes every method, and any path behind it. */
function withProxyPaths(sub: Subresource): Subresource[] {
  if (!sub.connects || sub.name !== 'proxy') return [sub];
  const verbs = [...sub.verbs, 'head', 'options'];
  return [
    { ...sub, verbs },
    { ...sub, verbs, name: 'proxy/{path}' },
  ];
}

const methods: Readonly<Record<string, { method: HttpMethod; word: string; says: string }>> = {
  get: { method: 'get', word: 'read', says: 'read' },
  update: { method: 'put', word: 'replace', says: 'replace' },
  patch: { method: 'patch', word: 'patch', says: 'partially update' },
  create: { method: 'post', word: 'create', says: 'create' },
  delete: { method: 'delete', word: 'delete', says: 'delete' },
  head: { method: 'head', word: 'head', says: 'head' },
  options: { method: 'options', word: 'options', says: 'options' },
};

function subresourceOperations(declaration: ResourceDeclaration): Operation[] {
  const { group, version, namespaced, plural, kind } = declaration.kind;
  const prefix = groupWord(group) + capitalize(version);
  const subject = `${namespaced ? 'Namespaced' : ''}${kind}`;
  return subresourcesOf(declaration)
    .flatMap(withProxyPaths)
    .flatMap((sub) =>
      sub.verbs.flatMap((verb): Operation[] => {
        const known = methods[verb];
        if (!known) return [];
        const { method, word, says } = known;
        const suffix = sub.name.replace('/{path}', 'WithPath').split('/').map(capitalize).join('');
        const writes = verb === 'update' || verb === 'create' || verb === 'patch';
        return [
          {
            path: `${groupVersionPath(group, version)}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}/{name}/${sub.name}`,
            method,
            action: sub.connects ? 'connect' : verb === 'update' ? 'put' : verb === 'create' ? 'post' : verb,
            operationId: sub.connects ? `connect${prefix}${capitalize(method)}${subject}${suffix}` : `${word}${prefix}${subject}${suffix}`,
            kind: sub.kind,
            description: sub.connects
              ? `connect ${method.toUpperCase()} requests to ${sub.name} of ${kind}`
              : `${says} ${sub.name} of the specified ${kind}`,
            tag: tagOf(group, version),
            parameters: subresourceParameters(sub, verb),
            ...(verb === 'patch' && !sub.connects ? { body: 'Patch' as const } : writes && !sub.connects ? { body: sub.kind } : {}),
            response: sub.connects || sub.name === 'log' ? 'string' : sub.kind,
            alsoAnswers: verb === 'create' && !sub.connects ? [201, 202] : writes && !sub.connects ? [201] : [],
            streams: false,
          },
        ];
      }),
    );
}

function subresourceParameters({ name, kind, connects }: Subresource, verb: string): readonly Parameter[] {
  if (connects) return streamedParameters[kind.kind] ?? [];
  if (name === 'log') return logParameters;
  if (verb === 'patch') return [...writeParameters, force];
  return verb === 'update' || verb === 'create' ? writeParameters : [pretty];
}

function capitalize(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
