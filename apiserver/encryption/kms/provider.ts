// One KMS v2 plug-in as a provider of encryption: keeps a seed that the plug-in has encrypted, makes a new one when the plug-in
// names another key, and has the seeds of stored values decrypted. Intervals and messages are those of Kubernetes
// (pkg/server/options/encryptionconfig/config.go of k8s.io/apiserver).

import { randomBytes } from 'node:crypto';
import { type Clock, sleep } from '../../../base/clock.ts';
import type { Log } from '../../../base/log.ts';
import type { Random } from '../../../base/random.ts';
import type { KmsConfiguration } from '../configuration.ts';
import { aesGcm } from '../providers.ts';
import type { KmsProvider } from '../resource-transformers.ts';
import { type Opened, type Transformer, together } from '../transformer.ts';
import {
  cacheKeyOf,
  decodeEncryptedObject,
  dekSourceTypes,
  type EncryptedObject,
  encodeEncryptedObject,
  extendedNonceGcm,
  keyIdProblem,
  seedBytesMin,
  validateEncryptedObject,
} from './envelope.ts';
import { hashOf, type KmsMetrics } from './kms-metrics.ts';
import { type KmsService, openKmsService, type StatusResponse } from './kms-service.ts';

const healthyPollMs = 60_000;
const unhealthyPollMs = 10_000;
/** How long is written with a seed since the plug-in was last known to be well. */
const seedLifeMs = 180_000;
/** How long an answer about the plug-in's health stands. */
const healthyAnswerMs = 20_000;
const unhealthyAnswerMs = 3000;
const cacheLifeMs = 24 * 3600_000;
const cachedSeedsMax = 10_000;

/** What is written with now. */
interface Seed {
  transformer: Transformer;
  /** What goes with each value; `encryptedData` is to be filled in. */
  object: EncryptedObject;
  cacheKey: string;
  /** Wall time; later it is only read with. */
  expiresAtMs: number;
}

export interface KmsProviderOptions {
  clock: Clock;
  random: Random;
  log: Log;
  metrics: { readonly kms: KmsMetrics };
}

/** Resolves once the plug-in was asked for the first time, whatever it said: it may come up later than the server. */
export async function openKmsProvider(kms: KmsConfiguration, options: KmsProviderOptions): Promise<KmsProvider> {
  const { name, endpoint, timeoutMs } = kms;
  const service = openKmsService({ endpoint, name, timeoutMs, clock: options.clock, metrics: options.metrics.kms });
  const provider = new Envelope(name, service, options);
  const end = new AbortController();
  await provider.check();
  void provider.poll(end.signal);
  return {
    prefix: `k8s:enc:kms:v2:${name}:`,
    transformer: provider,
    timeoutMs,
    problem: async () => (await provider.check())?.message,
    close() {
      end.abort();
      service.close();
    },
  };
}

class Envelope implements Transformer {
  readonly #name: string;
  readonly #service: KmsService;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #metrics: KmsMetrics;
  #seed: Seed | undefined;
  #version = '';
  #lastCheck: { error: Error | undefined; untilMs: number } | undefined;
  #checking: Promise<Error | undefined> | undefined;
  /** Decrypted seeds, the one last asked for at the end. */
  readonly #cache = new Map<string, { transformer: Transformer; untilMs: number }>();
  readonly #decrypting = new Map<string, Promise<Transformer>>();

  constructor(name: string, service: KmsService, { clock, random, log, metrics }: KmsProviderOptions) {
    this.#name = name;
    this.#service = service;
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
    this.#metrics = metrics.kms;
  }

