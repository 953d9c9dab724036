// Objects as bytes. In the store: JSON as Go writes it, which begins `{"kind":K,"apiVersion":V,"metadata":{` and has no
// resourceVersion; on the wire: the same bytes with that spliced in where Go has it. Nothing is stringified twice.

import { marked, parseMarked } from '../../api/json.ts';
import { apiVersionOf } from '../../api/kind.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Entry } from '../../store/store.ts';
import { encodeMessage } from '../protobuf/encode.ts';
import { goFields, sortedJson } from '../protobuf/go-json.ts';
import { messageOfType } from '../protobuf/kind-message.ts';
import type { Message } from '../protobuf/message.ts';
import { normalizeObject } from '../resources/defaulted.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';
import { findMember } from './json-members.ts';

/** What selectors look at. */
export interface Facts {
  labels: Readonly<Record<string, string>> | undefined;
  /** Values of the declared selectable fields. */
  fields: Readonly<Record<string, string>>;
}

/** One version of one object. Immutable; its parsed form is made anew for whoever wants to change it. */
export class StoredObject {
  readonly key: string;
  readonly revision: number;
  /** The bytes on the wire. */
  readonly wire: Buffer;
  readonly #codec: ObjectCodec;
  #facts: Facts | undefined;
  #protobuf: Buffer | undefined;
  #protobufLength: number | undefined;

  constructor(codec: ObjectCodec, key: string, revision: number, wire: Buffer) {
    this.#codec = codec;
    this.key = key;
    this.revision = revision;
    this.wire = wire;
  }

  get name(): string {
    return this.key.slice(this.key.lastIndexOf('/') + 1);
  }

  /** '' for cluster-scoped objects. */
  get namespace(): string {
    return this.#codec.namespaceOf(this.key);
  }

  /** A new, mutable object with its resourceVersion set. */
  parse(): KubeObject {
    return parseMarked(this.wire.toString()) as KubeObject;
  }

