// The generic registry of one kind: the order in which a write is prepared, admitted, validated and stored is here and
// nowhere else; what differs between kinds is in their declarations. Reads come from the watch cache. Long because the steps of a write are read in one place.

import { isDeepStrictEqual } from 'node:util';
import type { FieldError } from '../../api/field-error.ts';
import { markedJson, parseMarked } from '../../api/json.ts';
import { apiVersionOf, type Kind } from '../../api/kind.ts';
import {
  alreadyExistsError,
  badRequestError,
  conflictError,
  invalidError,
  notFoundError,
  StatusError,
  staleObjectMessage,
} from '../../api/status.ts';
import { type MetaOptions, validateObjectMeta, validateObjectMetaUpdate } from '../../api/validation/object-meta.ts';
import type { KubeObject, ObjectMeta } from '../../api/wire.ts';
import { type Clock, timestamp } from '../../base/clock.ts';
import { nameSuffix, type Random } from '../../base/random.ts';
import { ConflictError, KeyExistsError, type Store } from '../../store/store.ts';
import type { AdmissionAttributes, AdmissionChain } from '../admission/admission.ts';
import type { WatchCache } from '../cache/watch-cache.ts';
import { timeoutError } from '../filters/deadline.ts';
import type { ResourceDeclaration, UserInfo, WriteContext } from '../resources/resource.ts';
import { admitObject } from './admitted-metadata.ts';
import { type DeleteOptions, planDeletion } from './deletion.ts';
import type { ObjectCodec, StoredObject } from './object-codec.ts';
import type { Taking, WriteHook } from './write-hook.ts';

/** What every write carries beside the object. */
export interface WriteRequest {
  /** '' for cluster-scoped kinds. */
  namespace: string;
  user: UserInfo;
  dryRun: boolean;
  /** Of the request, for admission, which sees them as those of the operation that comes of it. */
  options?: object;
  /** One of the deletions that the deletion of a collection is. */
  isOfCollection?: boolean;
  /** Admission was asked about something else: the eviction that this is a part of, the binding. */
  isAdmitted?: boolean;
  warn(text: string): void;
  /** Annotates the audit event of the request. */
  annotate?(key: string, value: string, level?: 'Request'): void;
  /** `aborted`: the caller has been told that it took too long, and nothing may be written any more. */
  deadline?: { readonly aborted: boolean } | undefined;
}

/** How a change of an existing object is prepared and checked. */
export interface UpdateStrategy {
  /** '' for the main resource. */
  subresource: string;
  beforeUpdate?(object: KubeObject, old: KubeObject, context: WriteContext): void;
  validateUpdate?(object: KubeObject, old: KubeObject, context: WriteContext): FieldError[];
  /** What admission is asked about instead of the object itself: the Scale. What it changes there is changed in the object. */
  seenAs?: {
    kind: Pick<Kind, 'group' | 'version' | 'kind'>;
    of(object: KubeObject): KubeObject;
    apply(seen: KubeObject, object: KubeObject): void;
  };
  /** What the client is warned of, once the change has been found valid. */
  warningsOf?(object: KubeObject, old: KubeObject): readonly string[];
}

export interface UpdateOptions {
  strategy?: UpdateStrategy;
  /** An object that is not there is created from what `produce` makes of undefined. */
  createMissing?: boolean;
  /** PUT: the caller's own resourceVersion decides, and a conflict is the caller's. Patches are tried again. */
  isReplacement?: boolean;
}

export interface RegistryOptions {
  declaration: ResourceDeclaration;
  codec: ObjectCodec;
  cache: WatchCache;
  store: Store;
  clock: Clock;
  random: Random;
  admission: AdmissionChain;
  hook?: WriteHook | undefined;
}

const patchAttemptsMax = 5;
const generateNameAttemptsMax = 8;
const generatedNameBaseMax = 58;

