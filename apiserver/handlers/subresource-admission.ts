// Admission of what is posted to a subresource: not a write of the object in the path, but of a kind of its own (Binding,
// Eviction, TokenRequest), or a connection with its options.

import type { Kind } from '../../api/kind.ts';
import { badRequestError } from '../../api/status.ts';
import type { KubeObject } from '../../api/wire.ts';
import type { AdmissionAttributes, AdmissionOperation } from '../admission/admission.ts';
import { type ApiContext, annotateAudit } from '../context.ts';
import { admitObject } from '../registry/admitted-metadata.ts';
import type { WriteRequest } from '../registry/registry.ts';
import type { Served } from '../registry/resource-table.ts';
import { checkNamespace } from './body-namespace.ts';
import type { ResourceHandler, ServerParts } from './handler.ts';

type ObjectKind = Pick<Kind, 'group' | 'version' | 'kind'>;

interface Posted {
  object: KubeObject;
  objectKind: ObjectKind;
  request: WriteRequest;
}

/**
 * Lets plug-ins change what is posted; the result lets them refuse it, once it has been found valid.
 * @throws StatusError
 */
export async function admitPosted(ctx: ApiContext, served: Served, server: ServerParts, posted: Posted): Promise<() => Promise<void>> {
  const { object, objectKind, request } = posted;
  const { namespace, user, dryRun, warn, annotate = () => {}, options } = request;
  const { info } = ctx.state;
  checkNamespace(object, info.namespace);
  const name = info.name || (object.metadata?.name ?? '');
  const write = { user, dryRun, warn, annotate, ...(options ? { options } : {}) };
  const attributes = { ...facts(ctx, served, 'CREATE', object), ...write, name, namespace, objectKind };
  await admitObject(server.admission, attributes);
  return () => server.admission.validate(attributes);
}

const facts = (ctx: ApiContext, served: Served, operation: AdmissionOperation, object: KubeObject) => ({
  operation,
  kind: served.kind,
  subresource: ctx.state.info.subresource,
  object,
  old: undefined,
});

/** How a request's parameters are the fields of its options: as texts, as truths, as lists of texts or of numbers. */
export type OptionFields = Readonly<Record<string, 'text' | 'boolean' | 'texts' | 'numbers'>>;

/** The handler, once a connection with such options has been admitted. It finds in the query what admission has made of them. */
export function connecting(kind: string, fields: OptionFields, handler: ResourceHandler): ResourceHandler {
  return async (ctx, served, server) => {
    const { info, query, user, warnings } = ctx.state;
    if (query.getAll('dryRun').some((value) => value !== '')) throw badRequestError('dryRun is not supported');
    const options: KubeObject & Record<string, unknown> = { kind, apiVersion: 'v1', ...optionsOf(query, fields) };
    if (kind.endsWith('ProxyOptions') && info.rest) options['path'] = info.rest;
    const before = JSON.stringify(options);
    const attributes: AdmissionAttributes = {
      ...facts(ctx, served, 'CONNECT', options),
      objectKind: { group: '', version: 'v1', kind },
      name: info.name,
      namespace: served.kind.namespaced ? info.namespace : '',
      user,
      dryRun: false,
      warn: (text) => warnings.add(text),
      annotate: (key, value, level) => annotateAudit(ctx.state, key, value, level),
    };
    await server.admission.admit(attributes);
    await server.admission.validate(attributes);
    if (JSON.stringify(options) !== before) changeRequest(ctx, options, fields);
    return handler(ctx, served, server);
  };
}

function optionsOf(query: URLSearchParams, fields: OptionFields): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [field, sort] of Object.entries(fields)) {
    const values = query.getAll(field);
    const [first = ''] = values;
    if (sort === 'boolean' && first !== '' && first !== 'false' && first !== '0') options[field] = true;
    if (sort === 'text' && first) options[field] = first;
    if (sort === 'texts' && values.length) options[field] = values;
    if (sort === 'numbers' && values.length) options[field] = values.flatMap((value) => value.split(',')).map(Number);
  }
  return options;
}

function changeRequest(ctx: ApiContext, options: Record<string, unknown>, fields: OptionFields): void {
  const { info, query } = ctx.state;
  for (const field of Object.keys(fields)) {
    const value = options[field];
    query.delete(field);
    for (const each of Array.isArray(value) ? value : value === undefined ? [] : [value]) query.append(field, String(each));
  }
  if (typeof options['path'] === 'string') info.rest = options['path'];
}
