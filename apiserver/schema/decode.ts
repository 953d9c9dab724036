// Request bodies to objects: JSON, YAML or protobuf bytes become an object that fits its schema, or a BadRequest in kube-apiserver's
// words. Defaults and validation come later and elsewhere; a required field may be absent here.

import { type FieldError, invalid } from '../../api/field-error.ts';
import { stringifyJson } from '../../api/json.ts';
import type { Kind } from '../../api/kind.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { badRequestError, internalError, invalidError, StatusError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import { decodeMessage } from '../protobuf/decode.ts';
import { protobufType, unwrap } from '../protobuf/envelope.ts';
import { type Message, messageOf } from '../protobuf/message.ts';
import { checkBody, DecodeError, depthMax, isKnownPath, pathText } from './check.ts';
import { countKeys, duplicateKeys, goSyntaxError, outlineOf, parseKeepingLiterals } from './json-scan.ts';
import type { ObjectNode } from './node.ts';
import { schemaOf } from './schema.ts';
import { parseYamlBody } from './yaml-body.ts';

/** The fieldValidation parameter. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface DecodeOptions {
  /** As in the request; parameters such as charset are ignored. */
  contentType: string;
  /** What the request's path calls for; a body that says nothing is taken for it. */
  kind: Pick<Kind, 'group' | 'version' | 'kind'>;
  schema: ObjectNode;
  /** Another group and version that has the kind, too, and the same: every group has its DeleteOptions. */
  alias?: Pick<Kind, 'group' | 'version'>;
  /** Default Warn, as the server's. */
  fieldValidation?: FieldValidation | undefined;
}

export interface DecodedBody {
  /** apiVersion and kind are filled in when the body left them out. */
  object: KubeObject;
  /** For Warning headers: unknown and duplicate fields, when asked to Warn. */
  warnings: string[];
}

/** @throws StatusError BadRequest, or UnsupportedMediaType */
export function decodeBody(body: Uint8Array, options: DecodeOptions): DecodedBody {
  const parsed = parseBody(body, options);
  const { value } = parsed;
  if (!isPlainObject(value)) throw unrecognized(body, options, `couldn't get version/kind; json parse error: ${notAnObject(value)}`);
  const actual = actualKind(value, body, options);
  if (options.schema.isCustom) checkCustomType(value, actual, options);
  const fieldValidation = options.fieldValidation ?? 'Warn';
  const strictErrors: string[] = [];
  try {
    const { alias } = options;
    if (!isSameKind(actual, options.kind) && !(alias && isSameKind(actual, { ...options.kind, ...alias })))
      throw new DecodeError(wrongKind(actual, options));
    parsed.complete?.();
    if (fieldValidation !== 'Ignore') strictErrors.push(...parsed.duplicates());
    strictErrors.push(...checkBody(value, options.schema).unknownFields);
  } catch (error) {
    if (error instanceof DecodeError) throw cannotBeHandled(actual, options, error.message);
    throw error;
  }
  if (strictErrors.length > 0 && fieldValidation === 'Strict') {
    throw cannotBeHandled(actual, options, `strict decoding error: ${strictErrors.join(', ')}`);
  }
  const object = value as KubeObject;
  object.apiVersion = apiVersionOf(options.kind);
  object.kind = options.kind.kind;
  return { object, warnings: fieldValidation === 'Warn' ? strictErrors.flatMap(warningsOf) : [] };
}

/** A custom resource says itself what it is, and nothing stands in for that. @throws StatusError BadRequest, Invalid, InternalError */
function checkCustomType(value: Record<string, unknown>, actual: ActualKind, options: Pick<DecodeOptions, 'kind'>): void {
  const { apiVersion, kind } = value;
  if (!kind) throw cannotBeHandled(actual, options, `Object 'Kind' is missing in '${stringifyJson(value)}'`);
  const [given, wanted] = [apiVersionOf(actual), apiVersionOf(options.kind)];
  if (given !== wanted) throw badRequestError(`the API version in the data (${given}) does not match the expected API version (${wanted})`);
  if (!apiVersion) throw internalError("Object 'apiVersion' is missing in 'unstructured object has no version'");
  if (kind !== options.kind.kind) throw wrongCustomType(value, options, [invalid('kind', kind, `must be ${options.kind.kind}`)]);
}

