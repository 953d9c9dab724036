// The Client over a Transport: verbs to requests, and responses to checked objects. It neither retries nor
// waits: that is the reflector's and the controller builder's business.

import { Observable } from 'rxjs';
import { apiVersionOf, type Kind, pathOf } from '../api/kind.ts';
import { badRequestError } from '../api/status.ts';
import type { KubeObject, WatchEvent } from '../api/wire.ts';
import type { Client, DeleteQuery, ListQuery, PatchType, WatchQuery, WriteQuery } from './client.ts';
import { decodeAny, decodeList, decodeObject, decodeObjectOrStatus, decodeWatchEvent, errorOf } from './decode.ts';
import { type ApiRequest, readBody, type Transport } from './transport.ts';

const contentTypes: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

const acceptJson = 'application/json';
// The full form second, for servers that cannot give the short one.
const acceptMetadata = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
const acceptMetadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

/** The longest watch line taken, in bytes: an object may have 3 MiB, and its escapes some more. */
const watchLineBytesMax = 32 << 20;

export function createClient(transport: Transport): Client {
  async function send(request: ApiRequest): Promise<string> {
    const response = await transport.request({ ...request, headers: { accept: acceptJson, ...request.headers } });
    const text = (await readBody(response)).toString('utf8');
    if (response.status >= 400) throw errorOf(response.status, text);
    return text;
  }

  const sendBody = (method: 'POST' | 'PUT' | 'DELETE', path: string, body: unknown) =>
    send({ method, path, headers: { 'content-type': acceptJson }, body: JSON.stringify(body) });

  return {
    transport,

    async get(kind, at, subresource) {
      return decodeAnswer(kind, subresource, await send({ method: 'GET', path: pathOf(kind, at.namespace, named(at.name), subresource) }));
    },

    async list(kind, query = {}) {
      const headers = { accept: query.metadataOnly ? acceptMetadataList : acceptJson };
      return decodeList(kind, await send({ method: 'GET', path: pathOf(kind, query.namespace) + listParameters(query), headers }));
    },

    async create(kind, object, query = {}) {
      const { namespace } = object.metadata ?? {};
      return decodeObject(kind, await sendBody('POST', pathOf(kind, namespace) + writeParameters(query), typed(kind, object)));
    },

    async createSubresource<B extends KubeObject>(
      kind: Kind,
      at: { namespace?: string | undefined; name: string },
      subresource: string,
      body: B,
    ) {
      return decodeAny<B>(await sendBody('POST', pathOf(kind, at.namespace, named(at.name), subresource), body));
    },

    async update(kind, object, query = {}) {
      const { namespace, name } = object.metadata ?? {};
      const path = pathOf(kind, namespace, named(name), query.subresource) + writeParameters(query);
      return decodeAnswer(kind, query.subresource, await sendBody('PUT', path, typed(kind, object)));
    },

    async updateStatus(kind, object) {
      const { namespace, name } = object.metadata ?? {};
      return decodeObject(kind, await sendBody('PUT', pathOf(kind, namespace, named(name), 'status'), typed(kind, object)));
    },

    async patch(kind, at, type, patch, query = {}) {
      const path = pathOf(kind, at.namespace, named(at.name), query.subresource) + writeParameters(query);
      const headers = { 'content-type': contentTypes[type] };
      return decodeAnswer(kind, query.subresource, await send({ method: 'PATCH', path, headers, body: JSON.stringify(patch) }));
    },

    async delete(kind, at, query = {}) {
      return decodeObjectOrStatus(kind, await sendBody('DELETE', pathOf(kind, at.namespace, named(at.name)), deleteOptions(query)));
    },

    async deleteCollection(kind, query = {}) {
      const text = await sendBody('DELETE', pathOf(kind, query.namespace) + listParameters(query), deleteOptions(query));
      const parsed = text.includes('"Status"') ? decodeAny<KubeObject>(text) : undefined;
      return parsed?.kind === 'Status' && 'code' in parsed ? parsed : decodeList(kind, text);
    },

    watch<T extends KubeObject>(kind: Kind<T>, query: WatchQuery = {}) {
      return new Observable<WatchEvent<T>>((subscriber) => {
        const abort = new AbortController();
        const run = async () => {
          const accept = query.metadataOnly ? acceptMetadata : acceptJson;
          const path = pathOf(kind, query.namespace) + watchParameters(query);
          const response = await transport.request({ method: 'GET', path, headers: { accept }, signal: abort.signal });
          if (response.status >= 400) throw errorOf(response.status, (await readBody(response)).toString('utf8'));
          for await (const line of linesOf(response.body)) {
            if (subscriber.closed) return;
            subscriber.next(decodeWatchEvent(kind, line));
          }
        };
        run().then(
          () => subscriber.complete(),
          (error) => {
            abort.abort();
            subscriber.error(error);
          },
        );
        return () => abort.abort();
      });
    },
  };
}

// An empty name would turn a request for one object into one for all of them.
function named(name: string | undefined): string {
  if (!name) throw badRequestError('resource name may not be empty');
  return name;
}

function typed<T extends KubeObject>(kind: Kind<T>, object: T): T {
  return object.kind && object.apiVersion ? object : { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
}

function parameters(pairs: Record<string, string | number | boolean | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(pairs)) if (value !== undefined && value !== '') query.set(name, String(value));
  return query.size ? `?${query}` : '';
}

const listParameters = (query: ListQuery) =>
  parameters({
    labelSelector: query.labelSelector,
    fieldSelector: query.fieldSelector,
    resourceVersion: query.resourceVersion,
    resourceVersionMatch: query.resourceVersionMatch,
    limit: query.limit,
    continue: query.continue,
  });

const watchParameters = (query: WatchQuery) =>
  parameters({
    watch: true,
    labelSelector: query.labelSelector,
    fieldSelector: query.fieldSelector,
    resourceVersion: query.resourceVersion,
    allowWatchBookmarks: query.allowWatchBookmarks,
    timeoutSeconds: query.timeoutSeconds,
  });

const writeParameters = (query: WriteQuery & { force?: boolean }) =>
  parameters({ dryRun: query.dryRun ? 'All' : undefined, fieldManager: query.fieldManager, force: query.force });

function deleteOptions(query: DeleteQuery): object {
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(query.gracePeriodSeconds !== undefined ? { gracePeriodSeconds: query.gracePeriodSeconds } : {}),
    ...(query.propagationPolicy ? { propagationPolicy: query.propagationPolicy } : {}),
    ...(query.preconditions ? { preconditions: query.preconditions } : {}),
    ...(query.dryRun ? { dryRun: ['All'] } : {}),
  };
}

const newline = 0x0a;

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      held.push(chunk.subarray(start, end));
      start = end + 1;
      const line = Buffer.concat(held).toString('utf8');
      held = [];
      heldBytes = 0;
      if (line) yield line;
    }
    if (start < chunk.length) {
      held.push(chunk.subarray(start));
      heldBytes += chunk.length - start;
      if (heldBytes > watchLineBytesMax) throw new Error(`a watch event exceeds ${watchLineBytesMax} bytes`);
    }
  }
}

/** A subresource such as scale answers with a kind of its own. */
function decodeAnswer<T extends KubeObject>(kind: Kind<T>, subresource: string | undefined, text: string): T {
  return subresource === undefined || subresource === 'status' ? decodeObject(kind, text) : (decodeAny<T>(text) as T);
}
