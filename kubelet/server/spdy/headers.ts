// SPDY/3 header blocks: names and values behind lengths, compressed with one zlib context for each direction and the
// specification's dictionary.

import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';

export type SpdyHeaders = Readonly<Record<string, string>>;

const words =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status';
const tail =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

/** Section 2.6.10.1 of the SPDY/3 draft. */
export const dictionary: Buffer = Buffer.concat([
  ...[...words.split(' '), '200 OK', 'version', 'HTTP/1.1', 'url', 'public', 'set-cookie', 'keep-alive', 'origin'].map(prefixed),
  Buffer.from(tail),
]);

function prefixed(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}

/** A block larger than this is an attack, or noise. */
const blockBytesMax = 64 * 1024;

export class HeaderCompressor {
  readonly #deflate: Deflate = createDeflate({ dictionary, flush: constants.Z_SYNC_FLUSH });
  #last: Promise<unknown> = Promise.resolve();

  /** Blocks come out in the order they were put in. */
  compress(headers: SpdyHeaders): Promise<Buffer> {
    const count = Buffer.alloc(4);
    const entries = Object.entries(headers);
    count.writeUInt32BE(entries.length);
    const block = Buffer.concat([count, ...entries.flatMap(([name, value]) => [prefixed(name.toLowerCase()), prefixed(value)])]);
    const result = this.#last.then(() => through(this.#deflate, block));
    this.#last = result.catch(() => undefined);
    return result;
  }

  close(): void {
    this.#deflate.destroy();
  }
}

export class HeaderDecompressor {
  readonly #inflate: Inflate = createInflate({ dictionary, finishFlush: constants.Z_SYNC_FLUSH });
  #last: Promise<unknown> = Promise.resolve();

  /** @throws Error when the block is not one */
  decompress(data: Buffer): Promise<Record<string, string>> {
    const result = this.#last.then(async () => parseBlock(await through(this.#inflate, data)));
    this.#last = result.catch(() => undefined);
    return result;
  }

  close(): void {
    this.#inflate.destroy();
  }
}

/** What `stream` makes of `data`, flushed. */
function through(stream: Deflate | Inflate, data: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > blockBytesMax) stream.destroy(new Error('SPDY header block too large'));
      else chunks.push(chunk);
    };
    const done = (error?: Error | null) => {
      stream.off('data', onData);
      stream.off('error', done);
      if (error) reject(error);
      else resolve(Buffer.concat(chunks));
    };
    stream.on('data', onData);
    stream.once('error', done);
    stream.write(data, () => stream.flush(constants.Z_SYNC_FLUSH, () => setImmediate(done)));
  });
}

function parseBlock(block: Buffer): Record<string, string> {
  const headers: Record<string, string> = {};
  let at = 0;
  const number = () => {
    const value = block.readUInt32BE(at);
    at += 4;
    return value;
  };
  const text = () => {
    const length = number();
    if (at + length > block.length) throw new Error('SPDY header block cut short');
    at += length;
    return block.toString('utf8', at - length, at);
  };
  for (let count = number(); count > 0; count--) {
    const name = text();
    headers[name] = text();
  }
  return headers;
}
