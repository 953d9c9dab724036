// The Webhook conversion strategy: objects of a custom resource are sent to its webhook in ConversionReviews, and what comes
// back is checked before anybody sees it (k8s.io/apiextensions-apiserver/pkg/apiserver/conversion).

import type { CustomResourceDefinition } from '../../api/apiextensions.ts';
import type { FieldError } from '../../api/field-error.ts';
import { stringifyJson } from '../../api/json.ts';
import { StatusError } from '../../api/status.ts';
import { annotationsErrors, labelsErrors } from '../../api/validation/object-meta.ts';
import type { KubeObject, ObjectMeta } from '../../api/wire.ts';
import type { Random } from '../../base/random.ts';
import type { WebhookClient } from '../admission/webhooks/webhook-client.ts';
import type { StoredVersions } from '../resources/resource.ts';
import { goTypeOf } from './go-type.ts';

type Json = Record<string, unknown>;

const timeoutSeconds = 30;
const batchLengthMax = 100;
/** A review of so many bytes is full, whatever else there is to convert. */
const batchBytesMax = 1 << 20;

/** Asks `definition`'s webhook. */
export function conversionWebhook(
  definition: CustomResourceDefinition,
  { client, random }: { client: WebhookClient; random: Random },
): NonNullable<StoredVersions['convert']> {
  const { clientConfig = {}, conversionReviewVersions = [] } = definition.spec.conversion?.webhook ?? {};
  const reviewVersion = conversionReviewVersions.find((version) => version === 'v1' || version === 'v1beta1');
  const ask = async (objects: readonly KubeObject[], desiredAPIVersion: string): Promise<KubeObject[]> => {
    const subject = subjectOf(objects[0] as KubeObject);
    if (!reviewVersion) throw failure('no supported conversion review versions');
    const uid = random.uuid();
    const apiVersion = `apiextensions.k8s.io/${reviewVersion}`;
    const review = { kind: 'ConversionReview', apiVersion, request: { uid, desiredAPIVersion, objects } };
    let converted: unknown[];
    try {
      const answer = (await client.post({ clientConfig, timeoutSeconds }, review)) as Review | null;
      converted = convertedOf(answer ?? {}, reviewVersion === 'v1' ? { apiVersion, uid } : undefined);
    } catch (error) {
      throw failure(`conversion webhook for ${subject} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (converted.length !== objects.length)
      throw failure(`conversion webhook for ${subject} returned ${converted.length} objects, expected ${objects.length}`);
    return converted.map((object, i) => checked(objects[i] as KubeObject, object, { desiredAPIVersion, subject, i }));
  };
  return async (objects, apiVersion) => {
    const converted: KubeObject[] = [];
    for (const batch of batchesOf(objects)) converted.push(...(await ask(batch, apiVersion)));
    return converted;
  };
}

interface Review {
  kind?: string;
  apiVersion?: string;
  response?: { uid?: string; convertedObjects?: unknown[] | null; result?: { status?: string; message?: string } } | null;
}

/** @throws Error for an answer that is none, or says that it failed */
function convertedOf(
  { kind = '', apiVersion = '', response }: Review,
  expected: { apiVersion: string; uid: string } | undefined,
): unknown[] {
  // The older version promised neither its type nor the uid.
  if (expected && (kind !== 'ConversionReview' || apiVersion !== expected.apiVersion))
    throw new Error(`expected webhook response of ${kindText(expected.apiVersion, 'ConversionReview')}, got ${kindText(apiVersion, kind)}`);
  if (!response) throw new Error('no response provided');
  if (expected && response.uid !== expected.uid)
    throw new Error(`expected response.uid=${JSON.stringify(expected.uid)}, got ${JSON.stringify(response.uid ?? '')}`);
  const { status = '', message = '' } = response.result ?? {};
  if (status !== 'Success') throw new Error(message || `response.result.status was '${status}', not 'Success'`);
  return response.convertedObjects ?? [];
}

/** The converted object with the metadata of the one before, but for labels and annotations. @throws StatusError */
function checked(
  original: KubeObject,
  converted: unknown,
  { desiredAPIVersion, subject, i }: { desiredAPIVersion: string; subject: string; i: number },
): KubeObject {
  const refuse = (why: string) => failure(`conversion webhook for ${subject} returned invalid converted object at index ${i}: ${why}`);
  if (typeof converted !== 'object' || converted === null) throw refuse("Object 'Kind' is missing in 'null'");
  const { apiVersion = '', kind = '' } = converted as KubeObject;
  if (apiVersion !== desiredAPIVersion) throw refuse(`invalid groupVersion (expected ${desiredAPIVersion}, received ${apiVersion})`);
  if (kind !== original.kind) throw refuse(`invalid kind (expected ${original.kind}, received ${kind})`);
  const { metadata } = converted as { metadata?: unknown };
  const own = original.metadata ?? {};
  const theirs: ObjectMeta = isObject(metadata) ? metadata : {};
  for (const [field, word] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const)
    if ((own[field] ?? '') !== (theirs[field] ?? ''))
      throw refuse(`must have the same ${word}: ${own[field] ?? ''} != ${theirs[field] ?? ''}`);
  const inMetadata = (why: string) =>
    failure(`conversion webhook for ${subject} returned invalid metadata in object at index ${i}: ${why}`);
  if (metadata === undefined) throw inMetadata('missing metadata in converted object');
  if (!isObject(metadata)) throw inMetadata(`invalid metadata of type ${goTypeOf(metadata)} in converted object`);
  const { labels: _, annotations: __, ...kept } = own;
  const restored: ObjectMeta = kept;
  for (const field of ['labels', 'annotations'] as const) {
    const value = metadata[field];
    if (value === undefined || value === null) continue;
    if (!isObject(value)) throw inMetadata(`invalid metadata.${field} of type ${goTypeOf(value)} in converted object`);
    for (const [key, each] of Object.entries(value))
      if (typeof each !== 'string')
        throw inMetadata(`metadata.${field}[${key}] must be a string, but is ${goTypeOf(each)} in converted object`);
    const texts = value as Record<string, string>;
    const before = own[field] ?? {};
    const isChanged =
      Object.keys(before).length !== Object.keys(texts).length || Object.keys(texts).some((key) => texts[key] !== before[key]);
    const errors: FieldError[] = [];
    if (isChanged && field === 'labels') labelsErrors(texts, 'metadata.labels', errors);
    if (isChanged && field === 'annotations') annotationsErrors(texts, 'metadata.annotation', errors);
    if (errors.length > 0) throw inMetadata(aggregate(errors));
    restored[field] = texts;
  }
  return { ...(converted as KubeObject), metadata: restored };
}

/** As field.ErrorList prints what it holds. */
function aggregate(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(({ field, message }) => `${field}: ${message}`))];
  return texts.length === 1 ? (texts[0] as string) : `[${texts.join(', ')}]`;
}

function* batchesOf(objects: readonly KubeObject[]) {
  let batch: KubeObject[] = [];
  let bytes = 0;
  for (const object of objects) {
    batch.push(object);
    bytes += stringifyJson(object).length;
    if (batch.length < batchLengthMax && bytes < batchBytesMax) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

const failure = (message: string) => new StatusError('', message);
const kindText = (apiVersion: string, kind: string) => `${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`;
const subjectOf = ({ apiVersion = '', kind = '' }: KubeObject) => kindText(apiVersion, kind);
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
