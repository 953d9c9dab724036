// The round: calls each operation of the check-list twice, with what should pass and with what should not, and says what is
// wrong with the answers. Operations of one resource are called in an order in which each finds what it needs.

import { mergePatch } from '../../api/patch/merge-patch.ts';
import type { KubeObject } from '../../api/wire.ts';
import { type AskOptions, type HttpAnswer, type ListeningServer, nodeName } from './listening-server.ts';
import { postedOf, type Sample, sampleLabel, sampleNamespace, sampleOf } from './samples.ts';
import { type ListedOperation, nameOf } from './table.ts';

/** What should be answered: a code, and the type of what comes. */
interface Expected {
  code: number;
  /** `apiVersion kind`; several: any of them. Absent: not JSON. */
  types?: readonly string[];
  /** Of a Status. */
  reason?: string;
  check?(answer: HttpAnswer): string | undefined;
}

const failure = (code: number, reason: string): Expected => ({ code, types: ['v1 Status'], reason });
const notFound = failure(404, 'NotFound');
const badRequest = failure(400, 'BadRequest');
const conflict = failure(409, 'Conflict');
const invalid = failure(422, 'Invalid');
const unsupported = failure(415, 'UnsupportedMediaType');
const mergePatchType = 'application/merge-patch+json';

/** Earlier in the list: called earlier. */
const order = [
  'post',
  'list',
  'watch',
  'watchlist',
  'get',
  'put',
  'patch',
  'binding',
  'status',
  'scale',
  'approval',
  'delete',
  'deletecollection',
];
const rank = ({ action, subresource }: ListedOperation) => {
  if (subresource === '') return order.indexOf(action);
  const at = order.indexOf(subresource);
  return at === -1 ? order.indexOf('delete') - 0.5 : at + (action === 'put' ? 0 : 0.1);
};

/** The operations of one resource, so that each finds what it needs. */
export const inOrder = (operations: readonly ListedOperation[]) => [...operations].sort((a, b) => rank(a) - rank(b));

/** Makes the namespace of the samples, and pods and services to bind, to evict and to reach by proxy. */
export async function prepareRound({ backend, ask }: ListeningServer): Promise<void> {
  const make = async (path: string, body: object) => {
    const { status, text } = await ask('POST', path, { body });
    if (status !== 201) throw new Error(`POST ${path}: ${text}`);
  };
  const { host, port } = backend;
  await make('/api/v1/namespaces', { metadata: { name: sampleNamespace } });
  const at = `/api/v1/namespaces/${sampleNamespace}`;
  const spec = { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: port }] }] };
  for (const name of ['to-bind', 'to-evict', 'backend']) await make(`${at}/pods`, { metadata: { name }, spec });
  await make(`${at}/services`, { metadata: { name: 'backend' }, spec: { ports: [{ port: 80 }] } });
  const patch = { body: { status: { podIP: host, podIPs: [{ ip: host }] } }, contentType: mergePatchType };
  await ask('PATCH', `${at}/pods/backend/status`, patch);
  // Only what names a pod of the namespace is reached through the API server.
  await make(`/apis/discovery.k8s.io/v1/namespaces/${sampleNamespace}/endpointslices`, {
    metadata: { name: 'backend', labels: { 'kubernetes.io/service-name': 'backend' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [host], targetRef: { kind: 'Pod', namespace: sampleNamespace, name: 'backend' } }],
    ports: [{ name: '', port }],
  });
}

export class Round {
  readonly #server: ListeningServer;
  readonly #samples: ReadonlyMap<string, Sample>;
  /** What is wrong with an operation, by its name; empty: it answers rightly. */
  readonly problems = new Map<string, string[]>();

  constructor(server: ListeningServer, samples: ReadonlyMap<string, Sample>) {
    this.#server = server;
    this.#samples = samples;
  }

