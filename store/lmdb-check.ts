// Looks over the trees of an LMDB file before LMDB does. LMDB trusts its file: a page that is cut off or is something else
// makes it abort or fault, and the process with it. Only pages that hold trees are read, not values, so the check of a
// large store takes milliseconds.

import { readSync } from 'node:fs';

// Two meta pages begin the file: a page header, then magic, version, address, map size, two trees (the free list, whose
// first word is the page size, and the data), the last page used, the number of the transaction.
const pageHeaderBytes = 24;
const treeBytes = 48;
const magicAt = pageHeaderBytes;
const versionAt = magicAt + 4;
const treesAt = magicAt + 24;
const lastPageAt = treesAt + 2 * treeBytes;
const transactionAt = lastPageAt + 8;
const magic = 0xbeefc0de;
const knownVersion = 2;

// A tree: flags, depth, counts; then its root.
const depthAt = 6;
const rootAt = 40;
const noPage = 0xffff_ffff_ffff_ffffn;
const depthMax = 32;

// A page: its own number, transaction, flags, and twice the number of its nodes; then where each node is.
const flagsAt = 18;
const lowerAt = 20;
const branchFlag = 1;
const leafFlag = 2;

// A node: the low 32 bits of its size or page, then its flags (or the page's high 16 bits), the length of its key.
const nodeHeaderBytes = 8;
const onOwnPagesFlag = 1;

interface Meta {
  version: number;
  pageBytes: number;
  lastPage: number;
  transaction: bigint;
  trees: { depth: number; root: bigint }[];
}

/** What is wrong with the open file of `sizeBytes`: it is none of LMDB's (foreign), or is damaged. */
export type LmdbVerdict = { is: 'sound'; neededBytes: number } | { is: 'foreign' } | { is: 'damaged'; why: string };

export function checkLmdbFile(handle: number, sizeBytes: number): LmdbVerdict {
  const first = readMeta(handle, 0);
  const second = first && readMeta(handle, first.pageBytes);
  if (!first || !second) return { is: 'foreign' };
  const meta = first.transaction > second.transaction ? first : second;
  const neededBytes = (meta.lastPage + 1) * meta.pageBytes;
  // LMDB refuses other versions by itself.
  if (meta.version !== knownVersion) return { is: 'sound', neededBytes };
  const file = { handle, pageBytes: meta.pageBytes, pages: Math.min(Math.floor(sizeBytes / meta.pageBytes), meta.lastPage + 1) };
  for (const { depth, root } of meta.trees) {
    if (root === noPage) continue;
    const why = depth > 0 && depth <= depthMax ? checkPage(file, Number(root), depth) : `a tree of depth ${depth}`;
    if (why) return { is: 'damaged', why };
  }
  return { is: 'sound', neededBytes };
}

function readMeta(handle: number, at: number): Meta | undefined {
  const page = Buffer.alloc(transactionAt + 8);
  if (readSync(handle, page, 0, page.byteLength, at) < page.byteLength) return undefined;
  const pageBytes = page.readUInt32LE(treesAt);
  const isPowerOfTwo = (pageBytes & (pageBytes - 1)) === 0;
  if (page.readUInt32LE(magicAt) !== magic || pageBytes < 512 || pageBytes > 65536 || !isPowerOfTwo) return undefined;
  return {
    version: page.readUInt32LE(versionAt) & 0xffff,
    pageBytes,
    lastPage: Number(page.readBigUInt64LE(lastPageAt)),
    transaction: page.readBigUInt64LE(transactionAt),
    trees: [treesAt, treesAt + treeBytes].map((tree) => ({
      depth: page.readUInt16LE(tree + depthAt),
      root: page.readBigUInt64LE(tree + rootAt),
    })),
  };
}

interface File {
  handle: number;
  pageBytes: number;
  pages: number;
}

/** Answers what is wrong with the page or one below it. `depth` is 1 for a leaf. */
function checkPage(file: File, number: number, depth: number): string | undefined {
  const { handle, pageBytes, pages } = file;
  if (number < 2 || number >= pages) return `page ${number} is outside the file`;
  const page = Buffer.allocUnsafe(pageBytes);
  if (readSync(handle, page, 0, pageBytes, number * pageBytes) < pageBytes) return `page ${number} is cut off`;
  const flags = page.readUInt16LE(flagsAt) & (branchFlag | leafFlag);
  const nodes = page.readUInt16LE(lowerAt) >> 1;
  const isExpected = page.readBigUInt64LE(0) === BigInt(number) && flags === (depth === 1 ? leafFlag : branchFlag);
  if (!isExpected || nodes === 0 || pageHeaderBytes + 2 * nodes > pageBytes) return `page ${number} is not what it should be`;
  for (let i = 0; i < nodes; i++) {
    const at = pageHeaderBytes + page.readUInt16LE(pageHeaderBytes + 2 * i);
    if (at + nodeHeaderBytes > pageBytes) return `page ${number} is not what it should be`;
    const low = page.readUInt32LE(at);
    const high = page.readUInt16LE(at + 4);
    const why = depth > 1 ? checkPage(file, low + high * 2 ** 32, depth - 1) : checkLeaf(file, page, at, low, high);
    if (why) return why;
  }
  return undefined;
}

function checkLeaf({ pageBytes, pages }: File, page: Buffer, at: number, dataBytes: number, flags: number): string | undefined {
  const dataAt = at + nodeHeaderBytes + page.readUInt16LE(at + 6);
  const isElsewhere = (flags & onOwnPagesFlag) !== 0;
  if (dataAt + (isElsewhere ? 8 : dataBytes) > pageBytes) return 'a value is longer than its page';
  if (!isElsewhere) return undefined;
  const firstPage = Number(page.readBigUInt64LE(dataAt));
  const pageCount = Math.ceil((pageHeaderBytes + dataBytes) / pageBytes);
  return firstPage < 2 || firstPage + pageCount > pages ? `the value on page ${firstPage} is outside the file` : undefined;
}
