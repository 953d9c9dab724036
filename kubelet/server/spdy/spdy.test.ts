import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeFrame, type Frame, FrameDecoder } from './frames.ts';
import { HeaderCompressor, HeaderDecompressor } from './headers.ts';

const id = fc.integer({ min: 1, max: 0x7fffffff });
const bytes = fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data));
const frames: fc.Arbitrary<Exclude<Frame, { type: 'other' }>> = fc.oneof(
  fc.record({ type: fc.constant('data' as const), streamId: id, isFin: fc.boolean(), data: bytes }),
  fc.record({
    type: fc.constantFrom('synStream' as const, 'synReply' as const, 'headers' as const),
    streamId: id,
    isFin: fc.boolean(),
    headers: bytes,
  }),
  fc.record({ type: fc.constant('rstStream' as const), streamId: id, status: id }),
  fc.record({ type: fc.constant('ping' as const), id }),
  fc.record({ type: fc.constant('goAway' as const), lastStreamId: id, status: id }),
  fc.record({ type: fc.constant('windowUpdate' as const), streamId: id, delta: id }),
);

test('frames come out as they went in, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 8 }), fc.integer({ min: 1, max: 40 }), (sent, size) => {
      const decoder = new FrameDecoder();
      const all = Buffer.concat(sent.map(encodeFrame));
      const received: Frame[] = [];
      for (let at = 0; at < all.length; at += size) received.push(...decoder.push(all.subarray(at, at + size)));
      assert.deepEqual(
        received,
        sent.map((frame) => ({ ...frame })),
      );
    }),
    { seed: 31, numRuns: 300 },
  );
});

test('bytes that are no SPDY/3 are refused', () => {
  assert.throws(() => new FrameDecoder().push(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0])), /SPDY version 2/);
  assert.throws(() => new FrameDecoder().push(Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 0])), /cut short/);
});

test('header blocks share their compression over a connection, with the dictionary of the specification', async () => {
  const compressor = new HeaderCompressor();
  const decompressor = new HeaderDecompressor();
  const blocks = [{ streamtype: 'error' }, { streamtype: 'data', port: '80' }, {}];
  const sent = await Promise.all(blocks.map((headers) => compressor.compress(headers)));
  // zlib names the dictionary in its third to sixth byte.
  assert.equal(sent[0]?.subarray(2, 6).toString('hex'), 'e3c6a7c2');
  for (const [index, block] of sent.entries()) assert.deepEqual(await decompressor.decompress(block), blocks[index]);
  compressor.close();
  decompressor.close();
});
