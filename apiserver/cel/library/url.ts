// kubernetes.urls: absolute URLs and absolute paths, as Go's url.ParseRequestURI takes them.

import type { LibraryFunction, LibraryValue } from './library-function.ts';

const parts = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?$/;

/** A URL as CEL holds it: its parts as written. */
export class CelUrl implements LibraryValue {
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  constructor(text: string) {
    const fail = (why: string) => new Error(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: ${why}`);
    if (text === '') throw fail('empty url');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a URL may not hold
    if (/[\x00-\x1f\x7f]/.test(text)) throw fail('net/url: invalid control character in URL');
    const [, scheme = '', authority, path = '', query = ''] = parts.exec(text) ?? [];
    if (scheme === '' && !text.startsWith('/')) throw fail('invalid URI for request');
    if (/%(?![0-9a-fA-F]{2})/.test(path)) throw fail(`invalid URL escape ${JSON.stringify(/%.{0,2}/.exec(path)?.[0] ?? '%')}`);
    this.text = text;
    this.scheme = scheme.toLowerCase();
    this.host = (authority ?? '').replace(/^.*@/, '');
    const port = /:([^\]:]*)$/.exec(this.host)?.[1];
    if (port !== undefined && !/^\d*$/.test(port)) throw fail(`invalid port ${JSON.stringify(`:${port}`)} after host`);
    if (/[\s<>"]/.test(this.host)) throw fail(`invalid character ${JSON.stringify(/[\s<>"]/.exec(this.host)?.[0])} in host name`);
    this.path = path;
    this.query = query;
  }
  get hostname(): string {
    return this.host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
  }
  get port(): string {
    return /:(\d*)$/.exec(this.host)?.[1] ?? '';
  }
  equals(other: unknown): boolean {
    return other instanceof CelUrl && other.text === this.text;
  }
}

function isUrl(text: string): boolean {
  try {
    return new CelUrl(text).text === text;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

function queryOf({ query }: CelUrl): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) values.set(name, [...(values.get(name) ?? []), value]);
  return values;
}

const url = 'kubernetes.URL';

/** Kubernetes' URL library. */
export const urlFunctions: readonly LibraryFunction[] = [
  [`url(string): ${url}`, (text: string) => new CelUrl(text)],
  ['isURL(string): bool', isUrl],
  [`${url}.getScheme(): string`, ({ scheme }: CelUrl) => scheme],
  [`${url}.getHost(): string`, ({ host }: CelUrl) => host],
  [`${url}.getHostname(): string`, ({ hostname }: CelUrl) => hostname],
  [`${url}.getPort(): string`, ({ port }: CelUrl) => port],
  [`${url}.getEscapedPath(): string`, ({ path }: CelUrl) => encodeURI(path).replaceAll('%25', '%')],
  [`${url}.getQuery(): map<string, list<string>>`, queryOf],
];
