// A Transport over a few maps, for this room's tests: objects, one revision counter, watches with history. It
// knows no validation and no kinds; what it adds is trouble on demand: late watches, lost answers, 410s.

import type { Namespace } from '../api/core.ts';
import type { Kind } from '../api/kind.ts';
import { type Status, StatusError } from '../api/status.ts';
import type { KubeObject, WatchEvent } from '../api/wire.ts';
import { nameSuffix, type Random, seededRandom } from '../base/random.ts';
import { mergePatch } from './merge-patch.ts';
import type { ApiRequest, ApiResponse, Transport } from './transport.ts';

interface Revision {
  collection: string;
  resourceVersion: number;
  event: WatchEvent<KubeObject>;
}

interface Watcher {
  collection: string;
  next: number;
  wake: () => void;
}

interface DeleteOptions {
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: string;
}

/** A request's place: `/api/v1/namespaces/a/pods/b/status`. */
interface Place {
  collection: string;
  namespace: string;
  name: string;
  subresource: string;
}

const jsonHeaders = { 'content-type': 'application/json' };

export class FakeApi implements Transport {
  readonly objects = new Map<string, KubeObject>();
  readonly requests: ApiRequest[] = [];
  /** Called before a request is served; what it throws is what the client sees. */
  before: (request: ApiRequest) => void = () => {};
  /** Called after a request was carried out and before it is answered: throw to lose the answer. */
  after: (request: ApiRequest) => void = () => {};
  /** What discovery tells; everything else works for any kind. */
  kinds: readonly Kind[] = [];
  /** While true, watches stand still: caches grow stale. */
  isHeld = false;
  readonly #random: Random;
  readonly #history: Revision[] = [];
  readonly #watchers = new Set<Watcher>();
  #compacted = 0;
  #revision = 0;

