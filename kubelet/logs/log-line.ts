// CRI's log format, a line at a time: `2026-01-01T00:00:00.000000000Z stdout F text`.

export interface LogLine {
  /** RFC 3339 with nanoseconds, as written. */
  timestamp: string;
  stream: 'stdout' | 'stderr';
  /** The line goes on in the next record. */
  isPartial: boolean;
  content: Buffer;
}

const space = 0x20;

/** undefined: not a record of that format. `record` is without its newline. */
export function parseLogLine(record: Buffer): LogLine | undefined {
  const first = record.indexOf(space);
  const second = first < 0 ? -1 : record.indexOf(space, first + 1);
  if (second < 0) return undefined;
  const third = record.indexOf(space, second + 1);
  const stream = record.toString('latin1', first + 1, second);
  const tags = record.toString('latin1', second + 1, third < 0 ? record.length : third).split(':');
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  return {
    timestamp: record.toString('latin1', 0, first),
    stream,
    isPartial: tags[0] === 'P',
    content: third < 0 ? Buffer.alloc(0) : record.subarray(third + 1),
  };
}

/** Milliseconds since the epoch. */
export const timestampMs = (timestamp: string) => Date.parse(timestamp);
