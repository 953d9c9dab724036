// The round again, through the typed methods of client-node's generated classes: every method of every class.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as k8s from '@kubernetes/client-node';
import { mergePatch } from '../../api/patch/merge-patch.ts';
import { type ClientMethod, clientMethods, methodOf } from './client-methods.ts';
import { type ListeningServer, startListeningServer } from './listening-server.ts';
import { notServed } from './not-served.ts';
import { changesOf, holds, inOrder, postsOf, prepareRound, subjectOf } from './round.ts';
import { postedOf, readSamples, type Sample, sampleLabel, sampleNamespace, sampleOf } from './samples.ts';
import { type ListedOperation, listedOperations, nameOf } from './table.ts';

let server: ListeningServer;
let config: k8s.KubeConfig;
before(async () => {
  server = await startListeningServer();
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const { authority, admin } = server.pki;
  config = new k8s.KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: `https://127.0.0.1:${server.port}`, caData: base64(authority.certPem) }],
    users: [{ name: 'u', certData: base64(admin.certPem), keyData: base64(admin.keyPem) }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  await prepareRound(server);
});
after(() => server.close());

type Answer = { kind?: string; apiVersion?: string; items?: unknown[]; status?: unknown } | string | undefined;
type Api = Record<string, (parameters: object, options?: object) => Promise<Answer>>;

/** The class for kinds that nobody has generated methods for. */
const customObjects = 'CustomObjectsApi';

function apiOf(className: string): Api {
  const exported = Object.entries(k8s).find(([name]) => name === className)?.[1];
  assert.ok(exported, `client-node exports no ${className}`);
  return config.makeApiClient(exported as k8s.ApiConstructor<k8s.ApiType>) as unknown as Api;
}