  encrypt(value: Uint8Array, key: string): Uint8Array {
    const { transformer, object, cacheKey, expiresAtMs } = this.#current();
    const nowMs = this.#clock.nowMs();
    if (nowMs > expiresAtMs)
      throw new Error(
        `encryptedDEKSource with keyID hash ${JSON.stringify(hashOf(object.keyID))} expired at ${time(expiresAtMs)} (current time is ${time(nowMs)})`,
      );
    // So that the plug-in need not be asked for it when it is no longer written with.
    this.#remember(cacheKey, transformer);
    const encryptedData = Buffer.from(transformer.encrypt(value, key));
    this.#metrics.keyUsed('to_storage', this.#name, object.keyID);
    return encodeEncryptedObject({ ...object, encryptedData });
  }

  decrypt(stored: Uint8Array, key: string): Opened | Promise<Opened> {
    const object = decodeEncryptedObject(stored);
    const current = this.#current().object;
    const isStale = object.keyID !== current.keyID || object.encryptedDEKSourceType !== current.encryptedDEKSourceType;
    const open = (transformer: Transformer): Opened => {
      this.#metrics.keyUsed('from_storage', this.#name, object.keyID);
      // These are decrypted at once: only the seed had to be asked for.
      const { value } = transformer.decrypt(object.encryptedData, key) as Opened;
      return { value, isStale };
    };
    const cacheKey = cacheKeyOf(object);
    const cached = this.#cache.get(cacheKey);
    return cached ? open(cached.transformer) : this.#decryptSeed(cacheKey, object).then(open);
  }

  /** Many values are read at once that share a seed. */
  #decryptSeed(cacheKey: string, object: EncryptedObject): Promise<Transformer> {
    let pending = this.#decrypting.get(cacheKey);
    if (!pending) {
      pending = this.#askForSeed(object).finally(() => this.#decrypting.delete(cacheKey));
      this.#decrypting.set(cacheKey, pending);
      pending.then((transformer) => this.#remember(cacheKey, transformer)).catch(() => undefined);
    }
    return pending;
  }