function wrongCustomType(
  value: Record<string, unknown>,
  { kind }: Pick<DecodeOptions, 'kind'>,
  errors: readonly FieldError[],
): StatusError {
  const { apiVersion, kind: own, metadata } = value;
  const group = typeof apiVersion === 'string' && apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const { name } = (metadata ?? {}) as { name?: unknown };
  return invalidError({ group, plural: '', kind: String(own ?? kind.kind) }, String(name ?? ''), errors);
}

interface PatchOptions extends Omit<DecodeOptions, 'contentType'> {
  /** Duplicate fields in the patch itself. */
  duplicates?: readonly string[];
  /** What the patch made, as it was before it was fitted: shown in messages. Default: what is left of it. */
  source?(): object;
}

/**
 * Fits what a patch made to its schema, in place.
 * @throws StatusError Invalid, about the field `patch`
 */
export function decodeObject(value: object, options: PatchOptions): DecodedBody {
  const fieldValidation = options.fieldValidation ?? 'Warn';
  const refuse = (why: string) =>
    invalidError({ group: '', plural: '', kind: '' }, '', [invalid('patch', stringifyJson(options.source?.() ?? value), why)]);
  const object = value as Record<string, unknown>;
  if (options.schema.isCustom) {
    const wanted = { apiVersion: apiVersionOf(options.kind), kind: options.kind.kind };
    const errors = (['kind', 'apiVersion'] as const)
      .filter((field) => object[field] !== wanted[field])
      .map((field) => invalid(field, object[field] ?? '', `must be ${wanted[field]}`));
    if (errors.length > 0) throw wrongCustomType(object, options, errors);
  }
  try {
    const { unknownFields } = checkBody(object, options.schema);
    const strictErrors = [...(options.duplicates ?? []), ...unknownFields];
    if (strictErrors.length > 0 && fieldValidation === 'Strict') throw refuse(`strict decoding error: ${strictErrors.join(', ')}`);
    return { object: value as KubeObject, warnings: fieldValidation === 'Warn' ? strictErrors : [] };
  } catch (error) {
    if (error instanceof DecodeError) throw refuse(error.message);
    throw error;
  }
}

interface ParsedBody {
  value: unknown;
  /** Asked for only when somebody wants to know. */
  duplicates(): string[];
  /** Adds what can be read only once the kind is known to be right. */
  complete?(): void;
}

function parseBody(body: Uint8Array, options: DecodeOptions): ParsedBody {
  const mediaType = options.contentType.split(';', 1)[0]!.trim().toLowerCase();
  if (mediaType === 'application/json' || mediaType === '') return parseJson(body, options);
  if (mediaType === 'application/yaml') return parseYaml(body, options);
  const message = messageOf(options.schema.name);
  if (mediaType === protobufType && message) return parseProtobuf(body, options, message);
  const accepted = `application/json, application/yaml${message ? `, ${protobufType}` : ''}`;
  throw new StatusError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  );
}

/** Fields have numbers there: none is unknown by name, and none is there twice in a way that anybody could mean. */
function parseProtobuf(body: Uint8Array, options: DecodeOptions, message: Message): ParsedBody {
  try {
    const { apiVersion, kind, raw } = unwrap(body);
    const value = { ...(apiVersion ? { apiVersion } : {}), ...(kind ? { kind } : {}) };
    return { value, duplicates: () => [], complete: () => void Object.assign(value, decodeMessage(message, raw)) };
  } catch (error) {
    if (error instanceof DecodeError) throw unrecognized(body, options, error.message);
    throw error;
  }
}

function parseJson(body: Uint8Array, options: DecodeOptions): ParsedBody {
  const outline = outlineOf(body);
  if (outline.depthMax > depthMax) throw unrecognized(body, options, "couldn't get version/kind; json parse error: exceeded max depth");
  const text = textOf(body);
  let value: unknown;
  try {
    value = outline.hasOddNumber ? parseKeepingLiterals(text) : JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError)
      throw unrecognized(body, options, `couldn't get version/kind; json parse error: ${goSyntaxError(text)}`);
    throw error;
  }
  return {
    value,
    duplicates: () => {
      if (countKeys(value) === outline.keys) return [];
      const known = duplicateKeys(text).filter((path) => isKnownPath(options.schema, path));
      return [...new Set(known.map((path) => `duplicate field "${pathText(path)}"`))];
    },
  };
}

