// Reads the method and path of every request once, by hand: on the hot path a table of patterns would cost more than
// the request itself.

import type { ApiContext, Filter, RequestInfo } from '../context.ts';

const verbs: Record<string, string> = { GET: 'get', HEAD: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
const noQuery = Object.freeze(new URLSearchParams());
const namespaceSubresources = new Set(['status', 'finalize']);

export const requestInfo: Filter = (ctx, next) => {
  const question = ctx.req.url?.indexOf('?') ?? -1;
  const url = ctx.req.url ?? '/';
  ctx.state.query = question === -1 ? noQuery : new URLSearchParams(url.slice(question + 1));
  ctx.state.info = readRequest(ctx.method, question === -1 ? url : url.slice(0, question), ctx.state.query);
  ctx.state.isLongRunning = isLongRunning(ctx);
  return next();
};

const longRunningSubresources = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

function isLongRunning(ctx: ApiContext): boolean {
  const { info } = ctx.state;
  return info.verb === 'watch' || longRunningSubresources.has(info.subresource);
}

/** Reads one request. `path` is as sent: without query, still percent-encoded. */
export function readRequest(method: string, path: string, query: URLSearchParams): RequestInfo {
  const info: RequestInfo = {
    isResource: false,
    path,
    verb: method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    rest: '',
  };
  const parts = path.split('/');
  let at: number;
  if (parts[1] === 'api' && parts.length > 3) {
    info.version = parts[2] as string;
    at = 3;
  } else if (parts[1] === 'apis' && parts.length > 4) {
    info.group = parts[2] as string;
    info.version = parts[3] as string;
    at = 4;
  } else return info;
  if (parts[at] === '') return info;

  info.isResource = true;
  info.verb = verbs[method] ?? method.toLowerCase();
  let isWatchPath = false;
  if (parts[at] === 'watch' && parts.length > at + 1) {
    isWatchPath = true;
    at++;
  }
  if (parts[at] === 'namespaces' && parts.length > at + 1 && parts[at + 1] !== '') {
    info.namespace = decoded(parts[at + 1] as string);
    // `namespaces/x` and `namespaces/x/status` speak of the namespace; anything longer of what is in it.
    if (parts.length > at + 2 && parts[at + 2] !== '' && !namespaceSubresources.has(parts[at + 2] as string)) at += 2;
  }
  info.resource = parts[at] as string;
  if (parts.length > at + 1) info.name = decoded(parts[at + 1] as string);
  if (parts.length > at + 2) info.subresource = parts[at + 2] as string;
  if (parts.length > at + 3) info.rest = `/${parts.slice(at + 3).join('/')}`;

  if (isWatchPath) info.verb = 'watch';
  else if (info.name === '' && info.verb === 'delete') info.verb = 'deletecollection';
  else if (info.name === '' && info.verb === 'get') {
    const watch = query.get('watch');
    info.verb = watch !== null && watch !== '0' && watch.toLowerCase() !== 'false' ? 'watch' : 'list';
  }
  return info;
}

function decoded(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}