export class Registry {
  readonly declaration: ResourceDeclaration;
  readonly kind: Kind;
  readonly codec: ObjectCodec;
  readonly cache: WatchCache;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #admission: AdmissionChain;
  readonly #mainStrategy: UpdateStrategy;
  readonly #statusStrategy: UpdateStrategy;
  readonly #metaOptions: MetaOptions;
  readonly #hook: WriteHook | undefined;

  constructor(options: RegistryOptions) {
    this.declaration = options.declaration;
    this.kind = options.declaration.kind;
    this.codec = options.codec;
    this.cache = options.cache;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#admission = options.admission;
    this.#hook = options.hook;
    const { declaration } = options;
    this.#metaOptions = { namespaced: this.kind.namespaced, validateName: declaration.validateName };
    this.#mainStrategy = {
      subresource: '',
      beforeUpdate: (object, old, context) => declaration.beforeUpdate?.(object, old, context),
      validateUpdate: (object, old, context) =>
        declaration.validateUpdate ? declaration.validateUpdate(object, old, context) : declaration.validate(object, context),
      warningsOf: (object, old) => declaration.warningsOf?.(object, old) ?? [],
    };
    this.#statusStrategy = {
      subresource: 'status',
      beforeUpdate: (object, old, context) => {
        if (declaration.status?.beforeUpdate) declaration.status.beforeUpdate(object, old, context);
        else keepAllButStatus(object, old);
      },
      validateUpdate: (object, old, context) => declaration.status?.validateUpdate?.(object, old, context) ?? [],
      warningsOf: (object) => declaration.status?.warningsOf?.(object) ?? [],
    };
  }

  get mainStrategy(): UpdateStrategy {
    return this.#mainStrategy;
  }

  get statusStrategy(): UpdateStrategy {
    return this.#statusStrategy;
  }

  /** The newest version of an object that may not have reached the cache yet. */
  async fresh(namespace: string, name: string): Promise<StoredObject | undefined> {
    const entry = await this.#store.get(this.codec.keyOf(namespace, name));
    if (!entry || !this.codec.isConverted) return entry && this.codec.fromEntry(entry);
    const [converted] = await this.codec.fromStore([entry]);
    return converted && this.codec.fromEntry(converted);
  }

  /** The bytes to store; only kinds that a webhook converts make anyone wait for them. */
  #encode(object: KubeObject): Buffer | Promise<Buffer> {
    return this.codec.isConverted ? this.codec.toStore(object) : this.codec.encode(object);
  }

  /** The object as of what was stored. */
  #stored(key: string, revision: number, bytes: Buffer): StoredObject | Promise<StoredObject> {
    if (!this.codec.isConverted) return this.codec.fromStored(key, revision, bytes);
    const entry = { key, value: bytes, createRevision: revision, modRevision: revision };
    return this.codec.fromStore([entry]).then(([converted]) => this.codec.fromStored(key, revision, converted?.value ?? bytes));
  }

  /** Whether the store holds exactly this already: in the version that is stored now, too. */
  async #isStored(current: StoredObject, old: KubeObject, bytes: Buffer): Promise<boolean> {
    if (!this.declaration.versions) return isUnchanged(bytes, this.codec.encode(old)) && !(await this.#store.isOutdated?.(current.key));
    const entry = await this.#store.get(current.key);
    return (
      entry?.modRevision === current.revision &&
      isUnchanged(bytes, Buffer.from(entry.value)) &&
      !(await this.#store.isOutdated?.(current.key))
    );
  }

  /** From the cache, else from the store. @throws StatusError NotFound */
  async current(namespace: string, name: string): Promise<StoredObject> {
    const found = this.cache.get(this.codec.keyOf(namespace, name)) ?? (await this.fresh(namespace, name));
    if (!found) throw notFoundError(this.kind, name);
    return found;
  }

  /** Stores a new object; takes `object` over. */
  async create(object: KubeObject, request: WriteRequest): Promise<StoredObject> {
    const meta = this.#ownMetadata(object, request);
    if (meta.resourceVersion) throw new StatusError('', 'resourceVersion should not be set on objects to be created');
    wipeSystemMetadata(meta);
    delete meta.generation;
    const attributes = this.#attributes('CREATE', '', meta.name ?? '', request, object, undefined);
    await this.#admit(attributes, request);
    const generateName = meta.name ? '' : (meta.generateName ?? '');
    const pristine = generateName ? markedJson(object) : '';
    for (let attempt = 1; ; attempt++) {
      const candidate = attempt === 1 ? object : (parseMarked(pristine) as KubeObject);
      try {
        return await this.#createOnce({ ...attributes, object: candidate }, candidate, request);
      } catch (error) {
        if (!(error instanceof KeyExistsError)) throw error;
        if (!generateName || attempt === generateNameAttemptsMax) throw this.#alreadyExists(candidate, generateName);
      }
    }
  }

  async #createOnce(admitted: AdmissionAttributes, object: KubeObject, request: WriteRequest): Promise<StoredObject> {
    const { declaration } = this;
    const context = this.#contextOf(request);
    const meta = object.metadata as ObjectMeta;
    meta.uid = this.#random.uuid();
    meta.creationTimestamp = timestamp(this.#clock);
    if (!meta.name && meta.generateName) meta.name = meta.generateName.slice(0, generatedNameBaseMax) + nameSuffix(this.#random);
    const attributes = { ...admitted, name: admitted.name || (meta.name ?? '') };
    declaration.beforeCreate?.(object, context);
    return this.#holding(object, undefined, request, async () => {
      const errors = [...validateObjectMeta(meta, this.#metaOptions), ...declaration.validate(object, context)];
      if (errors.length) throw invalidError(this.kind, meta.name ?? '', errors);
      for (const warning of declaration.warningsOf?.(object, undefined) ?? []) context.warn(warning);
      await this.#validate(attributes, request);

      const key = this.codec.keyOf(request.namespace, meta.name ?? '');
      const bytes = await this.#encode(object);
      if (request.dryRun) {
        const existing = await this.#store.get(key);
        if (existing) throw new KeyExistsError(key, existing);
        return this.#stored(key, 0, bytes);
      }
      checkDeadline(request);
      return this.#stored(key, await this.#store.put(key, bytes, 0), bytes);
    });
  }

  /** Runs a write while it has what it takes from the whole cluster. */
  async #holding<R>(object: KubeObject, old: KubeObject | undefined, request: WriteRequest, write: () => Promise<R>): Promise<R> {
    if (!this.#hook) return write();
    const taking: Taking = await this.#hook.begin(object, old, request.dryRun);
    try {
      const result = await write();
      if (!request.dryRun) await taking.commit();
      return result;
    } catch (error) {
      await taking.rollback();
      throw error;
    }
  }

  /**
   * Replaces an object by what `produce` makes of it. `produce` is given an object of its own and may be called again,
   * when someone else has written in between.
   */
  async update(
    name: string,
    request: WriteRequest,
    produce: (old: KubeObject | undefined) => KubeObject | Promise<KubeObject>,
    options: UpdateOptions = {},
  ): Promise<{ object: StoredObject; isNew: boolean }> {
    const key = this.codec.keyOf(request.namespace, name);
    let current = this.cache.get(key) ?? (await this.fresh(request.namespace, name));
    let isFresh = false;
    for (let attempt = 1; ; attempt++) {
      if (!current) {
        if (!options.createMissing) throw notFoundError(this.kind, name);
        return { object: await this.create(await produce(undefined), request), isNew: true };
      }
      try {
        return { object: await this.#updateOnce(current, name, request, produce, options), isNew: false };
      } catch (error) {
        const isOvertaken = error instanceof ConflictError;
        // What looks stale may be so only against a cache that is itself behind.
        const mayBeOurs = error instanceof StaleError && !isFresh;
        if (!isOvertaken && !mayBeOurs) throw error instanceof StaleError ? error.status : error;
        if (isOvertaken && attempt >= patchAttemptsMax) throw conflictError(this.kind, name, staleObjectMessage);
        current = await this.fresh(request.namespace, name);
        isFresh = true;
      }
    }
  }

  async #updateOnce(
    current: StoredObject,
    name: string,
    request: WriteRequest,
    produce: (old: KubeObject | undefined) => KubeObject | Promise<KubeObject>,
    options: UpdateOptions,
  ): Promise<StoredObject> {
    const strategy = options.strategy ?? this.#mainStrategy;
    const context = this.#contextOf(request);
    const old = current.parseNormalized();
    const oldMeta = old.metadata as ObjectMeta;
    const object = await produce(current.parseNormalized());
    const meta = this.#ownMetadata(object, request);
    this.#checkVersion(current, meta, name, options.isReplacement ?? false);
    if (meta.uid && meta.uid !== oldMeta.uid) {
      const why = `Precondition failed: UID in precondition: ${meta.uid}, UID in object meta: ${oldMeta.uid}`;
      throw new StaleError(conflictError(this.kind, name, why));
    }
    const { seenAs } = strategy;
    const [seen, seenOld] = seenAs ? [seenAs.of(object), seenAs.of(old)] : [object, old];
    const attributes = { ...this.#attributes('UPDATE', strategy.subresource, name, request, seen, seenOld), objectKind: seenAs?.kind };
    await this.#admit(attributes, request);
    seenAs?.apply(seen, object);
    carryOverMetadata(meta, oldMeta);
    strategy.beforeUpdate?.(object, old, context);
    const write = () => this.#storeUpdate(current, object, old, { name, request, strategy, attributes });
    return strategy.subresource === '' ? this.#holding(object, old, request, write) : write();
  }

  async #storeUpdate(
    current: StoredObject,
    object: KubeObject,
    old: KubeObject,
    update: { name: string; request: WriteRequest; strategy: UpdateStrategy; attributes: AdmissionAttributes },
  ): Promise<StoredObject> {
    const { name, request, strategy, attributes } = update;
    const context = this.#contextOf(request);
    const oldMeta = old.metadata as ObjectMeta;
    const finalMeta = object.metadata as ObjectMeta;
    finalMeta.resourceVersion = String(current.revision);
    const errors = [...validateObjectMetaUpdate(finalMeta, oldMeta), ...(strategy.validateUpdate?.(object, old, context) ?? [])];
    if (errors.length) throw invalidError(this.kind, name, errors);
    for (const warning of strategy.warningsOf?.(object, old) ?? []) context.warn(warning);
    await this.#validate(attributes, request);

    const bytes = await this.#encode(object);
    if (await this.#isStored(current, old, bytes)) return current;
    const isLast = isDeletionDone(finalMeta) && !(this.declaration.holdsDeletion?.(object) ?? false);
    if (request.dryRun) return this.#stored(current.key, current.revision, bytes);
    checkDeadline(request);
    if (isLast) {
      const revision = await this.#store.delete(current.key, current.revision);
      await this.#hook?.released(old);
      return this.#stored(current.key, revision, bytes);
    }
    return this.#stored(current.key, await this.#store.put(current.key, bytes, current.revision), bytes);
  }

  /** Begins or completes an object's deletion. `isGone`: nothing of it is left. */
  async delete(name: string, request: WriteRequest, options: DeleteOptions): Promise<{ object: StoredObject; isGone: boolean }> {
    let current: StoredObject | undefined = await this.current(request.namespace, name);
    let isFresh = false;
    for (let attempt = 1; ; attempt++) {
      if (!current) throw notFoundError(this.kind, name);
      try {
        return await this.#deleteOnce(current, name, request, options);
      } catch (error) {
        const isOvertaken = error instanceof ConflictError;
        const mayBeOurs = error instanceof StaleError && !isFresh;
        if (!isOvertaken && !mayBeOurs) throw error instanceof StaleError ? error.status : error;
        if (attempt >= patchAttemptsMax) throw conflictError(this.kind, name, staleObjectMessage);
        current = await this.fresh(request.namespace, name);
        isFresh = true;
      }
    }
  }

  async #deleteOnce(current: StoredObject, name: string, request: WriteRequest, options: DeleteOptions) {
    const object = current.parse();
    const meta = object.metadata as ObjectMeta;
    this.#checkPreconditions(meta, name, options);
    const plan = planDeletion(object, this.declaration, options, this.#clock.nowMs());
    if (plan === 'pending') return { object: current, isGone: false };
    const attributes = this.#attributes('DELETE', '', request.isOfCollection ? '' : name, request, undefined, current.parse());
    await this.#admit(attributes, request);
    await this.#validate(attributes, request);
    if (plan === 'now') {
      if (request.dryRun) return { object: current, isGone: true };
      checkDeadline(request);
      const revision = await this.#store.delete(current.key, current.revision);
      await this.#hook?.released(object);
      return { object: current.at(revision), isGone: true };
    }
    this.declaration.beforeDelete?.(object, this.#contextOf(request));
    const bytes = await this.#encode(object);
    if (await this.#isStored(current, current.parse(), bytes)) return { object: current, isGone: false };
    if (!request.dryRun) checkDeadline(request);
    const revision = request.dryRun ? current.revision : await this.#store.put(current.key, bytes, current.revision);
    return { object: await this.#stored(current.key, revision, bytes), isGone: false };
  }

  #checkPreconditions(meta: ObjectMeta, name: string, { preconditions }: DeleteOptions): void {
    const subject = { ...this.kind, plural: this.kind.kind };
    if (preconditions?.uid !== undefined && preconditions.uid !== meta.uid) {
      const why = `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${meta.uid}). The object might have been deleted and then recreated`;
      throw new StaleError(conflictError(subject, name, why));
    }
    if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== meta.resourceVersion) {
      const why = `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${meta.resourceVersion}). The object might have been modified`;
      throw new StaleError(conflictError(subject, name, why));
    }
  }

  #checkVersion(current: StoredObject, meta: ObjectMeta, name: string, isReplacement: boolean): void {
    if (meta.resourceVersion && meta.resourceVersion !== '0') {
      if (meta.resourceVersion !== String(current.revision)) throw new StaleError(conflictError(this.kind, name, staleObjectMessage));
    } else if (isReplacement && this.declaration.allowUnconditionalUpdate === false) {
      throw invalidError(this.kind, name, [
        { type: 'FieldValueInvalid', field: 'metadata.resourceVersion', message: 'Invalid value: 0: must be specified for an update' },
      ]);
    }
  }

  /** The object's metadata, with the type and namespace that the request's path implies. */
  #ownMetadata(object: KubeObject, request: WriteRequest): ObjectMeta {
    object.kind = this.kind.kind;
    object.apiVersion = apiVersionOf(this.kind);
    object.metadata ??= {};
    const meta = object.metadata;
    dropEmptyMetadata(meta);
    if (this.kind.namespaced) {
      if (!meta.namespace) meta.namespace = request.namespace;
      else if (meta.namespace !== request.namespace) {
        throw badRequestError('the namespace of the provided object does not match the namespace sent on the request');
      }
    }
    return meta;
  }

  #alreadyExists(object: KubeObject, generateName: string): StatusError {
    const name = object.metadata?.name ?? '';
    if (!generateName) return alreadyExistsError(this.kind, name);
    const error = alreadyExistsError(this.kind, name);
    return new StatusError('AlreadyExists', `${error.message}, the server was not able to generate a unique name for the object`, {
      details: { ...error.details, retryAfterSeconds: 1 },
    });
  }

  #contextOf(request: WriteRequest): WriteContext {
    return { clock: this.#clock, random: this.#random, user: request.user, warn: request.warn };
  }

  #attributes(
    operation: AdmissionAttributes['operation'],
    subresource: string,
    name: string,
    request: WriteRequest,
    object: KubeObject | undefined,
    old: KubeObject | undefined,
  ): AdmissionAttributes {
    const { namespace, user, dryRun, warn, annotate = noAudit, options } = request;
    const facts = { operation, kind: this.kind, subresource, namespace, name, object, old };
    return { ...facts, user, dryRun, warn, annotate, ...(options ? { options: { ...options, ...optionsTypes[operation] } } : {}) };
  }

  async #admit(attributes: AdmissionAttributes, { isAdmitted = true }: WriteRequest): Promise<void> {
    if (isAdmitted) await admitObject(this.#admission, attributes);
  }

  async #validate(attributes: AdmissionAttributes, { isAdmitted = true }: WriteRequest): Promise<void> {
    if (isAdmitted) await this.#admission.validate(attributes);
  }
}

