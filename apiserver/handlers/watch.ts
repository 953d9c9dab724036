// GET with `watch`: first what the client does not know yet, then every change, until time is up or someone ends it.

import { parseMarked } from '../../api/json.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { internalError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { UnreadableValueError } from '../../store/store.ts';
import type { Selection } from '../cache/watch-cache.ts';
import { type EventEncoding, type EventType, WatchChannel } from '../cache/watch-channel.ts';
import { type ApiContext, jsonType, type Sink } from '../context.ts';
import { type Accepted, readAccept } from '../negotiate/accept.ts';
import { objectProtobuf, partialProtobuf } from '../negotiate/protobuf.ts';
import { protobufOf, readIncludeObject } from '../negotiate/render.ts';
import { eventTableJson, partialJson, withColumns } from '../negotiate/table.ts';
import { envelope, protobufType, watchFrame } from '../protobuf/envelope.ts';
import type { StoredObject } from '../registry/object-codec.ts';
import type { Served } from '../registry/resource-table.ts';
import { waitForNow, waitForRevision } from './freshness.ts';
import type { ResourceHandler, ServerParts } from './handler.ts';
import { type ListOptions, readListOptions } from './list-options.ts';

export const watchObjects: ResourceHandler = async (ctx, served, server) => {
  const options = readListOptions(ctx, served);
  const encoding = encodingOf(ctx, served, server);
  ctx.set('Content-Type', encoding.contentType);
  const sink = ctx.state.exchange.open();
  const watch = new OpenWatch(sink, encoding.asFirst);
  server.openWatches.add(watch.close);
  const { signal } = ctx.state.exchange;
  signal.addEventListener('abort', watch.close, { once: true });
  const seconds = options.timeoutSeconds || server.watchSecondsMin * (1 + server.random.float());
  let channel: WatchChannel | undefined;
  const timer = server.clock.setTimer(seconds * 1000, () => {
    if (options.allowWatchBookmarks && channel) watch.write(encoding.bookmark(served.cache.revision, false));
    watch.end();
  });
  try {
    if (signal.aborted) return;
    await waitForBeginning(options, served, server);
    if (watch.isEnded) return;
    const revision = await sendKnown(watch, served, options, encoding);
    if (watch.isEnded) return;
    channel = channelOf(served, options, encoding, server);
    channel.join(watch, revision);
    ctx.state.watchBegun?.();
    await watch.ended;
  } catch (error) {
    if (!(error instanceof StatusError || error instanceof UnreadableValueError)) throw error;
    watch.write(encoding.error(error instanceof StatusError ? error : internalError(error.message)));
    watch.end();
  } finally {
    channel?.remove(watch);
    timer.cancel();
    signal.removeEventListener('abort', watch.close);
    server.openWatches.delete(watch.close);
  }
};

/** A sink whose end somebody waits for, and whose first events may have to say more than those that watches share. */
class OpenWatch implements Sink {
  readonly #sink: Sink;
  #asFirst: ((events: Uint8Array) => Uint8Array) | undefined;
  readonly #done = Promise.withResolvers<void>();
  isEnded = false;

  constructor(sink: Sink, asFirst?: (events: Uint8Array) => Uint8Array) {
    this.#sink = sink;
    this.#asFirst = asFirst;
  }

  get ended(): Promise<void> {
    return this.#done.promise;
  }
  get bufferedBytes(): number {
    return this.#sink.bufferedBytes;
  }
  write(chunk: Uint8Array): void {
    if (this.isEnded) return;
    this.#sink.write(this.#asFirst ? this.#asFirst(chunk) : chunk);
    this.#asFirst = undefined;
  }
  lend(chunk: Uint8Array): Promise<void> {
    return this.#sink.lend(chunk);
  }

  drained(): Promise<void> {
    return this.#sink.drained();
  }
  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#sink.end();
    this.#done.resolve();
  }
  destroy(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#sink.destroy();
    this.#done.resolve();
  }
  readonly close = () => this.end();
}

