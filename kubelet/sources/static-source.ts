// Pods from manifests in a directory of this machine, and their mirrors in the API: objects that show such a pod and
// carry its status, but do not make it.

import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { type Pod, pods } from '../../api/core.ts';
import { isStatus } from '../../api/status.ts';
import { type Clock, type Timer, timestamp } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Client } from '../../client/client.ts';
import type { PodSink } from './api-source.ts';

export const mirrorAnnotation = 'kubernetes.io/config.mirror';
export const configHashAnnotation = 'kubernetes.io/config.hash';
export const configSourceAnnotation = 'kubernetes.io/config.source';
export const configSeenAnnotation = 'kubernetes.io/config.seen';

export interface StaticSourceOptions {
  directory: string;
  nodeName: string;
  /** Owner of mirrors. */
  nodeUid(): string;
  client: Client;
  clock: Clock;
  log: Log;
}

const rereadMs = 20_000;
const settleMs = 100;

export class StaticSource {
  readonly #options: StaticSourceOptions;
  /** By uid. */
  #pods = new Map<string, Pod>();
  /** By namespace/name. */
  readonly #mirrors = new Map<string, Pod>();
  #watcher: FSWatcher | undefined;
  #timer: Timer | undefined;
  #sink: PodSink | undefined;
  #reading = Promise.resolve();
  #isClosed = false;

  constructor(options: StaticSourceOptions) {
    this.#options = options;
  }

  async start(sink: PodSink): Promise<void> {
    this.#sink = sink;
    await this.#read();
    try {
      this.#watcher = watch(this.#options.directory, () => this.#readAfter(settleMs));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    this.#readAfter(rereadMs);
  }

  close(): void {
    this.#isClosed = true;
    this.#watcher?.close();
    this.#timer?.cancel();
  }

  isStatic(uid: string): boolean {
    return this.#pods.has(uid);
  }

  /** The mirror that shows `pod`, if the API has it. */
  mirrorOf(pod: Pod): Pod | undefined {
    const mirror = this.#mirrors.get(keyOf(pod));
    return mirror?.metadata?.annotations?.[mirrorAnnotation] === pod.metadata?.uid ? mirror : undefined;
  }

  /** The API has a mirror, or has lost one. */
  observeMirror(mirror: Pod, isGone: boolean): void {
    if (isGone) this.#mirrors.delete(keyOf(mirror));
    else this.#mirrors.set(keyOf(mirror), mirror);
    void this.reconcileMirror(keyOf(mirror));
    const own = [...this.#pods.values()].find((pod) => keyOf(pod) === keyOf(mirror));
    if (own && !isGone) this.#sink?.update(own);
  }

  /** Makes the mirror match the pod: made, replaced or removed. Never fails. */
  async reconcileMirror(key: string): Promise<void> {
    const { client, log, nodeUid, nodeName } = this.#options;
    const own = [...this.#pods.values()].find((pod) => keyOf(pod) === key);
    const mirror = this.#mirrors.get(key);
    try {
      if (mirror && (!own || mirror.metadata?.annotations?.[mirrorAnnotation] !== own.metadata?.uid)) {
        const { name = '', namespace, uid = '' } = mirror.metadata ?? {};
        await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
        this.#mirrors.delete(key);
      }
      if (!own || this.mirrorOf(own)) return;
      const annotations = { ...own.metadata?.annotations, [mirrorAnnotation]: own.metadata?.uid ?? '' };
      const { uid: _, ...metadata } = own.metadata ?? {};
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeUid(), controller: true }];
      const created = await client.create(pods, { ...own, metadata: { ...metadata, annotations, ownerReferences } });
      this.#mirrors.set(key, created);
      this.#sink?.update(own);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!isStatus(error, 'AlreadyExists', 'NotFound', 'Conflict')) log.warn('mirror pod not written', { pod: key, error: error.message });
    }
  }

  #readAfter(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(delayMs, () => {
      this.#reading = this.#reading.then(() => this.#read()).then(() => this.#readAfter(rereadMs));
    });
  }

  async #read(): Promise<void> {
    const found = new Map<string, Pod>();
    for (const pod of await this.#manifests()) found.set(pod.metadata?.uid ?? '', pod);
    const before = this.#pods;
    this.#pods = new Map([...found].map(([uid, pod]) => [uid, before.get(uid) ?? pod]));
    for (const uid of before.keys()) if (!found.has(uid)) this.#sink?.remove(uid);
    for (const [uid, pod] of this.#pods) {
      if (!isDeepStrictEqual(before.get(uid), pod)) this.#sink?.update(pod);
    }
    const keys = new Set([...before.values(), ...this.#pods.values()].map(keyOf));
    for (const key of keys) await this.reconcileMirror(key);
  }

  async #manifests(): Promise<Pod[]> {
    const { directory, log } = this.#options;
    let names: string[];
    try {
      names = await readdir(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    const result: Pod[] = [];
    for (const name of names.filter((n) => /\.(ya?ml|json)$/.test(n) && !n.startsWith('.')).sort()) {
      try {
        const path = join(directory, name);
        const text = await readFile(path, 'utf8');
        for (const document of parseAllDocuments(text)) {
          const value: unknown = document.toJS();
          if (isPod(value)) result.push(this.#staticPod(value));
        }
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        log.warn('static pod manifest not read', { file: name, error: error.message });
      }
    }
    return result;
  }

  /** As a kubelet completes it: bound to this node, named for it, its uid made from what it says. */
  #staticPod(manifest: Pod): Pod {
    const { nodeName, clock } = this.#options;
    const { metadata, spec } = manifest;
    const uid = createHash('md5').update(nodeName).update(JSON.stringify(manifest)).digest('hex');
    const tolerations = [...(spec?.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }];
    return {
      ...manifest,
      metadata: {
        ...metadata,
        name: `${metadata?.name}-${nodeName.toLowerCase()}`,
        namespace: metadata?.namespace ?? 'default',
        uid,
        annotations: {
          ...metadata?.annotations,
          [configHashAnnotation]: uid,
          [configSeenAnnotation]: timestamp(clock),
          [configSourceAnnotation]: 'file',
        },
      },
      spec: { containers: [], ...spec, nodeName, tolerations },
    };
  }
}

const keyOf = (pod: Pod) => `${pod.metadata?.namespace}/${pod.metadata?.name}`;

function isPod(value: unknown): value is Pod {
  if (!value || typeof value !== 'object') return false;
  const { kind, apiVersion, metadata, spec } = value as Partial<Pod>;
  return kind === 'Pod' && apiVersion === 'v1' && typeof metadata?.name === 'string' && Array.isArray(spec?.containers);
}