function parseYaml(body: Uint8Array, options: DecodeOptions): ParsedBody {
  try {
    const { value, duplicates } = parseYamlBody(textOf(body));
    const text = duplicates.map((line) => `\n  ${line}`).join('');
    return { value, duplicates: () => (duplicates.length === 0 ? [] : [`yaml: unmarshal errors:${text}`]) };
  } catch (error) {
    if (error instanceof DecodeError) throw unrecognized(body, options, error.message);
    throw error;
  }
}

/** Fields that a JSON patch document says twice, as strict decoding names them. */
export function duplicatesInPatch(body: Buffer, patch: unknown): string[] {
  if (countKeys(patch) === outlineOf(body).keys) return [];
  return [...new Set(duplicateKeys(body.toString()).map((path) => `duplicate field "${pathText(path)}"`))];
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}

interface ActualKind {
  group: string;
  version: string;
  kind: string;
}

/** What the body says it is, with what it leaves out taken from the request. */
function actualKind(value: Record<string, unknown>, body: Uint8Array, options: DecodeOptions): ActualKind {
  const { apiVersion, kind } = value;
  for (const [name, field] of [
    ['apiVersion', apiVersion],
    ['kind', kind],
  ] as const) {
    if (field !== undefined && field !== null && typeof field !== 'string') {
      const what = Array.isArray(field)
        ? 'array'
        : typeof field === 'boolean'
          ? 'bool'
          : typeof field === 'number' || typeof field === 'bigint'
            ? 'number'
            : 'object';
      throw unrecognized(
        body,
        options,
        `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go struct field .${name} of type string`,
      );
    }
  }
  const parts = ((apiVersion as string | null) ?? '').split('/');
  if (parts.length > 2) throw unrecognized(body, options, `unexpected GroupVersion string: ${parts.join('/')}`);
  const isSaid = parts.join('') !== '';
  const [group, version] = parts.length === 2 ? (parts as [string, string]) : ['', parts[0]!];
  return {
    group: isSaid ? group : options.kind.group,
    version: version || (group === options.kind.group || !isSaid ? options.kind.version : ''),
    kind: (kind as string | null) || options.kind.kind,
  };
}

function isSameKind(a: ActualKind, b: Pick<Kind, 'group' | 'version' | 'kind'>): boolean {
  return a.kind === b.kind && a.version === b.version && a.group === b.group;
}

function wrongKind(actual: ActualKind, options: DecodeOptions): string {
  const other = schemaOf(actual.group, actual.version, actual.kind);
  if (!other) {
    const groupVersion = apiVersionOf(actual);
    return `no kind ${JSON.stringify(actual.kind)} is registered for version ${JSON.stringify(groupVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`;
  }
  const internal = `${options.schema.name.split('.').at(-3)}.${options.kind.kind}`;
  return `converting (${other.goType}) to (${internal}): unknown conversion`;
}

function cannotBeHandled(actual: ActualKind, options: Pick<DecodeOptions, 'kind'>, why: string): StatusError {
  return badRequestError(`${actual.kind} in version ${JSON.stringify(actual.version)} cannot be handled as a ${options.kind.kind}: ${why}`);
}

function unrecognized(body: Uint8Array, options: DecodeOptions, why: string): StatusError {
  return badRequestError(`the object provided is unrecognized (must be of type ${options.kind.kind}): ${why} (${summaryOf(body)})`);
}

const summaryBytesMax = 30;

/** The head of a body for a message: JSON as it is, anything else in hexadecimal. */
function summaryOf(body: Uint8Array): string {
  if (body.length === 0) return '<empty>';
  const head = Buffer.from(body.subarray(0, summaryBytesMax));
  const text = body[0] === 0x7b ? head.toString('utf8') : head.toString('hex');
  return body.length > summaryBytesMax ? `${text} ...` : text;
}

/** Go's words when the body is a JSON value, but no object. */
function notAnObject(value: unknown): string {
  const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'number';
  return `json: cannot unmarshal ${what} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A YAML error names several lines; each is a warning of its own. */
function warningsOf(error: string): string[] {
  return error.startsWith('yaml: unmarshal errors:')
    ? error
        .split('\n')
        .slice(1)
        .map((line) => line.trim())
    : [error];
}
