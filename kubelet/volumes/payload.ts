// The files of config map, secret, downward API and projected volumes.

import type { ConfigMap, Pod, Secret } from '../../api/core.ts';
import type { ReferencedObjects } from '../containers/environment.ts';
import { fieldValue, type PodFacts, resourceFieldValue } from '../containers/field-ref.ts';
import type { PayloadFile } from './atomic-writer.ts';

type Volume = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];
type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];
type KeyToPath = { key: string; path: string; mode?: number };

/** A token for the pod's service account. */
export interface TokenSource {
  token(pod: Pod, request: { audience?: string; expirationSeconds?: number }): Promise<string>;
}

export interface PayloadInput {
  pod: Pod;
  facts: PodFacts;
  objects: ReferencedObjects;
  tokens: TokenSource;
}

const modeDefault = 0o644;

/** The files of `volume`; undefined: it is of another kind. @throws Error in Kubernetes' words when something is missing */
export async function payloadOf(volume: Volume, input: PayloadInput): Promise<Map<string, PayloadFile> | undefined> {
  const files = new Map<string, PayloadFile>();
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) await addConfigMap(files, configMap, configMap.defaultMode ?? modeDefault, input);
  else if (secret) {
    const source = { ...secret, name: secret.secretName ?? '' };
    await addSecret(files, source, secret.defaultMode ?? modeDefault, input);
  } else if (downwardAPI) addDownward(files, downwardAPI.items ?? [], downwardAPI.defaultMode ?? modeDefault, input);
  else if (projected) {
    for (const source of projected.sources ?? []) await addProjection(files, source, projected.defaultMode ?? modeDefault, input);
  } else return undefined;
  return files;
}

async function addProjection(files: Map<string, PayloadFile>, source: Projection, mode: number, input: PayloadInput): Promise<void> {
  if (source.configMap) await addConfigMap(files, source.configMap, mode, input);
  else if (source.secret) await addSecret(files, source.secret, mode, input);
  else if (source.downwardAPI) addDownward(files, source.downwardAPI.items ?? [], mode, input);
  else if (source.serviceAccountToken) {
    const { path, audience, expirationSeconds } = source.serviceAccountToken;
    const token = await input.tokens.token(input.pod, {
      ...(audience === undefined ? {} : { audience }),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
    });
    // A token is for its pod's user alone.
    const runAsUser = tokenOwner(input.pod);
    files.set(path, {
      data: Buffer.from(token),
      mode: 0o600 & mode ? 0o600 : mode,
      ...(runAsUser === undefined ? { mode } : { uid: runAsUser }),
    });
  } else throw new Error('projected volume source is not supported');
}

/** The one user that all containers run as, if there is such. */
function tokenOwner(pod: Pod): number | undefined {
  if (pod.spec?.securityContext?.fsGroup !== undefined) return undefined;
  const shared = pod.spec?.securityContext?.runAsUser;
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const users = new Set(all.map((c) => c.securityContext?.runAsUser ?? shared));
  return users.size === 1 ? [...users][0] : undefined;
}

interface ObjectSource {
  name?: string;
  items?: KeyToPath[];
  optional?: boolean;
}

async function addConfigMap(files: Map<string, PayloadFile>, source: ObjectSource, mode: number, input: PayloadInput): Promise<void> {
  const namespace = input.pod.metadata?.namespace ?? 'default';
  const object = await input.objects.configMap(namespace, source.name ?? '');
  if (!object && !source.optional) throw new Error(`configmap "${source.name}" not found`);
  addKeys(files, contentOfConfigMap(object), source, mode, 'configmap');
}

async function addSecret(files: Map<string, PayloadFile>, source: ObjectSource, mode: number, input: PayloadInput): Promise<void> {
  const namespace = input.pod.metadata?.namespace ?? 'default';
  const object = await input.objects.secret(namespace, source.name ?? '');
  if (!object && !source.optional) throw new Error(`secret "${source.name}" not found`);
  addKeys(files, contentOfSecret(object), source, mode, 'secret');
}

function contentOfConfigMap(object: ConfigMap | undefined): Map<string, Uint8Array> {
  const content = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(object?.data ?? {})) content.set(key, Buffer.from(value));
  for (const [key, value] of Object.entries(object?.binaryData ?? {})) content.set(key, Buffer.from(value, 'base64'));
  return content;
}

function contentOfSecret(object: Secret | undefined): Map<string, Uint8Array> {
  return new Map(Object.entries(object?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}

function addKeys(
  files: Map<string, PayloadFile>,
  content: ReadonlyMap<string, Uint8Array>,
  source: ObjectSource,
  mode: number,
  what: string,
): void {
  if (!source.items?.length) {
    for (const [key, data] of content) files.set(key, { data, mode });
    return;
  }
  for (const item of source.items) {
    const data = content.get(item.key);
    if (data) files.set(item.path, { data, mode: item.mode ?? mode });
    else if (!source.optional) throw new Error(`references non-existent ${what} key: ${item.key}`);
  }
}

type DownwardItem = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

function addDownward(files: Map<string, PayloadFile>, items: readonly DownwardItem[], mode: number, { pod, facts }: PayloadInput): void {
  for (const item of items) {
    const value = item.fieldRef
      ? fieldValue(pod, item.fieldRef.fieldPath, facts)
      : item.resourceFieldRef
        ? resourceFieldValue(pod, item.resourceFieldRef, undefined, facts)
        : '';
    files.set(item.path, { data: Buffer.from(value), mode: item.mode ?? mode });
  }
}