  async #askForSeed({ encryptedDEKSource, keyID, annotations, encryptedDEKSourceType }: EncryptedObject): Promise<Transformer> {
    this.#metrics.missed();
    const request = { ciphertext: encryptedDEKSource, keyId: keyID, annotations };
    const source = await this.#service.decrypt(this.#random.uuid(), request).catch((error: unknown) => {
      throw new Error(`failed to decrypt DEK, error: ${messageOf(error)}`, { cause: error });
    });
    if (encryptedDEKSourceType === dekSourceTypes.hkdfSeed) return extendedNonceGcm(source);
    if (![16, 24, 32].includes(source.length)) throw new Error(`crypto/aes: invalid key size ${source.length}`);
    return aesGcm(source);
  }

  #remember(cacheKey: string, transformer: Transformer): void {
    const nowMs = this.#clock.monotonicMs();
    this.#cache.delete(cacheKey);
    this.#cache.set(cacheKey, { transformer, untilMs: nowMs + cacheLifeMs });
    for (const [key, { untilMs }] of this.#cache) {
      if (untilMs > nowMs && this.#cache.size <= cachedSeedsMax) break;
      this.#cache.delete(key);
    }
    this.#metrics.cached(this.#name, this.#cache.size);
  }

  #current(): Seed {
    if (!this.#seed) throw new Error('got unexpected nil transformer');
    return this.#seed;
  }

  /** Keeps the seed alive and in step with the plug-in's key. */
  async poll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await sleep(this.#clock, this.#lastCheck?.error ? unhealthyPollMs : healthyPollMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      const error = await this.check();
      if (error && !signal.aborted) this.#log.warn('kms plugin failed health check probe', { name: this.#name, error: error.message });
    }
  }

  /** What is wrong with the plug-in; it is asked again only after a while. Never rejects. */
  check(): Promise<Error | undefined> {
    if (this.#lastCheck && this.#clock.monotonicMs() < this.#lastCheck.untilMs) return Promise.resolve(this.#lastCheck.error);
    this.#checking ??= this.#ask()
      .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
      .then((error) => {
        this.#lastCheck = { error, untilMs: this.#clock.monotonicMs() + (error ? unhealthyAnswerMs : healthyAnswerMs) };
        this.#checking = undefined;
        return error;
      });
    return this.#checking;
  }

  async #ask(): Promise<undefined> {
    const status = await this.#service.status().catch((error: unknown) => {
      const what = `failed to perform status section of the healthz check for KMS Provider ${this.#name}`;
      throw new Error(`${what}, error: ${messageOf(error)}`, { cause: error });
    });
    const errors = this.#statusErrors(status);
    const problem = keyIdProblem(status.keyId);
    if (problem) {
      this.#metrics.keyInvalid(this.#name, problem.code);
      errors.push(new Error(`got invalid KMSv2 KeyID hash ${JSON.stringify(hashOf(status.keyId))}: ${problem.message}`));
    } else {
      this.#metrics.keySeen(this.#name, status.keyId);
      const error = await this.#followKey(status.keyId);
      if (error) errors.push(error);
    }
    if (errors.length > 0) throw new Error(`kmsv2 Provider ${this.#name} is not healthy, error: ${together(errors).message}`);
  }

  #statusErrors({ healthz, version }: StatusResponse): Error[] {
    const errors: Error[] = [];
    if (healthz !== 'ok') errors.push(new Error(`got unexpected healthz status: ${healthz}`));
    if (version !== 'v2' && version !== 'v2beta1') errors.push(new Error(`expected KMSv2 API version v2, got ${version}`));
    else {
      this.#version ||= version;
      if (this.#version !== version)
        errors.push(
          new Error(`KMSv2 API version should not change after the initial status response version ${this.#version}, got ${version}`),
        );
    }
    return errors;
  }

  /** Writes go on for a while with the seed there is when no new one can be made. */
  async #followKey(keyId: string): Promise<Error | undefined> {
    // Counted from before the plug-in is asked: it is an upper bound.
    const expiresAtMs = this.#clock.nowMs() + seedLifeMs;
    const old = this.#seed;
    if (old?.object.keyID === keyId) {
      this.#seed = { ...old, expiresAtMs };
      return undefined;
    }
    const uid = this.#random.uuid();
    let made: Omit<Seed, 'expiresAtMs'> | undefined;
    let problem = '<nil>';
    try {
      made = await this.#makeSeed(uid);
      if (made.object.keyID === keyId) {
        this.#seed = { ...made, expiresAtMs };
        this.#remember(made.cacheKey, made.transformer);
        return undefined;
      }
    } catch (error) {
      problem = messageOf(error);
    }
    const hashes = [keyId, made?.object.keyID ?? '', old?.object.keyID ?? ''].map((id) => JSON.stringify(hashOf(id)));
    return new Error(
      `failed to rotate DEK uid=${JSON.stringify(uid)}, useSeed=true, errState=${old ? '<nil>' : 'got unexpected nil transformer'}, errGen=${problem}, statusKeyIDHash=${hashes[0]}, encryptKeyIDHash=${hashes[1]}, stateKeyIDHash=${hashes[2]}, expirationTimestamp=${old ? time(old.expiresAtMs) : '0001-01-01T00:00:00Z'}`,
    );
  }

  async #makeSeed(uid: string): Promise<Omit<Seed, 'expiresAtMs'>> {
    const startMs = this.#clock.monotonicMs();
    const seed = randomBytes(seedBytesMin);
    this.#metrics.generated((this.#clock.monotonicMs() - startMs) / 1000);
    const { ciphertext, keyId, annotations } = await this.#service.encrypt(uid, seed).catch((error: unknown) => {
      throw new Error(`failed to encrypt DEK, error: ${messageOf(error)}`, { cause: error });
    });
    const object: EncryptedObject = {
      encryptedData: Buffer.of(0),
      keyID: keyId,
      encryptedDEKSource: ciphertext,
      annotations,
      encryptedDEKSourceType: dekSourceTypes.hkdfSeed,
    };
    validateEncryptedObject(object);
    return { transformer: extendedNonceGcm(seed), object, cacheKey: cacheKeyOf(object) };
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const time = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
