// The parameters of lists, watches and deletions of collections (metav1.ListOptions), checked as Kubernetes checks them.

import { type FieldError, forbidden, notSupported } from '../../api/field-error.ts';
import { type FieldSelector, parseFieldSelector } from '../../api/fields.ts';
import { parseSelector, type Selector, SelectorError } from '../../api/labels.ts';
import { badRequestError, invalidError, type Status, StatusError } from '../../api/status.ts';
import type { Selection } from '../cache/watch-cache.ts';
import type { ApiContext } from '../context.ts';
import type { Served } from '../registry/resource-table.ts';

export interface ListOptions {
  selection: Selection;
  /** As given; undefined: absent. */
  revision: number | undefined;
  match: '' | 'Exact' | 'NotOlderThan';
  /** 0: no limit. */
  limit: number;
  continue: ContinueToken | undefined;
  allowWatchBookmarks: boolean;
  sendInitialEvents: boolean | undefined;
  timeoutSeconds: number | undefined;
}

/** Where a page ended. */
export interface ContinueToken {
  revision: number;
  /** The last key of the page before. */
  after: string;
}

/** @throws StatusError BadRequest, Invalid, Expired */
export function readListOptions(ctx: ApiContext, served: Served): ListOptions {
  const { query, info } = ctx.state;
  const isWatch = info.verb === 'watch';
  const match = query.get('resourceVersionMatch') ?? '';
  const resourceVersion = query.get('resourceVersion') ?? '';
  const initial = query.get('sendInitialEvents');
  const continueText = query.get('continue') ?? '';
  const sendInitialEvents = initial === null ? undefined : readBoolean(initial);
  const errors = isWatch
    ? watchErrors(match, continueText, sendInitialEvents)
    : listErrors(match, resourceVersion, continueText, sendInitialEvents);
  if (errors.length) throw invalidError({ group: 'meta.k8s.io', kind: 'ListOptions', plural: 'ListOptions' }, '', errors);
  return {
    selection: readSelection(ctx, served),
    revision: readRevision(resourceVersion),
    match: match as ListOptions['match'],
    limit: Math.max(0, readInteger(query.get('limit'), 'limit') ?? 0),
    continue: continueText && !isWatch ? readPlace(continueText, resourceVersion, served, info.namespace) : undefined,
    allowWatchBookmarks: readBoolean(query.get('allowWatchBookmarks')),
    sendInitialEvents,
    timeoutSeconds: readInteger(query.get('timeoutSeconds'), 'timeoutSeconds'),
  };
}

function readSelection(ctx: ApiContext, served: Served): Selection {
  const { query, info } = ctx.state;
  const labels = readLabelSelector(query.get('labelSelector'));
  const fields = readFieldSelector(query.get('fieldSelector'), served);
  let name = info.name;
  const byName = fields.find((requirement) => requirement.field === 'metadata.name' && requirement.operator === '=');
  if (info.name && fields.length > 0 && byName?.value !== info.name)
    throw badRequestError("fieldSelector metadata.name doesn't match requested name");
  if (!name && byName) name = byName.value;
  const rest = fields.filter((requirement) => requirement !== byName);
  return { namespace: served.kind.namespaced ? info.namespace : '', name, labels, fields: rest };
}

function readLabelSelector(text: string | null): Selector {
  if (!text) return [];
  try {
    return parseSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) throw badRequestError(error.message);
    throw error;
  }
}

function readFieldSelector(text: string | null, served: Served): FieldSelector {
  if (!text) return [];
  let selector: FieldSelector;
  try {
    selector = parseFieldSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) throw badRequestError(error.message);
    throw error;
  }
  const declared = served.declaration.fields;
  for (const { field } of selector) {
    if (field === 'metadata.name' || (field === 'metadata.namespace' && served.kind.namespaced)) continue;
    if (declared && Object.hasOwn(declared, field)) continue;
    const known = `"metadata.name", "metadata.namespace"`;
    throw badRequestError(
      declared ? `field label not supported: ${field}` : `${JSON.stringify(field)} is not a known field selector: only ${known}`,
    );
  }
  return selector;
}

function listErrors(match: string, resourceVersion: string, continueText: string, sendInitialEvents: boolean | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const at = 'resourceVersionMatch';
  if (match) {
    if (!resourceVersion) errors.push(forbidden(at, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (continueText) errors.push(forbidden(at, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(notSupported(at, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && resourceVersion === '0') {
      errors.push(forbidden(at, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (sendInitialEvents !== undefined) errors.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  return errors;
}

function watchErrors(match: string, continueText: string, sendInitialEvents: boolean | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const at = 'resourceVersionMatch';
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(forbidden(at, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (match) {
    if (sendInitialEvents === undefined) {
      errors.push(forbidden(at, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
    }
    if (match !== 'NotOlderThan') errors.push(notSupported(at, match, ['NotOlderThan']));
    if (continueText) errors.push(forbidden(at, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  return errors;
}

function readRevision(text: string): number | undefined {
  if (text === '') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new StatusError(
    'Invalid',
    `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

function readInteger(text: string | null, name: string): number | undefined {
  if (text === null || text === '') return undefined;
  if (/^-?\d+$/.test(text)) return Number(text);
  throw badRequestError(`${name}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** As Kubernetes reads query parameters: anything but `0` and `false` is true. */
export function readBoolean(text: string | null): boolean {
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}

/** The opaque token of the next page. The key is kept relative to what was listed, so that it says nothing of the store. */
export function writeContinue(token: ContinueToken, served: Served, namespace: string): string {
  const start = token.after.slice(served.registry.codec.prefixOf(namespace).length);
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start: `${start}\0` })).toString('base64url');
}

function readPlace(text: string, resourceVersion: string, served: Served, namespace: string): ContinueToken {
  const token = readContinue(text, served, namespace);
  if (resourceVersion !== '' && resourceVersion !== '0')
    throw badRequestError('specifying resource version is not allowed when using continue');
  return token;
}

function readContinue(text: string, served: Served, namespace: string): ContinueToken {
  let value: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString()) as typeof value;
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidToken(`: ${error.message}`);
    throw error;
  }
  if (value?.v !== 'meta.k8s.io/v1') throw invalidToken(`: server does not recognize this encoded version ${String(value?.v ?? '')}`);
  if (typeof value.rv !== 'number' || value.rv === 0)
    throw invalidToken(': incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof value.start !== 'string' || value.start === '') throw invalidToken(': encoded start key empty (version meta.k8s.io/v1)');
  // Nothing outside of what is listed may be reached.
  if (/(^|\/)\.{0,2}\/|\/\.{0,2}$/.test(value.start.replace(/^\//, ''))) throw invalidToken(`: ${value.start}`);
  return { revision: value.rv, after: served.registry.codec.prefixOf(namespace) + value.start.replace(/\0$/, '') };
}

const invalidToken = (why: string) => badRequestError(`invalid continue token: continue key is not valid${why}`);

/** What a client is told whose pages were compacted away: it may go on with another token, without consistency. */
export class ExpiredContinueError extends StatusError {
  readonly #token: string;

  constructor(token: string) {
    super(
      'Expired',
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    );
    this.#token = token;
  }

  override toStatus(): Status {
    return { ...super.toStatus(), metadata: { continue: this.#token } };
  }
}