  async run(operations: readonly ListedOperation[]): Promise<void> {
    await prepareRound(this.#server);
    for (const [resource, own] of Map.groupBy(operations, (operation) => operation.resource)) {
      for (const operation of inOrder(own)) {
        const problems: string[] = [];
        this.problems.set(nameOf(operation), problems);
        if (resource === '') await this.#callPath(operation, problems);
        else await this.#call(operation, problems);
      }
    }
  }

  async #expect(problems: string[], [method, path, options = {}]: [string, string, AskOptions?], expected: Expected): Promise<HttpAnswer> {
    const answer = await this.#server.ask(method, path, options);
    const type = answer.json ? `${answer.json.apiVersion ?? ''} ${answer.json.kind ?? ''}`.trim() : '';
    const wants = `${expected.code} ${(expected.types ?? []).join(' or ')}`;
    const says = answer.json?.kind === 'Status' ? `: ${answer.json.message}` : answer.json ? '' : `: ${answer.text.slice(0, 100)}`;
    if (answer.status !== expected.code || (expected.types && !expected.types.includes(type)))
      problems.push(`${method} ${path} should answer ${wants}, answers ${answer.status} ${type}${says}`);
    else if (expected.reason && answer.json?.reason !== expected.reason)
      problems.push(`${method} ${path} should give the reason ${expected.reason}, gives ${answer.json?.reason}`);
    else {
      const problem = expected.check?.(answer);
      if (problem) problems.push(`${method} ${path}: ${problem}${says}`);
    }
    return answer;
  }

