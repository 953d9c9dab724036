// Objects from files: YAML or JSON, several per file, directories, standard input, and Lists flattened.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../api/wire.ts';
import { KubectlError, type KubectlIo } from './context.ts';

export interface Manifest {
  object: KubeObject & { apiVersion: string; kind: string };
  source: string;
}

/** @throws KubectlError naming the file and what is wrong in it */
export async function readManifests(files: readonly string[], options: { recursive: boolean; io: KubectlIo }): Promise<Manifest[]> {
  if (files.length === 0) throw new KubectlError('must specify one of -f and -k');
  const manifests: Manifest[] = [];
  for (const file of files) {
    if (file === '-') manifests.push(...parseManifests(await readAll(options.io.in), 'STDIN'));
    else for (const each of await expand(file, options.recursive)) manifests.push(...parseManifests(await readFile(each, 'utf8'), each));
  }
  if (manifests.length === 0) throw new KubectlError('no objects passed to apply');
  return manifests;
}

/** The objects of one text, in order. */
export function parseManifests(text: string, source: string): Manifest[] {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  const manifests: Manifest[] = [];
  for (const document of documents) {
    const problem = document.errors[0];
    if (problem) throw new KubectlError(`error parsing ${source}: ${problem.message}`);
    collect(document.toJS(), source, manifests);
  }
  return manifests;
}

function collect(value: unknown, source: string, into: Manifest[]): void {
  if (value === null || value === undefined) return;
  if (typeof value !== 'object' || Array.isArray(value)) throw new KubectlError(`${source}: want an object, got ${JSON.stringify(value)}`);
  const object = value as Partial<KubeObject> & { items?: unknown[] };
  if (!object.kind) throw new KubectlError(`error parsing ${source}: kind not set`);
  if (!object.apiVersion) throw new KubectlError(`error validating data: apiVersion not set in ${source}`);
  if (object.kind.endsWith('List') && Array.isArray(object.items)) for (const item of object.items) collect(item, source, into);
  else into.push({ object: object as Manifest['object'], source });
}

async function expand(file: string, recursive: boolean): Promise<string[]> {
  const info = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new KubectlError(`the path ${JSON.stringify(file)} does not exist`);
    throw error;
  });
  if (!info.isDirectory()) return [file];
  const entries = (await readdir(file, { recursive, encoding: 'utf8' })).sort();
  return entries.filter((entry) => /\.(ya?ml|json)$/.test(entry)).map((entry) => join(file, entry));
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