/** What is to be sent first must be as new as what was asked for. @throws StatusError Timeout */
async function waitForBeginning({ sendInitialEvents, revision }: ListOptions, served: Served, server: ServerParts): Promise<void> {
  if (!sendInitialEvents && revision !== undefined) return;
  if (revision === undefined) await waitForNow(server, served);
  else await waitForRevision(server, revision, served);
}

const initialChunkBytes = 1 << 20;

/** Sends the objects that are there already, when they are asked for; answers with the revision that is then known. */
async function sendKnown(watch: OpenWatch, served: Served, options: ListOptions, encoding: EventEncoding): Promise<number> {
  const { cache } = served;
  const asked = options.revision ?? 0;
  const wantsState = options.sendInitialEvents ?? asked === 0;
  if (!wantsState) return asked === 0 ? cache.revision : asked;
  const revision = cache.revision;
  let chunk: Buffer[] = [];
  let bytes = 0;
  for (const object of cache.list(options.selection)) {
    const frame = encoding.frame('ADDED', object);
    chunk.push(frame);
    bytes += frame.length;
    if (bytes < initialChunkBytes) continue;
    watch.write(Buffer.concat(chunk, bytes));
    chunk = [];
    bytes = 0;
    await watch.drained();
    if (watch.isEnded) return revision;
  }
  if (options.sendInitialEvents && options.allowWatchBookmarks) chunk.push(encoding.bookmark(revision, true));
  if (chunk.length) watch.write(Buffer.concat(chunk));
  return revision;
}

function channelOf(served: Served, options: ListOptions, encoding: EventEncoding, server: ServerParts): WatchChannel {
  const { cache, channels } = served;
  // A watch from a revision that is still to come must not see what comes before it, so it shares with nobody.
  const isAhead = (options.revision ?? 0) > cache.revision;
  const key = JSON.stringify([options.selection, encoding.key, options.allowWatchBookmarks, isAhead ? server.random.uuid() : '']);
  let channel = channels.get(key);
  if (channel) return channel;
  const selection: Selection = options.selection;
  channel = new WatchChannel({
    cache,
    selection,
    encoding,
    afterRevision: isAhead ? (options.revision ?? 0) : 0,
    wantsBookmarks: options.allowWatchBookmarks,
    onEmpty: () => channels.delete(key),
    onFrames: (count) => server.metrics.watchEvents(served.kind, count),
    onFramed: (bytes) => server.metrics.watchEventFramed(served.kind, bytes),
  });
  channels.set(key, channel);
  return channel;
}

/** An encoding of events, and what only the watch itself needs of it. */
interface WatchEncoding extends EventEncoding {
  readonly contentType: string;
  error(error: StatusError): Buffer;
  /** What the first events become that a watch is sent; absent: they stay as they are. */
  asFirst?(events: Uint8Array): Uint8Array;
}

function encodingOf(ctx: ApiContext, served: Served, server: ServerParts): WatchEncoding {
  const accepted = readAccept(ctx.req.headers.accept, true, protobufOf(served));
  if (accepted.format === 'yaml') {
    const types = ['application/json', ...(protobufOf(served) === 'all' ? [protobufType] : [])].map((type) => `${type};stream=watch`);
    throw new StatusError('NotAcceptable', `only the following media types are accepted: ${types.join(', ')}`);
  }
  if (accepted.format === 'protobuf') {
    return { ...protobufEncoding(served, accepted), contentType: `${protobufType};stream=watch`, error: protobufError };
  }
  const asFirst = accepted.as === 'Table' ? (events: Uint8Array) => withColumns(events, served.declaration) : undefined;
  return { ...jsonEncodingOf(ctx, { served, server, accepted }), contentType: jsonType, error: jsonError, ...(asFirst ? { asFirst } : {}) };
}

const jsonError = (error: StatusError) => Buffer.from(`${JSON.stringify({ type: 'ERROR', object: error.toStatus() })}\n`);
const protobufError = (error: StatusError) => watchFrame('ERROR', objectProtobuf(error.toStatus()));