  async #callPath({ path }: ListedOperation, problems: string[]): Promise<void> {
    const parts = path.split('/').filter((part) => part !== '');
    const documents = ['APIVersions', 'v1 APIResourceList'];
    const groups = ['v1 APIGroupList', 'v1 APIGroup', 'v1 APIResourceList'];
    const kind = parts[0] === 'api' ? documents[parts.length - 1] : parts[0] === 'apis' ? groups[parts.length - 1] : undefined;
    // Core's own list of resources carries no apiVersion, and never has.
    const types = kind ? [kind, kind.replace('v1 ', ''), kind === 'APIVersions' ? 'v1 APIVersions' : kind] : undefined;
    const check = (answer: HttpAnswer): string | undefined => {
      if (kind || answer.text.includes(contentOf[path] ?? '\0')) return undefined;
      return `should contain ${JSON.stringify(contentOf[path])}`;
    };
    await this.#expect(problems, ['GET', path.replace('{logpath}', 'server.log')], { code: 200, ...(types ? { types } : {}), check });
    if (path.includes('{logpath}')) await this.#expect(problems, ['GET', '/logs/none'], { code: 404 });
    else await this.#expect(problems, ['DELETE', path], { code: 405 });
  }

  async #call(operation: ListedOperation, problems: string[]): Promise<void> {
    const sample = sampleOf(this.#samples, operation.resource);
    if (!sample) problems.push(`there is no sample of ${operation.resource}`);
    else if (operation.subresource === '') await this.#callResource(operation, sample, problems);
    else await this.#callSubresource(operation, sample, problems);
  }

  async #callResource(operation: ListedOperation, sample: Sample, problems: string[]): Promise<void> {
    const { action, method } = operation;
    const { object, spoil, field } = sample;
    const type = `${object.apiVersion} ${object.kind}`;
    const path = pathOf(operation, object.metadata.name);
    const missing = pathOf(operation, 'missing');
    const badSelector = `${path}?labelSelector=${encodeURIComponent('a in (')}`;
    if (action === 'post') {
      const isStored =
        !/Review|Binding$/.test(object.kind) || operation.resource.includes('rbac') || operation.resource.includes('policybindings');
      const body = postedOf(object);
      await this.#expect(problems, [method, path, { body }], { code: 201, types: object.kind === 'Binding' ? ['v1 Status'] : [type] });
      const name = isStored ? { name: object.metadata.name } : {};
      const spoiled = mergePatch({ ...body, metadata: { ...body.metadata, ...name } }, spoil) as KubeObject;
      const names = (answer: HttpAnswer) => {
        const fields = (answer.json?.details?.causes ?? []).map((cause: { field: string }) => cause.field) as string[];
        return field === undefined || fields.includes(field) ? undefined : `should name ${field}, names ${fields.join(', ') || 'nothing'}`;
      };
      const isRequest = ['SelfSubjectReview', 'TokenReview', 'SelfSubjectRulesReview'].includes(object.kind);
      await this.#expect(problems, [method, path, { body: spoiled }], isRequest ? badRequest : { ...invalid, check: names });
    } else if (action === 'list') {
      const has = ({ json }: HttpAnswer) =>
        json.items.some((item: KubeObject) => item.metadata?.name === object.metadata.name) ? undefined : 'should hold the sample';
      await this.#expect(problems, [method, path], { code: 200, types: [`${type}List`], check: has });
      if (object.kind === 'ComponentStatus')
        await this.#expect(problems, ['POST', path, { body: object }], failure(405, 'MethodNotAllowed'));
      else await this.#expect(problems, [method, badSelector], badRequest);
    } else if (action === 'watch' || action === 'watchlist') {
      const check = (answer: HttpAnswer) => {
        const event = JSON.parse(answer.text || '{}') as { type?: string; object?: KubeObject };
        const first = `${event.type} ${event.object?.apiVersion} ${event.object?.kind}`;
        return first === `ADDED ${type}` ? undefined : `should begin with ADDED ${type}, begins with ${first}`;
      };
      await this.#expect(problems, [method, `${path}?timeoutSeconds=5`, { firstLine: true }], { code: 200, check });
      await this.#expect(problems, [method, badSelector], badRequest);
    } else if (action === 'get') {
      await this.#expect(problems, [method, path], { code: 200, types: [type] });
      await this.#expect(problems, [method, missing], notFound);
    } else if (action === 'put') {
      const current = await this.#current(path);
      const changed = mergePatch(current, { metadata: { labels: { put: 'yes' } } });
      const check = ({ json }: HttpAnswer) => (json.metadata.labels?.put === 'yes' ? undefined : 'should carry the new label');
      await this.#expect(problems, [method, path, { body: changed }], { code: 200, types: [type], check });
      await this.#expect(problems, [method, missing, { body: current }], badRequest);
      const spoiled = mergePatch(await this.#current(path), { metadata: { labels: { 'no label': 'x' } } });
      await this.#expect(problems, [method, path, { body: spoiled }], invalid);
    } else if (action === 'patch') {
      const check = ({ json }: HttpAnswer) => (json.metadata.labels?.patched === 'yes' ? undefined : 'should carry the new label');
      const body = { metadata: { labels: { patched: 'yes' } } };
      await this.#expect(problems, [method, path, { body, contentType: mergePatchType }], { code: 200, types: [type], check });
      await this.#expect(problems, [method, path, { body, contentType: 'application/xml' }], unsupported);
    } else if (action === 'delete') {
      await this.#expect(problems, [method, `${path}?gracePeriodSeconds=0`], { code: 200, types: ['v1 Status', type] });
      await this.#expect(problems, [method, missing], notFound);
    } else if (action === 'deletecollection') {
      const again = await this.#server.ask('POST', path, { body: object });
      if (again.status !== 201 && again.status !== 409) problems.push(`the sample could not be made again: ${again.text}`);
      const check = ({ json }: HttpAnswer) =>
        json.items.length === 1 ? undefined : `should delete the sample, deletes ${json.items.length}`;
      await this.#expect(problems, [method, `${path}?labelSelector=${sampleLabel}&gracePeriodSeconds=0`], {
        code: 200,
        types: [`${type}List`],
        check,
      });
      await this.#expect(problems, [method, badSelector], badRequest);
    } else problems.push(`no way to call ${action}`);
  }

  async #current(path: string): Promise<KubeObject> {
    return (await this.#server.ask('GET', path)).json as KubeObject;
  }

  async #callSubresource(operation: ListedOperation, sample: Sample, problems: string[]): Promise<void> {
    const { method, action, subresource } = operation;
    const path = pathOf(operation, subjectOf(operation, sample));
    const missing = pathOf(operation, 'missing');
    const type = operation.group ? `${operation.group}/${operation.version} ${operation.kind}` : `${operation.version} ${operation.kind}`;
    if (action === 'connect' && subresource === 'proxy') {
      const says = (answer: HttpAnswer) =>
        method === 'HEAD' || answer.text.startsWith('/') ? undefined : 'should answer what lies behind';
      const reaches = operation.resource.endsWith('/nodes') || this.#server.backend.isReachable;
      if (isProxyRoot(operation)) {
        const check = ({ headers }: HttpAnswer) => (headers.location === `${path}/` ? undefined : 'should lead to the path with a slash');
        await this.#expect(problems, [method, path], { code: 301, check });
        await this.#expect(problems, [method, `${path}/`], reaches ? { code: 200, check: says } : { code: 503 });
      } else await this.#expect(problems, [method, path], reaches ? { code: 200, check: says } : { code: 503 });
      await this.#expect(problems, [method, missing], method === 'HEAD' ? { code: 404 } : notFound);
    } else if (action === 'connect') {
      const query = '?command=ls&stdout=true&ports=80';
      await this.#expect(problems, [method, path + query, { upgrade: method === 'GET' ? 'websocket' : 'SPDY/3.1' }], { code: 101 });
      await this.#expect(problems, [method, path + query], badRequest);
    } else if (subresource === 'log') {
      await this.#expect(problems, [method, path], {
        code: 200,
        check: ({ text }) => (text.includes('/containerLogs/') ? undefined : 'should be the log'),
      });
      await this.#expect(problems, [method, `${path}?tailLines=-1`], invalid);
    } else if (action === 'post') {
      const [good, bad] = postsOf(operation);
      const status = ['binding', 'eviction'].includes(subresource);
      await this.#expect(problems, [method, path, { body: good }], { code: 201, types: [status ? 'v1 Status' : type] });
      await this.#expect(
        problems,
        [method, subresource === 'eviction' ? missing : path, { body: bad }],
        subresource === 'eviction' ? notFound : invalid,
      );
    } else if (action === 'get') {
      await this.#expect(problems, [method, path], { code: 200, types: [type] });
      await this.#expect(problems, [method, missing], notFound);
    } else await this.#write(operation, { sample, path, type }, problems);
  }

  async #write(
    { method, action, subresource }: ListedOperation,
    about: { sample: Sample; path: string; type: string },
    problems: string[],
  ): Promise<void> {
    const { path, type, sample } = about;
    const own = path.slice(0, path.lastIndexOf('/'));
    const current = await this.#current(subresource === 'scale' ? path : own);
    const change = changesOf[subresource] ?? { status: sample.status ?? {} };
    const check = ({ json }: HttpAnswer) => (holds(json, change) ? undefined : `should hold ${JSON.stringify(change)}`);
    const expected = { code: 200, types: [type], check };
    if (action === 'patch') {
      await this.#expect(problems, [method, path, { body: change, contentType: mergePatchType }], expected);
      await this.#expect(problems, [method, path, { body: change, contentType: 'application/xml' }], unsupported);
      return;
    }
    await this.#expect(problems, [method, path, { body: mergePatch(current, change) }], expected);
    const stale = mergePatch(current, { metadata: { resourceVersion: '1' } });
    const negative = mergePatch(current, { spec: { replicas: -1 }, metadata: { resourceVersion: null } });
    if (subresource === 'scale') await this.#expect(problems, [method, path, { body: negative }], invalid);
    else await this.#expect(problems, [method, path, { body: stale }], conflict);
  }
}