  constructor(random = seededRandom(1)) {
    this.#random = random;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    this.requests.push(request);
    try {
      this.before(request);
      const url = new URL(request.path, 'http://fake');
      if (url.pathname === '/api' || url.pathname === '/apis') return respond(200, discoveryOf(this.kinds, url.pathname === '/api'));
      if (url.searchParams.get('watch')) return { status: 200, headers: jsonHeaders, body: this.#watch(request, url) };
      const answer = this.#serve(request, url);
      this.after(request);
      return respond(200, answer);
    } catch (error) {
      if (error instanceof StatusError) return respond(error.code, error.toStatus());
      throw error;
    }
  }

  async close(): Promise<void> {}

  /** Lets held watches deliver what they have missed. */
  release(): void {
    this.isHeld = false;
    for (const watcher of this.#watchers) watcher.wake();
  }

  /** Lets the first `count` undelivered events through to every watch, and holds the rest. */
  deliver(count: number): void {
    for (const watcher of this.#watchers) {
      this.#budget.set(watcher, (this.#budget.get(watcher) ?? 0) + count);
      watcher.wake();
    }
  }
  readonly #budget = new Map<Watcher, number>();

  /** Forgets history: watches from before now answer 410, and running ones end so. */
  compact(): void {
    this.#compacted = this.#revision;
    for (const watcher of this.#watchers) watcher.wake();
  }

  get resourceVersion(): number {
    return this.#revision;
  }

  #serve(request: ApiRequest, url: URL): KubeObject | Status {
    const place = placeOf(url.pathname);
    const body = request.body ? JSON.parse(Buffer.from(request.body as Uint8Array).toString('utf8')) : undefined;
    if (request.method === 'POST') return this.#create(place, body);
    if (!place.name && request.method === 'DELETE') {
      for (const [id, object] of [...this.objects]) {
        if (id.startsWith(`${place.collection}/${place.namespace}/`))
          this.#delete({ ...place, name: object.metadata?.name ?? '' }, id, object, undefined);
      }
      return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 200 };
    }
    if (!place.name) return this.#list(place, url);
    const id = `${place.collection}/${place.namespace}/${place.name}`;
    const current = this.objects.get(id);
    if (!current) throw new StatusError('NotFound', `${place.collection} "${place.name}" not found`);
    switch (request.method) {
      case 'GET':
        return current;
      case 'PUT':
        return this.#replace(place, id, current, body);
      case 'PATCH':
        return this.#replace(place, id, current, mergePatch(current, body) as KubeObject);
      case 'DELETE':
        return this.#delete(place, id, current, body);
      default:
        throw new StatusError('MethodNotAllowed', 'the server does not allow this method on the requested resource');
    }
  }

  #create(place: Place, body: KubeObject): KubeObject {
    const name = body.metadata?.name ?? `${body.metadata?.generateName}${nameSuffix(this.#random)}`;
    const id = `${place.collection}/${place.namespace}/${name}`;
    if (this.objects.has(id)) throw new StatusError('AlreadyExists', `${place.collection} "${name}" already exists`);
    const metadata = { ...body.metadata, name, uid: this.#random.uuid(), creationTimestamp: '2026-01-01T00:00:00Z', generation: 1 };
    if (place.namespace) metadata.namespace = place.namespace;
    return this.#record(place, id, 'ADDED', { ...body, metadata });
  }

  #list(place: Place, url: URL): KubeObject {
    const prefix = `${place.collection}/${place.namespace ? `${place.namespace}/` : ''}`;
    const all = [...this.objects].filter(([id]) => id.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
    const from = Number(url.searchParams.get('continue') ?? 0);
    const limit = Number(url.searchParams.get('limit') ?? 0) || all.length;
    const metadata: Record<string, string> = { resourceVersion: String(this.#revision) };
    if (from + limit < all.length) metadata.continue = String(from + limit);
    const items = all.slice(from, from + limit).map(([, object]) => object);
    return { apiVersion: 'v1', kind: 'List', metadata, items } as KubeObject;
  }

  #replace(place: Place, id: string, current: KubeObject, body: KubeObject): KubeObject {
    const asked = body.metadata ?? {};
    if (asked.uid && asked.uid !== current.metadata?.uid) throw new StatusError('Conflict', 'uid mismatch');
    if (asked.resourceVersion && asked.resourceVersion !== current.metadata?.resourceVersion) throw new StatusError('Conflict', 'stale');
    if (JSON.stringify(body) === JSON.stringify(current)) return current;
    const isHeld = asked.finalizers?.length || (body as Namespace).spec?.finalizers?.length;
    const isGone = asked.deletionTimestamp !== undefined && !isHeld;
    return this.#record(place, id, isGone ? 'DELETED' : 'MODIFIED', body);
  }

  #delete(place: Place, id: string, current: KubeObject, options: DeleteOptions | undefined): KubeObject | Status {
    const { uid, resourceVersion } = options?.preconditions ?? {};
    if (uid && uid !== current.metadata?.uid) throw new StatusError('Conflict', 'uid precondition failed');
    if (resourceVersion && resourceVersion !== current.metadata?.resourceVersion)
      throw new StatusError('Conflict', 'resourceVersion precondition failed');
    const finalizer =
      options?.propagationPolicy === 'Foreground' ? 'foregroundDeletion' : options?.propagationPolicy === 'Orphan' ? 'orphan' : undefined;
    const finalizers = [...new Set([...(current.metadata?.finalizers ?? []), ...(finalizer ? [finalizer] : [])])];
    const deletionTimestamp = current.metadata?.deletionTimestamp ?? '2026-01-01T00:00:00Z';
    const isHeld = finalizers.length > 0 || ((current as Namespace).spec?.finalizers?.length ?? 0) > 0;
    if (isHeld) return this.#replace(place, id, current, { ...current, metadata: { ...current.metadata, deletionTimestamp, finalizers } });
    return this.#record(place, id, 'DELETED', current);
  }

  #record(place: Place, id: string, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): KubeObject {
    const resourceVersion = ++this.#revision;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(resourceVersion) } };
    if (type === 'DELETED') this.objects.delete(id);
    else this.objects.set(id, stored);
    this.#history.push({ collection: place.collection, resourceVersion, event: { type, object: stored } });
    if (!this.isHeld) for (const watcher of this.#watchers) watcher.wake();
    return stored;
  }

  async *#watch(request: ApiRequest, url: URL): AsyncGenerator<Uint8Array> {
    const watcher: Watcher = {
      collection: placeOf(url.pathname).collection,
      next: Number(url.searchParams.get('resourceVersion')),
      wake: () => {},
    };
    this.#watchers.add(watcher);
    try {
      while (!request.signal?.aborted) {
        const budget = this.#budget.get(watcher) ?? 0;
        const due = this.#history.filter((r) => r.collection === watcher.collection && r.resourceVersion > watcher.next);
        const now = this.isHeld ? due.slice(0, budget) : due;
        this.#budget.set(watcher, this.isHeld ? budget - now.length : 0);
        for (const { event, resourceVersion } of now) {
          watcher.next = resourceVersion;
          yield frame(event);
        }
        // More may have happened while those were being read.
        if (now.length > 0) continue;
        if (watcher.next < this.#compacted) {
          const error = new StatusError('Expired', `too old resource version: ${watcher.next}`);
          yield frame({ type: 'ERROR', object: error.toStatus() as unknown as KubeObject });
          return;
        }
        await new Promise<void>((resolve) => {
          watcher.wake = resolve;
          request.signal?.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    } finally {
      this.#watchers.delete(watcher);
      this.#budget.delete(watcher);
    }
  }
}

function discoveryOf(kinds: readonly Kind[], isCore: boolean): object {
  const groups = [...new Set(kinds.map((kind) => kind.group))].filter((group) => (group === '') === isCore);
  const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
  const resourcesOf = (group: string) =>
    kinds
      .filter((kind) => kind.group === group)
      .map((kind) => ({
        resource: kind.plural,
        responseKind: { group, version: 'v1', kind: kind.kind },
        scope: kind.namespaced ? 'Namespaced' : 'Cluster',
        verbs,
      }));
  return { items: groups.map((name) => ({ metadata: { name }, versions: [{ version: 'v1', resources: resourcesOf(name) }] })) };
}

function frame(event: WatchEvent<KubeObject>): Uint8Array {
  return Buffer.from(`${JSON.stringify(event)}\n`);
}

function respond(status: number, value: unknown): ApiResponse {
  const bytes = Buffer.from(JSON.stringify(value));
  return {
    status,
    headers: jsonHeaders,
    body: (async function* () {
      yield bytes;
    })(),
  };
}

function placeOf(pathname: string): Place {
  const parts = pathname.split('/').filter(Boolean);
  let rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize') {
    namespace = rest[1] ?? '';
    rest = rest.slice(2);
  }
  const [collection = '', name = '', subresource = ''] = rest;
  return { collection, namespace, name: decodeURIComponent(name), subresource };
}
