// From response bytes to objects, checked: what is not the kind that was asked for, or not an API object at
// all, never gets past this file.

import { apiVersionOf, type Kind } from '../api/kind.ts';
import { type Status, StatusError, type StatusReason } from '../api/status.ts';
import type { KubeList, KubeObject, WatchEvent } from '../api/wire.ts';

type Json = Record<string, unknown>;

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

function malformed(what: string): StatusError {
  return new StatusError('', `the server answered with ${what}`);
}

function parse(text: string, what: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw malformed(`${what} that is not JSON: ${error.message}`);
  }
  if (!isRecord(value)) throw malformed(`${what} that is not an object`);
  return value;
}

/**
 * `value` as an object of `kind`. Items of lists may lack their type, and PartialObjectMetadata has its own:
 * both get the kind's, so that an object in hand always says what it is.
 * @throws StatusError when it is of another kind or has no name
 */
function objectOf<T extends KubeObject>(kind: Kind<T>, value: unknown, what: string): T {
  if (!isRecord(value)) throw malformed(`${what} that is not an object`);
  const { metadata } = value;
  if (!isRecord(metadata)) throw malformed(`${what} without metadata`);
  for (const field of ['name', 'namespace', 'uid', 'resourceVersion']) {
    const text = metadata[field];
    if (text !== undefined && typeof text !== 'string') throw malformed(`${what} whose metadata.${field} is not a string`);
  }
  if (value.kind !== kind.kind) {
    if (value.kind !== undefined && value.kind !== 'PartialObjectMetadata')
      throw malformed(`${what} of kind ${String(value.kind)}, not ${kind.kind}`);
    value.kind = kind.kind;
    value.apiVersion = apiVersionOf(kind);
  }
  value.apiVersion ??= apiVersionOf(kind);
  return value as T;
}

export function decodeObject<T extends KubeObject>(kind: Kind<T>, text: string): T {
  return objectOf(kind, parse(text, 'an object'), 'an object');
}

/** For verbs that may answer either (delete, binding, eviction). */
export function decodeObjectOrStatus<T extends KubeObject>(kind: Kind<T>, text: string): T | Status {
  const value = parse(text, 'an object');
  return value.kind === 'Status' ? (value as unknown as Status) : objectOf(kind, value, 'an object');
}

/** The answer to a POST on a subresource, whose kind is the subresource's own. */
export function decodeAny<B extends KubeObject>(text: string): B | Status {
  const value = parse(text, 'an object');
  if (typeof value.kind !== 'string') throw malformed('an object without a kind');
  return value as B | Status;
}

export function decodeList<T extends KubeObject>(kind: Kind<T>, text: string): KubeList<T> {
  const value = parse(text, 'a list');
  if (!isRecord(value.metadata)) throw malformed('a list without metadata');
  if (value.items !== null && value.items !== undefined && !Array.isArray(value.items)) throw malformed('a list whose items are not one');
  const items = (value.items ?? []) as unknown[];
  return { ...value, metadata: value.metadata, items: items.map((item) => objectOf(kind, item, 'a list item')) };
}

/** One line of a watch stream. @throws StatusError for an ERROR frame: the error that it carries */
export function decodeWatchEvent<T extends KubeObject>(kind: Kind<T>, line: string): WatchEvent<T> {
  const { type, object } = parse(line, 'a watch event');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
    case 'BOOKMARK':
      return { type, object: objectOf(kind, object, 'a watch event') };
    case 'ERROR':
      throw isRecord(object) ? StatusError.fromStatus(object as Partial<Status>) : malformed('an ERROR event without a Status');
    default:
      throw malformed(`a watch event of type ${String(type)}`);
  }
}

const reasonsByCode: Record<number, StatusReason> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** The error of a failed response: the server's Status, or what its HTTP code says when there is none. */
export function errorOf(httpCode: number, text: string): StatusError {
  try {
    const value = parse(text, 'an error');
    if (value.kind === 'Status') return StatusError.fromStatus(value as Partial<Status>);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
  }
  const said = text.slice(0, 1024).trim();
  return new StatusError(reasonsByCode[httpCode] ?? '', said || `the server answered ${httpCode}`, { code: httpCode });
}