/** What the documents beside resources say, at least. */
const contentOf: Readonly<Record<string, string>> = {
  '/version/': '"gitVersion": "v1.36.',
  '/logs/': '>server.log</a>',
  '/logs/{logpath}': 'a line\n',
  '/openid/v1/jwks/': '"keys":[{',
  '/.well-known/openid-configuration/': '"jwks_uri":',
};

/** What is written to a subresource that is not `status`. */
export const changesOf: Readonly<Record<string, object>> = {
  scale: { spec: { replicas: 2 } },
  approval: { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'Because', message: 'ok' }] } },
  ephemeralcontainers: { spec: { ephemeralContainers: [{ name: 'debug', image: 'i' }] } },
  resize: { metadata: { name: 'sample' } },
  finalize: { spec: { finalizers: ['example.com/kept'] } },
};

/** Whether the operation asks a proxy for its root, which lies behind a slash. */
export function isProxyRoot({ method, path, subresource }: ListedOperation): boolean {
  return subresource === 'proxy' && path.endsWith('/proxy') && (method === 'GET' || method === 'HEAD');
}

/** What is posted to a subresource: what should pass, and what should not. */
export function postsOf({ subresource }: ListedOperation): [object, object] {
  if (subresource === 'binding') return [{ target: { kind: 'Node', name: nodeName } }, { target: { kind: 'Pod', name: nodeName } }];
  if (subresource === 'eviction') return [{ metadata: { name: 'to-evict' } }, { metadata: { name: 'missing' } }];
  return [{ spec: { audiences: ['a'] } }, { spec: { expirationSeconds: 1 } }];
}

/** The object whose subresource is called. */
export function subjectOf({ subresource, resource }: ListedOperation, sample: Sample): string {
  if (subresource === 'eviction') return 'to-evict';
  if (subresource === 'proxy') return resource.endsWith('/nodes') ? nodeName : 'backend';
  return sample.object.metadata.name;
}

function pathOf({ path }: ListedOperation, name: string): string {
  return path.replace('{namespace}', sampleNamespace).replace('{name}', name).replace('{path}', 'a/b');
}

/** Everything in `part` is in `whole` too. */
export function holds(whole: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return whole === part;
  if (typeof whole !== 'object' || whole === null) return Object.keys(part).length === 0;
  return Object.entries(part).every(([key, value]) => holds((whole as Record<string, unknown>)[key], value));
}
