// The parameters of lists, watches and deletions of collections (metav1.ListOptions), checked as Kubernetes checks them.

import { type FieldError, forbidden, notSupported } from '../../api/field-error.ts';
import { type FieldSelector, parseFieldSelector } from '../../api/fields.ts';
import { parseSelector, type Selector, SelectorError } from '../../api/labels.ts';
import { badRequestError, invalidError, type Status, StatusError } from '../../api/status.ts';
import type { Selection } from '../cache/watch-cache.ts';
import type { ApiContext } from '../context.ts';
import type { Served } from '../registry/resource-table.ts';
import { readBoolean, readInteger } from './query-values.ts';

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
  const resourceVersion = query.get('resourceVersion') ?? '';
  const continueText = query.get('continue') ?? '';
  const timeoutSeconds = readInteger(query, 'timeoutSeconds');
  const limit = readInteger(query, 'limit') ?? 0;
  const labels = readLabelSelector(query.get('labelSelector'));
  const fields = readFieldSelector(query.get('fieldSelector'));
  const initial = query.get('sendInitialEvents');
  let sendInitialEvents = initial === null ? undefined : readBoolean(initial);
  let match = query.get('resourceVersionMatch') ?? '';
  // A watch from nowhere in particular has always begun with what is there: it is taken for one that asks for that.
  if (isWatch && sendInitialEvents === undefined && match === '' && (resourceVersion === '' || resourceVersion === '0')) {
    sendInitialEvents = true;
    match = 'NotOlderThan';
  }
  const errors = isWatch
    ? watchErrors(match, continueText, sendInitialEvents)
    : listErrors(match, resourceVersion, continueText, sendInitialEvents);
  if (errors.length) throw invalidError({ group: 'meta.k8s.io', kind: 'ListOptions', plural: 'ListOptions' }, '', errors);
  const selection = readSelection(ctx, served, labels, fields);
  return {
    selection,
    revision: isWatch ? readRevision(resourceVersion) : readListRevision(resourceVersion, continueText !== ''),
    match: match as ListOptions['match'],
    limit: Math.max(0, limit),
    continue: continueText && !isWatch ? readPlace(continueText, resourceVersion, served, info.namespace) : undefined,
    allowWatchBookmarks: readBoolean(query.get('allowWatchBookmarks')),
    sendInitialEvents,
    timeoutSeconds,
  };
}

function readSelection(ctx: ApiContext, served: Served, labels: Selector, fields: FieldSelector): Selection {
  const { info } = ctx.state;
  checkFields(fields, served);
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

function readFieldSelector(text: string | null): FieldSelector {
  if (!text) return [];
  try {
    return parseFieldSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) throw badRequestError(error.message);
    throw error;
  }
}

function checkFields(selector: FieldSelector, { declaration, kind }: Served): void {
  const { fields, isCustom, unknownField } = declaration;
  // Kinds with fields of their own know what they have; of the others Kubernetes takes both names, namespaced or not.
  const isNamespaceKnown = kind.namespaced || !(fields || isCustom);
  for (const { field } of selector) {
    if (field === 'metadata.name' || (field === 'metadata.namespace' && isNamespaceKnown)) continue;
    if (fields && Object.hasOwn(fields, field)) continue;
    if (unknownField) throw badRequestError(unknownField(field));
    if (fields || isCustom) throw badRequestError(`field label not supported: ${field}`);
    throw badRequestError(`${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`);
  }
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

/** @throws StatusError BadRequest; a continue token is looked at first, and makes it of no importance */
function readListRevision(text: string, isContinued: boolean): number | undefined {
  if (text === '' || isContinued) return undefined;
  const problem = revisionProblem(text);
  if (problem) throw badRequestError(`invalid resource version: ${problem}`);
  return Number(text);
}

/** Kubernetes takes what a watch or get cannot read for a failure of its own: an error without a reason. @throws StatusError */
export function readRevision(text: string): number | undefined {
  if (text === '') return undefined;
  const problem = revisionProblem(text);
  if (problem) throw new StatusError('', problem, { code: 500 });
  return Number(text);
}

function revisionProblem(text: string): string | undefined {
  const isNumber = /^\d+$/.test(text);
  if (isNumber && BigInt(text) < 2n ** 64n) return undefined;
  const why = `strconv.ParseUint: parsing ${JSON.stringify(text)}: ${isNumber ? 'value out of range' : 'invalid syntax'}`;
  return `resourceVersion: Invalid value: ${JSON.stringify(text)}: ${why}`;
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
