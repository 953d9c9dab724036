// Puts a cluster's context into the user's kubeconfig and takes it out again, leaving everything else in that file
// as it was, as kind does: into the first file of $KUBECONFIG that exists (else the first named), else ~/.kube/config.

import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type Document, isMap, isSeq, parseDocument, type YAMLMap } from 'yaml';

export interface KubeconfigEntry {
  /** The name of the context, the cluster and the user. */
  name: string;
  server: string;
  caPem: string;
  certPem: string;
  keyPem: string;
}

/** `t8s` for the cluster of that name, `t8s-NAME` for others. */
export function contextName(clusterName: string): string {
  return clusterName === 't8s' ? 't8s' : `t8s-${clusterName}`;
}

/** The file that `kubectl` of this user would write to. */
export function kubeconfigFile(env: NodeJS.ProcessEnv): string {
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  return named.find((file) => existsSync(file)) ?? named[0] ?? join(env['HOME'] ?? homedir(), '.kube/config');
}

/** A whole kubeconfig with this one context. */
export function renderKubeconfig(entry: KubeconfigEntry): string {
  const document = parseDocument('apiVersion: v1\nkind: Config\npreferences: {}\n');
  setEntry(document, entry);
  document.set('current-context', entry.name);
  return String(document);
}

/**
 * Adds or replaces the entry's context in `file` and makes it the current one.
 * @throws when the file is no kubeconfig; it is left as it is
 */
export function mergeKubeconfig(file: string, entry: KubeconfigEntry): void {
  const document = readKubeconfig(file);
  setEntry(document, entry);
  document.set('current-context', entry.name);
  write(file, String(document));
}

/** Takes the context, cluster and user `name` out of `file`; true when something was there. */
export function removeFromKubeconfig(file: string, name: string): boolean {
  if (!existsSync(file)) return false;
  const document = readKubeconfig(file);
  let isChanged = false;
  for (const section of ['contexts', 'clusters', 'users']) {
    const list = document.get(section);
    if (!isSeq(list)) continue;
    const kept = list.items.filter((item) => !(isMap(item) && item.get('name') === name));
    if (kept.length === list.items.length) continue;
    list.items = kept;
    isChanged = true;
  }
  if (document.get('current-context') === name) {
    document.set('current-context', '');
    isChanged = true;
  }
  if (isChanged) write(file, String(document));
  return isChanged;
}

function readKubeconfig(file: string): Document {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (text.trim() === '') return parseDocument('apiVersion: v1\nkind: Config\npreferences: {}\n');
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) {
    throw new Error(`${file} is no kubeconfig: ${document.errors[0]?.message ?? 'not a map'}; mend it or set KUBECONFIG to another file`);
  }
  return document as unknown as Document;
}

function setEntry(document: Document, { name, server, caPem, certPem, keyPem }: KubeconfigEntry): void {
  setNamed(document, 'clusters', name, { cluster: { 'certificate-authority-data': base64(caPem), server } });
  setNamed(document, 'users', name, { user: { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) } });
  setNamed(document, 'contexts', name, { context: { cluster: name, user: name } });
}

function setNamed(document: Document, section: string, name: string, value: object): void {
  let list = document.get(section);
  if (!isSeq(list)) {
    document.set(section, document.createNode([]));
    list = document.get(section);
  }
  if (!isSeq(list)) throw new Error(`kubeconfig: ${section} is not a list`);
  const node = document.createNode({ name, ...value }) as YAMLMap;
  const at = list.items.findIndex((item) => isMap(item) && item.get('name') === name);
  if (at === -1) list.items.push(node);
  else list.items[at] = node;
  list.flow = false;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const mode = existsSync(file) ? statSync(file).mode & 0o777 : 0o600;
  const temporary = `${file}.t8s-${process.pid}`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, file);
}
