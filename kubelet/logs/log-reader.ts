// Reads a container's log from its file: from the end or a time, following what is appended and the file's rotation,
// in bounded memory.

import { type FileHandle, open } from 'node:fs/promises';
import { type Clock, sleep } from '../../base/clock.ts';
import { parseLogLine, timestampMs } from './log-line.ts';

export interface LogOptions {
  follow?: boolean;
  tailLines?: number;
  sinceMs?: number;
  timestamps?: boolean;
  limitBytes?: number;
  /** Only this stream. */
  stream?: 'stdout' | 'stderr';
}

export interface LogReaderOptions extends LogOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Whether more may come. Asked when a followed file has been read to its end. */
  isRunning(): Promise<boolean>;
}

const chunkBytes = 64 * 1024;
const followMs = 200;
/** A record without a newline for so long is not a log's. */
const recordBytesMax = 1 << 20;
const newline = 0x0a;

/** The log's bytes as kubectl shows them. @throws Error ENOENT when there is no such file */
export async function* readLog(path: string, options: LogReaderOptions): AsyncGenerator<Buffer> {
  const { clock, signal, limitBytes = Number.POSITIVE_INFINITY } = options;
  let file = await open(path, 'r');
  try {
    let offset = options.tailLines === undefined ? 0 : await tailOffset(file, options.tailLines);
    let rest: Buffer = Buffer.alloc(0);
    let sent = 0;
    let isLast = false;
    let isMidLine = false;
    while (!signal.aborted) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, offset);
      if (bytesRead > 0) {
        offset += bytesRead;
        const [out, left, midLine] = format(Buffer.concat([rest, buffer.subarray(0, bytesRead)]), options, isMidLine);
        rest = left;
        isMidLine = midLine;
        if (rest.length > recordBytesMax) throw new Error(`log record exceeds ${recordBytesMax} bytes`);
        const room = limitBytes - sent;
        if (out.length > 0) yield out.length > room ? out.subarray(0, room) : out;
        sent += out.length;
        if (sent >= limitBytes) return;
        continue;
      }
      if (!options.follow || isLast) return;
      const rotated = await reopened(file, path);
      if (rotated) {
        await file.close();
        file = rotated;
        offset = 0;
        continue;
      }
      // What was written between the last read and the end is read once more.
      if (!(await options.isRunning())) isLast = true;
      else await sleep(clock, followMs, signal).catch(() => undefined);
    }
  } finally {
    await file.close();
  }
}

/** Turns whole records into output; what is left over is the start of the next. */
function format(data: Buffer, options: LogOptions, startsMidLine: boolean): [Buffer, Buffer, boolean] {
  const out: Buffer[] = [];
  let isMidLine = startsMidLine;
  let start = 0;
  for (let end = data.indexOf(newline); end >= 0; end = data.indexOf(newline, start)) {
    const line = parseLogLine(data.subarray(start, end));
    start = end + 1;
    if (!line) continue;
    if (options.stream && line.stream !== options.stream) continue;
    if (options.sinceMs !== undefined && timestampMs(line.timestamp) < options.sinceMs) continue;
    if (options.timestamps && !isMidLine) out.push(Buffer.from(`${line.timestamp} `));
    out.push(line.content);
    if (!line.isPartial) out.push(Buffer.from('\n'));
    isMidLine = line.isPartial;
  }
  return [Buffer.concat(out), data.subarray(start), isMidLine];
}

/** Where the last `lines` lines begin; records of one line count once. */
async function tailOffset(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines <= 0) return size;
  let end = size;
  let found = 0;
  let tail: Buffer = Buffer.alloc(0);
  while (end > 0) {
    const start = Math.max(0, end - chunkBytes);
    const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    tail = Buffer.concat([buffer, tail]);
    found = 0;
    // Backwards over records that are whole: those after a newline, and the first of the file.
    let at = tail.length - 1;
    while (at > 0) {
      const before = tail.lastIndexOf(newline, at - 1);
      if (before < 0 && start > 0) break;
      const record = parseLogLine(tail.subarray(before + 1, at));
      if (record && !record.isPartial && ++found > lines) return start + at + 1;
      at = before;
      if (before < 0) break;
    }
    end = start;
  }
  return 0;
}

/** The file that has taken the place of `file` at `path`, if it was rotated away. */
async function reopened(file: FileHandle, path: string): Promise<FileHandle | undefined> {
  const next = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!next) return undefined;
  const [a, b] = await Promise.all([file.stat(), next.stat()]);
  if (a.ino !== b.ino || a.dev !== b.dev) return next;
  await next.close();
  return undefined;
}

/** The end of a log as text, for a termination message. '' when there is no log. */
export async function readLogTail(path: string, limits: { linesMax: number; bytesMax: number }): Promise<string> {
  const never = new AbortController().signal;
  const clock: Clock = { nowMs: () => 0, monotonicMs: () => 0, setTimer: () => ({ cancel() {} }) };
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of readLog(path, { clock, signal: never, isRunning: async () => false, tailLines: limits.linesMax }))
      chunks.push(chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  const all = Buffer.concat(chunks);
  return all.subarray(Math.max(0, all.length - limits.bytesMax)).toString('utf8');
}
