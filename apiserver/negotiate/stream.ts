// Long answers go out piece by piece, each made when the client has taken what came before: memory stays that of a few.

import { once } from 'node:events';
import { constants, createGzip } from 'node:zlib';
import type { ApiContext } from '../context.ts';

/** What is longer than this is not put together before it is sent. */
export const streamBytesMin = 1 << 20;
export const streamChunkBytes = 64 << 10;

export const wantsGzip = (ctx: ApiContext) => ctx.req.headers['accept-encoding']?.includes('gzip') ?? false;

/** Sends `pieces` no faster than the client takes them. Known in advance, `length` (in bytes) saves framing every piece. */
export async function streamPieces(
  ctx: ApiContext,
  type: string,
  { pieces, length }: { pieces: Iterable<Buffer>; length?: number },
): Promise<void> {
  ctx.status = 200;
  ctx.set('Content-Type', type);
  if (wantsGzip(ctx)) return streamGzip(ctx, pieces);
  if (length !== undefined) ctx.set('Content-Length', String(length));
  const sink = ctx.state.exchange.open();
  for (const chunk of gathered(pieces)) {
    sink.write(chunk);
    await sink.drained();
    if (ctx.state.exchange.signal.aborted) return;
  }
  sink.end();
}

async function streamGzip(ctx: ApiContext, pieces: Iterable<Buffer>): Promise<void> {
  ctx.set('Content-Encoding', 'gzip');
  ctx.append('Vary', 'Accept-Encoding');
  const sink = ctx.state.exchange.open();
  const compressor = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: streamChunkBytes });
  const feed = async () => {
    for (const chunk of gathered(pieces)) if (!compressor.write(chunk)) await once(compressor, 'drain');
    compressor.end();
  };
  const fed = feed();
  // When the client is gone, what is left is not compressed for nobody.
  const onGone = () => compressor.destroy();
  const { signal } = ctx.state.exchange;
  signal.addEventListener('abort', onGone, { once: true });
  try {
    for await (const chunk of compressor) {
      sink.write(chunk);
      await sink.drained();
    }
    await fed;
    sink.end();
  } catch (error) {
    fed.catch(() => undefined);
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', onGone);
  }
}

/** The same bytes in chunks that are worth sending. */
function* gathered(pieces: Iterable<Buffer>): Generator<Buffer> {
  let chunk: Buffer[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    chunk.push(piece);
    bytes += piece.length;
    if (bytes < streamChunkBytes) continue;
    yield Buffer.concat(chunk, bytes);
    chunk = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(chunk, bytes);
}