const noAudit = () => {};

const apiVersion = 'meta.k8s.io/v1';
/** A patch may turn out a creation: what is asked for is not what admission is about. */
const optionsTypes = {
  CREATE: { kind: 'CreateOptions', apiVersion },
  UPDATE: { kind: 'UpdateOptions', apiVersion },
  DELETE: { kind: 'DeleteOptions', apiVersion },
  CONNECT: {},
};

/** @throws StatusError Timeout */
function checkDeadline({ deadline }: WriteRequest): void {
  if (deadline?.aborted) throw timeoutError();
}

/** A precondition failed against what may be an old copy. */
class StaleError extends Error {
  readonly status: StatusError;
  constructor(status: StatusError) {
    super(status.message);
    this.status = status;
  }
}

function wipeSystemMetadata(meta: ObjectMeta): void {
  delete meta.uid;
  delete meta.creationTimestamp;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete meta.selfLink;
  delete meta.resourceVersion;
}

/** No update changes these. */
function carryOverMetadata(meta: ObjectMeta, old: ObjectMeta): void {
  for (const field of ['generation', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'uid'] as const) {
    if (old[field] === undefined) delete meta[field];
    else Object.assign(meta, { [field]: old[field] });
  }
  delete meta.selfLink;
}

function keepAllButStatus(object: KubeObject, old: KubeObject): void {
  const kept = { ...old } as KubeObject & { status?: unknown };
  delete kept.status;
  delete kept.metadata;
  for (const key of Object.keys(object)) if (key !== 'status' && key !== 'metadata') delete (object as Record<string, unknown>)[key];
  Object.assign(object, kept);
}

const isDeletionDone = (meta: ObjectMeta) =>
  meta.deletionTimestamp !== undefined && !meta.finalizers?.length && (meta.deletionGracePeriodSeconds ?? 0) === 0;

/** Also when only the order of fields or managers' times differ: nothing is written that says nothing new. */
function isUnchanged(bytes: Buffer, oldBytes: Buffer): boolean {
  if (bytes.length !== oldBytes.length) return false;
  return bytes.equals(oldBytes) || isDeepStrictEqual(withoutManagerTimes(bytes), withoutManagerTimes(oldBytes));
}

function withoutManagerTimes(bytes: Buffer): KubeObject {
  const object = parseMarked(bytes.toString()) as KubeObject;
  for (const entry of object.metadata?.managedFields ?? []) delete entry.time;
  return object;
}

/** Kubernetes' metadata has no empty maps and lists. */
function dropEmptyMetadata(meta: ObjectMeta): void {
  for (const field of ['labels', 'annotations'] as const) if (meta[field] && Object.keys(meta[field]).length === 0) delete meta[field];
  for (const field of ['ownerReferences', 'finalizers', 'managedFields'] as const) if (meta[field]?.length === 0) delete meta[field];
}
