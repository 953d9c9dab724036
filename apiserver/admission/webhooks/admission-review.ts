// AdmissionReviews: what a webhook is asked, in the version it speaks, and what may come back
// (k8s.io/apiserver/pkg/admission/plugin/webhook/request).

import type { Kind } from '../../../api/kind.ts';
import type { Status } from '../../../api/status.ts';
import type { KubeObject } from '../../../api/wire.ts';
import type { AdmissionAttributes } from '../admission.ts';
import { requestOf } from '../policies/request-values.ts';

type ReviewVersion = 'v1' | 'v1beta1';

/** A request in the version that a webhook's rules are for. */
export interface VersionedRequest {
  readonly kind: Kind;
  readonly object: KubeObject | undefined;
  readonly old: KubeObject | undefined;
}

export interface ReviewAnswer {
  allowed: boolean;
  /** Base64, as it came; '': none. */
  patch: string;
  patchType: string;
  result: Partial<Status> | undefined;
  warnings: readonly string[];
  auditAnnotations: Readonly<Record<string, string>>;
}

/** The first version a webhook names that is known here. */
export function reviewVersionOf(versions: readonly string[]): ReviewVersion | undefined {
  return versions.find((version): version is ReviewVersion => version === 'v1' || version === 'v1beta1');
}

export function reviewOf(version: ReviewVersion, uid: string, attributes: AdmissionAttributes, versioned: VersionedRequest): object {
  const { kind, object = null, old = null } = versioned;
  // A namespace is in itself, from its creation on.
  const isNamespace = kind.plural === 'namespaces' && kind.group === '';
  const own = isNamespace && attributes.name ? { namespace: attributes.name } : {};
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: { uid, ...requestOf(attributes, kind), ...own, object, oldObject: old },
  };
}

/** @throws Error for what is no answer to the review */
export function answerOf(
  answer: unknown,
  { uid, version, isMutating }: { uid: string; version: ReviewVersion; isMutating: boolean },
): ReviewAnswer {
  const { kind = '', apiVersion = '', response } = answer as { kind?: string; apiVersion?: string; response?: Fields | null };
  if (!response) throw new Error('webhook response was absent');
  const text = (field: string) => (response[field] as string | null | undefined) ?? undefined;
  const answered: ReviewAnswer = {
    allowed: response['allowed'] === true,
    patch: text('patch') ?? '',
    patchType: text('patchType') ?? '',
    result: (response['status'] as Partial<Status> | null | undefined) ?? undefined,
    warnings: (response['warnings'] as string[] | null | undefined) ?? [],
    auditAnnotations: (response['auditAnnotations'] as Record<string, string> | null | undefined) ?? {},
  };
  if (version === 'v1beta1') {
    // It never checked what came back, and knew one sort of patches.
    return isMutating && answered.patch ? { ...answered, patchType: 'JSONPatch' } : { ...answered, patch: '', patchType: '' };
  }
  if (response['uid'] !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(text('uid') ?? '')}`);
  if (kind !== 'AdmissionReview' || apiVersion !== 'admission.k8s.io/v1') {
    const got = `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
    throw new Error(`expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${got}`);
  }
  checkPatch(answered.patch, text('patchType'), isMutating);
  return answered;
}

function checkPatch(patch: string, patchType: string | undefined, isMutating: boolean): void {
  if (!isMutating) {
    if (patch) throw new Error('validating webhook may not return response.patch');
    if (patchType !== undefined) throw new Error('validating webhook may not return response.patchType');
    return;
  }
  if (patch && patchType === undefined) throw new Error('webhook returned response.patch but not response.patchType');
  if (!patch && patchType !== undefined) throw new Error('webhook returned response.patchType but not response.patch');
  if (patchType === '') throw new Error('webhook returned invalid response.patchType of ""');
}

type Fields = Record<string, unknown>;

/** Go's types of what is read of an answer. */
const types: Readonly<Record<string, readonly [goType: string, isOfType: (value: unknown) => boolean]>> = {
  uid: ['types.UID', (value) => typeof value === 'string'],
  allowed: ['bool', (value) => typeof value === 'boolean'],
  patch: ['[]uint8', (value) => typeof value === 'string'],
  patchType: ['v1.PatchType', (value) => typeof value === 'string'],
  status: ['v1.Status', isMap],
  warnings: ['[]string', (value) => Array.isArray(value) && value.every((each) => typeof each === 'string')],
  auditAnnotations: ['map[string]string', (value) => isMap(value) && Object.values(value).every((each) => typeof each === 'string')],
};

/** @throws Error for JSON that is no AdmissionReview of the version that was sent */
export function checkReview(answer: unknown, version: ReviewVersion): void {
  if (!isMap(answer)) throw unmarshalError(answer, 'struct', 'AdmissionReview');
  const { kind, apiVersion, response } = answer;
  if (kind === 'AdmissionReview' && (apiVersion === 'admission.k8s.io/v1' || apiVersion === 'admission.k8s.io/v1beta1')) {
    const got = apiVersion.slice('admission.k8s.io/'.length);
    if (got !== version) throw new Error(`converting (${got}.AdmissionReview) to (${version}.AdmissionReview): unknown conversion`);
  } else if (typeof kind === 'string' && kind && typeof apiVersion === 'string' && apiVersion) {
    throw new Error(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:110"`,
    );
  }
  if (response === undefined || response === null) return;
  if (!isMap(response)) throw unmarshalError(response, 'v1.AdmissionResponse', 'AdmissionReview.response');
  for (const [field, [goType, isOfType]] of Object.entries(types)) {
    const value = response[field];
    if (value !== undefined && value !== null && !isOfType(value))
      throw unmarshalError(value, goType, `AdmissionResponse.response.${field}`);
  }
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unmarshalError(value: unknown, goType: string, field: string): Error {
  const sort = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return new Error(`json: cannot unmarshal ${sort} into Go struct field ${field} of type ${goType}`);
}