function protobufEncoding({ kind }: Served, { as, asVersion }: Accepted): EventEncoding {
  const typeMeta = as
    ? { apiVersion: `meta.k8s.io/${asVersion}`, kind: 'PartialObjectMetadata' }
    : { apiVersion: apiVersionOf(kind), kind: kind.kind };
  return {
    key: as ? `protobuf partial ${asVersion}` : 'protobuf',
    frame: (type, object) => watchFrame(type, as ? partialProtobuf(object, asVersion) : envelope(typeMeta, [object.protobuf()])),
    bookmark: (revision, isInitialEnd) => {
      const metadata = { resourceVersion: String(revision), ...annotationsOf(isInitialEnd) };
      return watchFrame('BOOKMARK', objectProtobuf({ ...typeMeta, metadata }));
    },
  };
}

function jsonEncodingOf(
  ctx: ApiContext,
  { served, server, accepted }: { served: Served; server: ServerParts; accepted: Accepted },
): EventEncoding {
  const { kind, declaration } = served;
  const { as, asVersion } = accepted;
  const metaVersion = `meta.k8s.io/${asVersion}`;
  if (as === 'Table') {
    const includeObject = readIncludeObject(ctx);
    const table = (object: Pick<StoredObject, 'parse' | 'wire'>, revision: number, include = includeObject) =>
      eventTableJson(declaration, object, String(revision), { version: asVersion, includeObject: include, nowMs: server.clock.nowMs() });
    const mark = (revision: number, annotations: object) => {
      const wire = Buffer.from(bookmarkJson(kind.kind, apiVersionOf(kind), revision, annotations));
      const empty = { wire, parse: () => parseMarked(wire.toString()) as KubeObject };
      // What ends the initial events is told even to those who want no objects: it is the row's metadata.
      return table(empty, revision, includeObject === 'None' && 'annotations' in annotations ? 'Metadata' : includeObject);
    };
    return jsonEncoding(`table ${asVersion} ${includeObject}`, (object) => table(object, object.revision), mark);
  }
  if (as) {
    return jsonEncoding(
      `partial ${asVersion}`,
      (object) => partialJson(object.parse(), asVersion),
      (revision, annotations) => bookmarkJson('PartialObjectMetadata', metaVersion, revision, annotations),
    );
  }
  return {
    key: 'json',
    frame: (type, object) => Buffer.concat([frameHeads[type], object.wire, frameTail]),
    bookmark: (revision, isInitialEnd) => bookmarkFrame(bookmarkJson(kind.kind, apiVersionOf(kind), revision, annotationsOf(isInitialEnd))),
  };
}

function jsonEncoding(
  key: string,
  objectJson: (object: StoredObject) => string,
  bookmark: (revision: number, annotations: object) => string,
): EventEncoding {
  return {
    key,
    frame: (type, object) => Buffer.from(`{"type":"${type}","object":${objectJson(object)}}\n`),
    bookmark: (revision, isInitialEnd) => bookmarkFrame(bookmark(revision, annotationsOf(isInitialEnd))),
  };
}

const frameHead = (type: EventType) => Buffer.from(`{"type":"${type}","object":`);
const frameHeads: Record<EventType, Buffer> = {
  ADDED: frameHead('ADDED'),
  MODIFIED: frameHead('MODIFIED'),
  DELETED: frameHead('DELETED'),
  BOOKMARK: frameHead('BOOKMARK'),
  ERROR: frameHead('ERROR'),
};
const frameTail = Buffer.from('}\n');

const bookmarkFrame = (json: string) => Buffer.from(`{"type":"BOOKMARK","object":${json}}\n`);
const annotationsOf = (isInitialEnd: boolean) => (isInitialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {});
const bookmarkJson = (kind: string, apiVersion: string, revision: number, annotations: object) =>
  JSON.stringify({ kind, apiVersion, metadata: { resourceVersion: String(revision), ...annotations } });