  /** As `parse`, in the normal form of its kind: objects that were stored long ago need not be in it. */
  parseNormalized(): KubeObject {
    const object = this.parse();
    normalizeObject(this.#codec.declaration, object);
    return object;
  }

  facts(): Facts {
    this.#facts ??= this.#codec.factsOf(this.parse());
    return this.#facts;
  }

  /** The object as its kind's protobuf message, without envelope; kept once it was asked for. @throws Error for a kind that has none */
  protobuf(): Buffer {
    this.#protobuf ??= this.protobufOnce();
    return this.#protobuf;
  }

  /** How many bytes `protobuf` has; the bytes themselves are not kept for it. */
  protobufLength(): number {
    this.#protobufLength ??= this.protobufOnce().length;
    return this.#protobufLength;
  }

  /** As `protobuf`, but without keeping what is made: for lists that are too long to be held twice. */
  protobufOnce(): Buffer {
    if (this.#protobuf) return this.#protobuf;
    const { message } = this.#codec;
    if (!message) throw new Error(`${this.key} is of a kind without a protobuf message`);
    return encodeMessage(message, this.parse());
  }

  /** As an item of a list: without `kind` and `apiVersion`, as Kubernetes leaves them out for built-in kinds. */
  get item(): Buffer {
    return this.wire.subarray(this.#codec.itemOffset);
  }

  /** In bytes. */
  get itemLength(): number {
    return this.wire.length - this.#codec.itemOffset;
  }

  /** Copies `item` to `target` at `at`, and answers with its length: in a long list, making the items' own buffers would cost more. */
  copyItem(target: Buffer, at: number): number {
    return this.wire.copy(target, at, this.#codec.itemOffset);
  }

  /** The same object as of a later revision: what a watch shows of an object that was deleted then. */
  at(revision: number): StoredObject {
    return this.#codec.fromStored(this.key, revision, this.#codec.storedBytes(this));
  }
}

export class ObjectCodec {
  readonly declaration: ResourceDeclaration;
  /** `/registry/<group>/<plural>/`: where the kind's objects lie in the store. */
  readonly storagePrefix: string;
  /** How many bytes of the wire form a list item leaves out after its `{`. */
  readonly itemOffset: number;
  /** null: there is none. */
  #message: Message | null | undefined;
  /** What the bytes of a built-in kind's objects begin with. */
  readonly #head: Buffer;
  /** In JSON. */
  readonly #apiVersion: Buffer;
  readonly #selectable: [string, (object: KubeObject) => string][];

  constructor(declaration: ResourceDeclaration) {
    const { kind, storage } = declaration;
    this.declaration = declaration;
    this.storagePrefix = `/registry/${(storage?.group ?? kind.group) || 'core'}/${storage?.plural ?? kind.plural}/`;
    const typeMeta = `{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(apiVersionOf(kind))},`;
    this.#head = Buffer.from(`${typeMeta}"metadata":{`);
    this.#apiVersion = Buffer.from(JSON.stringify(apiVersionOf(kind)));
    this.itemOffset = declaration.isCustom ? 1 : typeMeta.length;
    this.#selectable = Object.entries(declaration.fields ?? {});
  }

  /** The kind's protobuf message; custom resources have none. */
  get message(): Message | undefined {
    if (this.#message === undefined) {
      const { kind, isCustom } = this.declaration;
      this.#message = (isCustom ? undefined : messageOfType(apiVersionOf(kind), kind.kind)) ?? null;
    }
    return this.#message ?? undefined;
  }

  keyOf(namespace: string, name: string): string {
    return this.declaration.kind.namespaced ? `${this.storagePrefix}${namespace}/${name}` : this.storagePrefix + name;
  }

  /** All keys of one namespace, or of all when it is ''. */
  prefixOf(namespace: string): string {
    return namespace && this.declaration.kind.namespaced ? `${this.storagePrefix}${namespace}/` : this.storagePrefix;
  }

  namespaceOf(key: string): string {
    if (!this.declaration.kind.namespaced) return '';
    return key.slice(this.storagePrefix.length, key.lastIndexOf('/'));
  }

  factsOf(object: KubeObject): Facts {
    const fields: Record<string, string> = {};
    for (const [field, read] of this.#selectable) fields[field] = read(object);
    return { labels: object.metadata?.labels, fields };
  }

  /** The bytes to store. `object` stays as it is. A kind that is converted has `toStore` for that. */
  encode(object: KubeObject): Buffer {
    const { storage, versions } = this.declaration;
    if (versions) return this.#json({ ...object, apiVersion: versions.storage });
    if (storage?.encode) return this.#json(storage.encode(structuredClone(object)));
    return this.#json(object);
  }

  /** Whether a webhook has to be asked about objects of other versions: then `toStore` and `fromStore` are the way to and from the store. */
  get isConverted(): boolean {
    return this.declaration.versions?.convert !== undefined;
  }

  /** The bytes to store, in the stored version. @throws StatusError when they cannot be converted */
  async toStore(object: KubeObject): Promise<Buffer> {
    const { kind, versions } = this.declaration;
    if (!versions?.convert || versions.storage === apiVersionOf(kind)) return this.encode(object);
    const { resourceVersion: _, ...metadata } = object.metadata ?? {};
    const [converted] = await versions.convert([{ ...object, metadata }], versions.storage);
    return this.#json(converted as KubeObject);
  }

  /** What the store holds with its bytes in this version, as `fromEntry` takes them; asks about all at once. @throws StatusError */
  async fromStore(entries: readonly Entry[]): Promise<Entry[]> {
    const { kind, versions } = this.declaration;
    const others = versions?.convert ? entries.filter(({ value }) => !this.#isOfThisVersion(value)) : [];
    if (!versions?.convert || others.length === 0) return [...entries];
    const objects = await versions.convert(
      others.map(({ value }) => parseMarked(Buffer.from(value).toString()) as KubeObject),
      apiVersionOf(kind),
    );
    const bytes = new Map(others.map((entry, i) => [entry, this.#json(objects[i] as KubeObject)]));
    return entries.map((entry) => ({ ...entry, value: bytes.get(entry) ?? entry.value }));
  }

  fromEntry(entry: Entry): StoredObject {
    return this.fromStored(entry.key, entry.modRevision, entry.value);
  }

  /** `stored` are bytes made by `encode`, here or by a declaration that shares this one's storage. */
  fromStored(key: string, revision: number, stored: Uint8Array): StoredObject {
    const bytes = this.#inThisVersion(stored);
    const { at, isFirst } = this.#versionPlace(bytes);
    const splice = spliceOf(revision, isFirst);
    const wire = Buffer.allocUnsafeSlow(bytes.length + splice.length);
    wire.set(bytes.subarray(0, at), 0);
    wire.write(splice, at, 'latin1');
    wire.set(bytes.subarray(at), at + splice.length);
    return new StoredObject(this, key, revision, wire);
  }

  /** The stored bytes that `object`'s wire form was made of (in this version). */
  storedBytes(object: StoredObject): Buffer {
    const { at, isFirst } = this.#versionPlace(object.wire);
    const end = at + spliceOf(object.revision, isFirst).length;
    return Buffer.concat([object.wire.subarray(0, at), object.wire.subarray(end)]);
  }

  /** Where the resourceVersion stands, or is to stand, in the bytes of an object: before the next member of metadata, or after the last. */
  #versionPlace(bytes: Uint8Array): Place {
    return this.declaration.isCustom ? sortedPlace(bytes) : declaredPlace(bytes, this.#head.length);
  }

  /** The object as bytes without its resourceVersion. */
  #json(object: KubeObject): Buffer {
    const { kind, apiVersion, metadata, ...rest } = object;
    const { resourceVersion: _, ...meta } = metadata ?? {};
    if (this.declaration.isCustom) return Buffer.from(marked(sortedJson({ ...object, metadata: meta })));
    const message = messageOfType(String(apiVersion), String(kind));
    if (!message) throw new Error(`${apiVersion} ${kind} has no message`);
    const head = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`;
    return Buffer.from(marked(`${head}${goFields(message, { ...rest, metadata: meta })}}`));
  }

  #isOfThisVersion(stored: Uint8Array): boolean {
    if (!this.declaration.isCustom) return this.#head.compare(stored, 0, this.#head.length) === 0;
    const found = findMember(stored, 0, (key) => key === 'apiVersion');
    return found !== undefined && this.#apiVersion.compare(stored, found.value, found.end) === 0;
  }

  #inThisVersion(stored: Uint8Array): Uint8Array {
    const { storage, kind, defaults } = this.declaration;
    const isSameVersion = this.#isOfThisVersion(stored);
    const { upgrade } = this.declaration;
    if (!storage?.decode && !upgrade && isSameVersion) return stored;
    const parsed = parseMarked(Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString()) as KubeObject;
    const isUpgraded = upgrade?.(parsed) ?? false;
    if (!storage?.decode && isSameVersion && !isUpgraded) return stored;
    const object = storage?.decode ? storage.decode(parsed) : parsed;
    object.kind = kind.kind;
    object.apiVersion = apiVersionOf(kind);
    defaults?.(object);
    return this.#json(object);
  }
}

interface Place {
  at: number;
  /** Nothing of metadata stands before it. */
  isFirst: boolean;
}

/** What Go's ObjectMeta has before the resourceVersion, each to the beginning of its value. */
const leadingKeys = ['name', 'generateName', 'namespace', 'uid'].map((key) => Buffer.from(`${JSON.stringify(key)}:"`));
const [commaByte, quoteByte, backslashByte] = [...Buffer.from(',"\\')] as [number, number, number];

/** In the order of Go's ObjectMeta, whose first member begins at `start`. */
function declaredPlace(bytes: Uint8Array, start: number): Place {
  let at = start;
  for (const key of leadingKeys) {
    const keyStart = bytes[at] === commaByte ? at + 1 : at;
    if (!startsWith(bytes, key, keyStart)) continue;
    const end = bytes.indexOf(quoteByte, keyStart + key.length);
    // Nothing that is valid there needs an escape.
    if (end < 0 || bytes[end - 1] === backslashByte) break;
    at = end + 1;
  }
  return { at, isFirst: at === start };
}

/** Among sorted keys, as custom resources have them. */
function sortedPlace(bytes: Uint8Array): Place {
  const metadata = findMember(bytes, 0, (key) => key === 'metadata');
  if (!metadata) throw new Error('an object without metadata cannot have a resourceVersion');
  const next = findMember(bytes, metadata.value, (key) => key >= 'resourceVersion');
  const first = metadata.value + 1;
  if (next?.start === first) return { at: first, isFirst: true };
  return { at: next ? next.start - 1 : metadata.end - 1, isFirst: metadata.end - 1 === first };
}

function startsWith(bytes: Uint8Array, start: Uint8Array, at: number): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[at + i] !== start[i]) return false;
  return true;
}

/** Revision 0 is that of an object which a dry run did not store: it has no resourceVersion. */
function spliceOf(revision: number, isFirst: boolean): string {
  if (revision === 0) return '';
  return isFirst ? `"resourceVersion":"${revision}",` : `,"resourceVersion":"${revision}"`;
}
