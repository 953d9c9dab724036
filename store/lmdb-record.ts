// How one version lies in the lmdb store: a fixed header, the key, the value. The checksum covers all that follows it.
//
//   0  kind: 1 put, 2 delete          8  float64 createRevision (0 for a delete)
//   1  layout: 1                     16  uint32 length of the key in bytes
//   2  unused: 0                     20  the key in UTF-8
//   4  uint32 CRC-32 of bytes 8 on    …  the value
//
// Integers and floats are little-endian. The revision is the record's key in the database.

import { crc32 } from 'node:zlib';
import type { Version } from './history.ts';

const headerBytes = 20;
const layout = 1;

export function encodeRecord(version: Version): Buffer {
  const keyBytes = Buffer.byteLength(version.key);
  const record = Buffer.allocUnsafe(headerBytes + keyBytes + (version.value?.byteLength ?? 0));
  record.writeUInt32LE(version.isDelete ? 2 : 1, 0);
  record[1] = layout;
  record.writeDoubleLE(version.createRevision, 8);
  record.writeUInt32LE(keyBytes, 16);
  record.write(version.key, headerBytes);
  if (version.value) record.set(version.value, headerBytes + keyBytes);
  record.writeUInt32LE(crc32(record.subarray(8)), 4);
  return record;
}

/** Everything but the value, which is not looked at: undefined when this cannot be a record. */
export function decodeHeader(record: Buffer, revision: number): Version | undefined {
  // Not byteLength: lmdb's own buffers are longer than what they hold.
  const recordBytes = record.length;
  if (recordBytes < headerBytes || record[1] !== layout) return undefined;
  const isDelete = record[0] === 2;
  const keyBytes = record.readUInt32LE(16);
  if ((!isDelete && record[0] !== 1) || keyBytes === 0 || headerBytes + keyBytes > recordBytes) return undefined;
  const key = record.toString('utf8', headerBytes, headerBytes + keyBytes);
  return { key, revision, createRevision: record.readDoubleLE(8), isDelete, previous: undefined, value: undefined };
}

/** The value, sharing the record's memory; undefined when the record is damaged. */
export function decodeValue(record: Buffer): Uint8Array | undefined {
  if (record.byteLength < headerBytes || crc32(record.subarray(8)) !== record.readUInt32LE(4)) return undefined;
  return record.subarray(headerBytes + record.readUInt32LE(16));
}
