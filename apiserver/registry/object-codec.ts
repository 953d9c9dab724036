// Objects as bytes. In the store: JSON that begins `{"kind":K,"apiVersion":V,"metadata":{` and has no resourceVersion;
// on the wire: the same bytes with `"resourceVersion":"N",` spliced in at that fixed place. Nothing is stringified twice.

import { apiVersionOf } from '../../api/kind.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { Entry } from '../../store/store.ts';
import { encodeMessage } from '../protobuf/encode.ts';
import { type Message, messageOf } from '../protobuf/message.ts';
import type { ResourceDeclaration } from '../resources/resource.ts';
import { builtInName } from '../schema/schema.ts';

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
    return JSON.parse(this.wire.toString()) as KubeObject;
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
  readonly #head: Buffer;
  readonly #selectable: [string, (object: KubeObject) => string][];

  constructor(declaration: ResourceDeclaration) {
    const { kind, storage } = declaration;
    this.declaration = declaration;
    this.storagePrefix = `/registry/${(storage?.group ?? kind.group) || 'core'}/${storage?.plural ?? kind.plural}/`;
    const typeMeta = `{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(apiVersionOf(kind))},`;
    this.#head = Buffer.from(`${typeMeta}"metadata":{`);
    this.itemOffset = declaration.isCustom ? 1 : typeMeta.length;
    this.#selectable = Object.entries(declaration.fields ?? {});
  }

  /** The kind's protobuf message; custom resources have none. */
  get message(): Message | undefined {
    if (this.#message === undefined) {
      const { kind, isCustom } = this.declaration;
      const definition = isCustom ? undefined : builtInName(kind.group, kind.version, kind.kind);
      this.#message = (definition && messageOf(definition)) || null;
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
    if (versions) return encodeOrdered({ ...object, apiVersion: versions.storage });
    if (storage?.encode) return encodeOrdered(storage.encode(structuredClone(object)));
    return encodeOrdered(object);
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
    return encodeOrdered(converted as KubeObject);
  }

  /** What the store holds with its bytes in this version, as `fromEntry` takes them; asks about all at once. @throws StatusError */
  async fromStore(entries: readonly Entry[]): Promise<Entry[]> {
    const { kind, versions } = this.declaration;
    const others = versions?.convert ? entries.filter(({ value }) => this.#head.compare(value, 0, this.#head.length) !== 0) : [];
    if (!versions?.convert || others.length === 0) return [...entries];
    const objects = await versions.convert(
      others.map(({ value }) => JSON.parse(Buffer.from(value).toString()) as KubeObject),
      apiVersionOf(kind),
    );
    const bytes = new Map(others.map((entry, i) => [entry, encodeOrdered(objects[i] as KubeObject)]));
    return entries.map((entry) => ({ ...entry, value: bytes.get(entry) ?? entry.value }));
  }

  fromEntry(entry: Entry): StoredObject {
    return this.fromStored(entry.key, entry.modRevision, entry.value);
  }

  /** `stored` are bytes made by `encode`, here or by a declaration that shares this one's storage. */
  fromStored(key: string, revision: number, stored: Uint8Array): StoredObject {
    const bytes = this.#inThisVersion(stored);
    const splice = spliceOf(revision);
    const headLength = this.#head.length;
    const wire = Buffer.allocUnsafeSlow(bytes.length + splice.length);
    wire.set(bytes.subarray(0, headLength), 0);
    wire.write(splice, headLength, 'latin1');
    wire.set(bytes.subarray(headLength), headLength + splice.length);
    return new StoredObject(this, key, revision, wire);
  }

  /** The stored bytes that `object`'s wire form was made of (in this version). */
  storedBytes(object: StoredObject): Buffer {
    const end = this.#head.length + spliceOf(object.revision).length;
    return Buffer.concat([object.wire.subarray(0, this.#head.length), object.wire.subarray(end)]);
  }

  #inThisVersion(stored: Uint8Array): Uint8Array {
    const { storage, kind, defaults } = this.declaration;
    const head = this.#head;
    const isSameVersion = head.compare(stored, 0, head.length) === 0;
    const { upgrade } = this.declaration;
    if (!storage?.decode && !upgrade && isSameVersion) return stored;
    const parsed = JSON.parse(Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString()) as KubeObject;
    const isUpgraded = upgrade?.(parsed) ?? false;
    if (!storage?.decode && isSameVersion && !isUpgraded) return stored;
    const object = storage?.decode ? storage.decode(parsed) : parsed;
    object.kind = kind.kind;
    object.apiVersion = apiVersionOf(kind);
    defaults?.(object);
    return encodeOrdered(object);
  }
}

/** Revision 0 is that of an object which a dry run did not store: it has no resourceVersion. */
const spliceOf = (revision: number) => (revision === 0 ? '' : `"resourceVersion":"${revision}",`);

function encodeOrdered(object: KubeObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object;
  if (metadata?.resourceVersion === undefined) return Buffer.from(JSON.stringify({ kind, apiVersion, metadata, ...rest }));
  const { resourceVersion: _, ...stored } = metadata;
  return Buffer.from(JSON.stringify({ kind, apiVersion, metadata: stored, ...rest }));
}