test('every method of every generated class does what it says', async () => {
  const samples = readSamples();
  const methods = clientMethods();
  const called = new Set<ClientMethod>();
  const problems: string[] = [];
  const operations = listedOperations().filter(({ action }) => !action.startsWith('watch'));
  for (const own of Map.groupBy(operations, ({ resource }) => resource).values()) {
    for (const operation of inOrder(own)) {
      const method = methodOf(methods, operation.operationId);
      assert.ok(method, `${operation.operationId} has no method`);
      called.add(method);
      const title = `${method.className}.${method.name}`;
      try {
        const problem = await call(apiOf(method.className), method, operation, sampleOf(samples, operation.resource));
        if (problem) problems.push(`${title}: ${problem}`);
      } catch (error) {
        problems.push(`${title}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  const left = methods.filter((method) => !called.has(method) && method.className !== customObjects);
  console.log(`client-node: ${called.size} methods of ${new Set([...called].map(({ className }) => className)).size} classes called`);
  assert.deepEqual(left, []);
  assert.deepEqual(problems, []);
});

/** Called in this order, each kind of method finds what it needs. */
const customOrder = ['create', 'get', 'list', 'replace', 'patch', 'delete', 'deleteCollection'];

test('every method for custom objects does what it says', async () => {
  const group = 'custom.example.com';
  const subresources = { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } };
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: open, status: open } } };
  const versions = [{ name: 'v1', served: true, storage: true, subresources, schema }];
  for (const [plural, kind, scope] of [
    ['gadgets', 'Gadget', 'Cluster'],
    ['widgets', 'Widget', 'Namespaced'],
  ]) {
    const definition = { metadata: { name: `${plural}.${group}` }, spec: { group, scope, versions, names: { plural, kind } } };
    const { status, text } = await server.ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', { body: definition });
    assert.equal(status, 201, text);
    await served(`/apis/${group}/v1/${plural}`);
  }
  const api = apiOf(customObjects);
  const methods = clientMethods().filter(({ className }) => className === customObjects);
  const verbOf = (name: string) => /^(deleteCollection|[a-z]+)/.exec(name)?.[1] ?? '';
  const sorted = methods.map(({ name }) => name).sort((a, b) => customOrder.indexOf(verbOf(a)) - customOrder.indexOf(verbOf(b)));
  for (const name of sorted) {
    const kind = name.includes('Cluster') ? 'Gadget' : 'Widget';
    const plural = `${kind.toLowerCase()}s`;
    const at = { group, version: 'v1', namespace: sampleNamespace, plural, resourcePlural: plural, name: 'one' };
    const object = { apiVersion: `${group}/v1`, kind, metadata: { name: 'one' }, spec: { replicas: 1 } };
    const isScale = name.endsWith('Scale');
    const about = isScale ? { apiVersion: 'autoscaling/v1', kind: 'Scale' } : { apiVersion: object.apiVersion, kind };
    const invoke = (method: string, more: object = {}, options?: object) => {
      const function_ = api[method];
      assert.ok(function_, `${method} is no method`);
      return function_.call(api, { ...at, ...more }, options);
    };
    const list = { ...about, kind: `${kind}List` };
    const verb = verbOf(name);
    let problem: string | undefined;
    if (verb === 'create') problem = isType(await invoke(name, { body: object }), about);
    else if (name === 'getAPIResources') problem = isType(await invoke(name), { apiVersion: 'v1', kind: 'APIResourceList' });
    else if (verb === 'get') problem = isType(await invoke(name), about);
    else if (verb === 'list') problem = isType(await invoke(name), list);
    else if (verb === 'delete') problem = isType(await invoke(name), { apiVersion: 'v1', kind: 'Status' });
    else if (verb === 'deleteCollection') {
      await invoke(name.replace('deleteCollection', 'create'), { body: object });
      problem = isType(await invoke(name), list);
    } else {
      const change = name.endsWith('Status') ? { status: { replicas: verb.length } } : { spec: { replicas: verb.length } };
      const current = verb === 'replace' ? await invoke(name.replace('replace', 'get')) : {};
      problem = isType(
        await invoke(name, { body: mergePatch(current as object, change) }, verb === 'patch' ? asMergePatch : undefined),
        about,
        change,
      );
    }
    assert.equal(problem, undefined, name);
  }
});

/** Resolves once something is served at the path. */
async function served(path: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await server.ask('GET', path)).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${path} is not served`);
}

test('the declarations name every method that the classes have', () => {
  const declared = Map.groupBy(clientMethods(), ({ className }) => className);
  for (const [className, methods] of declared) {
    const prototype = Object.getPrototypeOf(apiOf(className)) as object;
    const names = Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor' && !name.endsWith('WithHttpInfo'));
    assert.deepEqual(names.sort(), methods.map(({ name }) => name).sort(), className);
  }
});

const asMergePatch = k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch);

/** One call; the answer is what is wrong, if anything. */
async function call(
  api: Api,
  { name: method, returns }: ClientMethod,
  operation: ListedOperation,
  sample: Sample | undefined,
): Promise<string | undefined> {
  const invoke = (parameters: object, options?: object) => {
    const function_ = api[method];
    assert.ok(function_, `${method} is no method`);
    return function_.call(api, parameters, options);
  };
  const { action, subresource, kind } = operation;
  if (notServed.has(nameOf(operation))) {
    await assert.rejects(invoke({ namespace: 'a', name: 'a', body: {} }, action === 'patch' ? asMergePatch : undefined), { code: 404 });
    return undefined;
  }
  if (!sample) {
    const answer = await invoke({ logpath: 'server.log' });
    const parsed = typeof answer === 'object' ? (answer.kind ?? Object.keys(answer)[0]) : typeof answer;
    return operation.resource === '' && parsed !== undefined ? undefined : 'answers nothing';
  }
  const at = { namespace: sampleNamespace, name: subjectOf(operation, sample), path: 'a/b' };
  const { object } = sample;
  if (action === 'connect' && subresource !== 'proxy') {
    // The class speaks no protocol that carries streams.
    await assert.rejects(invoke({ ...at, command: 'ls', ports: 80 }), { code: 400 });
    return undefined;
  }
  if (subresource === 'proxy' && !operation.resource.endsWith('/nodes') && !server.backend.isReachable) {
    await assert.rejects(invoke(at), { code: 503 });
    return undefined;
  }
  if (action === 'connect' || subresource === 'log') return isText(await invoke(at));
  const typeMeta = { apiVersion: operation.group ? `${operation.group}/${operation.version}` : operation.version, kind };
  if (action === 'list')
    return isType(await invoke({ ...at, labelSelector: kind === 'ComponentStatus' ? '' : sampleLabel }), {
      ...typeMeta,
      kind: `${kind}List`,
    });
  if (action === 'get') return isType(await invoke(at), typeMeta);
  if (action === 'post') {
    const body = subresource ? postsOf(operation)[0] : postedOf(object);
    const answer = await invoke({ ...at, body: withDates(body) });
    const status = kind === 'Binding' || subresource === 'eviction';
    return isType(answer, status ? { apiVersion: 'v1', kind: 'Status' } : typeMeta);
  }
  if (action === 'delete') {
    const answer = await invoke({ ...at, gracePeriodSeconds: 0 });
    // Whatever is declared, what finalizers hold answers with itself.
    return returns === 'Status'
      ? isType(answer, typeMeta) && isType(answer, { apiVersion: 'v1', kind: 'Status' })
      : isType(answer, typeMeta);
  }
  if (action === 'deletecollection') {
    const path = operation.path.replace('{namespace}', sampleNamespace);
    await server.ask('POST', path, { body: object });
    return isType(await invoke({ ...at, labelSelector: sampleLabel, gracePeriodSeconds: 0 }), { ...typeMeta, kind: `${kind}List` });
  }
  const change = subresource ? (changesOf[subresource] ?? { status: sample.status ?? {} }) : { metadata: { labels: { [action]: 'yes' } } };
  if (action === 'patch') return isType(await invoke({ ...at, body: change }, asMergePatch), typeMeta, change);
  const reads = api[method.replace(/^replace/, 'read').replace(/(Finalize|Resize|Ephemeralcontainers)$/, '')];
  assert.ok(reads, `nothing reads what ${method} replaces`);
  const current = (await reads.call(api, at)) as { status?: object };
  const body =
    'status' in change ? { ...current, status: { ...current.status, ...withDates(change.status as object) } } : mergePatch(current, change);
  return isType(await invoke({ ...at, body }), typeMeta, change);
}

function isText(answer: Answer): string | undefined {
  return answer === undefined || typeof answer === 'string' ? undefined : `should answer text, answers ${JSON.stringify(answer)}`;
}

function isType(answer: Answer, { apiVersion, kind }: { apiVersion: string; kind: string }, part: object = {}): string | undefined {
  if (typeof answer !== 'object') return `should answer ${apiVersion} ${kind}, answers ${answer}`;
  if (answer.apiVersion !== apiVersion || answer.kind !== kind)
    return `should answer ${apiVersion} ${kind}, answers ${answer.apiVersion} ${answer.kind}`;
  return holds(JSON.parse(JSON.stringify(answer).replace(/(:\d\d)\.000Z"/g, '$1Z"')), part)
    ? undefined
    : `should hold ${JSON.stringify(part)}`;
}

/** The classes take times as dates. */
function withDates(value: object): object {
  return JSON.parse(JSON.stringify(value), (key, each: unknown) =>
    typeof each === 'string' && /^\d{4}-\d\d-\d\dT/.test(each) ? (key === 'eventTime' ? new k8s.V1MicroTime(each) : new Date(each)) : each,
  ) as object;
}
