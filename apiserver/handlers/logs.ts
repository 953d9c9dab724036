// /logs/: the files of one directory, as Go's file server shows them. Nothing outside of it can be reached, by `..`, by
// an encoded slash or through a symbolic link.

import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type ApiContext, send } from '../context.ts';
import type { PathHandler } from './dispatch.ts';
import { refuseUnlessGet } from './handler.ts';

const fileNameBytesMax = 255;
const htmlType = 'text/html; charset=utf-8';
const textType = 'text/plain; charset=utf-8';

/** Serves `/logs/` and what is below it; logs can be read only. */
export function logPaths(directory: string): PathHandler {
  return async (ctx) => {
    const { path } = ctx.state.info;
    if (path !== '/logs' && !path.startsWith('/logs/')) return false;
    refuseUnlessGet(ctx);
    await serveLog(ctx, directory, path.slice('/logs'.length));
    return true;
  };
}

async function serveLog(ctx: ApiContext, directory: string, encoded: string): Promise<void> {
  const names = namesIn(encoded);
  if (!names) return send(ctx, 400, textType, 'invalid URL path\n');
  if (names.some((name) => Buffer.byteLength(name) > fileNameBytesMax)) return send(ctx, 404, textType, 'file not found\n');
  const found = await find(directory, names);
  if (!found) return send(ctx, 404, textType, '404 page not found\n');
  const { path, isDirectory, sizeBytes } = found;
  if (!isDirectory) return sendFile(ctx, path, sizeBytes);
  if (!encoded.endsWith('/')) {
    ctx.set('Location', `${names.at(-1) ?? 'logs'}/`);
    return send(ctx, 301, htmlType, '');
  }
  const entries = await readdir(path, { withFileTypes: true });
  const lines = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
  const links = lines.map((name) => `<a href="${encodeURIComponent(name).replace(/%2F$/, '/')}">${escapeHtml(name)}</a>\n`);
  send(ctx, 200, htmlType, `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${links.join('')}</pre>\n`);
}

/** The names along a path; undefined when they lead anywhere but down. */
function namesIn(encoded: string): string[] | undefined {
  let decoded: string[];
  try {
    decoded = encoded
      .split('/')
      .map(decodeURIComponent)
      .filter((name) => name !== '' && name !== '.');
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
  return decoded.some((name) => name === '..' || /[/\\\0]/.test(name)) ? undefined : decoded;
}

async function find(
  directory: string,
  names: readonly string[],
): Promise<{ path: string; isDirectory: boolean; sizeBytes: number } | undefined> {
  try {
    const root = await realpath(directory);
    const path = await realpath(join(root, ...names));
    if (path !== root && !path.startsWith(root + sep)) return undefined;
    const facts = await stat(path);
    // A pipe or device would be waited on for ever.
    return facts.isDirectory() || facts.isFile() ? { path, isDirectory: facts.isDirectory(), sizeBytes: facts.size } : undefined;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(code)) return undefined;
    throw error;
  }
}

/** As much as the file held when it was asked for: a log that grows has an end all the same. */
async function sendFile(ctx: ApiContext, path: string, sizeBytes: number): Promise<void> {
  ctx.set('Content-Type', textType);
  if (sizeBytes === 0) return send(ctx, 200, textType, '');
  const sink = ctx.state.exchange.open();
  try {
    for await (const chunk of createReadStream(path, { end: sizeBytes - 1, signal: ctx.state.exchange.signal })) {
      sink.write(chunk as Buffer);
      await sink.drained();
    }
    sink.end();
  } catch (error) {
    sink.destroy();
    if (!ctx.state.exchange.signal.aborted) throw error;
  }
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' };
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
