// SPDY/3.1 frames to bytes and back. Header blocks stay compressed here.

export const spdyVersion = 3;

export const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;
export const flagFin = 1;

export type Frame =
  | { type: 'data'; streamId: number; isFin: boolean; data: Buffer }
  | { type: 'synStream'; streamId: number; isFin: boolean; headers: Buffer }
  | { type: 'synReply'; streamId: number; isFin: boolean; headers: Buffer }
  | { type: 'headers'; streamId: number; isFin: boolean; headers: Buffer }
  | { type: 'rstStream'; streamId: number; status: number }
  | { type: 'ping'; id: number }
  | { type: 'goAway'; lastStreamId: number; status: number }
  | { type: 'windowUpdate'; streamId: number; delta: number }
  /** Settings, and what is not known. */
  | { type: 'other'; control: number };

function control(type: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8000 | spdyVersion, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE((flags << 24) | body.length, 4);
  return Buffer.concat([head, body]);
}

function words(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeUInt32BE(value, index * 4);
  return buffer;
}

/** Settings cannot be made: no one here sends any. */
export function encodeFrame(frame: Exclude<Frame, { type: 'other' }>): Buffer {
  switch (frame.type) {
    case 'data': {
      const head = words(frame.streamId, frame.data.length);
      head.writeUInt8(frame.isFin ? flagFin : 0, 4);
      return Buffer.concat([head, frame.data]);
    }
    case 'synStream': {
      const body = Buffer.concat([words(frame.streamId, 0), Buffer.alloc(2), frame.headers]);
      return control(frameTypes.synStream, frame.isFin ? flagFin : 0, body);
    }
    case 'synReply':
      return control(frameTypes.synReply, frame.isFin ? flagFin : 0, Buffer.concat([words(frame.streamId), frame.headers]));
    case 'headers':
      return control(frameTypes.headers, frame.isFin ? flagFin : 0, Buffer.concat([words(frame.streamId), frame.headers]));
    case 'rstStream':
      return control(frameTypes.rstStream, 0, words(frame.streamId, frame.status));
    case 'ping':
      return control(frameTypes.ping, 0, words(frame.id));
    case 'goAway':
      return control(frameTypes.goAway, 0, words(frame.lastStreamId, frame.status));
    case 'windowUpdate':
      return control(frameTypes.windowUpdate, 0, words(frame.streamId, frame.delta));
  }
}

const frameBytesMax = 1 << 24;

/** Cuts a stream of bytes into frames; keeps what is not whole yet. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);

  /** @throws Error when the bytes are not SPDY/3 */
  push(chunk: Buffer): Frame[] {
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : chunk;
    const frames: Frame[] = [];
    while (this.#rest.length >= 8) {
      const length = this.#rest.readUIntBE(5, 3);
      if (length > frameBytesMax) throw new Error('SPDY frame too large');
      if (this.#rest.length < 8 + length) break;
      frames.push(decodeFrame(this.#rest.subarray(0, 8), this.#rest.subarray(8, 8 + length)));
      this.#rest = this.#rest.subarray(8 + length);
    }
    return frames;
  }
}

function decodeFrame(head: Buffer, body: Buffer): Frame {
  const isFin = (head.readUInt8(4) & flagFin) !== 0;
  if ((head.readUInt8(0) & 0x80) === 0) return { type: 'data', streamId: head.readUInt32BE(0) & 0x7fffffff, isFin, data: body };
  const version = head.readUInt16BE(0) & 0x7fff;
  if (version !== spdyVersion) throw new Error(`SPDY version ${version} is not spoken here`);
  const type = head.readUInt16BE(2);
  const word = (at: number) => {
    if (body.length < at + 4) throw new Error('SPDY frame cut short');
    return body.readUInt32BE(at);
  };
  switch (type) {
    case frameTypes.synStream:
      return { type: 'synStream', streamId: word(0) & 0x7fffffff, isFin, headers: body.subarray(10) };
    case frameTypes.synReply:
      return { type: 'synReply', streamId: word(0) & 0x7fffffff, isFin, headers: body.subarray(4) };
    case frameTypes.headers:
      return { type: 'headers', streamId: word(0) & 0x7fffffff, isFin, headers: body.subarray(4) };
    case frameTypes.rstStream:
      return { type: 'rstStream', streamId: word(0) & 0x7fffffff, status: word(4) };
    case frameTypes.ping:
      return { type: 'ping', id: word(0) };
    case frameTypes.goAway:
      return { type: 'goAway', lastStreamId: word(0) & 0x7fffffff, status: word(4) };
    case frameTypes.windowUpdate:
      return { type: 'windowUpdate', streamId: word(0) & 0x7fffffff, delta: word(4) & 0x7fffffff };
    default:
      return { type: 'other', control: type };
  }
}
